"""Values of finite element functions at points, the same on any number of ranks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem, geometry
from dolfinx.mesh import Mesh
from mpi4py import MPI

from pearlfem.errors import StudyError

# Barycentric coordinates of points on a facet are zero up to round-off.
_ROUND_OFF = 1e-9


def evaluate(function: fem.Function, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``function`` at ``points``.

    Where the function jumps between cells the value is that of the cell that comes first in the
    mesh file, so that it depends neither on the partition nor on the number of ranks.

    Args:
        function: A function on a distributed mesh of tetrahedra, ghosts up to date.
        points: The same points on every rank [length], shape ``(n, 3)``.

    Returns:
        Values on every rank, shape ``(n, k)`` for k components.

    Raises:
        StudyError: A point lies outside the mesh.

    Note:
        Collective.
    """
    mesh = function.function_space.mesh
    cells, numbers = _first_cells(mesh, points)
    lowest = np.empty_like(numbers)
    mesh.comm.Allreduce(numbers, lowest, op=MPI.MIN)
    if np.any(missing := lowest == np.iinfo(np.int64).max):
        raise StudyError(f"point {points[missing][0].tolist()} lies outside the mesh")
    mine = numbers == lowest
    components = function.function_space.dofmap.index_map_bs
    local = np.zeros((len(points), components))
    if np.any(mine):
        local[mine] = function.eval(points[mine], cells[mine])
    values = np.empty_like(local)
    mesh.comm.Allreduce(local, values, op=MPI.SUM)
    return values


def _first_cells(
    mesh: Mesh, points: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return for each point this rank's owned cell that comes first in the file, and its number."""
    owner, found = _cells_around(mesh, points)
    number = mesh.topology.original_cell_index[found]
    cells = np.full(len(points), -1, dtype=np.int32)
    numbers = np.full(len(points), np.iinfo(np.int64).max, dtype=np.int64)
    order = np.argsort(-number)  # the smallest number is written last and stays
    cells[owner[order]], numbers[owner[order]] = found[order], number[order]
    return cells, numbers


def _cells_around(
    mesh: Mesh, points: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return pairs of a point's index and an owned cell that holds it.

    DOLFINx's own test of collision has a fixed tolerance in length: wrong for small units.
    """
    owned = np.arange(mesh.topology.index_map(3).size_local, dtype=np.int32)
    extent = np.abs(mesh.geometry.x).max(initial=0.0)
    tree = geometry.bb_tree(mesh, 3, entities=owned, padding=1e-12 * extent)
    candidates = geometry.compute_collisions_points(tree, points)
    owner = np.repeat(np.arange(len(points)), np.diff(candidates.offsets))
    cells = candidates.array
    corners = mesh.geometry.x[mesh.geometry.dofmaps[0][cells]]
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    offsets = points[owner] - corners[:, 0]
    inner = np.linalg.solve(edges, offsets[:, :, None])[:, :, 0]
    barycentric = np.column_stack([1.0 - inner.sum(axis=1), inner])
    inside = barycentric.min(axis=1) > -_ROUND_OFF
    return owner[inside], cells[inside]
