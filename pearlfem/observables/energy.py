"""Free energy and interaction tensor from potentials and loads, with bounds.

With the operator B, the loads ℓ and the potentials u let D_ij = ℓ_i(u_j) + ℓ_j(u_i) − B(u_i, u_j).
The energies are E = D in the stream formulation, and E = C − D in the vector formulation with
C_ij = ∫_Γ (κ/2) a_i·a_j dS. The free energy of solution i is F = E_ii.

Computed potentials have an error e_i from the iterative solver. With the Galerkin solution u_i,
where B(u_i, v) = ℓ_i(v) for all v, this error enters D squared:

    D_ij(u + e) = B(u_i, u_j) − B(e_i, e_j).

So it lowers D_ii. For any potential, F is a lower bound in the stream formulation and an upper
bound in the vector formulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pearlfem.formulation.film import background_products
from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.point_impurities.energy import point_energies
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.tensors import as_tensor
from pearlfem.solution import Solution, drive_weights

_BLOCK = 64  # number of solutions whose potentials are copied at the same time


class Bracket(NamedTuple):
    """Guaranteed bounds of each entry of an array: ``lower`` ≤ exact value ≤ ``upper``."""

    lower: Array
    upper: Array


def free_energy(solution: Solution) -> float:
    """Return the free energy of the films with their sources: a lower or an upper bound.

    The result is a lower bound of the exact free energy in the stream formulation, and an upper
    bound in the vector formulation. The errors of the elements, of the iterative solver and of the
    far boundary, and polygons instead of round edges (inscribed for lower bounds, circumscribed for
    upper bounds), only make the gap between the bounds wider. So do the polynomials for a Pearl
    length that varies, if bounds of it are known (``MaxwellLondon.guaranteed``); with a Python
    function the result is an estimate. The bounds do not cover round-off and the quadrature of the
    sources; ``MaxwellLondon.solve`` checks the latter.

    The energy of a point impurity (size = 0) on the infinite film is infinite and is not included;
    the part that edges add is. With a point impurity the result is an estimate, not a bound.

    Returns:
        F [μ0Γ²/length in reduced units].

    Note:
        Collective.
    """
    return float(mutual_energies([solution])[0, 0])


def interaction_tensor(solutions: Sequence[Solution]) -> Array:
    """Return T in F = ½ Σ_ij m_i·T_ij·m_j from the solutions of ``MaxwellLondon.solve_each``.

    T_ii/2 is the self-energy matrix of impurity i. For a point impurity (size = 0) it is the finite
    part that edges of the film add. T is symmetric: T_ij = T_jiᵀ. As a quadratic form T is a bound
    like ``free_energy``; its entries with i ≠ j are not bounds.

    Args:
        solutions: The solutions of n sources with c components each; the components of an impurity
            are those of its moment, x and y.

    Returns:
        Array of shape ``(n, n, c, c)`` [μ0Γ²/length in reduced units]; the last axes are xx, xy,
        yx, yy for impurities.

    Note:
        Collective.
    """
    components = len(solutions[0].drives[0].source.components)
    return 2.0 * as_tensor(mutual_energies(solutions), components)


def tensor_bracket(lower: Array, upper: Array, guaranteed: bool = True) -> Bracket:
    """Return bounds of each entry of T from the tensors of the two formulations.

    As quadratic forms lower ≤ T ≤ upper, and the gap is G = upper − lower ≥ 0. So the difference
    between T and (lower + upper)/2 lies between −G/2 and G/2. By Cauchy–Schwarz its entries are at
    most ½ √(G_ii G_jj), where i and j count impurities and axes. On the diagonal the bounds are the
    entries of the two tensors.

    Args:
        lower: Tensor of the stream formulation, shape ``(n, n, c, c)``.
        upper: Tensor of the vector formulation, of the same shape.
        guaranteed: Whether both are bounds (see ``MaxwellLondon.guaranteed``); if not, the result
            is an estimate, and a gap may have either sign.

    Returns:
        Two arrays of the same shape.

    Raises:
        CrossingError: A diagonal entry of ``lower`` is larger than that of ``upper``.

    Note:
        Not collective.
    """
    low, high = (np.einsum("iiaa->ia", tensor) for tensor in (lower, upper))
    gaps = gaps_of(low, high, "self-energies", guaranteed)
    half_width = 0.5 * np.sqrt(np.einsum("ia,jb->ijab", gaps, gaps))
    mean = 0.5 * (lower + upper)
    return Bracket(mean - half_width, mean + half_width)


def mutual_energies(solutions: Sequence[Solution]) -> Array:
    """Return the energies E_ij of all pairs of k solutions, shape ``(k, k)``.

    The free energy of solution i is E_ii. The free energy of the sum of all solutions is Σ_ij E_ij.

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
    blocks = [slice(start, start + _BLOCK) for start in range(0, k, _BLOCK)]
    for rows in blocks:
        products = solutions[0].apply_operator([s.unknowns for s in solutions[rows]])
        # D_ij = M_ij + M_ji with M_ij = (ℓ_i − B u_i/2)(u_j), as B is symmetric.
        differences = np.array([s.load for s in solutions[rows]]) - np.array(products) / 2
        for columns in blocks:
            potentials = np.array([s.unknowns for s in solutions[columns]])
            local[rows, columns] = differences @ potentials.T
    return np.asarray(solutions[0].mesh.comm.allreduce(local + local.T))


def _background_energies(solutions: Sequence[Solution]) -> Array:
    """Return C_ij = ∫_Γ (κ/2) a_i·a_j dS for all pairs, shape ``(k, k)``."""
    sources, weights = drive_weights(solutions)
    return weights @ background_products(solutions[0].films, sources) @ weights.T
