"""Use a mesh from a file, after a check that it is a mesh of this film in this space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.tagged import HOLE, TaggedMesh, read_mesh
from pearlfem.model.boundary import Boundary, Open, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.parallel import on_root

_ENDS = ("far", "shield", "magnetic-wall")  # groups of facets where space may end
_NONE = np.empty((0, 3, 2))
_NEAR = 1e-5  # largest distance of edge vertices from the true edge, in units of the film's size
# If polygons have the areas of circles, vertices may be farther away, by _PER_SAGITTA side²/R. This
# is allowed for sides with both ends within _PER_SIDE times their length of the circle.
_PER_SAGITTA = 0.25
_PER_SIDE = 0.05
_INSET = 0.8  # facets are tested at this part of the way to their corners, where arcs do not matter
_SAME = 1e-6  # of their size: boxes and periods that differ by less are equal


def mesh_from_file(
    path: Path,
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
    names = ("film", "plane", *mesh.holes.values())
    parts = {name: comm.gather(mesh.corners(name)) for name in names}

    def check_on_root() -> None:
        facets = {name: np.concatenate(corners or []) for name, corners in parts.items()}
        _check_film(facets, film, same_area)

    on_root(comm, check_on_root)
    return mesh


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


def _check_film(facets: dict[str, Array], film: Film, same_area: bool) -> None:
    """Refuse facets, ``(n, 3, 2)`` for each group, that do not fit film, holes or regions."""
    openings = {HOLE + opening.name: opening.outline for opening in film.openings}
    holes = {name: corners for name, corners in facets.items() if name.startswith(HOLE)}
    if holes.keys() != openings.keys():
        names = [sorted(name.removeprefix(HOLE) for name in each) for each in (holes, openings)]
        raise StudyError(f"has the holes {names[0]}; the study's film has {names[1]}")
    for name, corners in facets.items():
        points = corners + (1 - _INSET) * (corners.mean(axis=1, keepdims=True) - corners)
        wrong = film.covers(points) != (name == "film")
        if name in openings:
            wrong |= ~shapely.contains_xy(openings[name], points[..., 0], points[..., 1])
        if name == "film":
            regions = film.regions_at(points)
            wrong |= regions != regions[:, :1]
        if wrong.any():
            x, y = points[wrong][0]
            raise StudyError(f"has {name!r} at ({x:g}, {y:g}), which does not fit the study's film")
    lines = shapely.boundary(film.outline() if film.bounded else list(openings.values()))
    inner = facets["film"] if film.bounded else np.concatenate([_NONE, *holes.values()])
    if inner.size:
        _check_rim(_rim(inner), shapely.union_all(lines), film.discs if same_area else ())


def _check_rim(rim: Array, lines: shapely.Geometry, rounded: tuple[Disc, ...]) -> None:
    """Refuse edges, ``(n, 2, 2)``, with an end too far from ``lines``.

    Sides of polygons that have the areas of the discs ``rounded`` may be farther away.
    """
    lengths = np.linalg.norm(rim[:, 1] - rim[:, 0], axis=1)
    allowed = _NEAR * np.ptp(rim, axis=(0, 1)).max() * np.ones(len(rim))
    for disc in rounded:
        from_circle = np.abs(np.linalg.norm(rim - disc.center, axis=2) - disc.radius).max(axis=1)
        near = from_circle < _PER_SIDE * lengths
        allowed[near] += _PER_SAGITTA * lengths[near] ** 2 / disc.radius
    distances = shapely.distance(shapely.points(rim), lines)
    wrong = distances > allowed[:, None]
    if wrong.any():
        x, y = rim[wrong][0]
        raise StudyError(
            f"has an edge of the film at ({x:g}, {y:g}), which is {distances[wrong][0]:g} away "
            "from the edges of the study's film"
        )


def _rim(triangles: Array) -> Array:
    """Return the edges, ``(n, 2, 2)``, that belong to only one of the triangles, ``(m, 3, 2)``."""
    vertices, numbers = np.unique(triangles.reshape(-1, 2), axis=0, return_inverse=True)
    edges = numbers.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    different, times = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return np.asarray(vertices[different[times == 1]])
