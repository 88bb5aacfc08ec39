"""How much memory a study takes, known before any of it is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import psutil
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.solution import FormulationName
from pearlfem.study.study import Study

# Measured at the peak of assembly, set-up and solution on one rank (tests/benchmarks/scaling.py).
_BYTES_PER_CELL = 1100.0  # of the mesh, while gmsh holds it too
_DOFS_PER_CELL = {
    "stream": {1: 0.2, 2: 1.4, 3: 4.8},
    "vector": {1: 1.2, 2: 6.6, 3: 19.3},
}
_BYTES_PER_DOF = {
    "stream": {1: 600.0, 2: 1100.0, 3: 1500.0},
    "vector": {1: 1100.0, 2: 1500.0, 3: 2300.0},
}
_BYTES_PER_SOLUTION = 24.0  # and dof: unknowns, load and potential


class Memory(NamedTuple):
    """Memory that a study needs, and what is available on all nodes together [bytes]."""

    needed: float
    available: float

    def __str__(self) -> str:
        """Return both in words, for messages."""
        return (
            f"about {self.needed / 2**30:.3g} GiB of memory; {self.available / 2**30:.3g} are free"
        )


def memory_needed(
    study: Study, formulations: Iterable[FormulationName], cells: float, comm: MPI.Comm
) -> Memory:
    """Return the memory that ``study`` needs on a mesh of so many cells.

    Note:
        Collective over ``comm``.
    """
    degree = study.solve.degree
    loads = sum(len(i.components) for i in study.impurities) + bool(study.others)
    needed = _BYTES_PER_CELL + sum(
        _DOFS_PER_CELL[name][degree] * (_BYTES_PER_DOF[name][degree] + loads * _BYTES_PER_SOLUTION)
        for name in formulations
    )
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    free = psutil.virtual_memory().available if node.rank == 0 else 0
    node.Free()
    return Memory(cells * needed, comm.allreduce(free))


def cells_needed(study: Study, resolution: float) -> float:
    """Return about how many cells gmsh makes for ``study`` at this resolution."""
    return estimated_cells(
        study.film,
        study.sources,
        boundary=study.boundary,
        resolution=resolution,
        far=study.mesh.far,
    )


def check_memory(
    study: Study, formulations: Iterable[FormulationName], resolution: float, comm: MPI.Comm
) -> None:
    """Refuse a study whose mesh of this ``resolution`` would take more memory than there is.

    Raises:
        StudyError: It would; says how much.

    Note:
        Collective over ``comm``.
    """
    cells = cells_needed(study, resolution)
    memory = memory_needed(study, formulations, cells, comm)
    if memory.needed > memory.available:
        raise StudyError(
            f"mesh.resolution = {study.mesh.resolution:g}: would make about {cells:.2g} cells, "
            f"which need {memory} (degree {study.solve.degree}); allowed: a lower resolution or "
            "degree, or larger cores of sources"
        )
