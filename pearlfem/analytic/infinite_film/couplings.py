"""Energies of magnetic impurities on the infinite film, Eqs. (8) to (10) of the paper.

An impurity of strength Γ and in-plane moment m (a unit vector) drives the anomalous current
Γ m × ẑ, in a Gaussian profile of width ξ (its size) or at a point. With the Keldysh potential V
and κ = 2/r0 (μ0 = 1, so energies are in μ0 Γ²/length),

    F_ij = J⊥ m_i⊥ m_j⊥ − J∥ m_i∥ m_j∥,   J⊥ = −J* V'(r)/r,   J∥ = J* V''(r),   J* = Γ_i Γ_j/(2πκ)

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import (
    finite_array,
    non_negative,
    one_for_each,
    pair,
    positive,
    vectors,
)
from pearlfem.analytic._screened import screened_potential
from pearlfem.analytic._source import combined_width


class Couplings(NamedTuple):
    """The two couplings of a pair of impurities [μ0 Γ²/length].

    Attributes:
        perpendicular: J⊥, of the components perpendicular to the line joining the impurities.
        parallel: J∥, of the components along that line.
    """

    perpendicular: NDArray[np.float64]
    parallel: NDArray[np.float64]


def couplings(
    r: ArrayLike,
    pearl_length: float = 1.0,
    strengths: tuple[float, float] = (1.0, 1.0),
    sizes: tuple[float, float] = (0.0, 0.0),
) -> Couplings:
    """Exact couplings J⊥ and J∥ of two impurities on the infinite film.

        J⊥ = −J* V'/r,   J∥ = J* V'',   V(q) = 2π r0 / [q (1 + q r0)] · exp[−q² (ξ1² + ξ2²)/2]

    For point impurities J∥ > J⊥ > 0. For Gaussian ones J∥ changes sign (near r = 2.1 ξ if both have
    the width ξ), and J∥ = −J⊥ at r = 0.

    Args:
        r: distance [length], any shape, >= 0.
        pearl_length: r0 = 2λ²/d [length].
        strengths: Γ1, Γ2.
        sizes: ξ1, ξ2 [length], >= 0; 0 is a point impurity.

    Returns:
        J⊥ and J∥ [μ0 Γ²/length], each of the shape of `r`; ±inf for point impurities at r = 0.

    Raises:
        ValueError: if `r` or a size is negative, `pearl_length` not positive, or a number not
            finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eqs. (8) and (9).
    """
    distance = non_negative("r", r)
    scale = _energy_scale(pearl_length, strengths)
    width = combined_width(sizes)
    v = screened_potential(distance, 0.0, pearl_length, width)
    with np.errstate(invalid="ignore"):
        curvature = np.where(np.isinf(v.quadrupole), np.inf, v.quadrupole + v.slope_over_r)
    return Couplings(-scale * v.slope_over_r, scale * curvature)


def elementary_couplings(
    r: ArrayLike, pearl_length: float = 1.0, strengths: tuple[float, float] = (1.0, 1.0)
) -> Couplings:
    """Approximate couplings of two point impurities, by elementary functions.

        J⊥ ≈ J* r0 / [r² (r + r0)],   J∥ ≈ J* r0 (2r + r0) / [r² (r + r0)²]

    Exact in the limits r ≪ r0 and r ≫ r0, wrong by up to 10.5 % in between: use it for estimates,
    not for tests.

    Args:
        r: distance [length], any shape, > 0.
        pearl_length: r0 = 2λ²/d [length].
        strengths: Γ1, Γ2.

    Returns:
        J⊥ and J∥ [μ0 Γ²/length], each of the shape of `r`.

    Raises:
        ValueError: if `r` or `pearl_length` is not positive, or a number not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (10).
    """
    distance = non_negative("r", r)
    if not np.all(distance > 0):
        raise ValueError(f"r = {r!r}: every entry must be > 0")
    perpendicular = (
        _energy_scale(pearl_length, strengths)
        * pearl_length
        / (distance**2 * (distance + pearl_length))
    )
    ratio = (2.0 * distance + pearl_length) / (distance + pearl_length)
    return Couplings(perpendicular, perpendicular * ratio)


def self_energy(size: float, pearl_length: float = 1.0, strength: float = 1.0) -> float:
    """Free energy F of one Gaussian impurity on the infinite film (T_ii is 2F).

        F = (J*/4) ∫_0^∞ dq q² r0 / (1 + q r0) · exp(−q² ξ²)

    which tends to J*/(8ξ²) for ξ ≪ r0.

    Args:
        size: width ξ of the impurity [length], > 0.
        pearl_length: r0 = 2λ²/d [length].
        strength: Γ.

    Returns:
        F [μ0 Γ²/length].

    Raises:
        ValueError: if `size` or `pearl_length` is not positive, or a number not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (5), for a Gaussian profile.
    """
    width = positive("size", size)
    at_origin = couplings(0.0, pearl_length, (strength, strength), (width, width))
    return 0.5 * float(at_origin.perpendicular)


def interaction_tensor(
    positions: ArrayLike,
    pearl_length: float = 1.0,
    strengths: ArrayLike = 1.0,
    sizes: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Interaction tensor of any number of impurities on the infinite film.

        F = ½ Σ_ij m_i · T_ij · m_j,   T_ij = J⊥ (1 − r̂ r̂) − J∥ r̂ r̂,   T_ii = 2 F_self 1

    The self-energy of a point impurity diverges, so T_ii is inf · 1 for size 0 (its off-diagonal
    components are 0). It does not depend on the moment: set these blocks to 0 to keep only the
    interaction.

    Args:
        positions: ``(n, 2)`` [length].
        pearl_length: r0 = 2λ²/d [length].
        strengths: Γ of each impurity ``(n,)``, or one for all.
        sizes: ξ of each impurity ``(n,)`` [length], or one for all; 0 is a point impurity.

    Returns:
        T ``(n, n, 2, 2)`` [μ0 Γ²/length]; the last two axes are the Cartesian components of m_i
        and m_j: [[xx, xy], [yx, yy]].

    Raises:
        ValueError: if two point impurities share a position, a size is negative, `pearl_length`
            not positive, a shape does not fit, or a number is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eqs. (6), (8) and (9).
    """
    points = vectors("positions", positions, 2)
    if points.ndim != 2:
        raise ValueError(f"positions has shape {points.shape}: must be (n, 2)")
    gamma = one_for_each("strengths", finite_array("strengths", strengths), len(points))
    xi = one_for_each("sizes", non_negative("sizes", sizes), len(points))
    i, j = np.triu_indices(len(points))
    separation = points[i] - points[j]
    r = np.hypot(separation[:, 0], separation[:, 1])
    width = np.hypot(xi[i], xi[j])
    _refuse_coincident(i, j, (r == 0) & (width == 0) & (i != j))

    v = screened_potential(r, 0.0, positive("pearl_length", pearl_length), width)
    # At r = 0 the tensor is isotropic. r̂ = 0 there avoids inf · 0 for point impurities.
    away = np.where(r > 0, r, np.inf)
    direction = separation / away[:, None]
    quadrupole = np.where(r > 0, v.quadrupole, 0.0)[:, None, None]
    isotropic = np.where(np.eye(2) > 0, v.slope_over_r[:, None, None], 0.0)
    hessian = isotropic + quadrupole * (direction[:, :, None] * direction[:, None, :])
    scale = (gamma[i] * gamma[j] * pearl_length / (4.0 * np.pi))[:, None, None]
    # Where the strength is 0 the block is 0, also for a point impurity (in place of 0 · inf).
    blocks = np.zeros_like(hessian)
    np.multiply(-scale, hessian, out=blocks, where=(scale != 0) & (hessian != 0))
    tensor = np.empty((len(points), len(points), 2, 2))
    tensor[i, j] = tensor[j, i] = blocks
    return tensor


def _energy_scale(pearl_length: float, strengths: tuple[float, float]) -> float:
    """J* = Γ1 Γ2 / (2πκ) with κ = 2/r0."""
    first, second = pair("strengths", strengths)
    return first * second * positive("pearl_length", pearl_length) / (4.0 * np.pi)


def _refuse_coincident(
    i: NDArray[np.intp], j: NDArray[np.intp], coincident: NDArray[np.bool_]
) -> None:
    """Refuse two point impurities at the same position, where their coupling is infinite."""
    if coincident.any():
        first = int(np.argmax(coincident))
        raise ValueError(
            f"positions: point impurities {i[first]} and {j[first]} are at the same position; "
            "their positions must differ, or the size of one must be > 0"
        )
