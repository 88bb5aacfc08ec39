"""Use a mesh from a file, after a check that it is a mesh of this film in this space."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import TaggedMesh, read_mesh
from pearlfem.mesh.whose_films import fitted
from pearlfem.model.boundary import Boundary, Open, Walls
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.periodic import Periodic
from pearlfem.runtime.files import AnyPath

_ENDS = ("far", "shield", "magnetic-wall")  # groups of facets where space may end
_SAME = 1e-6  # of their size: boxes and periods that differ by less are equal


def mesh_from_file(
    path: AnyPath,
    film: Film,
    boundary: Boundary,
    *,
    same_area: bool = False,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> TaggedMesh:
    """Read a mesh of ``film`` in the space that ``boundary`` describes.

    Args:
        path: The file.
        film: The film.
        boundary: What surrounds it.
        same_area: Whether polygons may have the areas of circles, as for point impurities. If not,
            all vertices of round edges must lie on their circles, as the bounds require.
        comm: Communicator over which the mesh is distributed.

    Raises:
        StudyError: The file cannot be read, or has the mesh of another film or space.

    Note:
        Collective over ``comm``; rank 0 reads.
    """
    mesh = read_mesh(path, comm)
    _check_ends(mesh, boundary)
    return fitted(mesh, (Layer(film),), same_area=same_area)


def _check_ends(mesh: TaggedMesh, boundary: Boundary) -> None:
    """Refuse a mesh of a space that ends in another way than ``boundary`` (collective)."""
    if isinstance(boundary, Open):
        ends = {"far"}
    elif isinstance(boundary, Periodic):
        ends = {"magnetic-wall"}
    else:
        ends = {boundary.kind, "far"} if boundary.infinite else {boundary.kind}
    mesh_ends = set(_ENDS) & set(mesh.groups)
    is_periodic = mesh.cell is not None
    if is_periodic != isinstance(boundary, Periodic):
        kinds = {True: "a periodic space", False: "a space that is not periodic"}
        raise StudyError(f"has {kinds[is_periodic]}; the study needs {kinds[not is_periodic]}")
    if mesh_ends != ends or mesh.mirrored != boundary.mirrored:
        halves = {True: "the half z ≥ 0", False: "both halves"}
        raise StudyError(
            f"has {halves[mesh.mirrored]} of a space that ends at {sorted(mesh_ends)}; the study "
            f"needs {halves[boundary.mirrored]} of a space that ends at {sorted(ends)}"
        )
    if isinstance(boundary, Periodic):
        _check_cell(mesh, boundary)
    if isinstance(boundary, Walls):
        _check_walls(mesh, boundary)


def _check_cell(mesh: TaggedMesh, periodic: Periodic) -> None:
    given = np.array(mesh.cell.vectors) if mesh.cell is not None else np.full((2, 2), np.nan)
    wanted = periodic.vectors
    difference = [np.abs(given - sign * wanted).max(axis=1) for sign in (1, -1)]
    if not np.all(np.min(difference, axis=0) < _SAME * np.abs(wanted).max()):
        raise StudyError(
            f"has the periods {given.tolist()}; the study has {periodic.vectors.tolist()}"
        )


def _check_walls(mesh: TaggedMesh, walls: Walls) -> None:
    """Refuse a mesh whose box differs from that of ``walls`` (collective)."""
    comm, points = mesh.domain.comm, mesh.domain.geometry.x
    low = np.min(comm.allgather(points.min(axis=0, initial=np.inf)), axis=0)
    high = np.max(comm.allgather(points.max(axis=0, initial=-np.inf)), axis=0)
    half, center = np.array(walls.box) / 2, np.array(walls.center)
    wanted = np.array([center - half, center + half])
    wanted[0, 2] = 0.0 if walls.mirrored else wanted[0, 2]
    difference = np.abs(np.array([low, high]) - wanted)[:, np.isfinite(half)]
    if difference.max() > _SAME * np.abs(wanted[np.isfinite(wanted)]).max():
        raise StudyError(
            f"fills the box from {low.tolist()} to {high.tolist()}; the study's walls are {walls}"
        )
