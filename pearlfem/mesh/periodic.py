"""A mesh of a periodic cell: opposite sides have the same vertices.

Periodicity is built into the topology. A vertex on one side and the vertex opposite to it are one
vertex; the same holds for edges, facets and all dofs on them, for any element. The geometry has
separate nodes on both sides, so each cell has its true corners. No constraints are needed.
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

_XY = tuple[float, float]

PERIODS = ("period 1", "period 2")  # groups of facets: a side and the side opposite to it
_TRIANGLE, _TETRAHEDRON = 2, 4  # gmsh's numbers of element types
_TAG = 1  # of MPI messages
_SAME = 1e-6  # of the cell: points and displacements that differ by less are equal


class MeshedCell(NamedTuple):
    """The periodic cell: its centre and the two periods as vectors (x, y) [length]."""

    center: _XY
    vectors: tuple[_XY, _XY]

    def inside(self, points: Array) -> Array:
        """Return ``points`` (x, y) or (x, y, z), moved into this cell by lattice vectors."""
        moved = points.copy()
        moved[..., :2] -= self._steps(points) @ np.array(self.vectors)
        return moved

    def shifts_along(self, ends: Array) -> Array:
        """Return the lattice vectors, ``(n, 2)``, to all cells that the line ``ends`` may cross."""
        steps = self._steps(ends)
        i, j = (np.arange(n.min(), n.max() + 1) for n in steps.T)
        return np.asarray(np.array(list(product(i, j))) @ np.array(self.vectors))

    def _steps(self, points: Array) -> Array:
        offsets = points[..., :2] - self.center
        return np.asarray(np.round(offsets @ np.linalg.inv(self.vectors)))


class ClosedMesh(NamedTuple):
    """The parts of a periodic ``TaggedMesh``."""

    mesh: dmesh.Mesh
    facet_tags: dmesh.MeshTags
    groups: dict[str, int]
    mirrored: bool
    cell: MeshedCell


class _Model(NamedTuple):
    """The mesh of gmsh on rank 0: nodes, the vertex of each node, cells and facets."""

    points: Array
    vertices: Int64Array
    cells: Int64Array
    facets: Int64Array
    values: Int32Array
    groups: dict[str, int]
    cell: MeshedCell


def is_closed(model: Any) -> bool:
    """Return whether the gmsh ``model`` is periodic (call it on rank 0)."""
    return set(PERIODS) <= {model.getPhysicalName(*group) for group in model.getPhysicalGroups()}


def distribute_closed(model: Any, comm: MPI.Comm, partitioner: Any) -> ClosedMesh:
    """Turn the gmsh ``model`` of rank 0, with two pairs of periodic sides, into a mesh.

    Raises:
        StudyError: Cells are so large that two edges would have the same vertices, or the meshes of
            opposite sides differ.

    Note:
        Collective over ``comm``.
    """
    whole = on_root(comm, lambda: _read(model))
    mine = slice(None) if comm.rank == 0 else slice(0)
    # First a mesh in which opposite nodes are one, so that the topology is periodic …
    points = whole.points[np.unique(whole.vertices, return_index=True)[1]]
    folded = dmesh.create_mesh(
        comm,
        whole.vertices[whole.cells[mine]],
        dolfinx.io.gmsh.ufl_mesh(_TETRAHEDRON, 3, np.float64),
        points[mine],
        partitioner,
        max_facet_to_cell_links=2,
    )
    tags = tag_facets(folded, whole.vertices[whole.facets[mine]], whole.values[mine])
    # … then the same topology with a geometry in which they are two.
    unfolded = _unfolded(folded, whole.points, whole.cells)
    copied = dmesh.meshtags(unfolded, 2, tags.indices, tags.values)
    return ClosedMesh(unfolded, copied, whole.groups, True, whole.cell)


def _read(model: Any) -> _Model:
    nodes = dolfinx.io.gmsh.extract_geometry(model)
    topologies, named = dolfinx.io.gmsh.extract_topology_and_markers(model)
    groups = {
        name: group.tag for name, group in named.items() if group.dim == 2 and name not in PERIODS
    }
    facets = topologies[_TRIANGLE]
    kept = np.isin(facets["cell_data"], list(groups.values()))
    # gmsh also has nodes without cells: the points around which cells shall be small.
    used, corners = np.unique(topologies[_TETRAHEDRON]["topology"], return_inverse=True)
    vectors = _vectors(model, nodes)
    points, vertices = _merged(nodes[used], vectors)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    x, y = ((low + high) / 2).tolist()
    whole = _Model(
        points,
        vertices,
        corners.reshape(-1, 4),
        np.searchsorted(used, facets["topology"][kept]),
        np.asarray(facets["cell_data"][kept], np.int32),
        groups,
        MeshedCell((x, y), vectors),
    )
    _check(whole)
    return whole


def _vectors(model: Any, nodes: Array) -> tuple[_XY, _XY]:
    """Return the vector from a side to the opposite one, for both pairs of sides."""
    vectors = []
    for period in PERIODS:
        sides = model.getEntitiesForPhysicalName(period)
        first, second = (nodes[model.mesh.getNodes(*side)[0].astype(int) - 1] for side in sides)
        x, y, _ = (second.mean(axis=0) - first.mean(axis=0)).tolist()
        vectors.append((x, y))
    return vectors[0], vectors[1]


def _merged(points: Array, vectors: tuple[_XY, _XY]) -> tuple[Array, Int64Array]:
    """Return the nodes, with small errors removed, and the vertex of each node.

    gmsh copies a side to the opposite one with errors of up to 1e-8 of the cell. After this,
    opposite nodes differ exactly by a period. Vertices have the numbers 0, 1, 2 and so on.
    """
    moved, same_as, tree = points.copy(), np.arange(len(points)), KDTree(points)
    for vector in vectors:
        shift = np.array([*vector, 0.0])
        within = _SAME * float(np.linalg.norm(shift))
        distances, partners = tree.query(points - shift, distance_upper_bound=within)
        opposite = np.flatnonzero(np.isfinite(distances))
        moved[opposite] = moved[partners[opposite]] + shift
        step = np.arange(len(points))
        step[opposite] = partners[opposite]
        same_as = step[same_as]  # nodes on vertical edges step along both vectors
    return moved, np.asarray(np.unique(same_as, return_inverse=True)[1])


def _check(whole: _Model) -> None:
    """Refuse cells so large that two edges have the same vertices, and sides that do not match.

    If all edges have different vertices, so have facets and cells.
    """
    edges = whole.cells[:, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]].reshape(-1, 2)
    edges = np.take_along_axis(edges, np.argsort(whole.vertices[edges], axis=1), axis=1)
    ends, along = whole.vertices[edges], np.diff(whole.points[edges], axis=1)[:, 0]
    # Edges with the same vertices must be the same edge, maybe shifted: the same vector.
    _, first, kind = np.unique(ends, axis=0, return_index=True, return_inverse=True)
    different = np.abs(along - along[first][kind]) > _SAME * np.abs(whole.cell.vectors).max()
    if np.any(ends[:, 0] == ends[:, 1]) or np.any(different):
        raise StudyError(
            "mesh: cells are as large as the periods; allowed: at least three cells along each"
        )
    corners = whole.vertices[whole.cells]
    facets = np.sort(corners[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3))
    # After merging, only the tagged facets may belong to a single cell.
    cells = np.unique(facets, axis=0, return_counts=True)[1]
    if np.count_nonzero(cells == 1) != len(whole.facets):
        raise StudyError(
            "mesh: opposite sides of the cell have different meshes; allowed: the same mesh on both"
        )


def _unfolded(folded: dmesh.Mesh, points: Array, cells: Int64Array) -> dmesh.Mesh:
    """Return a mesh with the topology of ``folded`` and separate nodes on opposite sides.

    Args:
        folded: A mesh of ``cells`` in which opposite nodes are one.
        points: Coordinates of all nodes, the same on all ranks, shape ``(n, 3)``.
        cells: The nodes of all cells in the order of the input, the same on all ranks.
    """
    comm, topology = folded.comm, folded.topology
    local = cells[topology.original_cell_index]
    # The lowest rank that owns a cell around a node owns the node.
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
    local_number = np.zeros(len(points), dtype=np.int32)
    local_number[nodes] = np.arange(len(nodes))
    index_map = IndexMap(comm, len(owned), number[ghosts], owner[ghosts], _TAG)
    geometry = dmesh.create_geometry(
        index_map, local_number[local], folded.geometry.cmaps[0], points[nodes], nodes
    )
    return with_geometry(folded, geometry)
