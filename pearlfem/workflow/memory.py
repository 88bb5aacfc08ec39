"""How much memory a solution takes, known before any of it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psutil
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import Impurity

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
    """Memory that a solution needs, and that is free on all nodes together [bytes]."""

    needed: float
    available: float

    @property
    def suffices(self) -> bool:
        """Whether as much is free as is needed."""
        return self.needed <= self.available

    def __str__(self) -> str:
        """Return both in words, for messages."""
        return (
            f"about {self.needed / 2**30:.3g} GiB of memory; {self.available / 2**30:.3g} are free"
        )


def most_cells(sources: Sequence[Source], solve: SolveOptions, comm: MPI.Comm) -> float:
    """Return the number of cells for which the free memory suffices (collective)."""
    one = memory_needed(1.0, sources, solve, comm)
    return one.available / one.needed


def memory_needed(
    cells: float, sources: Sequence[Source], solve: SolveOptions, comm: MPI.Comm
) -> Memory:
    """Return the memory that meshing, assembly and solution need.

    Args:
        cells: Number of cells of the mesh.
        sources: Each impurity is solved for twice, all others together once.
        solve: Formulations and degree.
        comm: Communicator of all ranks, whose nodes share the work.

    Note:
        Collective over ``comm``.
    """
    impurities = [source for source in sources if isinstance(source, Impurity)]
    loads = sum(len(i.components) for i in impurities) + (len(sources) > len(impurities))
    degree, needed = solve.degree, _BYTES_PER_CELL
    for name in solve.formulations:
        per_dof = _BYTES_PER_DOF[name][degree] + loads * _BYTES_PER_SOLUTION
        needed += _DOFS_PER_CELL[name][degree] * per_dof
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    free = psutil.virtual_memory().available if node.rank == 0 else 0
    node.Free()
    return Memory(cells * needed, comm.allreduce(free))


def check_memory(
    cells: float,
    sources: Sequence[Source],
    *,
    mesh: MeshOptions,
    solve: SolveOptions,
    comm: MPI.Comm,
) -> None:
    """Refuse a mesh of so many cells if it would take more memory than there is.

    Args:
        cells: Number of cells, refinements included.
        sources: See ``memory_needed``.
        mesh: The options that lead to so many cells.
        solve: See ``memory_needed``.
        comm: Communicator of all ranks.

    Raises:
        StudyError: It would; tells how much, and what needs less.

    Note:
        Collective over ``comm``.
    """
    memory = memory_needed(cells, sources, solve, comm)
    if memory.suffices:
        return
    if mesh.file is None:
        keys, remedies = f"mesh.resolution = {mesh.resolution:g}", ["a lower resolution"]
    else:
        keys, remedies = f"mesh.file = {mesh.file!r}", ["a coarser mesh"]
    if mesh.refinements:
        keys += f" with mesh.refinements = {mesh.refinements}"
        remedies.append("fewer refinements")
    remedies.append("a lower degree")
    if mesh.file is None:
        remedies += [
            "larger cores of sources",
            "a longer Pearl length",
            "a smaller film (is its unit right?)",
        ]
    raise StudyError(
        f"{keys}: makes about {cells:.2g} cells, which need {memory} (degree {solve.degree}); "
        f"allowed: {', '.join(remedies)}"
    )
