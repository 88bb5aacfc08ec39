"""A stored mesh in place of one made for the study, and whether it is one of this study's space."""

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

_ENDS = ("far", "shield", "magnetic-wall")  # where space may end
_NONE = np.empty((0, 3, 2))
_NEAR = 1e-5  # of the film's size: how far vertices of its edge may lie from the true one …
_PER_SAGITTA = 0.25  # … in units of side²/R more, as polygons may have the areas of circles, …
_PER_SIDE = 0.05  # … where both ends are so near to a circle, in units of the side
_INSET = 0.8  # of the way to a facet's corners: where it is looked at, or arcs would do harm
_SAME = 1e-6  # of their size: boxes and periods that differ by less are the same


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
        same_area: Whether polygons may have the areas of circles, as they do for point impurities;
            otherwise all vertices of round edges lie on their circles, for the bounds.
        comm: Communicator over which the mesh is distributed.

    Raises:
        StudyError: The file cannot be used, or has the mesh of another film or space.

    Note:
        Collective over ``comm``; rank 0 reads.
    """
    mesh = read_mesh(path, comm)
    _check_ends(mesh, boundary)
    facets = {name: mesh.corners(name) for name in ("film", "plane", *mesh.holes.values())}
    found = {name: comm.gather(corners) for name, corners in facets.items()}
    on_root(
        comm,
        lambda: _check_film(
            {n: np.concatenate(c or []) for n, c in found.items()}, film, same_area
        ),
    )
    return mesh


def _check_ends(mesh: TaggedMesh, boundary: Boundary) -> None:
    """Refuse a mesh whose space ends elsewhere (collective)."""
    if isinstance(boundary, Open):
        ends = {"far"}
    elif isinstance(boundary, Periodic):
        ends = {"magnetic-wall"}
    else:
        ends = {boundary.kind, "far"} if boundary.infinite else {boundary.kind}
    found = set(_ENDS) & set(mesh.groups)
    repeats = mesh.cell is not None
    if repeats != isinstance(boundary, Periodic):
        raise StudyError(f"has a space that is{' ' if repeats else ' not '}periodic")
    if found != ends or mesh.mirrored != boundary.mirrored:
        halves = {True: "the half z ≥ 0", False: "both halves"}
        raise StudyError(
            f"has {halves[mesh.mirrored]} of a space that ends at {sorted(found)}; the study's is "
            f"{halves[boundary.mirrored]} and ends at {sorted(ends)}"
        )
    if isinstance(boundary, Periodic):
        _check_cell(mesh, boundary)
    if isinstance(boundary, Walls):
        _check_walls(mesh, boundary)


def _check_cell(mesh: TaggedMesh, periodic: Periodic) -> None:
    given = np.array(mesh.cell.vectors) if mesh.cell is not None else np.full((2, 2), np.nan)
    wanted = periodic.vectors
    off = [np.abs(given - sign * wanted).max(axis=1) for sign in (1, -1)]
    if not np.all(np.min(off, axis=0) < _SAME * np.abs(wanted).max()):
        raise StudyError(f"repeats itself by {given.tolist()}; the study by {wanted.tolist()}")


def _check_walls(mesh: TaggedMesh, walls: Walls) -> None:
    """Refuse a box that is not that of ``walls`` (collective)."""
    comm, points = mesh.domain.comm, mesh.domain.geometry.x
    found = [
        np.min(comm.allgather(points.min(axis=0, initial=np.inf)), axis=0),
        np.max(comm.allgather(points.max(axis=0, initial=-np.inf)), axis=0),
    ]
    half, center = np.array(walls.box) / 2, np.array(walls.center)
    wanted = np.array([center - half, center + half])
    wanted[0, 2] = 0.0 if walls.mirrored else wanted[0, 2]
    off = np.abs(np.array(found) - wanted)[:, np.isfinite(half)]
    if off.max() > _SAME * np.abs(wanted[np.isfinite(wanted)]).max():
        raise StudyError(
            f"ends at {found[0].tolist()} and {found[1].tolist()}; the study's walls are {walls}"
        )


def _check_film(facets: dict[str, Array], film: Film, same_area: bool) -> None:
    """Refuse facets, ``(n, 3, 2)`` of each group, that do not lie as those of ``film`` do."""
    openings = {HOLE + opening.name: opening.outline for opening in film.openings}
    holes = {name: found for name, found in facets.items() if name.startswith(HOLE)}
    if holes.keys() != openings.keys():
        names = [sorted(name.removeprefix(HOLE) for name in each) for each in (holes, openings)]
        raise StudyError(f"has the holes {names[0]}; the study's film has {names[1]}")
    for name, corners in facets.items():
        places = corners + (1 - _INSET) * (corners.mean(axis=1, keepdims=True) - corners)
        wrong = film.covers(places) != (name == "film")
        if name in openings:
            wrong |= ~shapely.contains_xy(openings[name], places[..., 0], places[..., 1])
        if name == "film":
            regions = film.regions_at(places)
            wrong |= regions != regions[:, :1]
        if wrong.any():
            x, y = places[wrong][0]
            raise StudyError(
                f"has {name!r} at ({x:g}, {y:g}), where the study's film is another one"
            )
    lines = shapely.boundary(film.outline() if film.bounded else list(openings.values()))
    inner = facets["film"] if film.bounded else np.concatenate([_NONE, *holes.values()])
    if inner.size:
        _check_rim(_rim(inner), shapely.union_all(lines), film.discs if same_area else ())


def _check_rim(rim: Array, lines: shapely.Geometry, rounded: tuple[Disc, ...]) -> None:
    """Refuse edges, ``(n, 2, 2)``, whose ends lie neither on ``lines`` nor as for the same area."""
    lengths = np.linalg.norm(rim[:, 1] - rim[:, 0], axis=1)
    allowed = _NEAR * np.ptp(rim, axis=(0, 1)).max() * np.ones(len(rim))
    for disc in rounded:
        off = np.abs(np.linalg.norm(rim - disc.center, axis=2) - disc.radius).max(axis=1)
        near = off < _PER_SIDE * lengths
        allowed[near] += _PER_SAGITTA * lengths[near] ** 2 / disc.radius
    distances = shapely.distance(shapely.points(rim), lines)
    wrong = distances > allowed[:, None]
    if wrong.any():
        x, y = rim[wrong][0]
        raise StudyError(
            f"has an edge of the film at ({x:g}, {y:g}), {distances[wrong][0]:g} away from the "
            "edges of the study's film"
        )


def _rim(triangles: Array) -> Array:
    """Return the edges, ``(n, 2, 2)``, that only one of the triangles, ``(m, 3, 2)``, has."""
    vertices, numbers = np.unique(triangles.reshape(-1, 2), axis=0, return_inverse=True)
    edges = numbers.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    found, times = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return np.asarray(vertices[found[times == 1]])
