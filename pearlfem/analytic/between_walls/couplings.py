"""Energies of Gaussian magnetic impurities on a film between walls.

    F = (Γ²/2κ) ∫ d²q/(2π)² [q r0 c / (1 + q r0 c)] |Σ_i (m_i·q̂) f_i(q) e^{−iq·r_i}|²

with c of `pearlfem.analytic.between_walls`, f(q) = exp(−q²ξ²/2), κ = 2/r0 and μ0 = 1. The formulas
are those of the infinite film, with the screened potential V between walls.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import (
    all_positive,
    finite_array,
    non_negative,
    one_for_each,
    pair,
    positive,
    vectors,
)
from pearlfem.analytic.between_walls._potential import WallKind, Walls, walled_potential
from pearlfem.analytic.infinite_film import Couplings


def couplings(
    r: ArrayLike,
    pearl_length: float,
    strengths: tuple[float, float],
    sizes: tuple[float, float],
    *,
    wall: WallKind,
    above: float,
    below: float,
) -> Couplings:
    """Exact couplings J⊥ and J∥ of two Gaussian impurities on a film between walls.

        J⊥ = −J* V'/r,   J∥ = J* V'',   V(q) = 2π r0 c / [q (1 + q r0 c)] · exp[−q² (ξ1² + ξ2²)/2]

    Between shields J⊥ = J∥ = J* r0/[(r0 + L) r²] far away, with 1/L = (1/above + 1/below)/2.
    Between magnetic walls both decay exponentially.

    Args:
        r: distance [length], any shape, >= 0.
        pearl_length: r0 = 2λ²/d [length].
        strengths: Γ1, Γ2.
        sizes: ξ1, ξ2 [length], > 0.
        wall: "shield" (B·n = 0) or "magnetic-wall" (n × H = 0), the kind of both walls.
        above: distance of the wall above the film [length], may be inf.
        below: distance of the wall below the film [length], may be inf.

    Returns:
        J⊥ and J∥ [μ0 Γ²/length], each of the shape of `r`.

    Raises:
        ValueError: if `r` is negative, a size, `pearl_length`, `above` or `below` not positive,
            `wall` unknown, or another number is not finite.
    """
    distance = non_negative("r", r)
    first, second = pair("strengths", strengths)
    width = float(np.hypot(*all_positive("sizes", pair("sizes", sizes))))
    scale = first * second * positive("pearl_length", pearl_length) / (4.0 * np.pi)
    walls = Walls.checked(wall, above, below)
    v = walled_potential(distance, None, pearl_length, width, walls)
    return Couplings(-scale * v.slope_over_r, scale * (v.quadrupole + v.slope_over_r))


def self_energy(
    size: float,
    pearl_length: float,
    strength: float,
    *,
    wall: WallKind,
    above: float,
    below: float,
) -> float:
    """Free energy F of one Gaussian impurity on a film between walls (T_ii is 2F).

        F = (J*/4) ∫_0^∞ dq q [q r0 c / (1 + q r0 c)] exp(−q² ξ²)

    Shields raise F, at most to J*/(8ξ²); magnetic walls lower it.

    Args:
        size: width ξ of the impurity [length], > 0.
        pearl_length: r0 = 2λ²/d [length].
        strength: Γ.
        wall: "shield" (B·n = 0) or "magnetic-wall" (n × H = 0), the kind of both walls.
        above: distance of the wall above the film [length], may be inf.
        below: distance of the wall below the film [length], may be inf.

    Returns:
        F [μ0 Γ²/length].

    Raises:
        ValueError: if `size`, `pearl_length`, `above` or `below` is not positive, `wall` unknown,
            or another number is not finite.
    """
    width = positive("size", size)
    at_origin = couplings(
        0.0,
        pearl_length,
        (strength, strength),
        (width, width),
        wall=wall,
        above=above,
        below=below,
    )
    return 0.5 * float(at_origin.perpendicular)


def interaction_tensor(
    positions: ArrayLike,
    pearl_length: float,
    strengths: ArrayLike,
    sizes: ArrayLike,
    *,
    wall: WallKind,
    above: float,
    below: float,
) -> NDArray[np.float64]:
    """Interaction tensor of any number of Gaussian impurities on a film between walls.

        F = ½ Σ_ij m_i · T_ij · m_j,   T_ij = J⊥ (1 − r̂ r̂) − J∥ r̂ r̂,   T_ii = 2 F_self 1

    Args:
        positions: ``(n, 2)`` [length].
        pearl_length: r0 = 2λ²/d [length].
        strengths: Γ of each impurity ``(n,)``, or one for all.
        sizes: ξ of each impurity ``(n,)`` [length], or one for all, > 0.
        wall: "shield" (B·n = 0) or "magnetic-wall" (n × H = 0), the kind of both walls.
        above: distance of the wall above the film [length], may be inf.
        below: distance of the wall below the film [length], may be inf.

    Returns:
        T ``(n, n, 2, 2)`` [μ0 Γ²/length]; the last two axes are the Cartesian components of m_i
        and m_j: [[xx, xy], [yx, yy]].

    Raises:
        ValueError: if a size, `pearl_length`, `above` or `below` is not positive, `wall` unknown,
            a shape does not fit, or another number is not finite.
    """
    points = vectors("positions", positions, 2)
    if points.ndim != 2:
        raise ValueError(f"positions has shape {points.shape}: must be (n, 2)")
    gamma = one_for_each("strengths", finite_array("strengths", strengths), len(points))
    xi = one_for_each("sizes", all_positive("sizes", sizes), len(points))
    scale = positive("pearl_length", pearl_length) / (4.0 * np.pi)
    walls = Walls.checked(wall, above, below)

    i, j = np.triu_indices(len(points))
    separation = points[i] - points[j]
    r = np.hypot(separation[:, 0], separation[:, 1])
    v = walled_potential(r, None, pearl_length, np.hypot(xi[i], xi[j]), walls)
    tensor = np.empty((len(points), len(points), 2, 2))
    blocks = -scale * (gamma[i] * gamma[j])[:, None, None] * v.hessian(separation)
    tensor[i, j] = tensor[j, i] = blocks
    return tensor
