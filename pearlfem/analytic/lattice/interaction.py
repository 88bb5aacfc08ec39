"""The interaction T(k) of a lattice of point impurities in Fourier space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import positive_or_infinite, vectors
from pearlfem.analytic.lattice._ewald import EwaldSum
from pearlfem.analytic.lattice.cell import Lattice


def interaction_at(
    lattice: Lattice, wavevectors: ArrayLike, pearl_length: float
) -> NDArray[np.complex128]:
    """Interaction T(k) of a lattice of point impurities, without their self-energies.

        T_ab(k) = Σ_R T(R + s_b − s_a) e^{ik·(R + s_b − s_a)},   T(r) = −J* ∇∇V(r),   T(0) left out

    For moments m_a e^{ik·(R + s_a)} the energy of a cell is ½ Σ_ab m_a^* · T_ab(k) · m_b. T(k + G)
    differs from T(k) only by the phases e^{iG·(s_b − s_a)}, so its eigenvalues are the same.

    For a finite r0, T(k) is continuous at k = 0: with V(q) = 2π r0/[q(1 + q r0)] the spectrum
    q q V(q) vanishes there, because the space above and below the film is open. For r0 = ∞ the
    limit k → 0 depends on the direction of k by the term (2πJ*/area) k̂ k̂. T(0) is returned
    without this term: it is the limit for moments perpendicular to k, and also the limit r0 → ∞ of
    T(0), for a lattice that is larger than any Pearl length.

    Args:
        lattice: the impurities.
        wavevectors: k [1/length], ``(..., 2)``.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        T ``(..., n, 2, n, 2)`` [J*/length²] for n sites, Hermitian as a 2n × 2n matrix.

    Raises:
        ValueError: if `pearl_length` is not positive, a shape does not fit, or a number is not
            finite.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eqs. (4), (7); Ewald, Ann. Phys.
        369, 253 (1921).
    """
    k = vectors("wavevectors", wavevectors, 2)
    ewald = EwaldSum(lattice, positive_or_infinite("pearl_length", pearl_length))
    tensors = ewald(k.reshape(-1, 2))
    return tensors.reshape(*k.shape[:-1], *tensors.shape[1:])
