"""Lower bound on the energy of point impurities on a lattice, by Luttinger and Tisza.

The condition |m| = 1 at every site is relaxed: only the sum of all |m|² is fixed. Plane waves then
solve the problem, and the lowest eigenvalue of T(k) is the energy of the best one.
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

# Divisible by 2, 3 and 4, so that the grid contains the symmetric points of the Brillouin zone.
_GRID = 48
# Eigenvalues that differ by less than this, relative to the largest, are equal.
_EQUAL = 1e-9
# Squared lengths of moments that differ from 1 by less than this are 1.
_UNIT = 1e-6
# The search leaves a grid point only if the energy falls by more than this, relatively.
_GAIN = 1e-12
# Cells along each cell vector where |m| of a plane wave is checked. |Re w e^{ik·R}|² is a constant
# plus one wave, so three cells would be enough.
_CELLS = 4
_STARTS = 20


class LuttingerTisza(NamedTuple):
    """The lowest plane wave of a lattice.

    Attributes:
        bound: half the lowest eigenvalue of T(k) over all k: no state of unit vectors has a lower
            energy per impurity [J*/length²].
        wavevector: k of the lowest plane wave [1/length], ``(2,)``; one of them if several have the
            same energy (−k always has).
        attained: whether plane waves of ±k with unit vectors on all sites reach the bound. If so,
            it is the energy of the ground state. If not, waves of several k may still reach it.
    """

    bound: float
    wavevector: Array
    attained: bool


def luttinger_tisza(lattice: Lattice, pearl_length: float) -> LuttingerTisza:
    """Lower bound on the energy per impurity, and the wave vector of the lowest plane wave.

        E >= ½ min_k λ_min(T(k))

    The minimum is searched on a grid of 48 × 48 points of the Brillouin zone, then around every
    local minimum of the grid. A feature of T(k) that is finer than the grid could be missed.

    Args:
        lattice: the impurities.
        pearl_length: r0 = 2λ²/d [length]; may be infinite (see `interaction_at`).

    Returns:
        Bound, wave vector, and whether unit vectors reach the bound.

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
    """Return the k of the lowest eigenvalue, with −½ < k·a/2π <= ½ for both cell vectors a."""

    def lowest(fractions: Array) -> Array:
        matrices = _matrices(ewald(np.reshape(fractions, (-1, 2)) @ reciprocal_vectors))
        return np.asarray(np.linalg.eigvalsh(matrices)[:, 0])

    grid = np.stack(np.meshgrid(*[np.arange(_GRID) / _GRID] * 2, indexing="ij"), axis=-1)
    starts = grid[_local_minima(lowest(grid).reshape(_GRID, _GRID))]
    minima = np.array([_minimum_near(lowest, start) for start in starts])
    values = lowest(minima)
    equal = values <= values.min() + _EQUAL * np.abs(values).max()
    # Of equal minima take the one that the search moved least: symmetric points are on the grid.
    moved = np.where(equal, np.abs(minima - starts).max(axis=1), np.inf)
    best = minima[np.argmin(moved)]
    return np.asarray((best - np.ceil(best - 0.5)) @ reciprocal_vectors)


def _matrices(tensors: Complex) -> Complex:
    """Return T(k) ``(m, n, 2, n, 2)`` as matrices ``(m, 2n, 2n)``."""
    size = 2 * tensors.shape[1]
    return tensors.reshape(-1, size, size)


def _local_minima(values: Array) -> NDArray[np.bool_]:
    """Return which points of a periodic grid ``(p, p)`` have no neighbour that is clearly lower."""
    margin = _EQUAL * np.abs(values).max()
    lowest = np.ones(values.shape, bool)
    for step in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for sign in (1, -1):
            neighbour = np.roll(values, (sign * step[0], sign * step[1]), axis=(0, 1))
            lowest &= values <= neighbour + margin
    return lowest


def _minimum_near(lowest: Callable[[Array], Array], start: Array) -> Array:
    """Return the minimum near a grid point, or this point unless another is clearly lower."""
    # A method without derivatives: T(k) has a cusp at k = 0, and eigenvalues cross.
    scale = float(np.abs(lowest(start)[0]))
    simplex = start + np.array([[0.0, 0.0], [1.0, 0.2], [-0.2, 1.0]]) / (2.0 * _GRID)
    result = minimize(
        lambda fraction: float(lowest(fraction)[0]) / scale,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-9, "fatol": 1e-15},
    )
    gain = float(lowest(start)[0]) / scale - result.fun
    return np.asarray(result.x if gain > _GAIN else start)


def _has_unit_vectors(lattice: Lattice, wavevector: Array, ground: Complex) -> bool:
    """Return whether some combination of the waves ``(2n, g)`` has |Re m| = 1 on all sites."""
    cells = np.stack(np.meshgrid(*[np.arange(_CELLS)] * 2), axis=-1).reshape(-1, 2)
    positions = (cells @ lattice.vectors)[:, None, :] + lattice.sites
    phases = np.exp(1j * (positions @ wavevector))
    # Real parts of each wave, (R, a, 2, g), then those of i times each wave: a real basis.
    moments = phases[:, :, None, None] * ground.reshape(len(lattice.sites), 2, -1)
    basis = np.concatenate([moments.real, -moments.imag], axis=-1)

    def excess(amplitudes: Array) -> Array:
        return np.asarray((((basis @ amplitudes) ** 2).sum(axis=-1) - 1.0).ravel())

    rng = np.random.default_rng(0)
    for _ in range(_STARTS):
        start = rng.normal(size=basis.shape[-1])
        result = least_squares(excess, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        if np.abs(result.fun).max() < _UNIT:
            return True
    return False
