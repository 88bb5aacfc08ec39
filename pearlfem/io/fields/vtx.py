"""Fields as VTX (ADIOS2, ``.bp``): one folder for each film and for space, for any number of ranks.

All ranks write their parts at the same time, which large runs need. ParaView reads it ("ADIOS2
VTX"); the VTK of the Python package index does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import basix.ufl
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.graph import adjacencylist
from dolfinx.io import VTXWriter
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.fields.nodal import NodalValues
from pearlfem.quantities.arrays import Array

_ENGINE = "BP4"  # the newest format that ParaView 5.11 reads


def check_vtx() -> None:
    """Refuse to write VTX if DOLFINx cannot.

    Raises:
        StudyError: DOLFINx was built without ADIOS2.
    """
    if not dolfinx.has_adios2:
        raise StudyError(
            "output.fields = 'vtx': not allowed, DOLFINx was built without ADIOS2; "
            "allowed: 'vtu', 'none'"
        )


def write_vtx(folder: Path, values: NodalValues) -> None:
    """Write the fields of each film (``film.bp``) and those in space (``space.bp``).

    Raises:
        RuntimeError: A file cannot be written.

    Note:
        Collective.
    """
    for block in (*values.films, values.space):
        write_cells(values.comm, folder / f"{block.name}.bp", block.nodes, block.fields)


def write_cells(comm: MPI.Comm, path: Path, nodes: Array, data: dict[str, Array]) -> None:
    """Write quadratic cells that share no points.

    Args:
        comm: Communicator of all ranks; each has its own cells.
        path: Path of the folder, ``.bp``.
        nodes: Nodes of the cells in VTK's order [length], ``(n, 6 or 10, 3)``.
        data: Fields at the nodes, ``(n, 6 or 10)`` or ``(n, 6 or 10, 3)``.

    Raises:
        RuntimeError: It cannot be written.

    Note:
        Collective.
    """
    cell = {6: "triangle", 10: "tetrahedron"}[nodes.shape[1]]
    domain = _separate_cells(comm, cell, nodes)
    # DOLFINx reorders cells, but keeps the order of the corners of each.
    first = _before(comm, len(nodes))
    rows = domain.topology.original_cell_index[: len(nodes)] - first
    order = _vtk_nodes(cell)
    functions = []
    for name, values in data.items():
        shape = values.shape[2:]
        V = fem.functionspace(domain, ("Discontinuous Lagrange", 2, shape))
        function = fem.Function(V, name=name)
        dofs = V.dofmap.list[: len(nodes)][:, order]
        function.x.array.reshape(-1, *shape)[dofs] = values[rows]
        functions.append(function)
    with VTXWriter(comm, path, functions, engine=_ENGINE) as writer:
        writer.write(0.0)


def _separate_cells(comm: MPI.Comm, cell: str, nodes: Array) -> dolfinx.mesh.Mesh:
    """Return a mesh of cells that share no points; each rank keeps its own ``nodes``."""
    corners = {"triangle": 3, "tetrahedron": 4}[cell]
    count = len(nodes) * corners
    numbers = np.arange(count, dtype=np.int64) + _before(comm, count)
    element = basix.ufl.element("Lagrange", cell, 1, shape=(3,))
    places = np.ascontiguousarray(nodes[:, :corners].reshape(-1, 3))
    here = adjacencylist(np.full((len(nodes), 1), comm.rank, dtype=np.int32))

    def stay(*arguments: Any) -> Any:
        return here._cpp_object

    return dolfinx.mesh.create_mesh(
        comm, numbers.reshape(-1, corners), ufl.Mesh(element), places, partitioner=stay
    )


def _before(comm: MPI.Comm, count: int) -> int:
    """Return the sum of ``count`` over the ranks below this one (collective)."""
    return sum(comm.allgather(count)[: comm.rank])


def _vtk_nodes(cell: str) -> list[int]:
    """Return the positions of VTK's nodes of a quadratic cell among those of DOLFINx."""
    kind = basix.CellType[cell]
    edges = [set(edge) for edge in basix.topology(kind)[1]]
    middles = [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]
    corners = len(basix.topology(kind)[0])
    wanted = middles[: len(edges)]
    return [*range(corners), *(corners + edges.index(set(edge)) for edge in wanted)]
