"""Gaussian impurities on a lattice: a sum over reciprocal vectors that needs no Ewald method."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import all_positive, one_for_each, positive_or_infinite
from pearlfem.analytic.lattice.cell import Lattice, points_within

Array = NDArray[np.float64]

# Highest wave number in units of 1/ξ; terms beyond it are smaller than exp(−6.2²) = 2e-17.
_REACH = 6.2


def gaussian_interaction(lattice: Lattice, sizes: ArrayLike, pearl_length: float) -> Array:
    """Interaction tensor of one periodic cell of Gaussian impurities, self-energies included.

        F per cell = ½ Σ_ab m_a · T_ab · m_b
                   = (πJ*/area) Σ_{G≠0} [G r0/(1 + G r0)] |Σ_a (m_a · Ĝ) e^{−G²ξ_a²/2} e^{−iG·s_a}|²

    T_ab couples site a of one cell to site b of all cells; T_aa includes the self-energy. The space
    above and below the film is open, so q r0/(1 + q r0) vanishes at q = 0 and G = 0 does not
    contribute. r0 = ∞ means the limit r0 → ∞ of this sum.

    Args:
        lattice: n impurities per cell.
        sizes: width ξ of each site [length], ``(n,)``, or one for all, > 0.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        T ``(n, 2, n, 2)`` [J*/length²], symmetric as a 2n × 2n matrix.

    Raises:
        ValueError: if a size or `pearl_length` is not positive, a shape does not fit, or a number
            is not finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eqs. (4), (5), periodically
        repeated.
    """
    rate = 1.0 / positive_or_infinite("pearl_length", pearl_length)
    xi = one_for_each("sizes", all_positive("sizes", sizes), len(lattice.sites))
    g = points_within(lattice.reciprocal_vectors, _REACH / float(xi.min()))
    # One vector of each pair ±G is enough: the two add complex conjugates.
    g = g[(g[:, 0] > 0) | ((g[:, 0] == 0) & (g[:, 1] > 0))]
    wave_number = np.hypot(g[:, 0], g[:, 1])
    amplitude = np.sqrt(4.0 * np.pi / (lattice.area * wave_number * (rate + wave_number)))
    profiles = np.exp(-0.5 * (wave_number[:, None] * xi) ** 2) * amplitude[:, None]
    # T = modesᵀ modes, with a row for the cosine and for the sine of each G: exactly symmetric.
    phases = g @ lattice.sites.T
    waves = np.stack([profiles * np.cos(phases), profiles * np.sin(phases)])
    modes = (waves[..., None] * g[:, None, :]).reshape(-1, 2 * len(xi))
    return np.asarray((modes.T @ modes).reshape(len(xi), 2, len(xi), 2))
