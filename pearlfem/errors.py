"""The errors a user meets; the command line turns each into an exit code."""

from __future__ import annotations


class StudyError(ValueError):
    """The input cannot be used: names the key, the value and what is allowed (exit code 2)."""


class ConvergenceError(RuntimeError):
    """A solver stopped before its tolerance, so there is no result (exit code 3)."""


class CrossingError(RuntimeError):
    """A lower bound lies above an upper one: an error of the program (exit code 1)."""


class CompilationError(RuntimeError):
    """Forms could not be compiled on this machine (exit code 1)."""
