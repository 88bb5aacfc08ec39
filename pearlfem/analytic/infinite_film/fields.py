"""Current and magnetic field of one magnetic impurity on the infinite film, Eqs. (4) and (12).

Off the film H = −∇ψ. For an impurity of strength Γ with in-plane moment m (a unit vector),

    ψ = ± (Γ/4π) (m·∇) V(r, |z|)   for z > 0 and z < 0,     g = 2ψ(z = 0+),     K = ∇g × ẑ

with the screened potential V of `pearlfem.analytic._screened`. Units: μ0 = 1, one unit of length.
On the film itself (z = 0) fields are the limit from above, z → 0+.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite
from pearlfem.analytic._screened import PotentialDerivatives
from pearlfem.analytic._source import moment_direction, potential_around

Array = NDArray[np.float64]


def stream_function(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Stream function g of the sheet current K = ∇g × ẑ of one impurity.

        g = (Γ/2π) (m·∇) V(r)

    Args:
        points: points of the film [length], ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        g [Γ/length], ``(...)``; NaN at a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (12).
    """
    v, separation, _ = potential_around(points, 2, position, size, pearl_length)
    scale = finite("strength", strength) / (2.0 * np.pi)
    with np.errstate(invalid="ignore"):
        return np.asarray(scale * v.slope_over_r * (separation @ moment_direction(angle)))


def sheet_current(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Sheet current K of one impurity.

        K = ∇g × ẑ = (κ/Γ) [J∥ m×ẑ − (J∥ + J⊥) ((m×ẑ)·r̂) r̂]

    with the couplings J of `couplings` for the sizes (ξ, 0). The anomalous current Γ f m×ẑ of the
    source is part of K.

    Args:
        points: points of the film [length], ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        K [Γ/length²], ``(..., 2)``; NaN at a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (12).
    """
    v, separation, _ = potential_around(points, 2, position, size, pearl_length)
    scale = finite("strength", strength) / (2.0 * np.pi)
    gradient = scale * _slope_gradient(v, separation, moment_direction(angle))
    return np.stack([gradient[..., 1], -gradient[..., 0]], axis=-1)


def scalar_potential(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Magnetic scalar potential ψ of one impurity, H = −∇ψ off the film.

        ψ = ± (Γ/4π) (m·∇) V(r, |z|)   for z >= 0 and z < 0

    Args:
        points: points of space [length], ``(..., 3)``; z = 0 is the upper face of the film.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        ψ [Γ/length], ``(...)``; NaN at a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (4).
    """
    v, separation, side = potential_around(points, 3, position, size, pearl_length)
    scale = finite("strength", strength) / (4.0 * np.pi) * side
    with np.errstate(invalid="ignore"):
        return np.asarray(scale * v.slope_over_r * (separation @ moment_direction(angle)))


def magnetic_field(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Magnetic field B = −μ0 ∇ψ of one impurity, at any height.

    B_z is even in z, the in-plane components are odd.

    Args:
        points: points of space [length], ``(..., 3)``; z = 0 is the upper face of the film.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        B [μ0 Γ/length²], ``(..., 3)``; NaN at a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (4).
    """
    v, separation, side = potential_around(points, 3, position, size, pearl_length)
    scale = finite("strength", strength) / (4.0 * np.pi)
    moment = moment_direction(angle)
    in_plane = side[..., None] * _slope_gradient(v, separation, moment)
    with np.errstate(invalid="ignore"):
        normal = v.normal_slope_over_r * (separation @ moment)
    return np.concatenate([in_plane, normal[..., None]], axis=-1) * -scale


def _slope_gradient(v: PotentialDerivatives, separation: Array, moment: Array) -> Array:
    """In-plane gradient of (m·∇)V: (V'/r) m + (V'' − V'/r) (m·r̂) r̂, shape ``(..., 2)``."""
    r = np.hypot(separation[..., 0], separation[..., 1])[..., None]
    direction = separation / np.where(r > 0, r, np.inf)
    along = (direction @ moment)[..., None]
    with np.errstate(invalid="ignore"):
        radial = v.quadrupole[..., None] * along * direction
        return np.asarray(v.slope_over_r[..., None] * moment + radial)
