"""A bound from below on the energy of point impurities on a lattice, by Luttinger and Tisza.

Moments of fixed length at every site are replaced by moments whose squares have the right sum:
then plane waves are the states, and the lowest eigenvalue of T(k) is the energy of the best one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from pearlfem.analytic._checks import positive_or_infinite
from pearlfem.analytic.lattice._ewald import EwaldSum
from pearlfem.analytic.lattice.cell import Lattice

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Divisible by 2, 3 and 4, so that the corners, edges and face of the zone are on the grid.
_GRID = 48
# Eigenvalues this close, relative to the largest, are equal; so are lengths of moments.
_EQUAL = 1e-9
_UNIT = 1e-6
# What a point off the grid must gain, relatively, over the point of the grid it started from.
_GAIN = 1e-12
# Cells in which the lengths of a plane wave's moments are looked at: more than the three that
# |Re w e^{ik·R}|², a constant and one wave, needs along each cell vector.
_CELLS = 4
_STARTS = 20


class LuttingerTisza(NamedTuple):
    """The lowest plane wave of a lattice.

    Attributes:
        bound: half the lowest eigenvalue of T(k) over all k: no state of unit vectors has a lower
            energy per impurity [J*/length²].
        wavevector: k of the lowest plane wave [1/length], ``(2,)``, in fact −k as well; one of
            them if several are equal.
        attained: whether unit vectors on all sites can make plane waves of this k and −k with this
            energy, so that the bound is the energy of the ground state. False can still mean that
            waves of several equal k together can.
    """

    bound: float
    wavevector: Array
    attained: bool


def luttinger_tisza(lattice: Lattice, pearl_length: float) -> LuttingerTisza:
    """Lower bound on the energy per impurity, and the wave vector of its order.

        E >= ½ min_k λ_min(T(k))

    The eigenvalue is searched on a grid of 48 × 48 points of the zone, then from every local
    minimum of the grid: a structure of T(k) finer than this grid could be missed.

    Args:
        lattice: the impurities.
        pearl_length: r0 = 2λ²/d [length]; may be infinite (see `interaction_at`).

    Returns:
        Bound, wave vector, and whether unit vectors attain the bound.

    Raises:
        ValueError: if `pearl_length` is not positive.

    References:
        Luttinger, Tisza, Phys. Rev. 70, 954 (1946).
    """
    ewald = EwaldSum(lattice, positive_or_infinite("pearl_length", pearl_length))
    wavevector = _ordering_vector(ewald, lattice.reciprocal_vectors)
    eigenvalues, waves = np.linalg.eigh(_matrices(ewald(wavevector[None]))[0])
    ground = waves[:, eigenvalues <= eigenvalues[0] + _EQUAL * np.abs(eigenvalues).max()]
    attained = _has_unit_vectors(lattice, wavevector, ground)
    return LuttingerTisza(0.5 * float(eigenvalues[0]), wavevector, attained)


def _ordering_vector(ewald: EwaldSum, reciprocal_vectors: Array) -> Array:
    """The k of the lowest eigenvalue, in −½ < k·a/2π <= ½ for both cell vectors."""

    def lowest(fractions: Array) -> Array:
        matrices = _matrices(ewald(np.reshape(fractions, (-1, 2)) @ reciprocal_vectors))
        return np.asarray(np.linalg.eigvalsh(matrices)[:, 0])

    grid = np.stack(np.meshgrid(*[np.arange(_GRID) / _GRID] * 2, indexing="ij"), axis=-1)
    starts = grid[_local_minima(lowest(grid).reshape(_GRID, _GRID))]
    found = np.array([_refined(lowest, start) for start in starts])
    values = lowest(found)
    equal = values <= values.min() + _EQUAL * np.abs(values).max()
    # Of equal ones that which the search did not move, as corners of the zone are on the grid.
    moved = np.where(equal, np.abs(found - starts).max(axis=1), np.inf)
    best = found[np.argmin(moved)]
    return np.asarray((best - np.ceil(best - 0.5)) @ reciprocal_vectors)


def _matrices(tensors: Complex) -> Complex:
    """T(k) ``(m, n, 2, n, 2)`` as matrices ``(m, 2n, 2n)``."""
    size = 2 * tensors.shape[1]
    return tensors.reshape(-1, size, size)


def _local_minima(values: Array) -> NDArray[np.bool_]:
    """Points of a periodic grid ``(p, p)`` that no neighbour lies clearly below."""
    margin = _EQUAL * np.abs(values).max()
    lowest = np.ones(values.shape, bool)
    for step in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for sign in (1, -1):
            neighbour = np.roll(values, (sign * step[0], sign * step[1]), axis=(0, 1))
            lowest &= values <= neighbour + margin
    return lowest


def _refined(lowest: Callable[[Array], Array], start: Array) -> Array:
    """The minimum near a point of the grid: the point itself unless another is clearly lower."""
    # No derivatives: T(k) has a cusp at k = 0, and eigenvalues cross.
    scale = float(np.abs(lowest(start)[0]))
    simplex = start + np.array([[0.0, 0.0], [1.0, 0.2], [-0.2, 1.0]]) / (2.0 * _GRID)
    found = minimize(
        lambda fraction: float(lowest(fraction)[0]) / scale,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-9, "fatol": 1e-15},
    )
    gain = float(lowest(start)[0]) / scale - found.fun
    return np.asarray(found.x if gain > _GAIN else start)


def _has_unit_vectors(lattice: Lattice, wavevector: Array, ground: Complex) -> bool:
    """Whether a real part of the waves ``(2n, g)`` has length 1 on all sites of all cells."""
    cells = np.stack(np.meshgrid(*[np.arange(_CELLS)] * 2), axis=-1).reshape(-1, 2)
    places = (cells @ lattice.vectors)[:, None, :] + lattice.sites
    phases = np.exp(1j * (places @ wavevector))
    # Moments of each wave, (R, a, 2, g), then those of i times each wave.
    moments = phases[:, :, None, None] * ground.reshape(len(lattice.sites), 2, -1)
    basis = np.concatenate([moments.real, -moments.imag], axis=-1)

    def excess(amplitudes: Array) -> Array:
        return np.asarray((((basis @ amplitudes) ** 2).sum(axis=-1) - 1.0).ravel())

    rng = np.random.default_rng(0)
    for _ in range(_STARTS):
        start = rng.normal(size=basis.shape[-1])
        found = least_squares(excess, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        if np.abs(found.fun).max() < _UNIT:
            return True
    return False
