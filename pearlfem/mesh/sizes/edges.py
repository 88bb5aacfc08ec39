"""How small cells have to be along the edges of a film and of its regions.

From the edge the current rises over the Pearl length, or over a part of the film's width if that is
less; at corners that point into the film it is singular. The edge of a region is like one of the
film, for those with the larger Pearl length hardly screen beside the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from pearlfem.geometry.shapes import Disc, Outline
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, BoolArray

_PER_RADIUS = 0.007  # sides of a round outer edge, at most this part of its radius …
PER_RADIUS_OF_HOLE = 0.02  # … and of a hole's or a region's (polygon for circle)
_PER_RADIUS_OF_SAME_AREA = 0.02  # … and of any where the polygon has the circle's area
_PER_WIDTH = 0.03  # size at an edge, at most this part of the width of the film, or of the hole …
_PER_PEARL_LENGTH = 0.2  # … and of r0
_PER_PEARL_LENGTH_OF_POINTS = 0.1  # … with point impurities, of whose energies edges make all
_AT_CORNER = 0.05  # the same at a corner into the film, in units of that at the edge
_SHARP = math.radians(20)  # by which the edge turns there, at least
_PER_SIDE = 2.0  # size at a corner in units of the shorter side: more means twice the iterations
_DETAIL = 1e-3  # of a ring's size: what is smaller does not count for widths
_ROUND_OFF = 1e-8
_SAMPLES = 60  # along a ring, at which widths are measured


class EdgeSizes(NamedTuple):
    """Points all along the edges, ``(n, 2)``, and the edge lengths of cells there, ``(n,)``."""

    points: Array
    sizes: Array


def edge_sizes(film: Film, *, same_area: bool = False) -> EdgeSizes:
    """Return how small cells have to be along all edges of ``film``, holes and regions [length].

    Args:
        film: The film.
        same_area: Whether polygons for circles have their area (see ``pearlfem.mesh.plane``), as
            they have with point impurities.
    """
    allowed = _PER_PEARL_LENGTH_OF_POINTS if same_area else _PER_PEARL_LENGTH
    allowed *= film.least_pearl_length
    edges = rings(film)
    sides = _all_sides(edges)
    found = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    for ring in edges:
        simple = _simplified(ring)
        measured = _measured(simple, sides, allowed)
        part = _PER_RADIUS if shapely.is_ccw(ring) else PER_RADIUS_OF_HOLE
        if same_area:
            part = _PER_RADIUS_OF_SAME_AREA
        found += [_along(ring, measured, part, film), _corners(simple, *measured)]
    for region in film.regions:
        inner = _rings(region.shape.outline())
        others = np.concatenate([sides, _all_sides(inner)])
        for ring in inner:
            simple = _simplified(ring)
            measured = _measured(simple, others, allowed)
            found.append(_along(ring, measured, PER_RADIUS_OF_HOLE, film))
            # Corners to either side count.
            found += [_corners(simple, *measured), _corners(simple[::-1], *measured)]
    points, sizes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return EdgeSizes(points, sizes)


def corner_sizes(film: Film) -> EdgeSizes:
    """Return how small cells have to be at corners of straight edges so as not to be flat [length].

    At any resolution: a drawing may be finer than accuracy asks for.
    """
    found = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    outlines = [ring for region in film.regions for ring in _rings(region.shape.outline())]
    for ring in rings(film) + outlines:
        corners = np.asarray(shapely.get_coordinates(ring))[:-1]
        after = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
        straight = np.ones(len(corners), dtype=bool)
        for disc in film.discs:
            straight &= ~on_circle(corners, disc)
        sizes = _PER_SIDE * np.minimum(after, np.roll(after, 1))
        found.append(EdgeSizes(corners[straight], sizes[straight]))
    points, sizes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return EdgeSizes(points, sizes)


def _along(ring: shapely.LinearRing, measured: EdgeSizes, part: float, film: Film) -> EdgeSizes:
    """Return sizes all along ``ring``; where it is round, at most a ``part`` of the radius."""
    corners = np.asarray(shapely.get_coordinates(ring))[:-1]
    along = measured
    for _ in range(2):  # as far apart as the sizes on round edges, too
        along = _rounded(_filled(corners, *along), film.discs, part)
    return along


def _all_sides(edges: Sequence[shapely.LinearRing]) -> Array:
    """Return start and end of each side of all rings without details, shape ``(n, 2, 2)``."""
    return np.concatenate([np.empty((0, 2, 2)), *(_sides(_simplified(ring)) for ring in edges)])


def _rounded(edge: EdgeSizes, discs: Sequence[Disc], part: float) -> EdgeSizes:
    """Return sizes that are at most a ``part`` of the radius on round edges."""
    sizes = edge.sizes.copy()
    for disc in discs:
        here = on_circle(edge.points, disc, 1e-5)  # the outline is a polygon itself
        sizes[here] = np.minimum(sizes[here], part * disc.radius)
    return EdgeSizes(edge.points, sizes)


def on_circle(points: Array, disc: Disc, round_off: float = _ROUND_OFF) -> BoolArray:
    """Return which ``points``, ``(n, 2)``, are on the circle of ``disc`` up to ``round_off`` R."""
    distances = np.linalg.norm(points - disc.center, axis=1)
    return np.asarray(np.abs(distances - disc.radius) < round_off * disc.radius)


def rings(film: Film) -> list[shapely.LinearRing]:
    """Return all edges, so that the film lies to the left."""
    if not film.bounded:
        outlines = [opening.outline for opening in film.openings]
        return [shapely.get_exterior_ring(outline).reverse() for outline in map(_upright, outlines)]
    return _rings(film.outline())


def _rings(outline: Outline) -> list[shapely.LinearRing]:
    """Return the edges of polygons, so that these lie to the left."""
    parts = [_upright(part) for part in shapely.get_parts(outline)]
    return [ring for part in parts for ring in (part.exterior, *part.interiors)]


def _upright(polygon: shapely.Polygon) -> shapely.Polygon:
    return shapely.orient_polygons(polygon)  # counterclockwise outside, clockwise inside


def _simplified(line: shapely.LinearRing) -> Array:
    """Return the ring without details; rounded first, or round-off would choose among equals."""
    ring = np.asarray(shapely.get_coordinates(line))[:-1]
    low, high = ring.min(axis=0), ring.max(axis=0)
    center, size = (low + high) / 2, float((high - low).max())
    scaled = np.round((ring - center) / size, 9)
    simple = shapely.simplify(shapely.LinearRing(scaled), _DETAIL)
    return np.asarray(center + size * shapely.get_coordinates(simple)[:-1])


def _sides(ring: Array) -> Array:
    """Return start and end of each side, shape ``(n, 2, 2)``."""
    return np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)


def _measured(ring: Array, sides: Array, allowed: float) -> EdgeSizes:
    """Return sizes at some points of the ring, in the order of it, from the widths there."""
    starts, ends = _sides(ring).transpose(1, 0, 2)
    lengths = np.linalg.norm(ends - starts, axis=1)
    counts = np.ceil(_SAMPLES * lengths / lengths.sum()).astype(int)
    owner = np.repeat(np.arange(len(ring)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    part = (np.arange(len(owner)) - first + 0.5) / counts[owner]
    tangents = (ends - starts)[owner] / lengths[owner, None]
    points = starts[owner] + part[:, None] * (ends - starts)[owner]
    normals = np.column_stack([-tangents[:, 1], tangents[:, 0]])
    widths = np.minimum(_hits(points, normals, sides), _hits(points, -normals, sides))
    return EdgeSizes(points, np.minimum(_PER_WIDTH * widths, allowed))


def _hits(points: Array, directions: Array, sides: Array) -> Array:
    """Return how far each ray goes from a side to the next one, ``inf`` if for ever."""
    far = np.full(len(points), np.inf)
    along, across = sides[:, 1] - sides[:, 0], sides[:, 0]
    for k in range(0, len(points), 256):  # to bound the memory
        p, d = points[k : k + 256, None], directions[k : k + 256, None]
        determinant = d[..., 0] * along[:, 1] - d[..., 1] * along[:, 0]
        offset = across - p
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (offset[..., 0] * along[:, 1] - offset[..., 1] * along[:, 0]) / determinant
            u = (offset[..., 0] * d[..., 1] - offset[..., 1] * d[..., 0]) / determinant
        scale = np.linalg.norm(along, axis=1)
        # A ray through a corner hits, whatever round-off there is.
        hit = (u > -_ROUND_OFF) & (u < 1 + _ROUND_OFF) & (t > 1e-6 * scale)
        far[k : k + 256] = np.where(hit, t, np.inf).min(axis=1, initial=np.inf)
    return far


def _filled(ring: Array, places: Array, sizes: Array) -> EdgeSizes:
    """Return points all along the ring, about as far apart as the cells there are large."""
    line = shapely.LinearRing(ring)
    at = shapely.line_locate_point(line, shapely.points(places))
    order = np.argsort(at)
    at, sizes = at[order], sizes[order]
    # Sizes in between: those of the neighbours, but not beyond what grows along the edge.
    fine = np.linspace(0.0, line.length, 50 * len(at) + 1)
    size = np.interp(fine, at, sizes, period=line.length)
    stations = spaced(fine, size[1:])
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, stations))
    return EdgeSizes(points, np.interp(stations, at, sizes, period=line.length))


def spaced(at: Array, sizes: Array, fewest: int = 0) -> Array:
    """Return places on a line from ``at[0]`` to before ``at[-1]``, as far apart as sizes there.

    Args:
        at: Places on the line, ascending, ``(n + 1,)``.
        sizes: Sizes between them, ``(n,)``.
        fewest: Number of places at least.
    """
    counts = np.append(0.0, np.cumsum(np.diff(at) / sizes))
    number = max(math.ceil(counts[-1]), fewest)
    return np.asarray(np.interp(np.arange(number) / number * counts[-1], counts, at))


def _corners(ring: Array, places: Array, sizes: Array) -> EdgeSizes:
    """Return the corners where the film's interior angle is larger than a straight one."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns = np.arctan2(cross, np.sum(before * after, axis=1))
    points = ring[turns < -_SHARP]
    distances = np.linalg.norm(points[:, None] - places, axis=2)
    nearest = distances.min(axis=1, keepdims=True)
    # Of equals the finest, or round-off would choose among them.
    beside = np.where(distances < (1 + 1e-6) * nearest, sizes, np.inf).min(axis=1)
    return EdgeSizes(points, _AT_CORNER * beside)
