"""Current and magnetic field of one Gaussian impurity on a film between walls.

    ψ = ± (Γ/4π) (m·∇) V(r, z)   for z > 0 and z < 0,     H = −∇ψ,     K = ∇g × ẑ,   g = ψ₊ − ψ₋

with the screened potential V between walls. If the walls are at different distances, ψ is not odd
in z, and |H_t| differs on the two faces. Units: μ0 = 1, one unit of length.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite, positive, vector, vectors
from pearlfem.analytic._source import moment_direction
from pearlfem.analytic.between_walls._potential import WallKind, Walls, walled_potential

Array = NDArray[np.float64]


def sheet_current(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    size: float,
    wall: WallKind,
    above: float,
    below: float,
    strength: float = 1.0,
    pearl_length: float = 1.0,
) -> Array:
    """Sheet current K of one impurity on a film between walls.

        K(q) = −κ a_t q r0 c / (1 + q r0 c),   a = (Γ/κ)(m×ẑ) f

    The anomalous current Γ f m×ẑ of the source is part of K. Between shields, far away,

        K = (Γ/2π) [r0/(r0 + L)] [m×ẑ − 2 ((m×ẑ)·r̂) r̂]/r²,   1/L = (1/above + 1/below)/2

    Args:
        points: points of the film [length], ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        size: width ξ [length], > 0.
        wall: "shield" (B·n = 0) or "magnetic-wall" (n × H = 0), the kind of both walls.
        above: distance of the wall above the film [length], may be inf.
        below: distance of the wall below the film [length], may be inf.
        strength: Γ.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        K [Γ/length²], ``(..., 2)``.

    Raises:
        ValueError: if `size`, `pearl_length`, `above` or `below` is not positive, `wall` unknown,
            a shape does not fit, or another number is not finite.
    """
    separation = vectors("points", points, 2) - vector("position", position, 2)
    r = np.hypot(separation[..., 0], separation[..., 1])
    width, r0 = positive("size", size), positive("pearl_length", pearl_length)
    v = walled_potential(r, None, r0, width, Walls.checked(wall, above, below))
    scale = finite("strength", strength) / (2.0 * np.pi)
    gradient = scale * v.hessian(separation) @ moment_direction(angle)
    return np.stack([gradient[..., 1], -gradient[..., 0]], axis=-1)


def magnetic_field(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    size: float,
    wall: WallKind,
    above: float,
    below: float,
    strength: float = 1.0,
    pearl_length: float = 1.0,
) -> Array:
    """Magnetic field B = −μ0 ∇ψ of one impurity on a film between walls.

    On the film itself (z = 0) B is the limit from above, z → 0+.

    Args:
        points: points of space [length], ``(..., 3)``, with −below <= z <= above.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        size: width ξ [length], > 0.
        wall: "shield" (B·n = 0) or "magnetic-wall" (n × H = 0), the kind of both walls.
        above: distance of the wall above the film [length], may be inf.
        below: distance of the wall below the film [length], may be inf.
        strength: Γ.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        B [μ0 Γ/length²], ``(..., 3)``.

    Raises:
        ValueError: if a point lies behind a wall, `size`, `pearl_length`, `above` or `below` is
            not positive, `wall` unknown, a shape does not fit, or another number is not finite.
    """
    coordinates = vectors("points", points, 3)
    separation, z = coordinates[..., :2] - vector("position", position, 2), coordinates[..., 2]
    walls = Walls.checked(wall, above, below)
    if np.any((z > above) | (z < -below)):
        raise ValueError(
            f"points = {points!r}: every z must be between {-below} and {above}, the two walls"
        )
    r = np.hypot(separation[..., 0], separation[..., 1])
    width, r0 = positive("size", size), positive("pearl_length", pearl_length)
    v = walled_potential(r, z, r0, width, walls)
    moment, side = moment_direction(angle), np.where(z < 0, -1.0, 1.0)
    in_plane = side[..., None] * (v.hessian(separation) @ moment)
    normal = v.normal_slope_over_r * (separation @ moment)
    scale = finite("strength", strength) / (4.0 * np.pi)
    return np.concatenate([in_plane, normal[..., None]], axis=-1) * -scale
