"""Observables: functions of solutions that return numbers and fields, the same on all ranks."""
