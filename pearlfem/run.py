"""A study from end to end: mesh, solve, observe, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.folder import result_folder
from pearlfem.io.summary import summarise, write_summary
from pearlfem.io.vtu import nodal_values, write_film, write_space
from pearlfem.mesh.half_space import create_half_space
from pearlfem.model.study import Study, read_study
from pearlfem.observables.energy import free_energy, interaction_tensor
from pearlfem.observables.fields import magnetic_moment
from pearlfem.parallel import on_root
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import Solution, superpose

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
            space = create_half_space(
                study.film,
                study.impurities,
                resolution=study.mesh.resolution,
                far=study.mesh.far,
                comm=comm,
            )
        progress(f"mesh      {seconds['mesh']:6.1f} s   {space.cells:,} cells")
        problem = MaxwellLondon(study.film, space, study.solve.degree)
        seconds |= problem.seconds
        ready = seconds["assemble"] + seconds["setup"]
        progress(f"assemble  {ready:6.1f} s   {problem.dofs:,} dofs of degree {study.solve.degree}")
        with _timed(seconds, "solve"):
            solutions = problem.solve_each(study.impurities)
            tensor = interaction_tensor(solutions)
            moments = [component for i in study.impurities for component in i.moment]
            solution = superpose(solutions, moments)
            energy = free_energy(solution)
        progress(
            f"solve     {seconds['solve']:6.1f} s   {len(solutions)} loads, "
            f"at most {solution.iterations} iterations"
        )
        with _timed(seconds, "output"):
            _write(study, stage, solution)
        progress(f"output    {seconds['output']:6.1f} s")
        seconds["total"] = time.perf_counter() - start
        summary = summarise(
            title=study.title,
            free_energy=energy,
            tensor=tensor,
            magnetic_moment=magnetic_moment(solution),
            counts={
                "cells": space.cells,
                "dofs": problem.dofs,
                "iterations": solution.iterations,
                "ranks": comm.size,
            },
            seconds=seconds,
        )
        on_root(comm, lambda: write_summary(stage, summary))
    problem.destroy()
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
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
