"""The scalar potential ψ of one impurity for a moment along x and along y, and its gradients.

With the screened potential V(r, z) of `pearlfem.analytic._screened` and H = −∇ψ off the film,

    ψ = m · p,   p = ± (Γ/4π) ∇V(r, |z|)   for z >= 0 and z < 0  (∇ in the plane)

One evaluation of V gives p and its derivatives, and so ψ of any moment m. A solver subtracts them
when an impurity is a point: p on boundaries, ∇p in the plane off the film.
Units: μ0 = 1, one unit of length. z = 0 is the limit from above, z → 0+.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite, finite_array
from pearlfem.analytic._source import moment_direction, potential_around

Array = NDArray[np.float64]


def potential_per_moment(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Scalar potentials of an impurity for a moment along x and along y: ψ = p · m for any m.

        p = ± (Γ/4π) ∇V(r, |z|)

    Args:
        points: points of space [length], ``(..., 3)``, or of the upper face of the film,
            ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        p [Γ/length], ``(..., 2)``; NaN at a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (4).
    """
    v, separation, side = potential_around(points, _dimension(points), position, size, pearl_length)
    scale = finite("strength", strength) / (4.0 * np.pi)
    with np.errstate(invalid="ignore"):
        return np.asarray((scale * side * v.slope_over_r)[..., None] * separation)


def potential_gradient_per_moment(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Gradients of the scalar potentials of an impurity for a moment along x and along y.

        ∂p_a/∂x_b = ± (Γ/4π) [(V'/r) δ_ab + (V'' − V'/r) r̂_a r̂_b],   ∂p_a/∂z = (Γ/4π) (∂V'/∂z) r̂_a

    Args:
        points: points of space [length], ``(..., 3)``, or of the upper face of the film,
            ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        ∂p_a/∂x_b [Γ/length²], ``(..., 2, 3)``, or ``(..., 2, 2)`` (in the plane) for points of the
        film; the first of these axes is a, the component of the moment. NaN at a point impurity
        itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (4).
    """
    dimension = _dimension(points)
    v, separation, side = potential_around(points, dimension, position, size, pearl_length)
    scale = finite("strength", strength) / (4.0 * np.pi)
    r = np.hypot(separation[..., 0], separation[..., 1])[..., None]
    direction = separation / np.where(r > 0, r, np.inf)
    gradient = np.empty((*separation.shape, dimension))
    with np.errstate(invalid="ignore"):
        radial = v.quadrupole[..., None] * direction
        gradient[..., :2] = v.slope_over_r[..., None, None] * np.eye(2)
        gradient[..., :2] += radial[..., :, None] * direction[..., None, :]
        gradient[..., :2] *= side[..., None, None]
        if dimension == 3:
            gradient[..., 2] = v.normal_slope_over_r[..., None] * separation
    return gradient * scale


def scalar_potential_gradient(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    angle: float = 0.0,
    *,
    strength: float = 1.0,
    size: float = 0.0,
    pearl_length: float = 1.0,
) -> Array:
    """Gradient of the scalar potential ψ of one impurity; −∇ψ is H.

    Args:
        points: points of space [length], ``(..., 3)``, or of the upper face of the film,
            ``(..., 2)``.
        position: of the impurity [length], ``(2,)``.
        angle: of the moment m from the x axis [degrees].
        strength: Γ.
        size: width ξ [length], >= 0; 0 is a point impurity.
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        ∇ψ [Γ/length²], ``(..., 3)``, or ``(..., 2)`` (in the plane) for points of the film; NaN at
        a point impurity itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.
    """
    moment = moment_direction(angle)
    gradients = potential_gradient_per_moment(
        points, position, strength=strength, size=size, pearl_length=pearl_length
    )
    return np.asarray(np.einsum("a,...ab->...b", moment, gradients))


def _dimension(points: ArrayLike) -> int:
    """Length of the last axis of `points`, 2 (the film) or 3 (space)."""
    shape = finite_array("points", points).shape
    if not shape or shape[-1] not in (2, 3):
        raise ValueError(f"points has shape {shape}: the last axis must be 2 or 3 long")
    return int(shape[-1])
