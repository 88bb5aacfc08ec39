"""Lower bounds on the energy of moments in the plane.

For any choice of multipliers μ_i, one for each impurity,

    F(θ) >= (n/2) λ_min[T + diag(μ_i 1)] − ½ Σ μ_i

because unit vectors have Σ μ_i |m_i|² = Σ μ_i and Σ |m_i|² = n. Luttinger and Tisza take equal
multipliers, Lyons and Kaplan the best ones. We get good ones from a relaxed problem, in which each
moment is a matrix V_i ``(2, p)`` of norm 1:

    min ½ Σ_ij tr(V_iᵀ T_ij V_j),   μ_i = −tr(V_iᵀ Σ_j T_ij V_j)

For p large enough every local minimum of this problem is its global one (Burer and Monteiro). The
bound is valid for any multipliers, so also if the minimum was not reached exactly.

References:
    Luttinger, Tisza, Phys. Rev. 70, 954 (1946). Lyons, Kaplan, Phys. Rev. 120, 1580 (1960).
    Burer, Monteiro, Math. Program. 95, 329 (2003).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize

from pearlfem.magnetism._checks import symmetric_matrix, without_shift

_COLUMNS = 12  # largest p: more columns take time and hardly raise the bound
_ITERATIONS = 500

_Array = NDArray[np.float64]


def luttinger_tisza_bound(tensor: ArrayLike) -> float:
    """Bound of Luttinger and Tisza, F >= (n/2) λ_min(T).

    It is tight if all moments of the eigenvector have the same length, as on a lattice without
    edges.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].

    Returns:
        The bound in the tensor's unit, lowered by the round-off of the eigenvalue.

    Raises:
        StudyError: The tensor is not symmetric or not ``(n, n, 2, 2)``.
    """
    matrix = symmetric_matrix(tensor)
    return multiplier_bound(matrix, np.zeros(len(matrix) // 2))


def lower_bound(tensor: ArrayLike) -> float:
    """Bound of Lyons and Kaplan: the best multipliers, one for each impurity.

    It is at least as high as that of Luttinger and Tisza, and far higher if the impurities are not
    equivalent, as near edges and in random layouts.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].

    Returns:
        The bound in the tensor's unit, lowered by the round-off of an eigenvalue.

    Raises:
        StudyError: The tensor is not symmetric or not ``(n, n, 2, 2)``.
    """
    full = symmetric_matrix(tensor)
    matrix, shift = without_shift(full)
    best = multiplier_bound(matrix, multipliers(matrix, relaxed_moments(matrix)))
    return max(shift + best, multiplier_bound(full, np.zeros(len(full) // 2)))


def multiplier_bound(matrix: _Array, mu: _Array) -> float:
    """Return the bound for given multipliers ``(n,)``; T as the matrix ``(2n, 2n)``."""
    shifted = matrix + np.diag(np.repeat(mu, 2))
    lowest = linalg.eigh(shifted, eigvals_only=True, subset_by_index=[0, 0])[0]
    roundoff = len(shifted) * np.finfo(float).eps * row_sums(shifted).max()
    return float(0.5 * len(mu) * (lowest - roundoff) - 0.5 * mu.sum())


def row_sums(matrix: _Array) -> _Array:
    """Return an upper limit ``(n,)`` for the components of the field at each impurity."""
    return np.asarray(np.abs(matrix).sum(axis=1).reshape(-1, 2).max(axis=1))


def multipliers(matrix: _Array, V: _Array) -> _Array:
    """Return μ_i ``(n,)`` of moments V ``(2n, p)``, each V_i of norm 1."""
    return -np.sum((V * (matrix @ V)).reshape(len(V) // 2, -1), axis=1)


def relaxed_moments(matrix: _Array) -> _Array:
    """Return V ``(2n, p)``, a solution of the relaxed problem; T as the matrix ``(2n, 2n)``."""
    n = len(matrix) // 2
    p = min(int(np.ceil(np.sqrt(2 * n))) + 1, _COLUMNS)
    start = np.random.default_rng(0).normal(size=2 * n * p)
    # SciPy's tolerances assume energies near 1, so the unit of T must not matter.
    unit_matrix = matrix / (row_sums(matrix).max() or 1.0)
    options = {"maxiter": _ITERATIONS, "maxcor": 20, "gtol": 1e-9, "ftol": 1e-15}
    result = optimize.minimize(
        _relaxed_energy, start, (unit_matrix,), method="L-BFGS-B", jac=True, options=options
    )
    return _normalised(result.x, n)[0].reshape(2 * n, p)


def _relaxed_energy(x: _Array, matrix: _Array) -> tuple[float, _Array]:
    """Return the energy of V_i = x_i/|x_i|, and its gradient in x."""
    n = len(matrix) // 2
    V, length = _normalised(x, n)
    fields = (matrix @ V.reshape(2 * n, -1)).reshape(n, -1)
    along = np.sum(V * fields, axis=1, keepdims=True)
    # The norm of x_i does not change V_i, so the gradient has no part along V_i.
    return 0.5 * float(along.sum()), ((fields - along * V) / length).ravel()


def _normalised(x: _Array, n: int) -> tuple[_Array, _Array]:
    """Return x ``(n, 2p)`` with rows of norm 1, and their norms ``(n, 1)``."""
    rows = x.reshape(n, -1)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / length, length
