"""The answer to a set of sources: data only; what it means is computed by ``observables``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dolfinx import fem
from petsc4py import PETSc

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources import Impurity

FormulationName = Literal["stream", "vector"]


class Source(NamedTuple):
    """An impurity with a moment of its own: any vector (m_x, m_y) in the plane."""

    impurity: Impurity
    moment: tuple[float, float]


@dataclass(frozen=True)
class Solution:
    """The potential that answers one load.

    Args:
        film: The film it was solved for.
        space: The mesh.
        formulation: "stream" or "vector".
        sources: What drives it.
        potential: ψ [current] or A [flux per length] above the film, ghosts up to date.
        load: ℓ [energy per unit of the potential], complete on owned dofs, zero at fixed ones.
        operator: B, with unit rows at fixed dofs; shared by all solutions of a problem, which owns
            it.
        iterations: What the solver took.
    """

    film: Film
    space: TaggedMesh
    formulation: FormulationName
    sources: tuple[Source, ...]
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
    sources: list[Source] = []
    for solution, weight in zip(solutions, weights, strict=True):
        potential.x.array[:] += weight * solution.potential.x.array
        load.axpy(weight, solution.load)
        sources += [
            Source(impurity, (weight * x, weight * y)) for impurity, (x, y) in solution.sources
        ]
    iterations = max(solution.iterations for solution in solutions)
    return Solution(
        first.film,
        first.space,
        first.formulation,
        tuple(sources),
        potential,
        load,
        first.operator,
        iterations,
    )
