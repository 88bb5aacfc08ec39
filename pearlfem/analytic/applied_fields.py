"""Vector potential and magnetic field of sources outside the film, in reduced units (μ0 = 1).

The sources are a uniform field, a magnetic dipole, and a circular current loop with its axis along
z. Every A is in Coulomb gauge, div A = 0, and B = curl A.

The loop of radius a and current I around the z axis needs complete elliptic integrals. Their usual
form subtracts nearly equal numbers near the axis and far away. Landen's transformation, written
with the largest and the smallest distance to the wire, α and β, turns the differences into sums:

    α² = (ρ + a)² + z²,   β² = (ρ − a)² + z²,   σ = α + β,   q = 4αβ/σ²
    D = ∫_0^{π/2} sin²θ dθ / √(1 − (1−q) sin²θ),   Q = (1/q) ∫_0^{π/2} cos²θ dθ / √(…)
    h = ρ² (σ² − 4a²) / (σ² αβ)

    A_φ = (8a²I/π) ρ D / σ³
    B_ρ = (8a²I/π) (ρz / σ³αβ) (D + 2Q)
    B_z = (8a²I/π) [(1 − h) D + (1 − 2h) Q] / σ³

A_φ is (a²I/4) (ρ/α³) F(3/2, 3/2; 3; 4aρ/α²) with Gauss's hypergeometric function F, after Landen's
transformation; B follows from B = curl A. D and Q are Carlson's symmetric integrals.

J. D. Jackson, Classical Electrodynamics, 3rd ed., sections 5.5 and 5.6; NIST Digital Library of
Mathematical Functions, sections 15.8 and 19.25.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pearlfem.analytic._checks import finite, positive, vector, vectors

Array = NDArray[np.float64]


def uniform_vector_potential(points: ArrayLike, field: ArrayLike) -> Array:
    """Vector potential A = ½ B × r of a uniform field; zero at the origin.

    Args:
        points: points of space [length], ``(..., 3)``.
        field: B [μ0 current/length], ``(3,)``.

    Returns:
        A [μ0 current], ``(..., 3)``.

    Raises:
        ValueError: if a shape does not fit or a number is not finite.
    """
    return 0.5 * np.cross(vector("field", field, 3), vectors("points", points, 3))


def uniform_magnetic_field(points: ArrayLike, field: ArrayLike) -> Array:
    """The uniform field B, at every point.

    Args:
        points: points of space [length], ``(..., 3)``.
        field: B [μ0 current/length], ``(3,)``.

    Returns:
        B [μ0 current/length], ``(..., 3)``.

    Raises:
        ValueError: if a shape does not fit or a number is not finite.
    """
    return np.broadcast_to(vector("field", field, 3), vectors("points", points, 3).shape).copy()


def dipole_vector_potential(points: ArrayLike, position: ArrayLike, moment: ArrayLike) -> Array:
    """Vector potential A = (μ0/4π) m × r / r³ of a magnetic dipole, r from the dipole.

    Args:
        points: points of space [length], ``(..., 3)``, none of them at the dipole.
        position: of the dipole [length], ``(3,)``.
        moment: m [current length²], ``(3,)``.

    Returns:
        A [μ0 current], ``(..., 3)``.

    Raises:
        ValueError: if a point is at the dipole, a shape does not fit, or a number is not finite.

    References:
        Jackson, Eq. (5.55).
    """
    direction, distance = _from_dipole(points, position)
    across = np.cross(vector("moment", moment, 3), direction)
    return np.asarray(across / (4.0 * np.pi * distance**2))


def dipole_magnetic_field(points: ArrayLike, position: ArrayLike, moment: ArrayLike) -> Array:
    """Magnetic field B = (μ0/4π) [3 (m·r̂) r̂ − m] / r³ of a magnetic dipole.

    Args:
        points: points of space [length], ``(..., 3)``, none of them at the dipole.
        position: of the dipole [length], ``(3,)``.
        moment: m [current length²], ``(3,)``.

    Returns:
        B [μ0 current/length], ``(..., 3)``.

    Raises:
        ValueError: if a point is at the dipole, a shape does not fit, or a number is not finite.

    References:
        Jackson, Eq. (5.56).
    """
    direction, distance = _from_dipole(points, position)
    m = vector("moment", moment, 3)
    along = (direction @ m)[..., None]
    return np.asarray((3.0 * along * direction - m) / (4.0 * np.pi * distance**3))


def loop_vector_potential(
    points: ArrayLike, center: ArrayLike, radius: float, current: float
) -> Array:
    """Vector potential A = A_φ φ̂ of a circular current with its axis along z.

    Args:
        points: points of space [length], ``(..., 3)``, none of them on the wire.
        center: of the loop [length], ``(3,)``.
        radius: a [length].
        current: I, anticlockwise seen from above.

    Returns:
        A [μ0 current], ``(..., 3)``, right to 14 digits, also near the axis and far away.

    Raises:
        ValueError: if a point is on the wire, `radius` not positive, a shape does not fit, or a
            number is not finite.

    References:
        Jackson, Eq. (5.37).
    """
    x, y, z = _from_loop(points, center)
    strength = _loop_strength(radius, current)
    _, sigma, _, d, _ = _loop_integrals(np.hypot(x, y), z, radius)
    per_rho = strength * d / sigma**3
    return np.stack([-y * per_rho, x * per_rho, np.zeros_like(x)], axis=-1)


def loop_magnetic_field(
    points: ArrayLike, center: ArrayLike, radius: float, current: float
) -> Array:
    """Magnetic field B of a circular current with its axis along z.

    Args:
        points: points of space [length], ``(..., 3)``, none of them on the wire.
        center: of the loop [length], ``(3,)``.
        radius: a [length].
        current: I, anticlockwise seen from above.

    Returns:
        B [μ0 current/length], ``(..., 3)``, right to 14 digits of its magnitude, also near the
        axis and far away.

    Raises:
        ValueError: if a point is on the wire, `radius` not positive, a shape does not fit, or a
            number is not finite.

    References:
        NIST Digital Library of Mathematical Functions, section 19.25, for D and Q.
    """
    x, y, z = _from_loop(points, center)
    strength = _loop_strength(radius, current)
    rho = np.hypot(x, y)
    product, sigma, q, d, k = _loop_integrals(rho, z, radius)
    Q = (k - d) / q
    # σ² − 4a² = 2 (ρ² + z² − a² + αβ), in a form that keeps its digits near the wire.
    excess = 2.0 * ((rho - radius) * (rho + radius) + z * z + product)
    h = (rho / sigma) ** 2 * (excess / product)
    scale = strength / sigma**3
    per_rho = scale * (z / product) * (d + 2.0 * Q)
    normal = scale * ((1.0 - h) * d + (1.0 - 2.0 * h) * Q)
    return np.stack([x * per_rho, y * per_rho, normal], axis=-1)


def _from_dipole(points: ArrayLike, position: ArrayLike) -> tuple[Array, Array]:
    """Unit vectors ``(..., 3)`` from the dipole to the points, and distances ``(..., 1)``."""
    separation = vectors("points", points, 3) - vector("position", position, 3)
    distance = np.linalg.norm(separation, axis=-1, keepdims=True)
    _refuse("at the dipole", distance[..., 0] == 0)
    return separation / distance, distance


def _from_loop(points: ArrayLike, center: ArrayLike) -> tuple[Array, Array, Array]:
    """Cartesian coordinates of the points relative to the loop's centre, each ``(...)``."""
    x, y, z = np.moveaxis(vectors("points", points, 3) - vector("center", center, 3), -1, 0)
    return x, y, z


def _loop_strength(radius: float, current: float) -> float:
    """The common factor 8a²I/π."""
    return 8.0 / np.pi * positive("radius", radius) ** 2 * finite("current", current)


def _loop_integrals(rho: Array, z: Array, radius: float) -> tuple[Array, ...]:
    """αβ, σ, q (see the module) and the complete elliptic integrals D and K, each ``(...)``."""
    alpha, beta = np.hypot(rho + radius, z), np.hypot(rho - radius, z)
    _refuse("on the wire", beta == 0)
    product, sigma = alpha * beta, alpha + beta
    q = np.minimum(4.0 * product / sigma**2, 1.0)
    return product, sigma, q, special.elliprd(0.0, q, 1.0) / 3.0, special.ellipkm1(q)


def _refuse(where: str, singular: NDArray[np.bool_]) -> None:
    """Refuse points where A and B are infinite."""
    if np.any(singular):
        first = tuple(int(i) for i in np.argwhere(singular)[0])
        count = np.count_nonzero(singular)
        raise ValueError(
            f"points: {count} of them are {where}, where A and B are infinite; "
            f"the first has index {first}"
        )
