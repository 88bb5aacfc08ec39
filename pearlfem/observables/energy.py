"""Free energy and the interaction of impurities, from potentials and loads, with bounds.

With B the operator, ℓ the load and u the potential, let D_ij = ℓ_i(u_j) + ℓ_j(u_i) − B(u_i, u_j).
In the stream formulation F = D, in the vector formulation F = C − D, C_ij = ∫_Γ (κ/2) a_i·a_j dS.
Computed potentials carry the error of the iterative solver. In D it enters squared, and for i = j
it only ever lowers D: the stream formulation bounds F from below and the vector formulation from
above for any potential whatsoever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pearlfem.formulation.film import background_products
from pearlfem.observables.point_impurities.energy import point_energies
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.tensors import as_tensor
from pearlfem.solution import Solution, drive_weights

_BLOCK = 64  # solutions whose potentials are copied at once


class Bracket(NamedTuple):
    """Guaranteed bounds, entry by entry: ``lower`` ≤ exact ≤ ``upper``."""

    lower: Array
    upper: Array


def free_energy(solution: Solution) -> float:
    """Return the free energy of the film with its sources: a one-sided bound.

    Stream formulation: F ≥ the result, vector formulation: F ≤ the result, for the true film in
    the true space: errors of elements, iterative solver, far boundary and round edges (inscribed
    below, circumscribed above) only widen the gap. Guaranteed up to round-off and the quadrature of
    the sources, which ``MaxwellLondon.solve`` checks.

    Of a point impurity (size = 0) the infinite energy on the infinite film is left out: what edges
    add to it counts. With one the result is an estimate and no bound.

    Returns:
        F [μ0Γ²/length in reduced units].

    Note:
        Collective.
    """
    return float(mutual_energies([solution])[0, 0])


def interaction_tensor(solutions: Sequence[Solution]) -> Array:
    """Return T in F = ½ Σ_ij m_i·T_ij·m_j from the solutions of ``MaxwellLondon.solve_each``.

    T_ii/2 is the self-energy matrix of impurity i; of a point impurity (size = 0) the finite part
    that edges of the film add. T is symmetric: T_ij = T_jiᵀ. As a quadratic
    form it is a bound like ``free_energy``; single entries with i ≠ j are not.

    Args:
        solutions: Of n sources with c components each, two of an impurity.

    Returns:
        Array of shape ``(n, n, c, c)`` [μ0Γ²/length in reduced units]; last axes xx, xy, yx, yy.

    Note:
        Collective.
    """
    components = len(solutions[0].drives[0].source.components)
    return 2.0 * as_tensor(mutual_energies(solutions), components)


def tensor_bracket(lower: Array, upper: Array) -> Bracket:
    """Return bounds of every entry of T from the tensors of the two formulations.

    As quadratic forms lower ≤ T ≤ upper. With the gap D = upper − lower ≥ 0, the deviation of T
    from the mean of both lies between −D/2 and D/2, and Cauchy–Schwarz bounds its entries by
    ½ √(D_ii D_jj), where i and j count impurities and axes. On the diagonal these are the two
    tensors themselves.

    Args:
        lower: Tensor of the stream formulation, shape ``(n, n, c, c)``.
        upper: Tensor of the vector formulation, of the same shape.

    Returns:
        Two arrays of the same shape.

    Raises:
        ValueError: A diagonal entry of ``lower`` exceeds that of ``upper``: no bounds.
    """
    gap = np.einsum("iiaa->ia", upper - lower)
    if gap.min() < 0:
        raise ValueError(f"self-energies cross by {-gap.min():g}: these are no bounds")
    half = 0.5 * np.sqrt(np.einsum("ia,jb->ijab", gap, gap))
    mean = 0.5 * (lower + upper)
    return Bracket(mean - half, mean + half)


def mutual_energies(solutions: Sequence[Solution]) -> Array:
    """Return the energies E_ij of all pairs of solutions, shape ``(k, k)``: F_i = E_ii.

    F of a sum of sources is the sum over all pairs.

    Note:
        Collective.
    """
    if solutions[0].formulation == "stream":
        return _potential_energies(solutions) + point_energies(solutions)
    return _background_energies(solutions) - _potential_energies(solutions)


def _potential_energies(solutions: Sequence[Solution]) -> Array:
    """Return D_ij = ℓ_i(u_j) + ℓ_j(u_i) − B(u_i, u_j) for all pairs, shape ``(k, k)``."""
    k = len(solutions)
    local = np.empty((k, k))
    for rows in (slice(start, start + _BLOCK) for start in range(0, k, _BLOCK)):
        images = solutions[0].apply_operator([s.unknowns for s in solutions[rows]])
        loads = np.array([s.load for s in solutions[rows]]) - np.array(images) / 2
        for columns in (slice(start, start + _BLOCK) for start in range(0, k, _BLOCK)):
            potentials = np.array([s.unknowns for s in solutions[columns]])
            local[rows, columns] = loads @ potentials.T
    return np.asarray(solutions[0].mesh.comm.allreduce(local + local.T))


def _background_energies(solutions: Sequence[Solution]) -> Array:
    """Return C_ij = ∫_Γ (κ/2) a_i·a_j dS for all pairs, shape ``(k, k)``."""
    sources, weights = drive_weights(solutions)
    return weights @ background_products(solutions[0].films, sources) @ weights.T
