"""The answer to a set of sources: data only; what it means is computed by ``observables``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from dolfinx import fem

from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields, Lift, add_lifts
from pearlfem.formulation.film import FilmMesh
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array

FormulationName = Literal["stream", "vector"]


class Drive(NamedTuple):
    """A source, times a number."""

    source: Source
    weight: float = 1.0


@dataclass(frozen=True)
class Solution:
    """The potential that answers one load.

    Args:
        films: The films in their mesh.
        formulation: "stream" or "vector".
        drives: What drives it.
        unknowns: This rank's own unknowns, ``(n,)``.
        load: ℓ [energy per unit of the potential] at these, zero at fixed ones, ``(n,)``.
        images: Returns B x for each vector x of unknowns (collective); of all solutions of a
            problem, until that is destroyed.
        iterations: What the solver took.
        expand: Makes functions of unknowns (collective).
        lifts: Those of the point impurities among the drives. ``potential`` and
            ``stream_functions`` are then without what the infinite film has:
            ``pearlfem.observables`` adds it.

    Note:
        The functions are made when they are first asked for, which is collective: of hundreds of
        solutions only the energies may be wanted.
    """

    films: tuple[FilmMesh, ...]
    formulation: FormulationName
    drives: tuple[Drive, ...]
    unknowns: Array
    load: Array
    apply_operator: Callable[[Sequence[Array]], list[Array]]
    iterations: int
    expand: Callable[[Array], Fields]
    lifts: Mapping[Source, Lift] = field(default_factory=dict)

    @property
    def mesh(self) -> TaggedMesh:
        """The mesh of the space around the films."""
        return self.films[0].mesh

    @property
    def potential(self) -> fem.Function:
        """A [flux per length], or ψ [current] where the mesh is half of a mirror symmetric space.

        Otherwise the continuous part u of ψ = u + Σ_k ½ sign(z − z_k) g_k.
        """
        return self._fields.potential

    @property
    def stream_functions(self) -> tuple[fem.Function, ...]:
        """For each film a continuous function that is g [current] on it, K = ∇g × ẑ.

        None in the vector formulation.
        """
        return self._fields.stream_functions

    def film(self, name: str | None = None) -> FilmMesh:
        """Return the film called ``name``; by default the only one.

        Raises:
            StudyError: There is none of this name, or several and none is named.
        """
        names = [film.layer.name for film in self.films]
        if name is None and len(names) == 1:
            return self.films[0]
        if name not in names:
            raise StudyError(f"film = {name!r}: not allowed; allowed: {names}")
        return self.films[names.index(name)]

    def stream_function(self, film: FilmMesh) -> fem.Function:
        """Return the one of ``stream_functions`` that belongs to ``film``."""
        return self.stream_functions[self.films.index(film)]

    @cached_property
    def _fields(self) -> Fields:
        fields = self.expand(self.unknowns)
        if self.lifts:
            sources, weights = drive_weights([self])
            pairs = zip(sources, weights[0].tolist(), strict=True)
            add_lifts(fields, [(self.lifts[s], weight) for s, weight in pairs if s in self.lifts])
        return fields


def superpose(solutions: Sequence[Solution], weights: Sequence[float]) -> Solution:
    """Return the solution of the weighted sum of the loads of one problem's ``solutions``.

    Note:
        Not collective. ``iterations`` is the largest of all.
    """
    first = solutions[0]
    unknowns = np.zeros_like(first.unknowns)
    load = np.zeros_like(first.load)
    drives: list[Drive] = []
    for solution, weight in zip(solutions, weights, strict=True):
        unknowns += weight * solution.unknowns
        load += weight * solution.load
        drives += [Drive(source, weight * own) for source, own in solution.drives]
    return replace(
        first,
        drives=tuple(drives),
        unknowns=unknowns,
        load=load,
        iterations=max(solution.iterations for solution in solutions),
        lifts={source: lift for solution in solutions for source, lift in solution.lifts.items()},
    )


def drive_weights(solutions: Sequence[Solution]) -> tuple[list[Source], Array]:
    """Return all sources that drive ``solutions``, and the weight of each in each, ``(k, n)``."""
    sources = list({drive.source: None for s in solutions for drive in s.drives})
    column = {source: k for k, source in enumerate(sources)}
    weights = np.zeros((len(solutions), len(sources)))
    for row, solution in zip(weights, solutions, strict=True):
        for source, weight in solution.drives:
            row[column[source]] += weight
    return sources, weights
