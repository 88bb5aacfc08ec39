"""Work on a finished result: fields at more points, the picture again; nothing is solved."""

from __future__ import annotations

from pathlib import Path

from mpi4py import MPI

from pearlfem.observables.tables import Column
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.parallel import on_root
from pearlfem.study.csv_files import read_points
from pearlfem.workflow.stored import load_solution, solved_study
from pearlfem.workflow.write import measure_probe, write_picture


def draw_picture(folder: AnyPath) -> Path:
    """Draw the film of a finished run again; return the picture's path.

    Raises:
        StudyError: ``folder`` holds no result with fields.

    Note:
        Not collective: call it on one rank.
    """
    return write_picture(Path(folder), Path(folder), solved_study(folder))


def probe_result(
    folder: AnyPath, points: AnyPath, comm: MPI.Comm = MPI.COMM_WORLD
) -> tuple[list[Column], Units | ReducedUnits]:
    """Return the fields of a finished run at more points, without solving again, and its units.

    Args:
        folder: Folder of the result, of a study with ``output.solution = true``.
        points: CSV file with the columns x, y and, off the film, z, in the units of the study.
        comm: Communicator of all ranks.

    Returns:
        The table, as ``observables.tables.measure`` makes it.

    Raises:
        StudyError: A file cannot be read, or a point lies outside the mesh.

    Note:
        Collective over ``comm``.
    """
    units = on_root(comm, lambda: solved_study(folder)).units
    probe = on_root(comm, lambda: read_points(Path(points), Path(points).stem, units))
    stored = load_solution(folder, comm=comm)
    columns = measure_probe(stored.solution, probe)
    stored.problem.destroy()
    return columns, units
