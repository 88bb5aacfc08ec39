"""A mesh with each cell cut into eight, on all ranks at once.

The middles of a cell's edges cut off its four corners; what is left is an octahedron, which its
shortest diagonal cuts into four. Cells stay on their ranks. Middles of round edges move onto their
circles.
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
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array

CELLS_PER_CELL = 8  # each time

# A cell's nodes by their places: its four corners, then the middles of its six edges.
_CORNERS, _EDGES, _FACETS = (
    np.array(basix.topology(basix.CellType.tetrahedron)[dimension]) for dimension in range(3)
)
_MIDDLE = {frozenset(edge): 4 + place for place, edge in enumerate(_EDGES.tolist())}


def _cut_facet(a: int, b: int, c: int) -> list[tuple[int, int, int]]:
    """Return the four triangles that a facet with these corners is cut into."""
    bc, ca, ab = (_MIDDLE[frozenset(edge)] for edge in ((b, c), (c, a), (a, b)))
    return [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]


def _cut_cell(first: int, last: int) -> list[tuple[int, ...]]:
    """Return the eight cells if the diagonal goes from the middle ``first`` to ``last``."""
    around = {v: [m for edge, m in _MIDDLE.items() if v in edge] for v in range(4)}
    corners = [(v, *around[v]) for v in range(4)]
    faces = [*around.values(), *(_cut_facet(*facet)[3] for facet in _FACETS.tolist())]
    # An end of the diagonal with each face of the octahedron around the other end.
    return corners + [(first, *face) for face in faces if last in face]


_OPPOSITE = [(4 + k, 9 - k) for k in range(3)]  # ends of the three diagonals
_CELLS = np.array([_cut_cell(*ends) for ends in _OPPOSITE])  # (3, 8, 4)
_TRIANGLES = np.array([_cut_facet(*facet) for facet in _FACETS.tolist()])  # (4, 4, 3)
# Whether a cell has one of a facet's four triangles, (3, 8, 4).
_TOUCHES = np.array(
    [
        [[any(set(t) <= set(cell) for t in facet) for facet in _TRIANGLES.tolist()] for cell in cut]
        for cut in _CELLS.tolist()
    ]
)


class _Nodes(NamedTuple):
    """The nodes of the finer mesh, numbered so that each rank has one range.

    ``points`` (n, 3) are this rank's own, ``of_cells`` (m, 10) the numbers of the nodes of all its
    cells, ghosts as well.
    """

    points: Array
    of_cells: Int64Array


def refined(mesh: TaggedMesh, film: Film, times: int = 1, *, same_area: bool = False) -> TaggedMesh:
    """Return ``mesh`` with each cell cut into 8, ``times`` times: edges are halved each time.

    Args:
        mesh: The mesh.
        film: The film, whose round edges the mesh follows with straight sides.
        times: How often.
        same_area: Whether the polygons for circles have their areas (see ``pearlfem.mesh.plane``),
            as they shall with point impurities; vertices between sides lie outside the circle then.

    Raises:
        StudyError: The space is periodic.

    Note:
        Collective. No rank holds more than its part of the mesh. Names, and the order of cells, are
        the same on any number of ranks. The far boundary stays the polyhedron that it was.
    """
    if times and mesh.cell is not None:
        # Vertices of opposite walls are one in its topology, and not in its geometry.
        raise StudyError(
            f"{times} refinements: not allowed of a periodic space; allowed: a higher resolution"
        )
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
        _to(ranks) if domain.comm.size > 1 else None,
    )
    return replace(mesh, domain=finer, facet_tags=tag_facets(finer, facets, values))


def _nodes(domain: dolfinx.mesh.Mesh, film: Film, same_area: bool) -> _Nodes:
    """Return corners and middles of edges, each rank's own corners before its own middles."""
    geometry, topology = domain.geometry, domain.topology
    corners, middles = geometry.index_map(), topology.index_map(1)
    cells = geometry.dofmaps[0]
    edges = topology.connectivity(3, 1).array.reshape(-1, 6)
    ends = np.zeros((middles.size_local + middles.num_ghosts, 2), dtype=np.int32)
    ends[edges] = cells[:, _EDGES]
    own = ends[: middles.size_local]
    before, between = rounded(domain.comm, geometry.x, own, film, same_area)
    counts = np.array(domain.comm.allgather((corners.size_local, middles.size_local)))
    up_to = np.cumsum(counts, axis=0)  # corners and middles of all ranks up to each
    of_corners = _numbers(corners, (up_to - counts)[:, 1], domain.comm)
    of_middles = _numbers(middles, up_to[:, 0], domain.comm)
    return _Nodes(
        np.concatenate([before[: corners.size_local], between]),
        np.concatenate([of_corners[cells], of_middles[edges]], axis=1),
    )


def _numbers(index_map: IndexMap, more: Int64Array, comm: MPI.Comm) -> Int64Array:
    """Return the global numbers of all entities here, each increased by its owner's ``more``."""
    own, ghosts = index_map.size_local, index_map.num_ghosts
    numbers = index_map.local_to_global(np.arange(own + ghosts, dtype=np.int32))
    owners = np.append(np.full(own, comm.rank, dtype=np.int32), index_map.owners)
    return np.asarray(numbers + more[owners], dtype=np.int64)


def _facets(mesh: TaggedMesh, nodes: _Nodes) -> tuple[Int64Array, Int32Array]:
    """Return the pieces of this rank's own named facets, ``(4 n, 3)``, and their values."""
    topology, tags = mesh.domain.topology, mesh.facet_tags
    mine = tags.indices < topology.index_map(2).size_local
    facets, cells = tags.indices[mine], topology.connectivity(2, 3)
    one = cells.array[cells.offsets[facets]]
    local = topology.connectivity(3, 2).array.reshape(-1, 4)[one] == facets[:, None]
    pieces = nodes.of_cells[one[:, None], _TRIANGLES[local.argmax(axis=1)].reshape(-1, 12)]
    return pieces.reshape(-1, 3), np.repeat(tags.values[mine], 4)


def _cells(domain: dolfinx.mesh.Mesh, nodes: _Nodes) -> tuple[Int64Array, Int64Array]:
    """Return the pieces of this rank's own cells, ``(n, 8, 4)``, and where each of them goes.

    The latter, ``(n, 8, 5)``, are this rank and those which have a neighbour of the piece; −1
    stands for none.
    """
    topology, rank = domain.topology, domain.comm.rank
    own = topology.index_map(3).size_local
    corners = domain.geometry.x[domain.geometry.dofmaps[0][:own]]
    middles = corners[:, _EDGES].mean(axis=2)
    ends = np.array(_OPPOSITE) - 4
    diagonals = np.linalg.norm(middles[:, ends[:, 0]] - middles[:, ends[:, 1]], axis=2)
    shortest = diagonals.argmin(axis=1)
    cells = np.take_along_axis(
        nodes.of_cells[:own], _CELLS[shortest].reshape(own, -1), axis=1
    ).reshape(-1, CELLS_PER_CELL, 4)
    facets = topology.connectivity(3, 2).array.reshape(-1, 4)
    beyond = np.full(topology.index_map(2).size_local + topology.index_map(2).num_ghosts, -1)
    beyond[facets[own:]] = topology.index_map(3).owners[:, None]
    ranks = np.where(_TOUCHES[shortest], beyond[facets[:own]][:, None, :], -1)
    ranks.sort(axis=2)
    ranks[..., 1:][ranks[..., 1:] == ranks[..., :-1]] = -1
    return cells, np.concatenate([np.full((own, CELLS_PER_CELL, 1), rank), ranks], axis=2)


def _in_order(domain: dolfinx.mesh.Mesh, cells: Int64Array, ranks: Int64Array) -> Int64Array:
    """Return cells and ranks, ``(n, 9)``, in the order of the cells that they are pieces of.

    Each rank gets the next part of all. So cells have the same numbers on any number of ranks.
    """
    comm, number = domain.comm, domain.topology.original_cell_index[: len(cells)]
    total = domain.topology.index_map(3).size_global
    rows = np.concatenate([cells, ranks], axis=2).reshape(len(cells), -1)
    to = number * comm.size // total
    found = comm.alltoall([(number[to == k], rows[to == k]) for k in range(comm.size)])
    order = np.argsort(np.concatenate([numbers for numbers, _ in found]))
    return np.concatenate([part for _, part in found])[order].reshape(-1, 9)


def _to(ranks: Int32Array) -> Any:
    """Return a partitioner that sends each cell to its ``ranks``, the owner's first."""
    there = ranks >= 0
    offsets = np.append(0, np.cumsum(there.sum(axis=1))).astype(np.int32)
    found = adjacencylist(ranks[there], offsets)

    def partition(*arguments: Any) -> Any:
        return found._cpp_object

    return partition
