"""The answer to a set of sources: data only; what it means is computed by ``observables``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from petsc4py import PETSc

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film


@dataclass(frozen=True)
class Solution:
    """The potential that answers one load.

    Args:
        film: The film it was solved for.
        space: The mesh.
        potential: ψ above the film [current], ghosts up to date.
        load: ℓ [energy per current], complete on owned dofs, zero where ψ is fixed.
        operator: B [energy per current²], with unit rows where ψ is fixed; shared by all
            solutions of a problem, which owns it.
        iterations: What the solver took.
    """

    film: Film
    space: TaggedMesh
    potential: fem.Function
    load: PETSc.Vec
    operator: PETSc.Mat
    iterations: int


def superpose(solutions: Sequence[Solution], weights: Sequence[float]) -> Solution:
    """Return the solution of the weighted sum of the loads of one problem's ``solutions``.

    Note:
        Not collective. ``iterations`` is the largest of all.
    """
    first = solutions[0]
    potential = fem.Function(first.potential.function_space, name=first.potential.name)
    load = first.load.duplicate()
    load.set(0.0)
    for solution, weight in zip(solutions, weights, strict=True):
        potential.x.array[:] += weight * solution.potential.x.array
        load.axpy(weight, solution.load)
    iterations = int(np.max([solution.iterations for solution in solutions]))
    return Solution(first.film, first.space, potential, load, first.operator, iterations)
