"""A lattice of impurities on the infinite film: its cell vectors and its sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite, finite_array, positive, vectors

Array = NDArray[np.float64]

# Directions or sites that differ by less than this, relative to the cell, are the same.
_SAME = 1e-9


@dataclass(frozen=True, eq=False, init=False)
class Lattice:
    """Impurities at R + s, with R = i a1 + j a2 for all integers and s the sites of one cell.

    Attributes:
        vectors: cell vectors a1 and a2 as rows [length], ``(2, 2)``, read-only.
        sites: positions s of the impurities of one cell [length], ``(n, 2)``, read-only; each may
            lie in any cell.
    """

    vectors: Array
    sites: Array

    def __init__(self, vectors: ArrayLike, sites: ArrayLike = ((0.0, 0.0),)) -> None:
        """Check the lattice and keep read-only copies of its arrays.

        Args:
            vectors: a1 and a2 as rows [length], ``(2, 2)``.
            sites: s of one cell [length], ``(n, 2)``; by default one site at the origin.

        Raises:
            ValueError: if the cell vectors are parallel, two sites are the same up to a lattice
                vector, there is no site, a shape does not fit, or a number is not finite.
        """
        object.__setattr__(self, "vectors", _cell_vectors(vectors))
        object.__setattr__(self, "sites", _sites(sites))
        self.vectors.flags.writeable = self.sites.flags.writeable = False
        self._refuse_coincident()

    @property
    def area(self) -> float:
        """Area of one cell [length²]."""
        return abs(_cross(self.vectors))

    @property
    def reciprocal_vectors(self) -> Array:
        """Vectors b1 and b2 as rows [1/length], ``(2, 2)``, with a_i · b_j = 2π δ_ij."""
        return 2.0 * np.pi * np.linalg.inv(self.vectors).T

    @property
    def separations(self) -> Array:
        """s_b − s_a for all pairs of sites [length], ``(n, n, 2)``, with a first."""
        return self.sites[None, :, :] - self.sites[:, None, :]

    def _refuse_coincident(self) -> None:
        cells = self.separations @ self.reciprocal_vectors.T / (2.0 * np.pi)
        same = np.abs(cells - np.round(cells)).max(axis=-1) < _SAME
        first, second = np.nonzero(np.triu(same, 1))
        if first.size:
            a, b = first[0], second[0]
            raise ValueError(
                f"sites = {self.sites.tolist()}: sites {a} and {b} coincide in the lattice; "
                "all impurities must be at different positions"
            )


def rhombic_lattice(angle: float, constant: float = 1.0) -> Lattice:
    """Lattice with one impurity per cell: a1 along x, |a1| = |a2| = d, at an angle to each other.

    Args:
        angle: θ between a1 and a2 [degrees], between 0 and 180; 60 is the triangular lattice, 90
            the square one.
        constant: d [length].

    Returns:
        The lattice.

    Raises:
        ValueError: if `angle` is not between 0 and 180, or `constant` not positive.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3(a).
    """
    if not 0.0 < finite("angle", angle) < 180.0:
        raise ValueError(f"angle = {angle!r}: must be between 0 and 180 degrees")
    theta = np.deg2rad(angle)
    unit = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]])
    return Lattice(positive("constant", constant) * unit)


def points_within(cell: Array, radius: float) -> Array:
    """All points i a1 + j a2 with |i a1 + j a2| <= `radius`, ``(m, 2)``, for the rows of `cell`."""
    # Rows of a lattice are |a1 × a2|/|a_other| apart.
    spacing = abs(_cross(cell)) / np.hypot(cell[:, 0], cell[:, 1])[::-1]
    i, j = (np.arange(-n, n + 1) for n in np.floor(radius / spacing).astype(int))
    points = i[:, None, None] * cell[0] + j[None, :, None] * cell[1]
    return np.asarray(points[np.hypot(points[..., 0], points[..., 1]) <= radius])


def _cross(cell: Array) -> float:
    """a1 × a2."""
    return float(cell[0, 0] * cell[1, 1] - cell[0, 1] * cell[1, 0])


def _cell_vectors(value: ArrayLike) -> Array:
    cell = finite_array("vectors", value).copy()
    if cell.shape != (2, 2):
        raise ValueError(f"vectors has shape {cell.shape}: must be (2, 2), a1 and a2 as rows")
    if abs(_cross(cell)) <= _SAME * np.prod(np.hypot(cell[:, 0], cell[:, 1])):
        raise ValueError(f"vectors = {cell.tolist()}: a1 and a2 must not be parallel or zero")
    return cell


def _sites(value: ArrayLike) -> Array:
    sites = vectors("sites", value, 2).copy()
    if sites.ndim != 2 or not len(sites):
        raise ValueError(f"sites has shape {sites.shape}: must be (n, 2) with n >= 1")
    return sites
