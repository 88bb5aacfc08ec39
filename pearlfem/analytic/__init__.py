"""Exact physics of films that fill a plane, by NumPy and SciPy alone: references of the solvers."""

from pearlfem.analytic import between_walls, infinite_film, pearl_vortex
from pearlfem.analytic.keldysh import keldysh_potential

__all__ = ["between_walls", "infinite_film", "keldysh_potential", "pearl_vortex"]
