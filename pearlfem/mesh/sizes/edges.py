"""Sizes of cells along the edges of a film and of its regions.

Near an edge the current varies over the Pearl length, or over a fraction of the film's width if
that is shorter. At a corner that points into the film it is singular. The edge of a region counts
like an edge of the film, because the side with the larger Pearl length hardly screens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Outline
from pearlfem.mesh.sizes.rays import Sides
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, BoolArray

# Largest length of a side of a round edge, in units of its radius:
_PER_RADIUS = 0.007  # of an outer edge
PER_RADIUS_OF_HOLE = 0.02  # of a hole or a region
_PER_RADIUS_OF_SAME_AREA = 0.02  # of any, if polygons have the areas of circles
# Largest size at an edge:
_PER_WIDTH = 0.03  # in units of the width of the film or of the hole
_PER_PEARL_LENGTH = 0.2  # in units of r0
_PER_PEARL_LENGTH_OF_POINTS = 0.1  # with point impurities: edges cause all of their energies
# Corners:
_AT_CORNER = 0.05  # size at a corner that points into the film, in units of the size at the edge
_SHARP = math.radians(20)  # smallest change of direction at such a corner
_PER_SIDE = 2.0  # size at any corner, in units of the shorter side; more doubles the iterations
_DETAIL = 1e-3  # of a ring's size: smaller details do not count for widths
_ROUND_OFF = 1e-8
_SAMPLES = 60  # points along a ring where widths are measured
_STEPS, _ENOUGH_STEPS = 50, 200_000  # of an integral along a ring: for each point, and in all

# Positions along one edge: at resolution 1 each means some 40 cells, so more fit on no machine.
MOST_POSITIONS = 500_000
_ALLOWED = (
    f"allowed: at most {MOST_POSITIONS:,}, with a longer Pearl length, a smaller film (is its unit "
    "of length right?) or larger cores near its edge"
)


class EdgeSizes(NamedTuple):
    """Points all along the edges, ``(n, 2)``, and the edge lengths of cells there, ``(n,)``."""

    points: Array
    sizes: Array


def edge_sizes(film: Film, *, same_area: bool = False) -> EdgeSizes:
    """Return the sizes that cells need along all edges of ``film``, holes and regions [length].

    Args:
        film: The film.
        same_area: Whether polygons have the areas of circles, as with point impurities (see
            ``pearlfem.mesh.plane``).

    Raises:
        StudyError: There are too many points for any mesh.
    """
    parts = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    edges = [*_film_edges(film, same_area), *_region_edges(film, same_area)]
    if (needed := sum(map(_least_stations, edges))) > MOST_POSITIONS:
        raise StudyError(
            f"film: its edges need about {needed:.2g} cells along them, the smallest of length "
            f"{min(edge.measured.sizes.min() for edge in edges):.2g}; {_ALLOWED}"
        )
    circles = Circles(film.discs)
    for edge in edges:
        parts.append(_along(edge, circles))
        parts += [_corners(ring, *edge.measured) for ring in edge.corners]
    points, sizes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return EdgeSizes(points, sizes)


def least_stations(film: Film, *, same_area: bool = False) -> float:
    """Return ∫ ds/h along all edges, with sizes h from a few points of each: O(corners).

    ``edge_sizes`` returns at least as many points: round edges and corners need more.

    Args:
        film: The film.
        same_area: See ``edge_sizes``.
    """
    # Edges of regions may lie on each other and on those of the film.
    of_film, of_regions = (
        sum(map(_least_stations, edges(film, same_area))) for edges in (_film_edges, _region_edges)
    )
    return max(of_film, of_regions / 2)


class _Edge(NamedTuple):
    """An edge of the film or of a region.

    Args:
        ring: The edge, with the film on its left.
        measured: The sizes at a few points of it.
        per_radius: Largest size on a circle, in units of its radius.
        corners: The simplified edge in each direction in which corners to the right count.
    """

    ring: shapely.LinearRing
    measured: EdgeSizes
    per_radius: float
    corners: tuple[Array, ...]


def _least_stations(edge: _Edge) -> float:
    at, sizes = _interpolated(edge.ring, _located(edge))
    return float(np.sum(np.diff(at) / sizes[1:]))


def _allowed(film: Film, same_area: bool) -> float:
    """Return the largest size at any edge, from the Pearl length."""
    per_pearl_length = _PER_PEARL_LENGTH_OF_POINTS if same_area else _PER_PEARL_LENGTH
    return per_pearl_length * film.least_pearl_length


def _film_edges(film: Film, same_area: bool) -> Iterator[_Edge]:
    """Yield the edges of the film and of its holes."""
    edges = rings(film)
    simplified = [_simplified(ring) for ring in edges]
    sides = Sides(_all_sides(simplified))
    for ring, simple in zip(edges, simplified, strict=True):
        per_radius = _PER_RADIUS if shapely.is_ccw(ring) else PER_RADIUS_OF_HOLE
        if same_area:
            per_radius = _PER_RADIUS_OF_SAME_AREA
        measured = _measured(simple, sides, _allowed(film, same_area))
        yield _Edge(ring, measured, per_radius, (simple,))


def _region_edges(film: Film, same_area: bool) -> Iterator[_Edge]:
    """Yield the edges of the regions."""
    film_rings = rings(film) if film.regions else []
    film_sides = _all_sides([_simplified(ring) for ring in film_rings])
    for region in film.regions:
        inner = _rings(region.shape.outline())
        simplified = [_simplified(ring) for ring in inner]
        others = Sides(np.concatenate([film_sides, _all_sides(simplified)]))
        for ring, simple in zip(inner, simplified, strict=True):
            measured = _measured(simple, others, _allowed(film, same_area))
            # A region has film on both sides, so corners to both sides count.
            yield _Edge(ring, measured, PER_RADIUS_OF_HOLE, (simple, simple[::-1]))


def corner_sizes(film: Film) -> EdgeSizes:
    """Return the largest sizes at corners of straight edges for cells that are not flat [length].

    They do not depend on the resolution: a drawing may have more details than accuracy needs.
    """
    parts = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    outlines = [ring for region in film.regions for ring in _rings(region.shape.outline())]
    circles = Circles(film.discs)
    for ring in rings(film) + outlines:
        corners = np.asarray(shapely.get_coordinates(ring))[:-1]
        after = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
        straight = np.ones(len(corners), dtype=bool)
        for disc in circles.near(corners):
            straight &= ~on_circle(corners, disc)
        sizes = _PER_SIDE * np.minimum(after, np.roll(after, 1))
        parts.append(EdgeSizes(corners[straight], sizes[straight]))
    points, sizes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return EdgeSizes(points, sizes)


def _along(edge: _Edge, circles: Circles) -> EdgeSizes:
    """Return sizes all along ``edge``; on round edges at most ``per_radius`` times the radius."""
    ring, along = edge.ring, _located(edge)
    for _ in range(2):  # twice, so that points on round edges are as close as their smaller sizes
        fine, size = _interpolated(ring, along)
        stations = spaced(fine, size[1:])
        sizes = np.interp(stations, *along, period=ring.length)
        rounded = _rounded(EdgeSizes(points_at(ring, stations), sizes), circles, edge.per_radius)
        along = _Along(stations, rounded.sizes)
    return rounded


def _all_sides(simplified: Sequence[Array]) -> Array:
    """Return start and end of each side of all simplified rings, shape ``(n, 2, 2)``."""
    return np.concatenate([np.empty((0, 2, 2)), *map(_sides, simplified)])


class Circles:
    """The circles of discs, of which those near some points are found fast.

    Args:
        discs: The discs.
    """

    def __init__(self, discs: Sequence[Disc]) -> None:
        self._discs = discs
        centers = np.array([disc.center for disc in discs]).reshape(-1, 2)
        radii = 1.001 * np.array([disc.radius for disc in discs]).reshape(-1, 1)
        low, high = centers - radii, centers + radii
        self._tree = shapely.STRtree(shapely.box(*low.T, *high.T))

    def near(self, points: Array) -> list[Disc]:
        """Return the discs whose boxes meet the box around ``points``, shape ``(n, 2)``."""
        if not len(points) or not self._discs:
            return []
        box = shapely.box(*points.min(axis=0), *points.max(axis=0))
        return [self._discs[number] for number in sorted(self._tree.query(box))]


def _rounded(edge: EdgeSizes, circles: Circles, per_radius: float) -> EdgeSizes:
    """Return the sizes, on round edges at most ``per_radius`` times the radius."""
    sizes = edge.sizes.copy()
    for disc in circles.near(edge.points):
        here = on_circle(edge.points, disc, 1e-5)  # less exact, because the outline is a polygon
        sizes[here] = np.minimum(sizes[here], per_radius * disc.radius)
    return EdgeSizes(edge.points, sizes)


def on_circle(points: Array, disc: Disc, round_off: float = _ROUND_OFF) -> BoolArray:
    """Return which ``points``, ``(n, 2)``, are on the circle of ``disc`` within ``round_off`` R."""
    distances = np.linalg.norm(points - disc.center, axis=1)
    return np.asarray(np.abs(distances - disc.radius) < round_off * disc.radius)


def rings(film: Film) -> list[shapely.LinearRing]:
    """Return all edges of the film, directed so that the film is on their left."""
    if not film.bounded:
        outlines = [opening.outline for opening in film.openings]
        oriented = map(shapely.orient_polygons, outlines)  # counterclockwise
        return [shapely.get_exterior_ring(outline).reverse() for outline in oriented]
    return _rings(film.outline())


def _rings(outline: Outline) -> list[shapely.LinearRing]:
    """Return the edges of polygons, directed so that the polygons are on their left."""
    # Outer rings become counterclockwise, inner rings clockwise.
    parts = [shapely.orient_polygons(part) for part in shapely.get_parts(outline)]
    return [ring for part in parts for ring in (part.exterior, *part.interiors)]


def _simplified(line: shapely.LinearRing) -> Array:
    """Return the corners of the ring without small details.

    Coordinates are rounded first: otherwise round-off would choose between equal possibilities.
    """
    ring = np.asarray(shapely.get_coordinates(line))[:-1]
    low, high = ring.min(axis=0), ring.max(axis=0)
    center, size = (low + high) / 2, float((high - low).max())
    scaled = np.round((ring - center) / size, 9)
    simple = shapely.simplify(shapely.LinearRing(scaled), _DETAIL)
    return np.asarray(center + size * shapely.get_coordinates(simple)[:-1])


def _sides(ring: Array) -> Array:
    """Return start and end of each side, shape ``(n, 2, 2)``."""
    return np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)


def _measured(ring: Array, sides: Sides, allowed: float) -> EdgeSizes:
    """Return sizes at points along the ring, from the widths of film and hole there."""
    # The points divide each side evenly; longer sides have more of them.
    starts, ends = _sides(ring).transpose(1, 0, 2)
    lengths = np.linalg.norm(ends - starts, axis=1)
    counts = np.ceil(_SAMPLES * lengths / lengths.sum()).astype(int)
    owner = np.repeat(np.arange(len(ring)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    fraction = (np.arange(len(owner)) - first + 0.5) / counts[owner]
    tangents = (ends - starts)[owner] / lengths[owner, None]
    points = starts[owner] + fraction[:, None] * (ends - starts)[owner]
    normals = np.column_stack([-tangents[:, 1], tangents[:, 0]])
    farthest = allowed / _PER_WIDTH  # beyond it a width does not count
    widths = np.minimum(
        sides.hits(points, normals, farthest), sides.hits(points, -normals, farthest)
    )
    return EdgeSizes(points, np.minimum(_PER_WIDTH * widths, allowed))


class _Along(NamedTuple):
    """Sizes ``(n,)`` at lengths ``(n,)`` along a ring, in ascending order."""

    lengths: Array
    sizes: Array


def _located(edge: _Edge) -> _Along:
    """Return the sizes that were measured at a few points of an edge."""
    lengths = lengths_at(edge.ring, edge.measured.points)
    order = np.argsort(lengths)
    return _Along(lengths[order], edge.measured.sizes[order])


def _interpolated(ring: shapely.LinearRing, along: _Along) -> tuple[Array, Array]:
    """Return positions at small equal steps along a ring, and the sizes there."""
    count = len(along.lengths)
    steps = min(_STEPS * count, max(_ENOUGH_STEPS, 2 * count))
    fine = np.linspace(0.0, ring.length, steps + 1)
    return fine, np.interp(fine, *along, period=ring.length)


def points_at(ring: shapely.LinearRing, lengths: Array) -> Array:
    """Return the points, ``(n, 2)``, at ``lengths`` ``(n,)`` along ``ring``.

    As ``shapely.line_interpolate_point``, which needs a time of n times the number of corners.
    """
    corners, starts = _measured_corners(ring)
    x, y = (np.interp(lengths, starts, axis) for axis in corners.T)
    return np.column_stack([x, y])


def lengths_at(ring: shapely.LinearRing, points: Array) -> Array:
    """Return the lengths along ``ring``, ``(n,)``, at which it is nearest to ``points`` ``(n, 2)``.

    As ``shapely.line_locate_point``, which needs a time of n times the number of corners.
    """
    corners, starts = _measured_corners(ring)
    sides = shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1))
    places = shapely.points(points)
    nearest = shapely.STRtree(sides).nearest(places)
    return np.asarray(starts[nearest] + shapely.line_locate_point(sides[nearest], places))


def _measured_corners(ring: shapely.LinearRing) -> tuple[Array, Array]:
    """Return the corners of a ring, the first also at the end, and their lengths along it."""
    corners = np.asarray(shapely.get_coordinates(ring))
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    return corners, np.append(0.0, np.cumsum(steps))


def spaced(at: Array, sizes: Array, fewest: int = 0) -> Array:
    """Return positions on a line, from ``at[0]`` to before ``at[-1]``, as far apart as the sizes.

    Args:
        at: Positions on the line in ascending order, ``(n + 1,)``.
        sizes: The sizes between them, ``(n,)``.
        fewest: Smallest number of positions.

    Raises:
        StudyError: There are more than ``MOST_POSITIONS``.
    """
    # The number of cells up to each position; the results lie at equal steps of it.
    counts = np.append(0.0, np.cumsum(np.diff(at) / sizes))
    if not counts[-1] <= MOST_POSITIONS:
        raise StudyError(
            f"film: an edge of length {at[-1] - at[0]:.4g} needs about {counts[-1]:.2g} cells "
            f"along it, the smallest of length {sizes.min():.2g}; {_ALLOWED}"
        )
    number = max(math.ceil(counts[-1]), fewest)
    return np.asarray(np.interp(np.arange(number) / number * counts[-1], counts, at))


def _corners(ring: Array, samples: Array, sizes: Array) -> EdgeSizes:
    """Return corners that point into the film, with sizes from those at the nearest ``samples``."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns = np.arctan2(cross, np.sum(before * after, axis=1))
    points = ring[turns < -_SHARP]
    distances = np.linalg.norm(points[:, None] - samples, axis=2)
    nearest = distances.min(axis=1, keepdims=True)
    # If several are equally near, take the smallest size: otherwise round-off would choose.
    beside = np.where(distances < (1 + 1e-6) * nearest, sizes, np.inf).min(axis=1)
    return EdgeSizes(points, _AT_CORNER * beside)
