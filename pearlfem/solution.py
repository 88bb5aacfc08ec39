"""The solution for a set of sources: data only; ``observables`` compute currents and fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from dolfinx import fem

from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields, Gauge, Lift, add_lifts
from pearlfem.formulation.film import FilmMesh
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int32Array

FormulationName = Literal["stream", "vector"]


class Drive(NamedTuple):
    """A source times a number."""

    source: Source
    weight: float = 1.0


@dataclass(frozen=True)
class Solution:
    """The solution of a Maxwell–London problem for one load.

    Args:
        films: The films in their mesh.
        formulation: "stream" or "vector".
        drives: The sources of the load.
        unknowns: The unknowns that this rank owns, ``(n,)``.
        load: ℓ [energy per unit of the potential] at these unknowns, zero where the value is fixed,
            ``(n,)``.
        apply_operator: Returns B x for each vector x of unknowns, B the operator of the problem
            (collective); until the problem is destroyed. In the vector formulation B is without
            its part on the films, ½ ∫ curl A·curl v dV.
        iterations: Number of iterations of the solver.
        expand: Makes the functions from unknowns (collective).
        hole_unknowns: The unknown that is g on each hole, by the group of the hole's facets; see
            ``pearlfem.formulation.base.Formulation.hole_unknowns``.
        gauge: The part of A on films that ``unknowns`` and ``potential`` are without; None in the
            stream formulation.
        lifts: The lifts of point impurities among the drives. Then ``potential`` and
            ``stream_functions`` are without the singular fields of the infinite film, which
            ``pearlfem.observables`` adds.

    Note:
        The functions are made when they are first read, which is collective: for hundreds of
        solutions often only the energies are needed.
    """

    films: tuple[FilmMesh, ...]
    formulation: FormulationName
    drives: tuple[Drive, ...]
    unknowns: Array
    load: Array
    apply_operator: Callable[[Sequence[Array]], list[Array]]
    iterations: int
    expand: Callable[[Array], Fields]
    hole_unknowns: Mapping[str, Int32Array] = field(default_factory=dict)
    gauge: Gauge | None = None
    lifts: Mapping[Source, Lift] = field(default_factory=dict)

    @property
    def mesh(self) -> TaggedMesh:
        """The mesh of the space around the films."""
        return self.films[0].mesh

    @property
    def potential(self) -> fem.Function:
        """A [flux per length] up to a gradient in the vector formulation, else ψ [current].

        If the mesh is not half of a mirror symmetric space, ψ jumps by g_k across the films, and
        this is the continuous part u of ψ = u + Σ_k ½ sign(z − z_k) g_k.
        """
        return self._fields.potential

    @property
    def stream_functions(self) -> tuple[fem.Function, ...]:
        """For each film a function in space that equals g [current] on it, with K = ∇g × ẑ.

        Empty in the vector formulation.
        """
        return self._fields.stream_functions

    def film_potential(self) -> fem.Function:
        """Return A on films, with K = −κ(A + a) [flux per length], of the vector formulation.

        Note:
            Collective. It is made at each call, to save memory.
        """
        assert self.gauge is not None
        unknowns = self.unknowns.copy()
        unknowns[self.gauge.dofs] += self.gauge.values
        return self.expand(unknowns).potential

    def film(self, name: str | None = None) -> FilmMesh:
        """Return the film with this name; by default the only film.

        Raises:
            StudyError: No film has this name, or no name is given and there are several films.
        """
        names = [film.layer.name for film in self.films]
        if name is None and len(names) == 1:
            return self.films[0]
        if name not in names:
            raise StudyError(f"film = {name!r}: not allowed; allowed: {names}")
        return self.films[names.index(name)]

    def stream_function(self, film: FilmMesh) -> fem.Function:
        """Return the function of ``stream_functions`` that belongs to ``film``."""
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

    Raises:
        StudyError: The solutions are those of several problems.

    Note:
        Not collective. ``iterations`` is the largest of all.
    """
    check_one_problem(solutions)
    first = solutions[0]
    unknowns = np.zeros_like(first.unknowns)
    load = np.zeros_like(first.load)
    drives: list[Drive] = []
    for solution, weight in zip(solutions, weights, strict=True):
        unknowns += weight * solution.unknowns
        load += weight * solution.load
        drives += [Drive(source, weight * factor) for source, factor in solution.drives]
    return replace(
        first,
        drives=tuple(drives),
        unknowns=unknowns,
        load=load,
        iterations=max(solution.iterations for solution in solutions),
        gauge=weighted_gauge([solution.gauge for solution in solutions], weights),
        lifts={source: lift for solution in solutions for source, lift in solution.lifts.items()},
    )


def check_one_problem(solutions: Sequence[Solution]) -> None:
    """Refuse solutions of several problems, whose unknowns cannot be added or multiplied.

    On one mesh they are as many, whatever the Pearl length.

    Raises:
        StudyError: They are.
    """
    if any(solution.films is not solutions[0].films for solution in solutions):
        raise StudyError("solutions of several problems; allowed: those of one MaxwellLondon")


def weighted_gauge(gauges: Sequence[Gauge | None], weights: Sequence[float]) -> Gauge | None:
    """Return the weighted sum of gauges with the same dofs; None without any."""
    pairs = [(g, weight) for g, weight in zip(gauges, weights, strict=True) if g is not None]
    if not pairs:
        return None
    values = np.sum([weight * gauge.values for gauge, weight in pairs], axis=0)
    return Gauge(pairs[0][0].dofs, np.asarray(values))


def drive_weights(solutions: Sequence[Solution]) -> tuple[list[Source], Array]:
    """Return the sources of k ``solutions``, n in all, and their weights in each, ``(k, n)``."""
    sources = list({drive.source: None for s in solutions for drive in s.drives})
    column = {source: k for k, source in enumerate(sources)}
    weights = np.zeros((len(solutions), len(sources)))
    for row, solution in zip(weights, solutions, strict=True):
        for source, weight in solution.drives:
            row[column[source]] += weight
    return sources, weights
