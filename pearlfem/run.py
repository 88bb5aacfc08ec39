"""A study from end to end: mesh, solve, observe, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from pearlfem.bounds import circumscribed
from pearlfem.errors import StudyError
from pearlfem.io.folder import result_folder
from pearlfem.io.summary import Bounded, summarise, write_summary
from pearlfem.io.vtu import nodal_values, write_film, write_space
from pearlfem.mesh.space import create_space
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.study import Study, read_study
from pearlfem.observables.energy import interaction_tensor, tensor_bracket
from pearlfem.observables.fields import has_magnetic_moment, magnetic_moment
from pearlfem.parallel import on_root
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import FormulationName, Solution, superpose

PICTURE = "film.png"
STUDY = "study.toml"
Progress = Callable[[str], None]


def run_study(
    study: Study,
    folder: Path,
    *,
    force: bool = False,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Solve ``study`` and leave summary.json, fields and picture in ``folder``.

    Args:
        study: What to do.
        folder: Where the result goes; see ``result_folder``.
        force: Replace an earlier result.
        comm: Communicator of all ranks that work on it.
        progress: Called on every rank with a line for each finished phase.

    Returns:
        The content of summary.json.

    Raises:
        StudyError: The folder cannot be used.
        ConvergenceError: The solver stopped before its tolerance; nothing is left behind.

    Note:
        Collective over ``comm``.
    """
    start = time.perf_counter()
    seconds: dict[str, float] = {}
    with result_folder(folder, force=force, comm=comm) as stage:
        with _timed(seconds, "mesh"):
            space = create_space(
                study.film,
                study.impurities,
                boundary=study.boundary,
                resolution=study.mesh.resolution,
                far=study.mesh.far,
                comm=comm,
            )
        progress(f"mesh      {seconds['mesh']:6.1f} s   {space.cells:,} cells")
        names: tuple[FormulationName, ...]
        chosen = study.solve.formulation
        names = ("stream", "vector") if chosen == "both" else (chosen,)
        answers = {name: _solve(study, space, name, seconds, progress) for name in names}
        first = answers[names[0]]
        moment = magnetic_moment(first.solution) if has_magnetic_moment(first.solution) else None
        with _timed(seconds, "output"):
            _write(study, stage, first.solution)
        progress(f"output    {seconds['output']:6.1f} s")
        seconds["total"] = time.perf_counter() - start
        energy, tensor = _bounded(study, answers)
        summary = summarise(
            title=study.title,
            free_energy=energy,
            tensor=tensor,
            magnetic_moment=moment,
            counts={
                "cells": space.cells,
                "dofs": sum(answer.dofs for answer in answers.values()),
                "iterations": max(answer.solution.iterations for answer in answers.values()),
                "ranks": comm.size,
            },
            seconds=seconds,
        )
        on_root(comm, lambda: write_summary(stage, summary))
    return summary


def draw_picture(folder: Path) -> Path:
    """Draw the film of a finished run again; return the picture's path.

    Raises:
        StudyError: ``folder`` holds no result with fields.

    Note:
        Not collective: call it on one rank.
    """
    fields = next(iter(sorted(folder.glob("film.*vtu"))), None)
    if fields is None:
        raise StudyError(f"{folder}: holds no film.vtu or film.pvtu; run a study with fields first")
    from pearlfem.io.picture import draw_film  # VTK takes a second to load

    study = read_study(folder / STUDY)
    draw_film(folder / PICTURE, fields, study.film, study.impurities)
    return folder / PICTURE


class _Answer(NamedTuple):
    """What one formulation gives: tensor (n, n, 2, 2), the solution of all moments together."""

    tensor: npt.NDArray[np.float64]
    solution: Solution
    dofs: int


def _solve(
    study: Study,
    space: TaggedMesh,
    formulation: FormulationName,
    seconds: dict[str, float],
    progress: Progress,
) -> _Answer:
    film, impurities, factor = study.film, study.impurities, 1.0
    if formulation == "vector":
        film, impurities, factor = circumscribed(film, impurities, space)
    problem = MaxwellLondon(film, space, study.solve.degree, formulation)
    for phase, time_taken in problem.seconds.items():
        seconds[phase] = seconds.get(phase, 0.0) + time_taken
    ready = sum(problem.seconds.values())
    progress(
        f"assemble  {ready:6.1f} s   {problem.dofs:,} dofs of degree {study.solve.degree}, "
        f"{formulation} formulation"
    )
    with _timed(seconds, "solve") as timer:
        solutions = problem.solve_each(impurities)
        tensor = interaction_tensor(solutions) / factor
        solution = superpose(solutions, [m for i in impurities for m in i.moment])
    progress(
        f"solve     {timer():6.1f} s   {len(solutions)} loads, "
        f"at most {solution.iterations} iterations"
    )
    problem.destroy()
    return _Answer(tensor, solution, problem.dofs)


def _bounded(study: Study, answers: Mapping[FormulationName, _Answer]) -> tuple[Bounded, Bounded]:
    """Return free energy and interaction tensor with the bounds that there are."""
    moments = np.array([impurity.moment for impurity in study.impurities])
    energies = {
        name: float(0.5 * np.einsum("ia,ijab,jb", moments, answer.tensor, moments))
        for name, answer in answers.items()
    }
    lower, upper = energies.get("stream"), energies.get("vector")
    if lower is None or upper is None:
        (name,) = answers
        return Bounded(energies[name], lower, upper), Bounded(answers[name].tensor)
    stream, vector = answers["stream"].tensor, answers["vector"].tensor
    middle = Bounded((stream + vector) / 2, *tensor_bracket(stream, vector))
    return Bounded((lower + upper) / 2, lower, upper), middle


def _write(study: Study, stage: Path, solution: Solution) -> None:
    comm = solution.space.mesh.comm
    on_root(comm, lambda: (stage / STUDY).write_text(study.text, encoding="utf-8"))
    keep, picture = study.output.fields == "vtu", study.output.picture
    if not keep and not picture:
        return
    values = nodal_values(solution)
    write_film(stage, values)
    if picture:
        on_root(comm, lambda: draw_picture(stage))
    if keep:
        write_space(stage, values)
    else:
        on_root(comm, lambda: _remove(stage.glob("film*vtu")))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[Callable[[], float]]:
    """Add the time of the block to ``seconds[phase]``; yields a clock."""
    start = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - start

    yield elapsed
    seconds[phase] = seconds.get(phase, 0.0) + elapsed()
