"""The answer to a set of sources: data only; what it means is computed by ``observables``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from petsc4py import PETSc

from pearlfem.fem.point_impurities import Lift
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources import Source

FormulationName = Literal["stream", "vector"]


class Drive(NamedTuple):
    """A source, times a number."""

    source: Source
    weight: float = 1.0


@dataclass(frozen=True)
class Solution:
    """The potential that answers one load.

    Args:
        film: The film it was solved for.
        space: The mesh.
        formulation: "stream" or "vector".
        drives: What drives it.
        unknowns: This rank's own unknowns, in the order of the operator's columns, ``(n,)``.
        potential: A [flux per length], or ψ [current] where the mesh is the half of a mirror
            symmetric space; otherwise the continuous part u of ψ = u + ½ sign(z) g. Ghosts are up
            to date.
        stream_function: A continuous function that is g [current] on the film, K = ∇g × ẑ, ghosts
            up to date; None in the vector formulation.
        load: ℓ [energy per unit of the potential], complete on owned dofs, zero at fixed ones.
        operator: B, with unit rows at fixed dofs; shared by all solutions of a problem, which owns
            it.
        iterations: What the solver took.
        lifts: Those of the point impurities among the drives. ``potential`` and ``stream_function``
            are then without what the infinite film has: ``pearlfem.observables`` adds it.
    """

    film: Film
    space: TaggedMesh
    formulation: FormulationName
    drives: tuple[Drive, ...]
    unknowns: npt.NDArray[np.float64]
    potential: fem.Function
    stream_function: fem.Function | None
    load: PETSc.Vec
    operator: PETSc.Mat
    iterations: int
    lifts: Mapping[Source, Lift] = field(default_factory=dict)


def superpose(solutions: Sequence[Solution], weights: Sequence[float]) -> Solution:
    """Return the solution of the weighted sum of the loads of one problem's ``solutions``.

    Note:
        Not collective. ``iterations`` is the largest of all.
    """
    first = solutions[0]
    unknowns = np.zeros_like(first.unknowns)
    load = first.load.duplicate()
    load.set(0.0)
    drives: list[Drive] = []
    for solution, weight in zip(solutions, weights, strict=True):
        unknowns += weight * solution.unknowns
        load.axpy(weight, solution.load)
        drives += [Drive(source, weight * own) for source, own in solution.drives]
    g = [s.stream_function for s in solutions if s.stream_function is not None]
    return Solution(
        first.film,
        first.space,
        first.formulation,
        tuple(drives),
        unknowns,
        _combine([s.potential for s in solutions], weights),
        _combine(g, weights) if g else None,
        load,
        first.operator,
        max(solution.iterations for solution in solutions),
        {source: lift for solution in solutions for source, lift in solution.lifts.items()},
    )


def drive_weights(solutions: Sequence[Solution]) -> tuple[list[Source], npt.NDArray[np.float64]]:
    """Return all sources that drive ``solutions``, and the weight of each in each, ``(k, n)``."""
    sources = list({drive.source: None for s in solutions for drive in s.drives})
    weights = np.zeros((len(solutions), len(sources)))
    for row, solution in zip(weights, solutions, strict=True):
        for source, weight in solution.drives:
            row[sources.index(source)] += weight
    return sources, weights


def _combine(functions: Sequence[fem.Function], weights: Sequence[float]) -> fem.Function:
    total = fem.Function(functions[0].function_space, name=functions[0].name)
    for function, weight in zip(functions, weights, strict=True):
        total.x.array[:] += weight * function.x.array
    return total
