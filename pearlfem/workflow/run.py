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

from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.io.fields.blocks import write_blocks
from pearlfem.io.fields.vtu import array_units, nodal_values, write_film, write_space
from pearlfem.io.fields.vtx import check_vtx, write_vtx
from pearlfem.io.results.folder import PARTIAL, result_folder
from pearlfem.io.results.impurities import write_impurities, write_interaction
from pearlfem.io.results.probes import write_probe
from pearlfem.io.results.study import write_study
from pearlfem.io.results.summary import Bounded, summarise, write_summary
from pearlfem.model.probes import Probe, read_points
from pearlfem.model.sources.applied import applied_field, idle_islands
from pearlfem.model.sources.base import has_points
from pearlfem.observables.energy import mutual_energies, tensor_bracket, tensor_of_energies
from pearlfem.observables.fields import has_magnetic_moment, magnetic_moment
from pearlfem.observables.holes import hole_states
from pearlfem.observables.tables import Column, measure
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.parallel import on_root
from pearlfem.solution import FormulationName, Solution, superpose
from pearlfem.study.study import Study
from pearlfem.workflow.adaptivity import Round
from pearlfem.workflow.assembly import Assembler, Progress, timed
from pearlfem.workflow.ordering import Order, check_orderable, find_order, order_as_dict, turned
from pearlfem.workflow.stored import load_solution, save_solution, solved_study

_Array = npt.NDArray[np.float64]
PICTURE = "film.png"


def run_study(
    study: Study,
    folder: Path,
    *,
    force: bool = False,
    in_order: bool = False,
    assembler: Assembler | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Solve ``study`` and leave summary.json, fields and picture in ``folder``.

    Args:
        study: What to do.
        folder: Where the result goes; see ``result_folder``.
        force: Replace an earlier result.
        in_order: Turn the moments of the impurities into their ground state first.
        assembler: Of several studies, to share what they can; who made it destroys it.
        comm: Communicator of all ranks that work on it.
        progress: Called on every rank with a line for each finished phase.

    Returns:
        The content of summary.json.

    Raises:
        StudyError: The folder cannot be used, or other sources would turn the moments.
        ConvergenceError: The solver or the minimiser stopped before its tolerance, and nothing is
            left behind; or the study's tolerance was not reached, and partial.json has the best
            bounds.

    Note:
        Collective over ``comm``.
    """
    if in_order:
        check_orderable(study)
    if study.output.fields == "vtx":
        check_vtx()
    start = time.perf_counter()
    own = assembler or Assembler()
    seconds: dict[str, float] = {}
    order: Order | None = None
    shortfall: str | None = None
    for x, y in idle_islands(study.film, study.sources):
        progress(f"warning: no source on the island of the film around ({x:g}, {y:g})")
    with result_folder(folder, force=force, comm=comm) as stage:
        on_root(comm, partial(write_study, stage, study))
        found = own.assemble(study, seconds, comm, progress)
        shortfall = found.shortfall
        counts = {
            "cells": found.space.cells,
            "dofs": sum(problem.dofs for problem in found.problems.values()),
            "ranks": comm.size,
        }
        if shortfall is None:
            responses = {
                name: _respond(study, problem, seconds, progress)
                for name, problem in found.problems.items()
            }
            if in_order:
                tensors = [_tensor(study, each) for each in responses.values()]
                mean = np.mean(tensors, axis=0)
                with timed(seconds, "order") as timer:
                    order = on_root(comm, partial(find_order, study, mean))
                progress(f"order     {timer():6.1f} s")
                study = turned(study, np.degrees(order.ground.angles))
            answers = {name: _answer(study, each) for name, each in responses.items()}
            counts["iterations"] = max(a.solution.iterations for a in answers.values())
            first = next(iter(answers.values())).solution
            with timed(seconds, "output"):
                _write(study, stage, first)
                _probe(study, stage, first)
                if study.impurities:
                    on_root(comm, partial(_write_impurities, study, stage, answers))
                if study.output.fields == "vtu":
                    on_root(comm, partial(write_blocks, stage, array_units(study.units)))
                holes = hole_states(first)
                if study.output.solution:
                    solutions = {name: answer.solution for name, answer in answers.items()}
                    save_solution(stage, found.space, study.solve.degree, solutions)
            progress(f"output    {seconds['output']:6.1f} s")
            # Rounds have bounds for the moments as given.
            energy, tensor = _bounded(answers, () if in_order else found.rounds[-1:])
            if has_points(study.sources):
                energy = Bounded(energy.value)  # see ``mesh.create_space``
            moment = magnetic_moment(first) if has_magnetic_moment(first) else None
        else:
            energy, tensor, moment, holes = _best(found.rounds), None, None, []
        if assembler is None:
            own.destroy()
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
            order=None if order is None else order_as_dict(order, study.units),
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
    return _draw(folder, solved_study(folder))


def probe_result(
    folder: Path, points: Path, comm: MPI.Comm = MPI.COMM_WORLD
) -> tuple[list[Column], Units | ReducedUnits]:
    """Return the fields of a finished run at more points, without solving again, and its units.

    Args:
        folder: That of the result, of a study with ``output.solution = true``.
        points: CSV file with columns x, y and, maybe, z, in the units of the study.
        comm: Communicator of all ranks.

    Returns:
        The table, as ``observables.tables.measure`` makes it.

    Raises:
        StudyError: A file cannot be read, or a point lies outside of the mesh.

    Note:
        Collective over ``comm``.
    """
    units = on_root(comm, lambda: solved_study(folder)).units
    probe = on_root(comm, lambda: read_points(points, points.stem, units))
    stored = load_solution(folder, comm=comm)
    columns = _measure(stored.solution, probe)
    stored.problem.destroy()
    return columns, units


def _draw(folder: Path, study: Study) -> Path:
    fields = next(iter(sorted(folder.glob("film.*vtu"))), None)
    if fields is None:
        raise StudyError(f"{folder}: holds no film.vtu or film.pvtu; run a study with fields first")
    from pearlfem.io.fields.picture import draw_film  # VTK takes a second to load

    with atomic_file(folder / PICTURE) as part:
        draw_film(part, fields, study)
    return folder / PICTURE


class _Response(NamedTuple):
    """What one formulation gives: solutions of all sources, and the energies of all pairs.

    Two solutions for each impurity, and one for all other sources together, if there are any.
    """

    solutions: list[Solution]
    energies: _Array


class _Answer(NamedTuple):
    """The solution of all sources together, its free energy, and the tensor of the impurities."""

    tensor: _Array | None
    solution: Solution
    energy: float


def _respond(
    study: Study, problem: MaxwellLondon, seconds: dict[str, float], progress: Progress
) -> _Response:
    with timed(seconds, "solve") as timer:
        solutions = problem.solve_each(study.impurities) if study.impurities else []
        if study.others:
            solutions = [*solutions, problem.solve(study.others)]
        energies = mutual_energies(solutions)
    progress(
        f"solve     {timer():6.1f} s   {len(solutions)} loads, at most "
        f"{max(s.iterations for s in solutions)} iterations, {problem.formulation} formulation"
    )
    return _Response(solutions, energies)


def _answer(study: Study, response: _Response) -> _Answer:
    """Return the answer to all sources of ``study`` with its moments (collective)."""
    weights = [m for impurity in study.impurities for m in impurity.moment]
    weights += [1.0] if study.others else []
    energy = float(np.array(weights) @ response.energies @ weights)
    tensor = _tensor(study, response) if study.impurities else None
    return _Answer(tensor, superpose(response.solutions, weights), energy)


def _tensor(study: Study, response: _Response) -> _Array:
    """Return the interaction tensor of the impurities of ``study``."""
    own = slice(2 * len(study.impurities))
    return tensor_of_energies(response.energies[own, own])


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
    fields, picture = study.output.fields, study.output.picture
    if fields == "none" and not picture:
        return
    values = nodal_values(solution, study.units)
    if fields == "vtx":
        write_vtx(stage, values)
    if picture or fields == "vtu":
        write_film(stage, values)
    if picture:
        on_root(comm, lambda: _draw(stage, study))
    if fields == "vtu":
        write_space(stage, values)
    else:
        on_root(comm, lambda: _remove(stage.glob("film*vtu")))


def _write_impurities(
    study: Study, stage: Path, answers: Mapping[FormulationName, _Answer]
) -> None:
    """Write the impurities and their tensors."""
    tensors = {str(name): a.tensor for name, a in answers.items() if a.tensor is not None}
    write_interaction(stage, study.impurities, tensors, study.units)
    if study.output.fields != "none":
        write_impurities(stage, study.impurities, study.units)


def _probe(study: Study, stage: Path, solution: Solution) -> None:
    """Write the tables of all probes (collective)."""
    for probe in study.output.probe:
        columns = _measure(solution, probe)
        write = partial(write_probe, stage, probe.name, columns, study.units)
        on_root(solution.space.mesh.comm, write)


def _measure(solution: Solution, probe: Probe) -> list[Column]:
    """Return the table of ``probe``, with the applied field if there is one (collective)."""

    def applied(points: _Array) -> _Array:
        field = applied_field(solution.drives, points)
        assert field is not None
        return field

    has_field = applied_field(solution.drives, np.empty((0, 3))) is not None
    return measure(solution, probe, applied if has_field else None)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
