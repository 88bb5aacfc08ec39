"""The inductance matrix of a film's holes, with bounds where both formulations ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.film import Film
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.observables.holes import inductance_bracket, inverse_inductance
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.phases import Progress, silent
from pearlfem.workflow.assembly import assemble

_OPEN = Open()
_MESH = MeshOptions()
_SOLVE = SolveOptions()


class Inductance(NamedTuple):
    """The inductance matrix L of all holes [μ0 length].

    Args:
        holes: Names of the n holes, in the order of rows and columns.
        matrix: L, shape ``(n, n)``; with both formulations the middle of its bounds.
        lower: Lower bound of every entry, shape ``(n, n)``; None with one formulation.
        upper: Upper bound of every entry, shape ``(n, n)``; None with one formulation.
        guaranteed: Whether these are bounds; estimates if the Pearl length has no bounds.
    """

    holes: tuple[str, ...]
    matrix: Array
    lower: Array | None
    upper: Array | None
    guaranteed: bool = True


def inductance(
    film: Film,
    *,
    boundary: Boundary = _OPEN,
    mesh: MeshOptions = _MESH,
    solve: SolveOptions = _SOLVE,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = silent,
) -> Inductance:
    """Return the inductance matrix of a film: Φ = L I for the fluxoids and currents of its holes.

    Geometric and kinetic inductance together, without vortices and applied fields.

    Args:
        film: A bounded film with at least one hole.
        boundary: Open space or walls.
        mesh: The mesh: generated or read, and refined.
        solve: Formulations and degree, or a tolerance; "both" gives bounds, "stream" alone bounds
            L from above as a quadratic form, "vector" alone from below.
        comm: Communicator over which the mesh is distributed.
        progress: Called on every rank with a line for each finished phase.

    Raises:
        StudyError: The film has no hole or is the whole plane, or the arguments do not go together.
        ConvergenceError: A solver stopped before its tolerance, or ``solve.tolerance`` was not
            reached.

    Note:
        Collective over ``comm``.

    Example:
        >>> washer = Film(Rectangle((20.0, 20.0)), 0.8, holes=(Hole(Disc(3.0), "hole"),))
        >>> holes, L, lower, upper = inductance(washer, solve=SolveOptions(formulation="both"))
    """
    names = tuple(opening.name for opening in film.openings)
    if not names:
        raise StudyError(
            "film.hole: none; the inductance is that of holes, of which a film needs one"
        )
    fluxoids = tuple(Fluxoid(name) for name in names)
    assembly = assemble(
        film,
        fluxoids,
        boundary=boundary,
        mesh=mesh,
        solve=solve,
        comm=comm,
        progress=progress,
    )
    if assembly.shortfall is not None:
        assembly.destroy()
        raise ConvergenceError(
            f"tolerance = {solve.tolerance:g} was not reached: {assembly.shortfall}"
        )
    inverses: dict[str, Array] = {}
    guaranteed = assembly.guaranteed
    for name, problem in assembly.problems.items():
        inverses[name] = inverse_inductance(problem.solve_each(fluxoids))
        progress(f"solve     {problem.dofs:,} dofs, {name} formulation")
        problem.destroy()
    if len(inverses) == 2:
        lower, upper = inductance_bracket(inverses["stream"], inverses["vector"], guaranteed)
        return Inductance(names, (lower + upper) / 2, lower, upper, guaranteed)
    (inverse,) = inverses.values()
    return Inductance(names, np.linalg.inv(inverse), None, None, guaranteed)


def write_inductance(path: AnyPath, result: Inductance, units: Units | ReducedUnits) -> None:
    """Write names, matrix, bounds and unit as JSON.

    Args:
        path: The file.
        result: The matrix.
        units: Units of the numbers in the file.

    Raises:
        StudyError: The file cannot be written.

    Note:
        Not collective: call it on one rank.
    """

    def numbers(matrix: Array | None) -> list[list[float]] | None:
        if matrix is None:
            return None
        values: list[list[float]] = units.from_reduced(matrix, "inductance").tolist()
        return values

    content = {
        "schema": 1,
        "holes": list(result.holes),
        "matrix": numbers(result.matrix),
        "lower": numbers(result.lower),
        "upper": numbers(result.upper),
        "unit": units.name("inductance"),
        "guaranteed": result.guaranteed,
    }
    try:
        with atomic_file(Path(path)) as part:
            part.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from None
