"""Points of a film that lie on no facet of its mesh: round edges have straight sides there."""

from __future__ import annotations

import numpy as np
import shapely

from pearlfem.formulation.film import FilmMesh
from pearlfem.quantities.arrays import Array, BoolArray

# Distance from a circle within which points may lie between it and a side of the mesh, in radii:
# sides of the coarsest meshes leave 0.02.
_WIDEST = 0.05
_STEP = 1e-9  # in radii: points of the circle itself count as on the film
_INSIDE = 1e-9  # the way from a point on the edge of a facet to its middle


def onto_facets(film: FilmMesh, points: Array, on_facets: BoolArray) -> Array:
    """Return the points, those between a round edge and the mesh moved to the nearest facet.

    Args:
        film: The film.
        points: The same points (x, y) on every rank [length], ``(n, 2)``.
        on_facets: Which of them lie on a facet of the film, ``(n,)``.

    Returns:
        Array of shape ``(n, 2)``; points off the film are as they were.

    Note:
        Collective.
    """
    beside = np.flatnonzero(~on_facets & _on_film_near_circle(film, points))
    if not len(beside):
        return points
    feet, distances = _nearest(film, points[beside])
    nearest = np.argmin(film.comm.allgather(distances), axis=0)
    moved = points.copy()
    moved[beside] = np.array(film.comm.allgather(feet))[nearest, np.arange(len(beside))]
    return moved


def _on_film_near_circle(film: FilmMesh, points: Array) -> BoolArray:
    """Return which points lie on the film near a round edge of it, ``(n,)``."""
    on_film = np.zeros(len(points), dtype=bool)
    for disc in film.film.discs:
        offsets = points - disc.center
        near = np.abs(np.linalg.norm(offsets, axis=1) / disc.radius - 1) < _WIDEST
        for index in np.flatnonzero(near & ~on_film):
            on_film[index] = any(
                film.film.contains(tuple(disc.center + offsets[index] * (1 + step)))
                for step in (0.0, -_STEP, _STEP)
            )
    return on_film


def _nearest(film: FilmMesh, points: Array) -> tuple[Array, Array]:
    """Return the nearest points on this rank's facets ``(n, 2)``, and their distances ``(n,)``."""
    feet, distances = np.zeros_like(points), np.full(len(points), np.inf)
    if len(film.corners):
        facets, places = shapely.polygons(film.corners), shapely.points(points)
        found = shapely.STRtree(facets).nearest(places)
        lines = shapely.shortest_line(facets[found], places)
        feet = shapely.get_coordinates(shapely.get_point(lines, 0))
        distances = shapely.length(lines)
        feet += _INSIDE * (film.corners[found].mean(axis=1) - feet)
    return feet, distances
