"""Free energy and interaction tensor from potentials and loads, with bounds.

The energies E_ij of pairs of solutions are bilinear, and F = E_ii is the free energy of solution i.
In the stream formulation, with the operator B, the loads ℓ and the potentials u,

    E_ij = ℓ_i(u_j) + ℓ_j(u_i) − B(u_i, u_j).

Computed potentials have an error e_i from the iterative solver. With the Galerkin solution u_i,
where B(u_i, v) = ℓ_i(v) for all v, this error enters E squared:

    E_ij(u + e) = B(u_i, u_j) − B(e_i, e_j).

So it lowers E_ii. In the vector formulation

    E_ij = ∫_Γ (κ/2) (A_i + a_i)·(A_j + a_j) dS + ½ ∫ curl A_i·curl A_j dV,

the energy to be minimised itself, of the potentials as they are: nothing cancels in it, however
weakly or strongly the film screens. For any potential, F is a lower bound in the stream formulation
and an upper bound in the vector formulation.

Round-off: sums of rounded numbers are wrong by a few ε times the sum of their sizes, ε = 2⁻⁵² (the
errors of single terms have either sign). The sizes are those of ∫_Γ (κ/2) a² dS, which F is the
rest of where a film screens strongly, and of the products above. Bounds are moved outward by
``ROUND_OFF`` ε times them: E_ii down in the stream formulation, up in the vector formulation. As
the bounds of E_ij follow from those of E_ii and E_jj by Cauchy and Schwarz, they are wide enough as
well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from pearlfem.formulation.film import background_norms
from pearlfem.model.sources.impurity import is_point
from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.film_products import london_energies
from pearlfem.observables.point_impurities.energy import point_energies
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.tensors import as_tensor
from pearlfem.solution import Solution, check_one_problem, drive_weights

ROUND_OFF = 16.0  # see above
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
    function the result is an estimate. The bounds are moved outward by an estimate of round-off.
    They do not cover the quadrature of the sources, which ``MaxwellLondon.solve`` checks.

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

    Raises:
        StudyError: The solutions are those of several problems.

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
    E_ii is moved outward by an estimate of round-off, see above.

    Raises:
        StudyError: The solutions are those of several problems.

    Note:
        Collective.
    """
    check_one_problem(solutions)
    comm = solutions[0].mesh.comm
    loads = _largest(comm, [np.abs(s.load).max(initial=0.0) for s in solutions])
    # Squares of very large or small strengths leave the range of numbers: divide by powers of two.
    scales = np.array([2.0 ** np.frexp(load)[1] if load else 1.0 for load in loads])
    products, sizes = _products(solutions, scales)
    margins = ROUND_OFF * np.finfo(float).eps * (sizes + _background_sizes(solutions, scales))
    if solutions[0].formulation == "vector":
        energies = london_energies(solutions, scales) + products + np.diag(margins)
        return np.asarray(energies * scales * scales[:, None])
    energies = products - np.diag(margins)
    return np.asarray(energies * scales * scales[:, None]) + point_energies(solutions)


def _background_sizes(solutions: Sequence[Solution], scales: Array) -> Array:
    """Return the largest possible ∫_Γ (κ/2) (a/scale)² dS of k solutions, ``(k,)`` (collective).

    Those of single sources are known. Point impurities, whose energies are no bounds, are left out.
    """
    sources, weights = drive_weights(solutions)
    finite = np.array([not is_point(source) for source in sources])
    norms = np.zeros(len(sources))
    norms[finite] = background_norms(
        solutions[0].films, [source for source in sources if not is_point(source)]
    )
    return np.asarray((np.abs(weights) / scales[:, None] @ norms) ** 2)


def _largest(comm: MPI.Comm, values: Sequence[float]) -> Array:
    """Return the largest of each value over all ranks (collective)."""
    local = np.array(values, dtype=float)
    total = np.empty_like(local)
    comm.Allreduce(local, total, MPI.MAX)
    return total


def _products(solutions: Sequence[Solution], scales: Array) -> tuple[Array, Array]:
    """Return ℓ_i(u_j) + ℓ_j(u_i) − B(u_i, u_j), or B(u_i, u_j) in the vector formulation.

    Returns:
        Array of shape ``(k, k)``, and the sums of the sizes of all products in its diagonal,
        ``(k,)``.

    Note:
        Collective.
    """
    k, stream = len(solutions), solutions[0].formulation == "stream"
    local, sizes = np.empty((k, k)), np.empty(k)
    blocks = [slice(start, start + _BLOCK) for start in range(0, k, _BLOCK)]
    for rows in blocks:
        own = [s.unknowns / scale for s, scale in zip(solutions[rows], scales[rows], strict=True)]
        products = 0.5 * np.array(solutions[0].apply_operator(own))
        loads = [s.load / scale for s, scale in zip(solutions[rows], scales[rows], strict=True)]
        # M_ij + M_ji with M_ij = (ℓ_i − B u_i/2)(u_j), as B is symmetric.
        factors = np.array(loads) - products if stream else products
        for row, u, load, product in zip(range(k)[rows], own, loads, products, strict=True):
            sizes[row] = 2.0 * (np.abs(load * u).sum() + np.abs(product * u).sum())
        for columns in blocks:
            pairs = zip(solutions[columns], scales[columns], strict=True)
            potentials = np.array([s.unknowns / scale for s, scale in pairs])
            local[rows, columns] = factors @ potentials.T
    comm = solutions[0].mesh.comm
    return np.asarray(comm.allreduce(local + local.T)), np.asarray(comm.allreduce(sizes))
