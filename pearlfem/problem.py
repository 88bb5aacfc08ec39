"""The Maxwell–London problem: assembled once, solved for many sources."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.formulation.base import Formulation, Load
from pearlfem.formulation.fields import Fields
from pearlfem.formulation.film import ALLOWED_QUADRATURE_ERROR, FilmMesh, quadrature_errors
from pearlfem.formulation.stream.assembled import StreamFormulation
from pearlfem.formulation.stream.point_lifts import on_film_of_mesh
from pearlfem.formulation.vector.assembled import VectorFormulation
from pearlfem.mesh.round_edges import fit_round_edges
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.mesh.whose_films import mesh_of
from pearlfem.model.checks import check_repeatable, check_sources, refuse_points
from pearlfem.model.layers import Films, layers_of
from pearlfem.model.sources.base import Source, numbered
from pearlfem.model.sources.impurity import Impurity, is_point
from pearlfem.model.sources.repeated import repeated
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Drive, FormulationName, Solution, weighted_gauge

_Formulation = Callable[[Sequence[FilmMesh], int], Formulation]
FORMULATIONS: dict[str, _Formulation] = {
    "stream": StreamFormulation,
    "vector": VectorFormulation,
}


# Distance of a source from the origin, in units of its size, beyond which the round-off of
# coordinates counts.
_FARTHEST = ALLOWED_QUADRATURE_ERROR / np.finfo(float).eps


class MaxwellLondon:
    """Films and the space around them.

    Args:
        films: The film in z = 0, or films at their heights.
        mesh: A mesh of the space around them; one of other films is refused. Only Pearl lengths may
            differ from those of the films for which it was made.
        degree: Degree of the elements, 1 to 3.
        formulation: "stream" (scalar potential, energies from below) or "vector" (vector potential,
            energies from above).
        tolerance: Largest relative error of energies by the iterative solver; by default it solves
            to round-off. The error has the sign that leaves bounds valid.

    Raises:
        StudyError: ``degree`` or ``formulation`` is not allowed, or ``mesh`` is one of other films.

    Note:
        Collective. ``mesh`` is the mesh in use, whose round edges ``fit_round_edges`` has moved;
        ``films`` are the films in it. ``guaranteed`` tells whether energies are bounds: not so if
        the Pearl length is a Python function without bounds. ``seconds`` has the times of assembly
        and of the solver's set-up.
    """

    def __init__(
        self,
        films: Films,
        mesh: TaggedMesh,
        degree: int = 3,
        formulation: FormulationName = "stream",
        tolerance: float | None = None,
    ) -> None:
        if degree not in (1, 2, 3):
            raise StudyError(f"degree = {degree}: not allowed; allowed: 1, 2, 3")
        if formulation not in FORMULATIONS:
            raise StudyError(
                f"formulation = {formulation!r}: not allowed; allowed: {', '.join(FORMULATIONS)}"
            )
        start = time.perf_counter()
        layers, self.formulation = layers_of(films), formulation
        mesh = mesh_of(mesh, layers)
        # A film's energy grows with its area: the polygon must cover the film for a bound from
        # above, and lie within it for a bound from below.
        self.mesh = fit_round_edges(mesh, layers, covering=formulation == "vector")
        self.films = tuple(FilmMesh(layer, self.mesh) for layer in layers)
        self._discrete: Formulation = FORMULATIONS[formulation](self.films, degree)
        # Bounds of κ above for the vector formulation, of 1/κ for the stream formulation.
        inverse = formulation == "stream"
        self.guaranteed = all([film.is_guaranteed(inverse) for film in self.films])
        assembled = time.perf_counter()
        # The error of an energy is quadratic in that of the solution.
        self._solver = self._discrete.create_solver(tolerance and math.sqrt(tolerance))
        done = time.perf_counter()
        self.seconds = {"assemble": assembled - start, "setup": done - assembled}

    @property
    def dofs(self) -> int:
        """Number of unknowns on all ranks, including those with fixed values."""
        return self._discrete.dofs

    def solve(self, sources: Sequence[Source]) -> Solution:
        """Solve for all ``sources`` together.

        Raises:
            StudyError: There is no source, a source lies outside the film, or the cells around it
                are too coarse.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        self._check(sources)
        return self._solve([tuple(sources)])[0]

    def solve_each(self, sources: Sequence[Source]) -> list[Solution]:
        """Solve for each component of each source: for an impurity, moments along x and y.

        Returns:
            The solutions in the order of the sources and of their components.

        Raises:
            StudyError: See ``solve``.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        self._check(sources)
        return self._solve([(part,) for source in sources for part in source.components])

    def restore(self, sources: Sequence[Source], fields: Fields) -> Solution:
        """Return the solution for all ``sources`` together from stored functions.

        Args:
            sources: The sources of the solution.
            fields: Its functions on ``mesh``, of any elements, without the singular fields of point
                impurities (see ``Solution.lifts``).

        Note:
            Collective. ``iterations`` is 0.
        """
        repeated_sources = tuple(map(self._with_images, sources))
        loads = self._discrete.loads(repeated_sources)
        return self._solution(repeated_sources, loads, self._discrete.unknowns(fields), 0)

    def destroy(self) -> None:
        """Free all memory (collective). Solutions keep their fields but lose their energies."""
        self._solver.destroy()
        self._discrete.destroy()

    def _check(self, sources: Sequence[Source]) -> None:
        check_sources(self.films[0].film, sources)
        if self.formulation != "stream":
            refuse_points(sources, f"with formulation = {self.formulation!r}")
        if self.mesh.cell is not None:
            check_repeatable(sources)
        if not self.mesh.mirrored or self.mesh.has_walls:
            refuse_points(sources, "between walls")
        named = list(numbered(sources))
        for name, source in named:
            if is_point(source):
                self._check_place(name, source)
        named = [(name, source) for name, source in named if not is_point(source)]
        errors = quadrature_errors(self.films, [self._with_images(source) for _, source in named])
        for (name, source), error in zip(named, errors, strict=True):
            if error > ALLOWED_QUADRATURE_ERROR:
                size = getattr(source, "size", None)
                what = "" if size is None else f"size = {size:g}: "
                fault, remedy = self._fault(source)
                raise StudyError(
                    f"{name}: {what}{fault} (integrals over its profile are wrong by {error:.0e}, "
                    f"allowed: {ALLOWED_QUADRATURE_ERROR:.0e}); {remedy}"
                )

    def _fault(self, source: Source) -> tuple[str, str]:
        """Return why integrals over the profile of ``source`` are not accurate, and what helps."""
        distances = (math.hypot(*core.position) / core.size for core in source.cores)
        if (far := max(distances, default=0.0)) > _FARTHEST:
            fault = f"it lies {far:.1g} times this from the origin: too much round-off"
            return fault, "allowed: an origin near it"
        fault = "the cells around it are too coarse"
        if self.mesh.cores is None:
            return fault, "allowed: a mesh with smaller cells there"
        if not self.mesh.cores.issuperset(source.cores):
            return fault, "allowed: a mesh that was made for it (give all sources to create_mesh)"
        return fault, "a higher resolution makes them finer"

    def _with_images(self, source: Source) -> Source:
        """Return ``source``, with its images if space is periodic."""
        cell = self.mesh.cell
        return source if cell is None else repeated(source, cell.vectors)

    def _check_place(self, name: str, impurity: Impurity) -> None:
        if not on_film_of_mesh(self.films[0], impurity):
            raise StudyError(
                f"{name}: position = {list(impurity.position)} lies beyond the edge of "
                "the mesh's film, whose round edges have straight sides; allowed: a point inside"
            )

    def _solve(self, groups: Sequence[tuple[Source, ...]]) -> list[Solution]:
        """Return one solution for each group of sources."""
        groups = [tuple(map(self._with_images, group)) for group in groups]
        # The loads of all sources in one call, which is faster, then back into groups.
        loads = iter(self._discrete.loads([source for group in groups for source in group]))
        loads_of_groups = [[next(loads) for _ in group] for group in groups]
        unknowns, iterations = self._solver.solve(list(map(_total, loads_of_groups)))
        rows = zip(groups, loads_of_groups, unknowns, iterations, strict=True)
        return [self._solution(*row) for row in rows]

    def _solution(
        self, sources: tuple[Source, ...], loads: Sequence[Load], unknowns: Array, iterations: int
    ) -> Solution:
        pairs = zip(sources, loads, strict=True)
        return Solution(
            self.films,
            self.formulation,
            tuple(Drive(source) for source in sources),
            unknowns,
            _total(loads),
            partial(self._discrete.energy_products, self._solver),
            iterations,
            self._discrete.fields,
            self._discrete.hole_unknowns,
            weighted_gauge([load.gauge for load in loads], [1.0] * len(loads)),
            {source: load.lift for source, load in pairs if load.lift is not None},
        )


def _total(loads: Sequence[Load]) -> Array:
    """Return the load vector ℓ of several sources together."""
    return np.asarray(np.sum([load.vector for load in loads], axis=0))
