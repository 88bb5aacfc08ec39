"""A study's mesh and its assembled problems: one mesh as fine as asked for, or refined ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mpi4py import MPI

from pearlfem.adaptivity import Refinement, refine
from pearlfem.memory import check_memory
from pearlfem.mesh.space import create_space
from pearlfem.model.study import Study
from pearlfem.observables.tables import check_places
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import FormulationName

Progress = Callable[[str], None]


def assemble(
    study: Study, seconds: dict[str, float], comm: MPI.Comm, progress: Progress
) -> Refinement:
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
) -> Refinement:
    """Mesh once, as fine as the study says, and assemble."""
    check_memory(study, names, study.mesh.resolution, comm)
    with timed(seconds, "mesh"):
        space = create_space(
            study.film,
            study.sources,
            boundary=study.boundary,
            resolution=study.mesh.resolution,
            far=study.mesh.far,
            comm=comm,
        )
    progress(f"mesh      {seconds['mesh']:6.1f} s   {space.cells:,} cells")
    check_places(space, study.output.probe)
    problems = {}
    for name in names:
        problem = MaxwellLondon(study.film, space, study.solve.degree, name)
        for phase, time_taken in problem.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + time_taken
        progress(
            f"assemble  {sum(problem.seconds.values()):6.1f} s   {problem.dofs:,} dofs of degree "
            f"{study.solve.degree}, {name} formulation"
        )
        problems[name] = problem
    return Refinement((), space, problems, None)


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[Callable[[], float]]:
    """Add the time of the block to ``seconds[phase]``; yields a clock."""
    start = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - start

    yield elapsed
    seconds[phase] = seconds.get(phase, 0.0) + elapsed()
