"""A study from end to end: mesh, solve, observe, write."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from pearlfem.errors import ConvergenceError
from pearlfem.io.fields.blocks import write_blocks
from pearlfem.io.fields.nodal import array_units
from pearlfem.io.fields.vtx import check_vtx
from pearlfem.io.results.folder import PARTIAL, result_folder
from pearlfem.io.results.study import write_study
from pearlfem.io.results.summary import Bounded, summarise, write_summary
from pearlfem.model.sources.applied import idle_islands
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.fields import has_magnetic_moment, magnetic_moment
from pearlfem.observables.holes import hole_states
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.phases import Progress, timed
from pearlfem.study.study import Study, with_angles
from pearlfem.workflow.answers import best_bounds, bounds_of, combine, solve_each_source, tensor_of
from pearlfem.workflow.ordering import Order, check_orderable, find_order, order_as_dict
from pearlfem.workflow.reuse import Assembler
from pearlfem.workflow.stored import save_solution
from pearlfem.workflow.write import write_couplings, write_fields, write_probes


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
            "cells": found.mesh.cells,
            "dofs": sum(problem.dofs for problem in found.problems.values()),
            "ranks": comm.size,
        }
        if shortfall is None:
            responses = {
                name: solve_each_source(study, problem, seconds, progress)
                for name, problem in found.problems.items()
            }
            if in_order:
                tensors = [tensor_of(study, each) for each in responses.values()]
                mean = np.mean(tensors, axis=0)
                with timed(seconds, "order") as timer:
                    order = on_root(comm, partial(find_order, study, mean))
                progress(f"order     {timer():6.1f} s")
                study = with_angles(study, np.degrees(order.ground.angles))
            answers = {name: combine(study, each) for name, each in responses.items()}
            counts["iterations"] = max(a.solution.iterations for a in answers.values())
            first = next(iter(answers.values())).solution
            with timed(seconds, "output"):
                write_fields(study, stage, first)
                write_probes(study, stage, first)
                if study.impurities:
                    on_root(comm, partial(write_couplings, study, stage, answers))
                if study.output.fields == "vtu":
                    on_root(comm, partial(write_blocks, stage, array_units(study.units)))
                holes = hole_states(first)
                if study.output.solution:
                    solutions = {name: answer.solution for name, answer in answers.items()}
                    save_solution(stage, found.mesh, study.solve.degree, solutions)
            progress(f"output    {seconds['output']:6.1f} s")
            # Rounds have bounds for the moments as given.
            energy, tensor = bounds_of(answers, () if in_order else found.rounds[-1:])
            if has_points(study.sources):
                energy = Bounded(energy.value)  # see ``mesh.create_mesh``
            moment = magnetic_moment(first) if has_magnetic_moment(first) else None
        else:
            energy, tensor, moment, holes = best_bounds(found.rounds), None, None, []
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
