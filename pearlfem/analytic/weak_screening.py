"""Films much smaller than their Pearl length: the limit r0 → ∞, in reduced units (μ0 = 1).

The field of such a film is too weak to act back on the film. With κ = 2/r0 and J* = Γ_i Γ_j/(2πκ)
all energies grow as r0; corrections are smaller by a factor (size of the film)/r0.

Point impurities. London's law is rot K = −κ rot a with K = ∇g × ẑ, a = (Γ/κ)(m × ẑ) δ(r − r_j) and
g = 0 on the edge. This is a Dirichlet problem in the plane, −∇²g = Γ m_j·∇δ(r − r_j). With Green's
function N of −∇² (zero on the edge) it has the solution

    g_j = −Γ_j (m_j·∇_j) N(r, r_j),   so   T_ij = −∫ K_j·a_i dS = 2πJ* ∇_i ∇_j N(r_i, r_j).

In complex positions z, N = (1/2π) ln |w_ij/(z_i − z_j)|. It vanishes on the edge if |w_ij| is the
distance from the image of z_j: w_ij = (R² − z_i z̄_j)/R in the disc |z| < R, and w_ij = z_i + z̄_j
in the half plane Re z > 0. With complex moments μ = m_x + i m_y

    F_ij = −J* Re[μ_i μ_j / (z_i − z_j)²] − J* Re[μ_i μ̄_j R²/(R² − z_i z̄_j)²]      (disc)
    F_ij = −J* Re[μ_i μ_j / (z_i − z_j)²] − J* Re[μ_i μ̄_j / (z_i + z̄_j)²]           (half plane)

The second terms stay finite for i = j and are isotropic there. Half of them is what the edge adds
to the self-energy of an impurity: −J* R²/2(R² − s²)² at radius s, −J*/8x² at distance x from the
edge. A Gaussian profile of width ξ has J*/8ξ² besides.

Rings. With the fluxoid Φ in the hole ∮ K·dl = κΦ on every circle, so K = κΦ/2πr.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite_array, one_for_each, positive, vectors

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def disc_interaction_tensor(
    positions: ArrayLike,
    radius: float,
    pearl_length: float = 1.0,
    strengths: ArrayLike = 1.0,
) -> Array:
    """Interaction tensor of point impurities on a disc around the origin with R ≪ r0.

        F = ½ Σ_ij m_i · T_ij · m_j + self-energies without an edge

    For i ≠ j T_ij is exact in this limit. T_ii is its finite part, twice the self-energy that the
    edge adds: −J* R²/(R² − s²)² · 1.

    Args:
        positions: from the centre ``(n, 2)`` [length].
        radius: R [length].
        pearl_length: r0 = 2λ²/d [length]; T is proportional to it.
        strengths: Γ of each impurity ``(n,)``, or one for all.

    Returns:
        T ``(n, n, 2, 2)`` [μ0 Γ²/length]; the last two axes are the Cartesian components of m_i
        and m_j: [[xx, xy], [yx, yy]].

    Raises:
        ValueError: if a position is not inside the disc, two of them coincide, `radius` or
            `pearl_length` is not positive, a shape does not fit, or a number is not finite.

    References:
        Images: J. D. Jackson, Classical Electrodynamics, 3rd ed., sections 1.10 and 2.1.
    """
    z = _complex_positions(positions)
    edge = positive("radius", radius)
    if np.any(np.abs(z) >= edge):
        raise ValueError(f"positions = {positions!r}: all must be inside radius = {radius!r}")
    return _tensor(z, edge - z[:, None] * z.conj() / edge, pearl_length, strengths)


def half_plane_interaction_tensor(
    positions: ArrayLike, pearl_length: float = 1.0, strengths: ArrayLike = 1.0
) -> Array:
    """Interaction tensor of point impurities on the half plane x > 0, all distances ≪ r0.

        F = ½ Σ_ij m_i · T_ij · m_j + self-energies without an edge

    For i ≠ j T_ij is exact in this limit. T_ii is its finite part, twice the self-energy that the
    edge adds: −J*/4x² · 1.

    Args:
        positions: ``(n, 2)`` [length].
        pearl_length: r0 = 2λ²/d [length]; T is proportional to it.
        strengths: Γ of each impurity ``(n,)``, or one for all.

    Returns:
        T ``(n, n, 2, 2)`` [μ0 Γ²/length]; the last two axes are the Cartesian components of m_i
        and m_j: [[xx, xy], [yx, yy]].

    Raises:
        ValueError: if a position has x <= 0, two of them coincide, `pearl_length` is not
            positive, a shape does not fit, or a number is not finite.

    References:
        Images: J. D. Jackson, Classical Electrodynamics, 3rd ed., sections 1.10 and 2.1.
    """
    z = _complex_positions(positions)
    if np.any(z.real <= 0):
        raise ValueError(f"positions = {positions!r}: every x must be > 0")
    return _tensor(z, z[:, None] + z.conj(), pearl_length, strengths)


def ring_kinetic_inductance(inner: float, outer: float, pearl_length: float = 1.0) -> float:
    """Kinetic inductance L of a flat ring; for r0 ≫ outer radius it is the whole inductance.

        L = Φ/I = π μ0 r0 / ln(b/a),   I = ∫_a^b κΦ/(2πr) dr

    K ∝ 1/r has the smallest kinetic energy of all distributions of a given current, so this L is a
    lower bound on the kinetic part for any r0.

    Args:
        inner: a, radius of the hole [length].
        outer: b, radius of the edge [length].
        pearl_length: r0 = 2λ²/d [length].

    Returns:
        L [μ0 length].

    Raises:
        ValueError: if a length is not positive, or `outer` is not larger than `inner`.

    References:
        E. H. Brandt, J. R. Clem, Phys. Rev. B 69, 184509 (2004), for any r0; their Λ is r0/2.
    """
    hole, edge = positive("inner", inner), positive("outer", outer)
    if edge <= hole:
        raise ValueError(f"outer = {outer!r}: must be larger than inner = {inner!r}")
    return float(np.pi * positive("pearl_length", pearl_length) / np.log1p((edge - hole) / hole))


def _complex_positions(positions: ArrayLike) -> Complex:
    """Return positions ``(n, 2)`` as x + iy ``(n,)``; refuse equal ones."""
    points = vectors("positions", positions, 2)
    if points.ndim != 2:
        raise ValueError(f"positions has shape {points.shape}: must be (n, 2)")
    z = np.asarray(points[:, 0] + 1j * points[:, 1])
    if np.unique(z).size < z.size:
        raise ValueError(f"positions = {positions!r}: no two of them may be equal")
    return z


def _tensor(z: Complex, image: Complex, pearl_length: float, strengths: ArrayLike) -> Array:
    """T_ij from −J* Re[μ_i μ_j/(z_i − z_j)²] (i ≠ j) and −J* Re[μ_i μ̄_j/image_ij²]."""
    gamma = one_for_each("strengths", finite_array("strengths", strengths), len(z))
    direct = (z[:, None] - z + np.eye(len(z))) ** -2.0
    np.fill_diagonal(direct, 0.0)
    # z_i z̄_j and the conjugate of z_j z̄_i may differ in the last bit; T must be symmetric.
    reflected = (0.5 * (image + image.conj().T)) ** -2.0
    # μ_i μ_j c and μ_i μ̄_j c, written out in Cartesian components.
    blocks = np.array(
        [
            [direct.real + reflected.real, -direct.imag + reflected.imag],
            [-direct.imag - reflected.imag, -direct.real + reflected.real],
        ]
    )
    scale = np.outer(gamma, gamma) * positive("pearl_length", pearl_length) / (4.0 * np.pi)
    return np.asarray(-scale[:, :, None, None] * np.moveaxis(blocks, (0, 1), (2, 3)))
