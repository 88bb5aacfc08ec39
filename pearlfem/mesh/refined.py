"""Uniform refinement: cut each cell into eight, on all ranks at once.

The midpoints of the edges cut four small tetrahedra off the corners of a cell. The octahedron that
is left is cut into four along its shortest diagonal. Cells stay on their ranks. Midpoints of round
edges move onto their circles.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import basix.ufl
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx.common import IndexMap
from dolfinx.graph import adjacencylist
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.parts import tag_facets
from pearlfem.mesh.round_edges import rounded
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.mesh.whose_films import mesh_of
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array

CELLS_PER_CELL = 8  # in each refinement

# The ten nodes of a cell: its four corners, then the midpoints of its six edges.
_CORNERS, _EDGES, _FACETS = (
    np.array(basix.topology(basix.CellType.tetrahedron)[dimension]) for dimension in range(3)
)
_MIDDLE = {frozenset(edge): 4 + number for number, edge in enumerate(_EDGES.tolist())}


def _cut_facet(a: int, b: int, c: int) -> list[tuple[int, int, int]]:
    """Return the four triangles of a facet with these corners; the last one is in the middle."""
    bc, ca, ab = (_MIDDLE[frozenset(edge)] for edge in ((b, c), (c, a), (a, b)))
    return [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]


def _cut_cell(first: int, last: int) -> list[tuple[int, ...]]:
    """Return the eight cells; the diagonal goes from the midpoint ``first`` to ``last``."""
    around = {v: [m for edge, m in _MIDDLE.items() if v in edge] for v in range(4)}
    corners = [(v, *around[v]) for v in range(4)]
    # The eight faces of the octahedron: one at each corner, and one in the middle of each facet.
    faces = [*around.values(), *(_cut_facet(*facet)[3] for facet in _FACETS.tolist())]
    # One end of the diagonal, together with each of the four faces around the other end.
    return corners + [(first, *face) for face in faces if last in face]


_OPPOSITE = [(4 + k, 9 - k) for k in range(3)]  # ends of the three diagonals of the octahedron
_CELLS = np.array([_cut_cell(*ends) for ends in _OPPOSITE])  # (3, 8, 4)
_TRIANGLES = np.array([_cut_facet(*facet) for facet in _FACETS.tolist()])  # (4, 4, 3)
# Whether each of the eight cells has a triangle on each of the four facets, (3, 8, 4).
_TOUCHES = np.array(
    [
        [[any(set(t) <= set(cell) for t in facet) for facet in _TRIANGLES.tolist()] for cell in cut]
        for cut in _CELLS.tolist()
    ]
)


class _Nodes(NamedTuple):
    """The nodes of the finer mesh; each rank owns a range of their numbers.

    ``points`` (n, 3) are those that this rank owns, ``of_cells`` (m, 10) the numbers of the ten
    nodes of all its cells, including ghosts.
    """

    points: Array
    of_cells: Int64Array


def refined(mesh: TaggedMesh, film: Film, times: int = 1, *, same_area: bool = False) -> TaggedMesh:
    """Return ``mesh`` with each cell cut into eight, ``times`` times; each time edges are halved.

    Args:
        mesh: The mesh.
        film: The film, whose round edges the mesh follows with straight sides.
        times: Number of refinements.
        same_area: Whether polygons have the areas of their circles, as with point impurities (see
            ``pearlfem.mesh.plane``); their vertices then lie outside the circles.

    Raises:
        StudyError: The space is periodic, or the mesh is one of another film.

    Note:
        Collective. Each rank holds only its part of the mesh. Groups and the order of cells do not
        depend on the number of ranks. The far boundary remains the same polyhedron.
    """
    if times and mesh.cell is not None:
        # In a periodic mesh, the topology has fewer vertices than the geometry has nodes.
        raise StudyError(
            f"{times} refinements: not allowed for a periodic space; allowed: a higher resolution"
        )
    mesh = mesh_of(mesh, film)
    for _ in range(times):
        mesh = _refined_once(mesh, film, same_area)
    return mesh


def _refined_once(mesh: TaggedMesh, film: Film, same_area: bool) -> TaggedMesh:
    domain = mesh.domain
    for dimension, other in ((3, 2), (3, 1), (2, 3)):
        domain.topology.create_connectivity(dimension, other)
    nodes = _nodes(domain, film, same_area)
    facets, values = _facets(mesh, nodes)
    rows = _in_order(domain, *_cells(domain, nodes))
    cells, ranks = rows[:, :4], rows[:, 4:].astype(np.int32)
    finer = dolfinx.mesh.create_mesh(
        domain.comm,
        cells,
        ufl.Mesh(basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))),
        nodes.points,
        _partitioner(ranks) if domain.comm.size > 1 else None,
    )
    return replace(mesh, domain=finer, facet_tags=tag_facets(finer, facets, values))


def _nodes(domain: dolfinx.mesh.Mesh, film: Film, same_area: bool) -> _Nodes:
    """Return corners and midpoints of edges; of those a rank owns, corners have lower numbers."""
    geometry, topology = domain.geometry, domain.topology
    corners, middles = geometry.index_map(), topology.index_map(1)
    cells = geometry.dofmaps[0]
    edges = topology.connectivity(3, 1).array.reshape(-1, 6)
    ends = np.zeros((middles.size_local + middles.num_ghosts, 2), dtype=np.int32)
    ends[edges] = cells[:, _EDGES]
    owned = ends[: middles.size_local]
    old, new = rounded(domain.comm, geometry.x, owned, film, same_area)
    counts = np.array(domain.comm.allgather((corners.size_local, middles.size_local)))
    # A corner's number grows by the midpoints of all lower ranks, a midpoint's by the corners of
    # all ranks up to its owner.
    up_to = np.cumsum(counts, axis=0)
    of_corners = _numbers(corners, (up_to - counts)[:, 1], domain.comm)
    of_middles = _numbers(middles, up_to[:, 0], domain.comm)
    return _Nodes(
        np.concatenate([old[: corners.size_local], new]),
        np.concatenate([of_corners[cells], of_middles[edges]], axis=1),
    )


def _numbers(index_map: IndexMap, shifts: Int64Array, comm: MPI.Comm) -> Int64Array:
    """Return the global numbers of all entities on this rank, plus the shift of their owner."""
    owned, ghosts = index_map.size_local, index_map.num_ghosts
    numbers = index_map.local_to_global(np.arange(owned + ghosts, dtype=np.int32))
    owners = np.append(np.full(owned, comm.rank, dtype=np.int32), index_map.owners)
    return np.asarray(numbers + shifts[owners], dtype=np.int64)


def _facets(mesh: TaggedMesh, nodes: _Nodes) -> tuple[Int64Array, Int32Array]:
    """Return the four pieces of each owned tagged facet, ``(4 n, 3)``, and their tags."""
    topology, tags = mesh.domain.topology, mesh.facet_tags
    owned = tags.indices < topology.index_map(2).size_local
    facets, cells = tags.indices[owned], topology.connectivity(2, 3)
    cell = cells.array[cells.offsets[facets]]  # one of the two cells of each facet
    local = topology.connectivity(3, 2).array.reshape(-1, 4)[cell] == facets[:, None]
    pieces = nodes.of_cells[cell[:, None], _TRIANGLES[local.argmax(axis=1)].reshape(-1, 12)]
    return pieces.reshape(-1, 3), np.repeat(tags.values[owned], 4)


def _cells(domain: dolfinx.mesh.Mesh, nodes: _Nodes) -> tuple[Int64Array, Int64Array]:
    """Return the eight pieces of each owned cell, ``(n, 8, 4)``, and the ranks that need them.

    The ranks, ``(n, 8, 5)``, are this one, and those with a neighbour of the piece; −1 means none.
    """
    topology, rank = domain.topology, domain.comm.rank
    owned = topology.index_map(3).size_local
    corners = domain.geometry.x[domain.geometry.dofmaps[0][:owned]]
    middles = corners[:, _EDGES].mean(axis=2)
    ends = np.array(_OPPOSITE) - 4
    diagonals = np.linalg.norm(middles[:, ends[:, 0]] - middles[:, ends[:, 1]], axis=2)
    shortest = diagonals.argmin(axis=1)
    cells = np.take_along_axis(
        nodes.of_cells[:owned], _CELLS[shortest].reshape(owned, -1), axis=1
    ).reshape(-1, CELLS_PER_CELL, 4)
    facets = topology.connectivity(3, 2).array.reshape(-1, 4)
    # For each facet the owner of a ghost cell behind it, or −1.
    beyond = np.full(topology.index_map(2).size_local + topology.index_map(2).num_ghosts, -1)
    beyond[facets[owned:]] = topology.index_map(3).owners[:, None]
    ranks = np.where(_TOUCHES[shortest], beyond[facets[:owned]][:, None, :], -1)
    ranks.sort(axis=2)
    ranks[..., 1:][ranks[..., 1:] == ranks[..., :-1]] = -1  # each rank once
    return cells, np.concatenate([np.full((owned, CELLS_PER_CELL, 1), rank), ranks], axis=2)


def _in_order(domain: dolfinx.mesh.Mesh, cells: Int64Array, ranks: Int64Array) -> Int64Array:
    """Return cells and ranks, ``(n, 9)``, sorted by the number of the old cell.

    Each rank gets the next part of the list. So the numbers of cells do not depend on the number of
    ranks.
    """
    comm, number = domain.comm, domain.topology.original_cell_index[: len(cells)]
    total = domain.topology.index_map(3).size_global
    rows = np.concatenate([cells, ranks], axis=2).reshape(len(cells), -1)
    target = number * comm.size // total
    parts = comm.alltoall([(number[target == k], rows[target == k]) for k in range(comm.size)])
    order = np.argsort(np.concatenate([numbers for numbers, _ in parts]))
    return np.concatenate([part for _, part in parts])[order].reshape(-1, 9)


def _partitioner(ranks: Int32Array) -> Any:
    """Return a partitioner that sends each cell to its ``ranks``; the first of them owns it."""
    is_rank = ranks >= 0
    offsets = np.append(0, np.cumsum(is_rank.sum(axis=1))).astype(np.int32)
    targets = adjacencylist(ranks[is_rank], offsets)

    def partition(*arguments: Any) -> Any:
        return targets._cpp_object

    return partition
