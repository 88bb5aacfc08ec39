"""The screened potential around one source on the film, for impurities and vortices alike."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite, non_negative, pair, positive, vector, vectors
from pearlfem.analytic._screened import PotentialDerivatives, screened_potential

Array = NDArray[np.float64]


def potential_around(
    points: ArrayLike, dimension: int, position: ArrayLike, width: float, pearl_length: float
) -> tuple[PotentialDerivatives, Array, Array]:
    """Evaluate the screened potential V of one source at points of the film or of space.

    Args:
        points: points of the film ``(..., 2)`` or of space ``(..., 3)`` [length].
        dimension: 2 or 3, the length of the last axis of `points`.
        position: of the source in the film [length], ``(2,)``.
        width: of its profile [length], >= 0.
        pearl_length: r0 [length].

    Returns:
        Derivatives of V at height |z|; in-plane separations from the source [length],
        ``(..., 2)``; the side, −1 below the film and +1 above or on it, ``(...)``.
    """
    coordinates = vectors("points", points, dimension)
    separation = coordinates[..., :2] - vector("position", position, 2)
    z = coordinates[..., 2] if dimension > 2 else np.zeros(coordinates.shape[:-1])
    r = np.hypot(separation[..., 0], separation[..., 1])
    sigma = float(non_negative("size", width))
    v = screened_potential(r, np.abs(z), positive("pearl_length", pearl_length), sigma)
    return v, separation, np.where(z < 0, -1.0, 1.0)


def moment_direction(angle: float) -> Array:
    """Unit vector at `angle` [degrees] from the x axis, ``(2,)``."""
    phi = np.deg2rad(finite("angle", angle))
    return np.array([np.cos(phi), np.sin(phi)])


def combined_width(sizes: tuple[float, float]) -> float:
    """Width √(ξ1² + ξ2²) in the energy of two Gaussian sources: their profiles are convolved."""
    return float(np.hypot(*non_negative("sizes", pair("sizes", sizes))))
