"""Values of finite element functions at points, the same on any number of ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from dolfinx import fem, geometry
from dolfinx.mesh import Mesh
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array

# Barycentric coordinates of points on a facet are zero up to round-off.
_ROUND_OFF = 1e-9


def evaluate(function: fem.Function, points: Array, cells: Int32Array) -> Array:
    """Return ``function`` at ``points``, as it is in ``cells``.

    Where the function jumps between cells the value is that of the cell that comes first in the
    mesh file, so that it depends neither on the partition nor on the number of ranks.

    Args:
        function: A function on a distributed mesh of tetrahedra, ghosts up to date.
        points: The same points on every rank [length], shape ``(n, 3)``.
        cells: Those of this rank's own cells whose values count.

    Returns:
        Values on every rank, shape ``(n, k)`` for k components.

    Raises:
        StudyError: A point lies in none of the cells.

    Note:
        Collective.
    """
    domain = function.function_space.mesh
    found, numbers = _first_cells(domain, points, cells)
    lowest = np.empty_like(numbers)
    domain.comm.Allreduce(numbers, lowest, op=MPI.MIN)
    if np.any(missing := lowest == np.iinfo(np.int64).max):
        raise StudyError(f"point {points[missing][0].tolist()} lies outside the mesh")
    mine = numbers == lowest
    local = np.zeros((len(points), math.prod(function.ufl_shape)))
    if np.any(mine):
        local[mine] = function.eval(points[mine], found[mine])
    values = np.empty_like(local)
    domain.comm.Allreduce(local, values, op=MPI.SUM)
    return values


def evaluate_in_space(
    function: fem.Function, points: Array, mesh: TaggedMesh, heights: Sequence[float]
) -> Array:
    """Return ``function`` at points of space, on a film as it is seen from above.

    In a mirror symmetric space points below the film are replaced by their images above it.

    Args:
        function: A function on the mesh, ghosts up to date.
        points: The same points on every rank [length], shape ``(n, 3)``.
        mesh: The mesh.
        heights: z of the films, ascending [length].

    Returns:
        Values on every rank, shape ``(n, k)`` for k components.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    places = mesh.inside(points)
    if mesh.mirrored:
        mirrored = np.column_stack([places[:, :2], np.abs(places[:, 2])])
        return evaluate(function, mirrored, mesh.cells_above())
    values = np.empty((len(places), math.prod(function.ufl_shape)))
    slab = np.searchsorted(heights, places[:, 2], side="right")
    for number, cells in reversed(list(enumerate(mesh.slabs(heights)))):
        here = slab == number
        values[here] = evaluate(function, places[here], cells)
    return values


def _first_cells(domain: Mesh, points: Array, cells: Int32Array) -> tuple[Int32Array, Int64Array]:
    """Return for each point the one of ``cells`` that comes first in the file, and its number."""
    owner, found = _cells_around(domain, points, cells)
    number = domain.topology.original_cell_index[found]
    first = np.full(len(points), -1, dtype=np.int32)
    numbers = np.full(len(points), np.iinfo(np.int64).max, dtype=np.int64)
    order = np.argsort(-number)  # the smallest number is written last and stays
    first[owner[order]], numbers[owner[order]] = found[order], number[order]
    return first, numbers


def _cells_around(domain: Mesh, points: Array, cells: Int32Array) -> tuple[Int64Array, Int32Array]:
    """Return pairs of a point's index and one of ``cells`` that holds it.

    DOLFINx's own test of collision has a fixed tolerance in length: wrong for small units.
    """
    extent = np.abs(domain.geometry.x).max(initial=0.0)
    tree = geometry.bb_tree(domain, 3, entities=cells, padding=1e-12 * extent)
    candidates = geometry.compute_collisions_points(tree, points)
    owner = np.repeat(np.arange(len(points)), np.diff(candidates.offsets))
    found = candidates.array
    corners = domain.geometry.x[domain.geometry.dofmaps[0][found]]
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    offsets = points[owner] - corners[:, 0]
    inner = np.linalg.solve(edges, offsets[:, :, None])[:, :, 0]
    barycentric = np.column_stack([1.0 - inner.sum(axis=1), inner])
    inside = barycentric.min(axis=1) > -_ROUND_OFF
    return owner[inside], found[inside]
