"""Values of finite element functions at points; they do not depend on the number of ranks."""

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

# A point is in a cell if no barycentric coordinate is below −_ROUND_OFF.
_ROUND_OFF = 1e-9
_NO_CELL = np.iinfo(np.int64).max


def evaluate(
    function: fem.Function, points: Array, cells: Int32Array, outside: float | None = None
) -> Array:
    """Return the values of ``function`` at ``points`` in ``cells``.

    At a point of several cells, the function may have several values. Then the cell with the lowest
    number in the mesh file counts, so that the result does not depend on the partition.

    Args:
        function: A function on a distributed mesh of tetrahedra, with ghosts up to date.
        points: The same points on every rank [length], shape ``(n, 3)``.
        cells: The owned cells in which the function may be evaluated.
        outside: The value at points that lie in none of the cells; None if this is an error.

    Returns:
        Array of shape ``(n, k)`` for k components, the same on every rank.

    Raises:
        StudyError: A point lies in none of the cells, and there is no value for it.

    Note:
        Collective.
    """
    domain = function.function_space.mesh
    local_cells, numbers = _first_cells(domain, points, cells)
    lowest = np.empty_like(numbers)
    domain.comm.Allreduce(numbers, lowest, op=MPI.MIN)
    in_none = lowest == _NO_CELL
    if outside is None and np.any(in_none):
        raise StudyError(f"point {points[in_none][0].tolist()} lies outside the mesh")
    on_this_rank = (numbers == lowest) & ~in_none
    local = np.zeros((len(points), math.prod(function.ufl_shape)))
    if np.any(on_this_rank):
        local[on_this_rank] = function.eval(points[on_this_rank], local_cells[on_this_rank])
    values = np.empty_like(local)
    domain.comm.Allreduce(local, values, op=MPI.SUM)
    values[in_none] = outside or 0.0
    return values


def evaluate_in_space(
    function: fem.Function, points: Array, mesh: TaggedMesh, heights: Sequence[float]
) -> Array:
    """Return ``function`` at points of space; at a point of a film, the value above the film.

    In a mirror symmetric space points below the film are replaced by their mirror images above it.

    Args:
        function: A function on the mesh, with ghosts up to date.
        points: The same points on every rank [length], shape ``(n, 3)``.
        mesh: The mesh.
        heights: The heights z of the films, ascending [length].

    Returns:
        Array of shape ``(n, k)`` for k components, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    inside = mesh.inside(points)
    if mesh.mirrored:
        mirrored = np.column_stack([inside[:, :2], np.abs(inside[:, 2])])
        return evaluate(function, mirrored, mesh.cells_above())
    values = np.empty((len(inside), math.prod(function.ufl_shape)))
    slab_numbers = np.searchsorted(heights, inside[:, 2], side="right")
    for number, cells in reversed(list(enumerate(mesh.slabs(heights)))):
        in_slab = slab_numbers == number
        values[in_slab] = evaluate(function, inside[in_slab], cells)
    return values


def _first_cells(domain: Mesh, points: Array, cells: Int32Array) -> tuple[Int32Array, Int64Array]:
    """Return for each point the first of ``cells`` that contains it, in the order of the file.

    Returns:
        The cells, and their numbers in the mesh file, ``(n,)`` each; −1 and ``_NO_CELL`` for points
        outside all of them.
    """
    indices, containing = _cells_around(domain, points, cells)
    file_numbers = domain.topology.original_cell_index[containing]
    first = np.full(len(points), -1, dtype=np.int32)
    numbers = np.full(len(points), _NO_CELL, dtype=np.int64)
    order = np.argsort(-file_numbers)  # the lowest number is written last and stays
    first[indices[order]] = containing[order]
    numbers[indices[order]] = file_numbers[order]
    return first, numbers


def _cells_around(domain: Mesh, points: Array, cells: Int32Array) -> tuple[Int64Array, Int32Array]:
    """Return all pairs of a point and one of ``cells`` that contains it.

    DOLFINx's collision test has a fixed tolerance as a length, which is wrong for small units.

    Returns:
        The indices of the points and the cells, ``(m,)`` each.
    """
    extent = np.abs(domain.geometry.x).max(initial=0.0)
    tree = geometry.bb_tree(domain, 3, entities=cells, padding=1e-12 * extent)
    candidates = geometry.compute_collisions_points(tree, points)
    indices = np.repeat(np.arange(len(points)), np.diff(candidates.offsets))
    corners = domain.geometry.x[domain.geometry.dofmaps[0][candidates.array]]
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    offsets = points[indices] - corners[:, 0]
    coordinates = np.linalg.solve(edges, offsets[:, :, None])[:, :, 0]
    barycentric = np.column_stack([1.0 - coordinates.sum(axis=1), coordinates])
    inside = barycentric.min(axis=1) > -_ROUND_OFF
    return indices[inside], candidates.array[inside]
