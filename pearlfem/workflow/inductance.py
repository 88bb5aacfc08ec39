"""The inductance matrix of a study's holes, with bounds where both formulations ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mpi4py import MPI

from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.model.checks import check_sources
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.observables.holes import inductance_bracket, inverse_inductance
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.atomic import atomic_file
from pearlfem.study.study import Study
from pearlfem.workflow.assembly import Progress, assemble


class Inductance(NamedTuple):
    """L of all holes, ``(n, n)`` [μ0 length in reduced units], its bounds, and the holes' names."""

    holes: tuple[str, ...]
    matrix: Array
    lower: Array | None
    upper: Array | None


def inductance(
    study: Study, comm: MPI.Comm = MPI.COMM_WORLD, progress: Progress = lambda line: None
) -> Inductance:
    """Return the inductance matrix of the film of ``study``; its sources do not count.

    Geometric and kinetic inductance together: Φ = L I for the fluxoids Φ and the currents I around
    the holes, without vortices and applied fields.

    Raises:
        StudyError: The film has no hole, or is the whole plane.
        ConvergenceError: A solver stopped before its tolerance.

    Note:
        Collective over ``comm``.
    """
    names = tuple(opening.name for opening in study.film.openings)
    if not names:
        raise StudyError(
            "film.hole: none; the inductance is that of holes, of which a film needs one"
        )
    sources = tuple(Fluxoid(name) for name in names)
    check_sources(study.film, sources)
    driven = study.model_copy(update={"impurities": (), "others": sources})
    found = assemble(driven, {}, comm, progress)
    if found.shortfall is not None:
        raise ConvergenceError(
            f"tolerance = {study.solve.tolerance:g} was not reached: {found.shortfall}"
        )
    inverse = {}
    for name, problem in found.problems.items():
        inverse[name] = inverse_inductance(problem.solve_each(sources))
        progress(f"solve     {problem.dofs:,} dofs, {name} formulation")
        problem.destroy()
    if len(inverse) == 2:
        lower, upper = inductance_bracket(inverse["stream"], inverse["vector"])
        return Inductance(names, (lower + upper) / 2, lower, upper)
    (only,) = inverse.values()
    return Inductance(names, np.linalg.inv(only), None, None)


def write_inductance(path: Path, found: Inductance, study: Study) -> None:
    """Write names, matrix, bounds and unit as JSON.

    Raises:
        StudyError: The file cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    arrays = (found.matrix, found.lower, found.upper)
    values = [
        None if a is None else study.units.from_reduced(a, "inductance").tolist() for a in arrays
    ]
    content: dict[str, Any] = {
        "schema": 1,
        "holes": list(found.holes),
        **dict(zip(("matrix", "lower", "upper"), values, strict=True)),
        "unit": study.units.name("inductance"),
    }
    try:
        with atomic_file(path) as part:
            part.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from None
