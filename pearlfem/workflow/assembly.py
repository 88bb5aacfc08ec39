"""A study's mesh and its assembled problems: one mesh, made or read, or adapted ones.

Studies that differ in nothing that mesh or operator are made from can share them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.from_file import mesh_from_file
from pearlfem.mesh.generate import create_mesh
from pearlfem.mesh.refined import CELLS_PER_CELL, refined
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.tables import check_places
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import FormulationName
from pearlfem.study.study import Study
from pearlfem.workflow.adaptivity import Assembly, refine
from pearlfem.workflow.memory import cells_needed, check_memory, memory_needed

Progress = Callable[[str], None]


class Assembler:
    """Meshes and assembles one study after another; the last result serves all that can share it.

    Note:
        Collective, all of it. What ``assemble`` returns is freed by the next call that cannot use
        it, or by ``destroy``.
    """

    def __init__(self) -> None:
        self._basis: Hashable = None
        self._last: Assembly | None = None

    def assemble(
        self, study: Study, seconds: dict[str, float], comm: MPI.Comm, progress: Progress
    ) -> Assembly:
        """Return mesh and problems of ``study``; see the function ``assemble``."""
        basis = reuse_key(study)
        if self._last is None or basis is None or basis != self._basis:
            self.destroy()
            self._last, self._basis = assemble(study, seconds, comm, progress), basis
        else:
            check_places(self._last.mesh, study.output.probe)
        return self._last

    def destroy(self) -> None:
        """Free the problems; their solutions lose their operator."""
        for problem in self._last.problems.values() if self._last else ():
            problem.destroy()
        self._last = None


def reuse_key(study: Study) -> Hashable:
    """Return all that mesh and operator of ``study`` are made from; None if that is the answer.

    Of the sources these are the places that ask for small cells, but not angles, strengths,
    windings or fields. A mesh that is refined for a tolerance follows the solution.
    """
    if study.solve.tolerance is not None:
        return None
    cores = tuple(core for source in study.sources for core in source.cores)
    how = (study.mesh, study.solve.formulation, study.solve.degree)
    return (study.film, study.boundary, cores, has_points(study.sources), *how)


def assemble(
    study: Study, seconds: dict[str, float], comm: MPI.Comm, progress: Progress
) -> Assembly:
    """Return the mesh of ``study`` and its problems, refined if it has a tolerance.

    Args:
        study: What to solve.
        seconds: Takes the wall-clock time of each phase.
        comm: Communicator of all ranks.
        progress: Called on every rank with a line for each finished phase.

    Raises:
        StudyError: The mesh would not fit into memory, or is too coarse for a source.
        ConvergenceError: An iterative solver failed.

    Note:
        Collective over ``comm``.
    """
    chosen = study.solve.formulation
    names: tuple[FormulationName, ...] = ("stream", "vector") if chosen == "both" else (chosen,)
    if study.solve.tolerance is None:
        return _once(study, names, seconds, comm, progress)
    with timed(seconds, "refine"):
        return refine(study, study.solve.tolerance, names, comm, progress)


def _once(
    study: Study,
    names: Sequence[FormulationName],
    seconds: dict[str, float],
    comm: MPI.Comm,
    progress: Progress,
) -> Assembly:
    """Mesh once, as fine as the study says, and assemble."""
    if study.mesh.file is None:
        _check_memory(study, names, comm)
    with timed(seconds, "mesh"):
        mesh = _mesh(study, names, comm)
    progress(f"mesh      {seconds['mesh']:6.1f} s   {mesh.cells:,} cells")
    check_places(mesh, study.output.probe)
    problems = {}
    for name in names:
        problem = MaxwellLondon(study.film, mesh, study.solve.degree, name)
        for phase, time_taken in problem.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + time_taken
        progress(
            f"assemble  {sum(problem.seconds.values()):6.1f} s   {problem.dofs:,} dofs of degree "
            f"{study.solve.degree}, {name} formulation"
        )
        problems[name] = problem
    return Assembly((), mesh, problems, None)


def _mesh(study: Study, names: Sequence[FormulationName], comm: MPI.Comm) -> TaggedMesh:
    """Return the study's mesh, made or read, and refined (collective)."""
    same_area = has_points(study.sources)
    if study.mesh.file is None:
        mesh = create_mesh(
            study.film,
            study.sources,
            boundary=study.boundary,
            resolution=study.mesh.resolution,
            far=study.mesh.far,
            comm=comm,
        )
    else:
        try:
            path = study.folder / study.mesh.file
            mesh = mesh_from_file(path, study.film, study.boundary, same_area=same_area, comm=comm)
        except StudyError as error:  # on all ranks
            raise StudyError(f"mesh.file = {study.mesh.file!r}: {error}") from None
        _check_cells(study, names, mesh.cells, comm)
    return refined(mesh, study.film, study.mesh.refinements, same_area=same_area)


def _check_memory(study: Study, names: Sequence[FormulationName], comm: MPI.Comm) -> None:
    """Refuse a study whose mesh, yet to be made, would take more memory than there is."""
    if not study.mesh.refinements:
        check_memory(study, names, study.mesh.resolution, comm)
        return
    _check_cells(study, names, cells_needed(study, study.mesh.resolution), comm)


def _check_cells(
    study: Study, names: Sequence[FormulationName], coarse: float, comm: MPI.Comm
) -> None:
    """Refuse a mesh of so many cells, yet to be refined, if it would take too much memory."""
    mesh = study.mesh
    cells = coarse * CELLS_PER_CELL**mesh.refinements
    memory = memory_needed(study, names, cells, comm)
    if memory.needed > memory.available:
        key = f"file = {mesh.file!r}" if mesh.file else f"resolution = {mesh.resolution:g}"
        raise StudyError(
            f"mesh.refinements = {mesh.refinements}: with mesh.{key} makes about {cells:.2g} "
            f"cells, which need {memory} (degree {study.solve.degree}); allowed: fewer "
            "refinements, a coarser mesh, or a lower degree"
        )


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[Callable[[], float]]:
    """Add the time of the block to ``seconds[phase]``; yields a clock."""
    start = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - start

    yield elapsed
    seconds[phase] = seconds.get(phase, 0.0) + elapsed()
