"""The plane z = 0 cut into faces: the film, its regions, holes, and the rest.

All edges are straight. A circle is an inscribed polygon whose sides are as long as the cells there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from pearlfem.geometry.shapes import Disc, Rounding
from pearlfem.mesh.sizes.edges import on_circle, spaced
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array

_FEWEST_SIDES = 16
_ROUND_OFF = 1e-12  # of the size of all
_ANGLES = np.linspace(0.0, 2 * np.pi, 4097)


@dataclass(frozen=True)
class Face:
    """A polygon in the plane, given by the numbers of its vertices.

    Args:
        hole: Name of the hole that the face belongs to; None for film.
        rings: Its outer edge, then its inner edges.
    """

    hole: str | None
    rings: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Faces:
    """All faces of the film and its holes.

    Args:
        vertices: Coordinates (x, y) [length], shape ``(n, 2)``.
        faces: The faces; they share vertices and edges.
        outer: The outer rings of all faces together.
        chords: The edges that are sides of a polygon for a circle: numbers of their ends, the lower
            number first.
    """

    vertices: Array
    faces: tuple[Face, ...]
    outer: tuple[tuple[int, ...], ...]
    chords: frozenset[tuple[int, int]] = frozenset()


def rounding_for(size_at: Callable[[Array], Array], height: float = 0.0) -> Rounding:
    """Return the rule for vertices on circles: as far apart as the cells there are large.

    Args:
        size_at: Returns the edge lengths of cells at points ``(n, 3)``.
        height: z of the circles [length].
    """

    def angles(disc: Disc) -> Array:
        circle = disc.radius * np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]) + disc.center
        sizes = size_at(np.column_stack([circle, np.full(len(circle), height)]))
        found = spaced(_ANGLES, sizes[1:] / disc.radius, _FEWEST_SIDES)
        return np.asarray(np.round(found, 9))  # so the unit of length does not change the mesh

    return angles


def plane_faces(film: Film, rounding: Rounding, *, same_area: bool = False) -> Faces:
    """Return the faces of ``film`` and its holes.

    For a film on the whole plane these are the faces of holes and regions, and those that they
    enclose; the rest of the plane is film too.

    Args:
        film: The film.
        rounding: The rule for vertices on circles.
        same_area: Move vertices outward so that the polygons have the areas of the circles. The
            error of energies then falls with the fourth power of the sides' length, not with the
            second, but its sign is not known.
    """
    holes, discs = film.openings_of(rounding), film.discs
    outlines = [hole.outline for hole in holes]
    if film.bounded:
        outlines.append(film.outline(rounding))
    outlines += [region.shape.outline(rounding) for region in film.regions]
    if not outlines:
        return Faces(np.empty((0, 2)), (), ())
    low, high = shapely.total_bounds(outlines).reshape(2, 2)
    # Edges of regions may lie on other edges, up to round-off.
    grid = _ROUND_OFF * (high - low).max() if film.regions else None
    lines = shapely.union_all([outline.boundary for outline in outlines], grid_size=grid)
    cut = shapely.get_parts(shapely.polygonize([lines]))
    covered = shapely.union_all(outlines[len(holes) :])
    named: list[tuple[str | None, shapely.Polygon]] = []
    for polygon in cut:
        point = polygon.representative_point()
        hole = next((h.name for h in holes if h.outline.contains(point)), None)
        if hole is not None or not film.bounded or covered.contains(point):
            named.append((hole, polygon))
    faces = _numbered(named, discs)
    return replace(faces, vertices=_moved_outwards(faces, discs)) if same_area else faces


def _numbered(named: list[tuple[str | None, shapely.Polygon]], discs: tuple[Disc, ...]) -> Faces:
    places = np.concatenate([shapely.get_coordinates(polygon) for _, polygon in named])
    vertices = _sorted(np.unique(places, axis=0))
    index = {(x, y): k for k, (x, y) in enumerate(vertices.tolist())}

    def numbers(ring: shapely.LinearRing) -> tuple[int, ...]:
        found = [index[x, y] for x, y in shapely.get_coordinates(ring)[:-1].tolist()]
        first = found.index(min(found))
        return tuple(found[first:] + found[:first])

    faces = tuple(
        Face(hole, tuple(numbers(ring) for ring in (p.exterior, *p.interiors))) for hole, p in named
    )
    whole = shapely.union_all([polygon for _, polygon in named])
    outer = tuple(numbers(part.exterior) for part in shapely.get_parts(whole))
    return Faces(vertices, faces, outer, _chords(vertices, faces, discs))


def _sorted(vertices: Array) -> Array:
    """Return the vertices in the order of x, then y; round-off does not change the order."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    rounded = np.round((vertices - low) / (high - low).max(), 9)
    return vertices[np.lexsort(rounded.T[::-1])]


def _chords(
    vertices: Array, faces: tuple[Face, ...], discs: tuple[Disc, ...]
) -> frozenset[tuple[int, int]]:
    """Return the edges with both ends on the circle of a disc and their middles not far from it."""
    rings = [np.array(ring) for face in faces for ring in face.rings]
    ends = np.sort(np.concatenate([np.column_stack([r, np.roll(r, -1)]) for r in rings]), axis=1)
    found = np.zeros(len(ends), dtype=bool)
    for disc in discs:
        on = on_circle(vertices, disc)
        middles = np.linalg.norm(vertices[ends].mean(axis=1) - disc.center, axis=1)
        found |= on[ends].all(axis=1) & (middles > 0.9 * disc.radius)
    return frozenset(map(tuple, ends[found].tolist()))


def _moved_outwards(faces: Faces, discs: tuple[Disc, ...]) -> Array:
    """Return the vertices, moved outward so that each polygon has the area of its circle.

    A sector of angle γ has the area R² γ/2. A triangle with two sides s and the angle γ between
    them has s² sin γ/2. So s = R √(γ/sin γ).
    """
    vertices = faces.vertices.copy()
    for disc in discs:
        on = on_circle(faces.vertices, disc)
        ends = np.array([chord for chord in faces.chords if on[list(chord)].all()], int)
        ends = ends.reshape(-1, 2)
        sides = np.linalg.norm(np.diff(faces.vertices[ends], axis=1)[:, 0], axis=1)
        angles = 2.0 * np.arcsin(sides / (2.0 * disc.radius))
        outward = np.sqrt(angles / np.sin(angles))
        count, weight, total = (
            np.bincount(ends.ravel(), np.repeat(each, 2), len(vertices))
            for each in (np.ones(len(ends)), angles, angles * outward)
        )
        between = count == 2
        factors = total[between] / weight[between]  # a mean of both sides, if their lengths differ
        vertices[between] = disc.center + factors[:, None] * (vertices[between] - disc.center)
    return vertices
