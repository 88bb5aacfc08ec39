"""Exact physics of films and applied fields: NumPy and SciPy only, no field solver."""

from pearlfem.analytic import (
    applied_fields,
    bcs,
    between_walls,
    infinite_film,
    lattice,
    narrow_ring,
    pearl_vortex,
    weak_screening,
)
from pearlfem.analytic.keldysh import keldysh_potential

__all__ = [
    "applied_fields",
    "bcs",
    "between_walls",
    "infinite_film",
    "keldysh_potential",
    "lattice",
    "narrow_ring",
    "pearl_vortex",
    "weak_screening",
]
