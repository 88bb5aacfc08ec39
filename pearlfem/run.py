"""A study from end to end: mesh, solve, observe, write."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from pearlfem.adaptivity import Round
from pearlfem.assembly import Progress, assemble, timed
from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.io.folder import PARTIAL, result_folder
from pearlfem.io.probes import write_probe
from pearlfem.io.summary import Bounded, summarise, write_summary
from pearlfem.io.vtu import nodal_values, write_film, write_space
from pearlfem.model.applied import applied_field, idle_islands
from pearlfem.model.sources import is_point
from pearlfem.model.study import Study, read_study
from pearlfem.observables.energy import free_energy, interaction_tensor, tensor_bracket
from pearlfem.observables.fields import has_magnetic_moment, magnetic_moment
from pearlfem.observables.holes import hole_states
from pearlfem.observables.tables import measure
from pearlfem.parallel import on_root
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import FormulationName, Solution, superpose

PICTURE = "film.png"
STUDY = "study.toml"


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
        ConvergenceError: The solver stopped before its tolerance, and nothing is left behind; or
            the study's tolerance was not reached, and partial.json has the best bounds.

    Note:
        Collective over ``comm``.
    """
    start = time.perf_counter()
    seconds: dict[str, float] = {}
    shortfall: str | None = None
    for x, y in idle_islands(study.film, study.sources):
        progress(f"warning: no source on the island of the film around ({x:g}, {y:g})")
    with result_folder(folder, force=force, comm=comm) as stage:
        on_root(comm, lambda: (stage / STUDY).write_text(study.text, encoding="utf-8"))
        found = assemble(study, seconds, comm, progress)
        shortfall = found.shortfall
        counts = {
            "cells": found.space.cells,
            "dofs": sum(problem.dofs for problem in found.problems.values()),
            "ranks": comm.size,
        }
        if shortfall is None:
            answers = {
                name: _solve(study, problem, seconds, progress)
                for name, problem in found.problems.items()
            }
            counts["iterations"] = max(a.solution.iterations for a in answers.values())
            first = next(iter(answers.values())).solution
            with timed(seconds, "output"):
                _write(study, stage, first)
                _probe(study, stage, first)
                holes = hole_states(first)
            progress(f"output    {seconds['output']:6.1f} s")
            energy, tensor = _bounded(answers, found.rounds[-1:])
            if any(is_point(source) for source in study.sources):
                energy = Bounded(energy.value)  # see ``mesh.create_space``
            moment = magnetic_moment(first) if has_magnetic_moment(first) else None
            for problem in found.problems.values():
                problem.destroy()
        else:
            energy, tensor, moment, holes = _best(found.rounds), None, None, []
        seconds["total"] = time.perf_counter() - start
        summary = summarise(
            title=study.title,
            units=study.units,
            temperature=study.temperature,
            shortfall=shortfall,
            free_energy=energy,
            tensor=tensor,
            magnetic_moment=moment,
            holes=holes,
            rounds=[asdict(one) for one in found.rounds],
            counts=counts,
            seconds=seconds,
        )
        on_root(comm, lambda: write_summary(stage, summary))
    if shortfall is not None:
        best = min(one.error for one in found.rounds)
        raise ConvergenceError(
            f"tolerance = {study.solve.tolerance:g} was not reached: {shortfall}; the best, with a "
            f"relative error of {best:.1e}, is in {folder / PARTIAL}"
        )
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
    draw_film(folder / PICTURE, fields, study)
    return folder / PICTURE


class _Answer(NamedTuple):
    """What one formulation gives.

    The tensor (n, n, 2, 2) of the impurities, None without any; the solution of all sources
    together, and its free energy.
    """

    tensor: npt.NDArray[np.float64] | None
    solution: Solution
    energy: float


def _solve(
    study: Study, problem: MaxwellLondon, seconds: dict[str, float], progress: Progress
) -> _Answer:
    with timed(seconds, "solve") as timer:
        solutions = problem.solve_each(study.impurities) if study.impurities else []
        tensor = interaction_tensor(solutions) if solutions else None
        weights = [m for i in study.impurities for m in i.moment]
        if study.others:
            solutions, weights = [*solutions, problem.solve(study.others)], [*weights, 1.0]
        solution = superpose(solutions, weights)
        energy = free_energy(solution)
    progress(
        f"solve     {timer():6.1f} s   {len(solutions)} loads, at most {solution.iterations} "
        f"iterations, {problem.formulation} formulation"
    )
    return _Answer(tensor, solution, energy)


def _bounded(
    answers: Mapping[FormulationName, _Answer], rounds: Sequence[Round]
) -> tuple[Bounded, Bounded | None]:
    """Return free energy and interaction tensor with the bounds that there are.

    The free energy also has those of ``rounds`` on the same mesh, which the tolerance is about.
    """
    stream, vector = answers.get("stream"), answers.get("vector")
    lower = upper = None
    if stream is not None:
        lower = max([stream.energy, *(one.lower for one in rounds if one.lower is not None)])
    if vector is not None:
        upper = min([vector.energy, *(one.upper for one in rounds if one.upper is not None)])
    if lower is None or upper is None:
        (only,) = answers.values()
        tensor = None if only.tensor is None else Bounded(only.tensor)
        return Bounded(upper if lower is None else lower, lower, upper), tensor
    energy = Bounded((lower + upper) / 2, lower, upper)
    assert stream is not None and vector is not None
    if stream.tensor is None or vector.tensor is None:
        return energy, None
    bracket = tensor_bracket(stream.tensor, vector.tensor)
    return energy, Bounded((stream.tensor + vector.tensor) / 2, *bracket)


def _best(rounds: Sequence[Round]) -> Bounded:
    """Return the free energy of the round with the smallest error."""
    best = min(rounds, key=lambda one: one.error)
    known = [bound for bound in (best.lower, best.upper) if bound is not None]
    return Bounded(sum(known) / len(known), best.lower, best.upper)


def _write(study: Study, stage: Path, solution: Solution) -> None:
    comm = solution.space.mesh.comm
    keep, picture = study.output.fields == "vtu", study.output.picture
    if not keep and not picture:
        return
    values = nodal_values(solution, study.units)
    write_film(stage, values)
    if picture:
        on_root(comm, lambda: draw_picture(stage))
    if keep:
        write_space(stage, values)
    else:
        on_root(comm, lambda: _remove(stage.glob("film*vtu")))


def _probe(study: Study, stage: Path, solution: Solution) -> None:
    """Write the tables of all probes (collective)."""

    def applied(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        field = applied_field(solution.drives, points)
        assert field is not None
        return field

    has_field = applied_field(solution.drives, np.empty((0, 3))) is not None
    for probe in study.output.probe:
        columns = measure(solution, probe, applied if has_field else None)
        write = partial(write_probe, stage, probe.name, columns, study.units)
        on_root(solution.space.mesh.comm, write)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
