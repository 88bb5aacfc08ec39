"""Values of finite element functions at points, the same on any number of ranks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem, geometry
from dolfinx.mesh import Mesh
from mpi4py import MPI

from pearlfem.errors import StudyError


def evaluate(function: fem.Function, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``function`` at ``points``.

    Where the function jumps between cells the value is that of the cell that comes first in the
    mesh file, so that it depends neither on the partition nor on the number of ranks.

    Args:
        function: A function on a distributed mesh, ghosts up to date.
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
    tree = geometry.bb_tree(mesh, mesh.topology.dim, padding=0.0)
    candidates = geometry.compute_collisions_points(tree, points)
    hits = geometry.compute_colliding_cells(mesh, candidates, points)
    owner = np.repeat(np.arange(len(points)), np.diff(hits.offsets))
    owned = hits.array < mesh.topology.index_map(mesh.topology.dim).size_local
    owner, found = owner[owned], hits.array[owned]
    number = mesh.topology.original_cell_index[found]
    cells = np.full(len(points), -1, dtype=np.int32)
    numbers = np.full(len(points), np.iinfo(np.int64).max, dtype=np.int64)
    order = np.argsort(-number)  # the smallest number is written last and stays
    cells[owner[order]], numbers[owner[order]] = found[order], number[order]
    return cells, numbers
