"""The Maxwell–London problem of a film: assembled once, solved for many sources."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.formulation.base import Formulation
from pearlfem.formulation.fields import Fields, Lift
from pearlfem.formulation.film import ALLOWED_QUADRATURE_ERROR, quadrature_errors
from pearlfem.formulation.stream.assembled import StreamFormulation
from pearlfem.formulation.stream.point_lifts import on_film_of_mesh
from pearlfem.formulation.vector.assembled import VectorFormulation
from pearlfem.mesh.round_edges import fit_round_edges
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.checks import check_repeatable, check_sources, refuse_points
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source, numbered
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.sources.impurity import Impurity, is_point
from pearlfem.model.sources.repeated import repeated
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Drive, FormulationName, Solution

_Formulation = Callable[[Film, TaggedMesh, int], Formulation]
FORMULATIONS: dict[str, _Formulation] = {
    "stream": StreamFormulation,
    "vector": VectorFormulation,
}


class MaxwellLondon:
    """A film and the space around it.

    Args:
        film: The film.
        mesh: The mesh.
        degree: Degree of the elements, 1 to 3.
        formulation: "stream" (scalar potential, energies from below) or "vector" (vector potential,
            energies from above).
        tolerance: Relative error of energies that the iterative solver may leave; the default is
            next to none. It enters with the sign of the bound.

    Raises:
        StudyError: ``degree`` or ``formulation`` is not allowed.

    Note:
        Collective. ``seconds`` holds the time that assembly and set-up of the solver took.
        ``mesh`` is the mesh in use, with round edges as ``fit_round_edges`` has them.
    """

    def __init__(
        self,
        film: Film,
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
        self.film, self.formulation = film, formulation
        # The film's energy grows with its area: bounds from above need all of it, and from below
        # no more.
        self.mesh = fit_round_edges(mesh, film, covering=formulation == "vector")
        self._discrete: Formulation = FORMULATIONS[formulation](film, self.mesh, degree)
        assembled = time.perf_counter()
        self._solver = self._discrete.create_solver()
        if tolerance is not None:
            self._solver.tolerance = math.sqrt(tolerance)
        done = time.perf_counter()
        self.seconds = {"assemble": assembled - start, "setup": done - assembled}

    @property
    def dofs(self) -> int:
        """Number of unknowns on all ranks, fixed ones included."""
        return self._discrete.dofs

    def solve(self, sources: Sequence[Source]) -> Solution:
        """Solve for all ``sources`` together.

        Raises:
            StudyError: No source, one lies outside the film, or cells are too coarse for one.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        self._check(sources)
        return self._solve([tuple(sources)])[0]

    def solve_each(self, sources: Sequence[Source]) -> list[Solution]:
        """Solve for each source alone; for an impurity with its moment along x, and along y.

        Returns:
            The solutions in the order of the sources, two for each impurity.

        Raises:
            StudyError: No source, one lies outside the film, or cells are too coarse for one.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        self._check(sources)
        return self._solve([(one,) for source in sources for one in _parts(source)])

    def restore(self, sources: Sequence[Source], fields: Fields) -> Solution:
        """Return the solution for all ``sources`` together from its functions.

        Args:
            sources: What it was solved for.
            fields: Functions on the mesh of ``mesh``, of any elements, without what point
                impurities have on the infinite film.

        Note:
            Collective. ``iterations`` is 0.
        """
        every = tuple(map(self._whole, sources))
        load, lifts = self._load(every)
        unknowns = self._discrete.unknowns(fields)
        return self._solution(every, load, lifts, unknowns, 0)

    def destroy(self) -> None:
        """Free the solver and what loads need; the energies of solutions are lost (collective)."""
        self._solver.destroy()
        self._discrete.destroy()

    def _check(self, sources: Sequence[Source]) -> None:
        check_sources(self.film, sources)
        if self.formulation != "stream":
            refuse_points(sources, f"with formulation = {self.formulation!r}")
        if self.mesh.cell is not None:
            check_repeatable(sources)
        if not self.mesh.mirrored or {"shield", "magnetic-wall"} & set(self.mesh.groups):
            refuse_points(sources, "between walls")
        named = list(numbered(sources))
        for name, source in named:
            if is_point(source):
                self._check_place(name, source)
        named = [(name, source) for name, source in named if not is_point(source)]
        whole = [self._whole(source) for _, source in named]
        errors = quadrature_errors(self.mesh, self.film, whole)
        for (name, source), error in zip(named, errors, strict=True):
            if error > ALLOWED_QUADRATURE_ERROR:
                size = f"size = {source.size:g}: " if isinstance(source, Impurity | Vortex) else ""
                raise StudyError(
                    f"{name}: {size}the cells around it are too coarse for its "
                    f"profile (integrals are wrong by {error:.0e}, allowed: "
                    f"{ALLOWED_QUADRATURE_ERROR:.0e}); a higher resolution makes them finer"
                )

    def _whole(self, source: Source) -> Source:
        """Return ``source``, in a periodic space with its images."""
        cell = self.mesh.cell
        return source if cell is None else repeated(source, cell.vectors)

    def _check_place(self, name: str, impurity: Impurity) -> None:
        if not on_film_of_mesh(self.mesh, impurity):
            raise StudyError(
                f"{name}: position = {list(impurity.position)} lies beyond the edge of "
                "the mesh's film, whose round edges have straight sides; allowed: a point inside"
            )

    def _solve(self, sources: Sequence[tuple[Source, ...]]) -> list[Solution]:
        """Solve for each of ``sources`` alone."""
        sources = [tuple(map(self._whole, each)) for each in sources]
        loads, lifts = zip(*(self._load(each) for each in sources), strict=True)
        answers = zip(sources, loads, lifts, *self._solver.solve(loads), strict=True)
        return [self._solution(*answer) for answer in answers]

    def _load(self, sources: tuple[Source, ...]) -> tuple[Array, dict[Source, Lift]]:
        """Return ℓ of all ``sources`` together, and the lifts of point impurities."""
        loads = [self._discrete.load(source) for source in sources]
        total = np.sum([load.vector for load in loads], axis=0)
        pairs = zip(sources, loads, strict=True)
        return total, {source: load.lift for source, load in pairs if load.lift is not None}

    def _solution(
        self,
        sources: tuple[Source, ...],
        load: Array,
        lifts: dict[Source, Lift],
        unknowns: Array,
        iterations: int,
    ) -> Solution:
        return Solution(
            self.film,
            self.mesh,
            self.formulation,
            tuple(Drive(source) for source in sources),
            unknowns,
            load,
            self._solver.apply_operator,
            iterations,
            self._discrete.fields,
            lifts,
        )


def _parts(source: Source) -> Sequence[Source]:
    """Return what ``solve_each`` solves for on its own."""
    return source.along_axes if isinstance(source, Impurity) else (source,)
