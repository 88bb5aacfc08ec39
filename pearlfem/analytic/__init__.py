"""Exact physics of the infinite film, by NumPy and SciPy alone: the references of the solvers."""

from pearlfem.analytic import infinite_film, pearl_vortex
from pearlfem.analytic.keldysh import keldysh_potential

__all__ = ["infinite_film", "keldysh_potential", "pearl_vortex"]
