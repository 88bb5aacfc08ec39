"""A whole run of a study: mesh, solve, observe, write."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from pearlfem.errors import ConvergenceError
from pearlfem.io.results.folder import PARTIAL, result_folder
from pearlfem.io.results.study import write_study
from pearlfem.io.results.summary import RunRecord, summarise, write_summary
from pearlfem.model.sources.applied import idle_islands
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.lookup import observe
from pearlfem.quantities.result_shapes import Bounded
from pearlfem.quantities.results import FREE_ENERGY, INTERACTION
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.phases import Progress, timed
from pearlfem.solution import FormulationName
from pearlfem.study.study import Study, with_angles
from pearlfem.workflow.adaptivity import Assembly
from pearlfem.workflow.answers import (
    SourceSolutions,
    best_bounds,
    bounds_of,
    combine,
    solve_each_source,
    tensor_of,
)
from pearlfem.workflow.ordering import check_orderable, find_order, order_as_dict
from pearlfem.workflow.reuse import Assembler
from pearlfem.workflow.stored import save_solution
from pearlfem.workflow.write import check_format, write_result


def run_study(
    study: Study,
    folder: AnyPath,
    *,
    force: bool = False,
    in_order: bool = False,
    assembler: Assembler | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Solve ``study`` and leave summary.json, fields and picture in ``folder``.

    Args:
        study: The study.
        folder: Folder of the result; see ``result_folder``.
        force: Replace an earlier result.
        in_order: Turn the moments of the impurities into their ground state first.
        assembler: Lets several studies share meshes and operators; the caller destroys it.
        comm: Communicator of all ranks that work on it.
        progress: Called on every rank with a line for each finished phase.

    Returns:
        The content of summary.json, in the units of the study.

    Raises:
        StudyError: The folder cannot be used, or ``in_order`` is set and other sources would turn
            the moments.
        ConvergenceError: The solver or the minimiser stopped before its tolerance: nothing is
            written. Or the tolerance of the study was not reached: partial.json has the best
            bounds.

    Note:
        Collective over ``comm``.
    """
    folder = Path(folder)
    if in_order:
        check_orderable(study)
    check_format(study.output.fields)
    start = time.perf_counter()
    record = RunRecord(study.title, study.units, study.temperature)
    shared = assembler or Assembler()
    for x, y in idle_islands(study.film, study.sources):
        progress(f"warning: no source on the island of the film around ({x:g}, {y:g})")
    with result_folder(folder, force=force, comm=comm) as stage:
        on_root(comm, partial(write_study, stage, study))
        assembly = shared.assemble(study, record.seconds, comm, progress)
        record.shortfall = assembly.shortfall
        record.rounds = [asdict(one) for one in assembly.rounds]
        record.counts = {
            "cells": assembly.mesh.cells,
            "dofs": sum(problem.dofs for problem in assembly.problems.values()),
            "ranks": comm.size,
        }
        if assembly.shortfall is None:
            _solve(study, assembly, stage, record, in_order=in_order, progress=progress)
        else:
            record.results[FREE_ENERGY.name] = best_bounds(assembly.rounds, assembly.guaranteed)
        if assembler is None:
            shared.destroy()
        record.seconds["total"] = time.perf_counter() - start
        summary = summarise(record)
        on_root(comm, lambda: write_summary(stage, summary))
    if assembly.shortfall is not None:
        best = min(one.error for one in assembly.rounds)
        raise ConvergenceError(
            f"tolerance = {study.solve.tolerance:g} was not reached: {assembly.shortfall}; the "
            f"best, with a relative error of {best:.1e}, is in {folder / PARTIAL}"
        )
    return summary


def _solve(
    study: Study,
    assembly: Assembly,
    stage: Path,
    record: RunRecord,
    *,
    in_order: bool,
    progress: Progress,
) -> None:
    """Solve for all sources, note the results in ``record``, and write their files (collective)."""
    responses = {
        name: solve_each_source(study, problem, record.seconds, progress)
        for name, problem in assembly.problems.items()
    }
    if in_order:
        study = _in_order(study, assembly, responses, record, progress)
    answers = {name: combine(study, each) for name, each in responses.items()}
    solutions = {name: answer.solution for name, answer in answers.items()}
    record.counts["iterations"] = max(each.iterations for each in solutions.values())
    with timed(record.seconds, "output"):
        write_result(study, stage, answers)
        if study.output.solution:
            save_solution(stage, assembly.mesh, study.solve.degree, solutions)
        record.results |= observe(next(iter(solutions.values())))
    progress(f"output    {record.seconds['output']:6.1f} s")
    # The bounds of rounds are for the moments as given.
    energy, tensor = bounds_of(
        answers, () if in_order else assembly.rounds[-1:], assembly.guaranteed
    )
    if has_points(study.sources):
        energy = Bounded(energy.value, guaranteed=False)  # see ``mesh.create_mesh``
    record.results |= {FREE_ENERGY.name: energy, INTERACTION.name: tensor}


def _in_order(
    study: Study,
    assembly: Assembly,
    responses: Mapping[FormulationName, SourceSolutions],
    record: RunRecord,
    progress: Progress,
) -> Study:
    """Return ``study`` with its moments in their ground state (collective)."""
    mean = np.mean([tensor_of(study, each) for each in responses.values()], axis=0)
    with timed(record.seconds, "order") as timer:
        order = on_root(assembly.mesh.comm, partial(find_order, study, mean))
    progress(f"order     {timer():6.1f} s")
    record.order = order_as_dict(order, study.units)
    return with_angles(study, np.degrees(order.ground.angles))
