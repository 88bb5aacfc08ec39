"""Fields for ParaView and pyvista: film and space as VTU, one piece per rank under a PVTU.

Cells are quadratic and do not share points, so that K and B, which jump between cells, are written
as they are and not smoothed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import basix
import meshio
import numpy as np
import numpy.typing as npt
from dolfinx import fem
from mpi4py import MPI

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.observables.fields import flux_density, sheet_current_of
from pearlfem.parallel import together
from pearlfem.solution import Solution

_Array = npt.NDArray[np.float64]
# VTK's quadratic tetrahedron: its vertices, then the mid-points of these edges.
_TETRA_EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))
_TETRA_MIRROR = [0, 2, 1, 3, 6, 5, 4, 7, 9, 8]
_TRIANGLE_MIRROR = [0, 2, 1, 5, 4, 3]


class NodalValues(NamedTuple):
    """A solution at the ten VTK nodes of each cell that this rank owns.

    ``nodes`` (n, 10, 3) [length], ``B`` (n, 10, 3), in the stream formulation ``psi`` (n, 10), and
    the ``space`` they lie in.
    """

    nodes: _Array
    B: _Array
    psi: _Array | None
    space: TaggedMesh


def nodal_values(solution: Solution) -> NodalValues:
    """Return what ``write_film`` and ``write_space`` need of a solution.

    Note:
        Not collective, except for the compilation of the first call.
    """
    mesh = solution.space.mesh
    cells = mesh.topology.index_map(mesh.topology.dim).size_local
    B = flux_density(solution)
    order = _vtk_order()
    corners = mesh.geometry.x[mesh.geometry.dofmaps[0][:cells]]
    middles = [(corners[:, a] + corners[:, b]) / 2 for a, b in _TETRA_EDGES]
    nodes = np.concatenate([corners, np.stack(middles, axis=1)], axis=1)
    values = B.x.array.reshape(-1, 3)[B.function_space.dofmap.list[:cells][:, order]]
    psi = None
    if solution.formulation == "stream":
        function = fem.Function(fem.functionspace(mesh, ("Discontinuous Lagrange", 2)))
        function.interpolate(solution.potential)
        psi = function.x.array[function.function_space.dofmap.list[:cells][:, order]]
    return NodalValues(nodes, values, psi, solution.space)


def write_film(folder: Path, values: NodalValues) -> Path:
    """Write K, B_z and g (if known) of the film: ``film.vtu``, or ``film.pvtu`` and its pieces.

    Returns:
        The file to open.

    Raises:
        OSError: A file cannot be written (on every rank).

    Note:
        Collective.
    """
    cells, facets = _film_facets(values.space)
    places = cells[:, None], _facet_nodes()[facets]
    B = values.B[places]
    K = np.concatenate([sheet_current_of(B), np.zeros_like(B[..., :1])], axis=-1)
    data = {"K": K, "B_z": B[..., 2]}
    if values.psi is not None:
        data["g"] = 2.0 * values.psi[places]
    upright = _upright(values.nodes[places], data, _TRIANGLE_MIRROR)
    return _write(values.space.mesh.comm, folder / "film", "triangle6", *upright)


def write_space(folder: Path, values: NodalValues) -> Path:
    """Write B and psi (if known) for z ≥ 0: ``space.vtu``, or ``space.pvtu`` and a piece per rank.

    Returns:
        The file to open.

    Raises:
        OSError: A file cannot be written (on every rank).

    Note:
        Collective.
    """
    data = {"B": values.B} if values.psi is None else {"B": values.B, "psi": values.psi}
    upright = _upright(values.nodes, data, _TETRA_MIRROR)
    return _write(values.space.mesh.comm, folder / "space", "tetra10", *upright)


def _vtk_order() -> list[int]:
    """Return where VTK's ten nodes stand among those of DOLFINx: vertices, then basix' edges."""
    edges = [set(edge) for edge in basix.topology(basix.CellType.tetrahedron)[1]]
    return [0, 1, 2, 3, *(4 + edges.index(set(edge)) for edge in _TETRA_EDGES)]


def _facet_nodes() -> npt.NDArray[np.int64]:
    """Return the six nodes of each facet of a quadratic tetrahedron, in VTK's order, ``(4, 6)``."""
    edges = [set(edge) for edge in _TETRA_EDGES]
    rows = []
    for a, b, c in basix.topology(basix.CellType.tetrahedron)[2]:
        rows.append([a, b, c, *(4 + edges.index(e) for e in ({a, b}, {b, c}, {c, a}))])
    return np.array(rows)


def _film_facets(space: TaggedMesh) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return cell and local facet number of the film's facets that this rank owns."""
    topology = space.mesh.topology
    topology.create_connectivity(3, 2)
    topology.create_connectivity(2, 3)
    pairs = fem.compute_integration_domains(
        fem.IntegralType.exterior_facet, topology, space.facets("film")
    ).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _upright(
    nodes: _Array, data: dict[str, _Array], mirror: list[int]
) -> tuple[_Array, dict[str, _Array]]:
    """Renumber cells that are inside out (tetrahedra) or face down (triangles), as VTK wants."""
    sides = nodes[:, 1:4] - nodes[:, :1]
    if nodes.shape[1] == 10:
        inverted = np.linalg.det(sides) < 0
    else:
        inverted = np.cross(sides[:, 0], sides[:, 1])[:, 2] < 0

    def turned(values: _Array) -> _Array:
        result = values.copy()
        result[inverted] = values[inverted][:, mirror]
        return result

    return turned(nodes), {name: turned(values) for name, values in data.items()}


def _write(
    comm: MPI.Comm, stem: Path, cell_type: str, nodes: _Array, data: dict[str, _Array]
) -> Path:
    """Write this rank's cells, and on rank 0 the file that names all pieces; return it."""
    count, per_cell = nodes.shape[:2]
    block = meshio.Mesh(
        nodes.reshape(-1, 3),
        [(cell_type, np.arange(count * per_cell).reshape(count, per_cell))],
        {
            name: values.reshape(count * per_cell, *values.shape[2:])
            for name, values in data.items()
        },
    )
    if comm.size == 1:
        path = stem.with_suffix(".vtu")
        block.write(path)
        return path
    together(comm, lambda: block.write(stem.with_name(f"{stem.name}_{comm.rank}.vtu")))
    path = stem.with_suffix(".pvtu")
    pieces = [f"{stem.name}_{rank}.vtu" for rank in range(comm.size)]
    together(comm, lambda: _write_pvtu(path, pieces, block) if comm.rank == 0 else None)
    return path


def _write_pvtu(path: Path, pieces: list[str], block: meshio.Mesh) -> None:
    """Write the summary of a parallel VTU: the arrays' names and the pieces, no data."""
    root = ElementTree.Element(
        "VTKFile", type="PUnstructuredGrid", version="1.0", byte_order="LittleEndian"
    )
    grid = ElementTree.SubElement(root, "PUnstructuredGrid", GhostLevel="0")
    arrays = ElementTree.SubElement(grid, "PPointData")
    for name, values in block.point_data.items():
        components = str(1 if values.ndim == 1 else values.shape[1])
        ElementTree.SubElement(
            arrays, "PDataArray", type="Float64", Name=name, NumberOfComponents=components
        )
    points = ElementTree.SubElement(grid, "PPoints")
    ElementTree.SubElement(points, "PDataArray", type="Float64", NumberOfComponents="3")
    for piece in pieces:
        ElementTree.SubElement(grid, "Piece", Source=piece)
    ElementTree.ElementTree(root).write(path, xml_declaration=True)
