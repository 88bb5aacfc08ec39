"""Free energy and the interaction of impurities, from potentials and loads.

With B the operator and ℓ the load, F = ℓ(ψ) at the exact solution. Computed potentials carry the
error of the iterative solver, so the bilinear ℓ_i(ψ_j) + ℓ_j(ψ_i) − B(ψ_i, ψ_j) is used, in which
that error enters squared; for i = j it is a lower bound for any ψ whatsoever.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pearlfem.solution import Solution


def free_energy(solution: Solution) -> float:
    """Return the free energy of the film with its sources, as a lower bound.

    F ≥ 2ℓ(ψ) − B(ψ, ψ): the error of elements, solver and far boundary only lowers it. Guaranteed
    as far as the source is integrated exactly (relative error below 1e-9) and the meshed film lies
    within the true one (discs are inscribed).

    Returns:
        F [μ0Γ²/length in reduced units].

    Note:
        Collective.
    """
    return float(_mutual_energies([solution])[0, 0])


def interaction_tensor(solutions: Sequence[Solution]) -> npt.NDArray[np.float64]:
    """Return T in F = ½ Σ_ij m_i·T_ij·m_j from the 2n solutions of ``MaxwellLondon.solve_each``.

    T_ii/2 is the self-energy matrix of impurity i. T is symmetric: T_ij = T_jiᵀ.

    Returns:
        Array of shape ``(n, n, 2, 2)`` [μ0Γ²/length in reduced units]; last axes xx, xy, yx, yy.

    Note:
        Collective.
    """
    n = len(solutions) // 2
    return 2.0 * _mutual_energies(solutions).reshape(n, 2, n, 2).transpose(0, 2, 1, 3)


def _mutual_energies(solutions: Sequence[Solution]) -> npt.NDArray[np.float64]:
    """Return ℓ_i(ψ_j) + ℓ_j(ψ_i) − B(ψ_i, ψ_j) for all pairs, shape ``(k, k)``."""
    owned = solutions[0].load.local_size
    potentials = np.array([s.potential.x.array[:owned] for s in solutions])
    loads = np.array([s.load.array_r for s in solutions])
    image, argument = solutions[0].load.duplicate(), solutions[0].load.duplicate()
    images = np.empty_like(potentials)
    for row, potential in zip(images, potentials, strict=True):
        argument.array[:] = potential
        solutions[0].operator.mult(argument, image)
        row[:] = image.array_r
    work = potentials @ loads.T
    local = work + work.T - potentials @ images.T
    return np.asarray(solutions[0].space.mesh.comm.allreduce(0.5 * (local + local.T)))
