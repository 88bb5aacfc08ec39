"""A mesh that closes on itself: opposite walls of a periodic cell have the same vertices.

Periodicity is in the topology. Vertices of a wall and of its opposite are one, and so are edges,
facets and all dofs on them, whatever the element. The geometry keeps both places: cells know their
own corners. Nothing has to be constrained.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import dolfinx.io.gmsh
import numpy as np
from dolfinx import mesh as dmesh
from dolfinx.common import IndexMap
from mpi4py import MPI
from scipy.spatial import KDTree

from pearlfem.errors import StudyError
from pearlfem.mesh.parts import tag_facets, with_geometry
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.parallel import on_root

_Point = tuple[float, float]

PERIODS = ("period 1", "period 2")  # the groups of a wall and of the one opposite to it
_TRIANGLE, _TETRAHEDRON = 2, 4  # gmsh's numbers
_TAG = 1  # of messages
_SAME = 1e-6  # of the cell: places and displacements that differ by less are the same


class MeshedCell(NamedTuple):
    """The cell that is repeated: its centre and the vectors that repeat it [length], (x, y) all."""

    center: _Point
    vectors: tuple[_Point, _Point]

    def inside(self, points: Array) -> Array:
        """Return ``points`` (x, y) or (x, y, z) moved into this cell by lattice vectors."""
        moved = points.copy()
        moved[..., :2] -= self._steps(points) @ np.array(self.vectors)
        return moved

    def shifts_along(self, ends: Array) -> Array:
        """Return the lattice vectors to all cells that a straight line may cross, ``(n, 2)``."""
        steps = self._steps(ends)
        i, j = (np.arange(n.min(), n.max() + 1) for n in steps.T)
        return np.asarray(np.array(list(product(i, j))) @ np.array(self.vectors))

    def _steps(self, points: Array) -> Array:
        offsets = points[..., :2] - self.center
        return np.asarray(np.round(offsets @ np.linalg.inv(self.vectors)))


class ClosedMesh(NamedTuple):
    """What ``TaggedMesh`` is made of."""

    mesh: dmesh.Mesh
    facet_tags: dmesh.MeshTags
    groups: dict[str, int]
    mirrored: bool
    cell: MeshedCell


class _Model(NamedTuple):
    """What gmsh has on rank 0: nodes, the vertex that each of them is, cells and facets."""

    points: Array
    vertices: Int64Array
    cells: Int64Array
    facets: Int64Array
    values: Int32Array
    groups: dict[str, int]
    cell: MeshedCell


def is_closed(model: Any) -> bool:
    """Return whether the gmsh ``model`` has periods (on the rank that has it)."""
    return set(PERIODS) <= {model.getPhysicalName(*group) for group in model.getPhysicalGroups()}


def distribute_closed(model: Any, comm: MPI.Comm, partitioner: Any) -> ClosedMesh:
    """Turn the gmsh ``model`` of rank 0 with two pairs of periodic surfaces into a mesh.

    Raises:
        StudyError: Cells are as large as the periods, so that two would have the same vertices.

    Note:
        Collective over ``comm``.
    """
    found = on_root(comm, lambda: _read(model))
    mine = slice(None) if comm.rank == 0 else slice(0)
    folded = dmesh.create_mesh(
        comm,
        found.vertices[found.cells[mine]],
        dolfinx.io.gmsh.ufl_mesh(_TETRAHEDRON, 3, np.float64),
        found.points[np.unique(found.vertices, return_index=True)[1]][mine],  # one of its places
        partitioner,
        max_facet_to_cell_links=2,
    )
    tags = tag_facets(folded, found.vertices[found.facets[mine]], found.values[mine])
    unfolded = _unfolded(folded, found.points, found.cells)
    moved = dmesh.meshtags(unfolded, 2, tags.indices, tags.values)
    return ClosedMesh(unfolded, moved, found.groups, True, found.cell)


def _read(model: Any) -> _Model:
    nodes = dolfinx.io.gmsh.extract_geometry(model)
    topologies, named = dolfinx.io.gmsh.extract_topology_and_markers(model)
    groups = {
        name: group.tag for name, group in named.items() if group.dim == 2 and name not in PERIODS
    }
    facets = topologies[_TRIANGLE]
    kept = np.isin(facets["cell_data"], list(groups.values()))
    # gmsh has nodes without cells too: the points from which sizes of cells grow.
    used, corners = np.unique(topologies[_TETRAHEDRON]["topology"], return_inverse=True)
    vectors = _vectors(model, nodes)
    points, vertices = _merged(nodes[used], vectors)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    x, y = ((low + high) / 2).tolist()
    found = _Model(
        points,
        vertices,
        corners.reshape(-1, 4),
        np.searchsorted(used, facets["topology"][kept]),
        np.asarray(facets["cell_data"][kept], np.int32),
        groups,
        MeshedCell((x, y), vectors),
    )
    _check(found)
    return found


def _vectors(model: Any, nodes: Array) -> tuple[_Point, _Point]:
    """Return the vector from one wall to the opposite one, of both pairs of walls."""
    found = []
    for period in PERIODS:
        walls = model.getEntitiesForPhysicalName(period)
        first, second = (nodes[model.mesh.getNodes(*wall)[0].astype(int) - 1] for wall in walls)
        x, y, _ = (second.mean(axis=0) - first.mean(axis=0)).tolist()
        found.append((x, y))
    return found[0], found[1]


def _merged(points: Array, vectors: tuple[_Point, _Point]) -> tuple[Array, Int64Array]:
    """Return the nodes, moved by round-off, and the vertex that each of them is.

    gmsh copies a wall to its opposite with errors of up to 1e-8 of the cell. Afterwards opposite
    nodes differ by a period. Vertices are numbered from 0 on without gaps.
    """
    moved, same_as, tree = points.copy(), np.arange(len(points)), KDTree(points)
    for vector in vectors:
        shift = np.array([*vector, 0.0])
        within = _SAME * float(np.linalg.norm(shift))
        distances, images = tree.query(points - shift, distance_upper_bound=within)
        opposite = np.flatnonzero(np.isfinite(distances))
        moved[opposite] = moved[images[opposite]] + shift
        step = np.arange(len(points))
        step[opposite] = images[opposite]
        same_as = step[same_as]  # nodes on posts take one step after the other
    return moved, np.asarray(np.unique(same_as, return_inverse=True)[1])


def _check(found: _Model) -> None:
    """Refuse cells so large that two edges have the same vertices, and walls that do not match.

    If no edges have, no facets or cells have.
    """
    pairs = found.cells[:, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]].reshape(-1, 2)
    pairs = np.take_along_axis(pairs, np.argsort(found.vertices[pairs], axis=1), axis=1)
    ends, along = found.vertices[pairs], np.diff(found.points[pairs], axis=1)[:, 0]
    _, first, kind = np.unique(ends, axis=0, return_index=True, return_inverse=True)
    unlike = np.abs(along - along[first][kind]) > _SAME * np.abs(found.cell.vectors).max()
    if np.any(ends[:, 0] == ends[:, 1]) or np.any(unlike):
        raise StudyError(
            "mesh: cells as large as the periods; allowed: at least three along each of them"
        )
    corners = found.vertices[found.cells]
    facets = np.sort(corners[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3))
    cells = np.unique(facets, axis=0, return_counts=True)[1]
    if np.count_nonzero(cells == 1) != len(found.facets):
        raise StudyError("mesh: opposite walls of the cell differ; allowed: the same mesh on both")


def _unfolded(folded: dmesh.Mesh, points: Array, cells: Int64Array) -> dmesh.Mesh:
    """Return the mesh with the topology of ``folded`` and each cell at its own nodes.

    Args:
        folded: A mesh of ``cells`` with nodes identified.
        points: The nodes' places, the same on all ranks, shape ``(n, 3)``.
        cells: The nodes of all cells in the order of the input, the same on all ranks.
    """
    comm, topology = folded.comm, folded.topology
    local = cells[topology.original_cell_index]
    # A node belongs to the lowest rank with a cell around it.
    owner = np.full(len(points), comm.size, dtype=np.int32)
    owner[local[: topology.index_map(3).size_local]] = comm.rank
    comm.Allreduce(MPI.IN_PLACE, owner, op=MPI.MIN)
    owned = np.flatnonzero(owner == comm.rank)
    number = np.zeros(len(points), dtype=np.int64)
    number[owned] = comm.scan(len(owned)) - len(owned) + np.arange(len(owned))
    comm.Allreduce(MPI.IN_PLACE, number, op=MPI.SUM)
    used = np.unique(local)
    ghosts = used[owner[used] != comm.rank]
    nodes = np.concatenate([owned, ghosts])
    place = np.zeros(len(points), dtype=np.int32)
    place[nodes] = np.arange(len(nodes))
    index_map = IndexMap(comm, len(owned), number[ghosts], owner[ghosts], _TAG)
    geometry = dmesh.create_geometry(
        index_map, place[local], folded.geometry.cmaps[0], points[nodes], nodes
    )
    return with_geometry(folded, geometry)
