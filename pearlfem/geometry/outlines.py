"""Outlines of films: checked polygons, and unions without slivers.

Two things meet if they are nearer than ``TOLERANCE`` times the size, the longer side of the
bounding box. A checked polygon has no corner twice, has an area, and its edges meet only at the
corners between neighbours. So a mesh of it has no hairline gaps or necks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.winding import faces_and_winding, filled

TOLERANCE = 1e-9  # of the size
_STRAIGHT = 1e-14  # of the size: above round-off, below the bulge of a finely rounded circle
LARGEST = 1e100  # with larger coordinates, areas overflow

Points = Sequence[Sequence[float]]


def checked_polygon(
    points: Points, holes: Sequence[Points] = (), name: str = "polygon"
) -> shapely.Polygon:
    """Return the polygon of an outline and its holes, counter-clockwise with clockwise holes.

    Silently repaired are the orientation, a last point that equals the first, and successive points
    that meet. An outline that runs to a hole and back on the same line (a cut, as formats without
    holes need it) becomes a polygon with this hole.

    Args:
        points: Corners of the outline in order [length], shape ``(n, 2)``.
        holes: Corners of each hole [length].
        name: Name of the polygon for messages.

    Raises:
        StudyError: A number is not finite; there are fewer than three different points, or no area;
            an outline crosses or touches itself or another one, or has a spike; a hole is not
            inside.
    """
    names = [name, *(f"{name}, hole {number}" for number in range(1, len(holes) + 1))]
    given = [_numbers(ring, label) for ring, label in zip((points, *holes), names, strict=True)]
    tolerance = TOLERANCE * _size(given[0])
    rings = [without_repeats(ring, tolerance) for ring in given]
    for ring, label in zip(rings, names, strict=True):
        _check_area(ring, tolerance, label)
    if contact := _first_contact(rings, tolerance):
        if not holes and not contact.is_spike and (area := _without_cuts(rings[0], tolerance)):
            return area
        one, other = (names[ring] for ring in contact.rings)
        if contact.is_spike:
            fault = f"turns back on itself (a spike) at {coordinates(contact.point)}"
        elif one == other:
            fault = f"crosses or touches itself at {coordinates(contact.point)}"
        else:
            fault = f"is crossed or touched by {other} at {coordinates(contact.point)}"
        raise StudyError(
            f"{one}: {fault}; allowed: edges that meet only at the corners between neighbours"
        )
    polygon = shapely.Polygon(rings[0], rings[1:])
    if not polygon.is_valid:  # after the checks above, only holes can be in the wrong place
        fault, _, point = shapely.is_valid_reason(polygon).rstrip("]").partition("[")
        raise StudyError(
            f"{name}: {fault.lower()} at ({point.replace(' ', ', ')}); "
            "allowed: holes inside the outline, not inside each other"
        )
    return shapely.orient_polygons(polygon)


def joined(
    polygons: Iterable[shapely.Polygon | shapely.MultiPolygon], name: str, tolerance: float = 0.0
) -> shapely.MultiPolygon:
    """Return the union of polygons: those that overlap or share an edge become one.

    Corners that are nearer to each other than the tolerance become one corner. A corner this near
    to an edge of another polygon becomes a corner of this edge too. So neighbours merge without
    gaps or slivers. Corners on a straight line (up to round-off) are dropped.

    Args:
        polygons: Valid polygons or multi-polygons [length]; empty ones are skipped.
        name: Name of the union for messages.
        tolerance: Error of the coordinates [length]; at least ``TOLERANCE`` times the size counts.

    Raises:
        StudyError: There is nothing to join; or parts of the union or its holes meet in a single
            point, where it is not clear whether current can pass.
    """
    given = shapely.get_parts(np.array(list(polygons), dtype=object))
    parts = given[shapely.area(given) > 0]
    size = _size(shapely.get_coordinates(parts))
    tolerance = max(tolerance, TOLERANCE * size)
    union = shapely.union_all(_snapped(parts, tolerance)) if size else shapely.Polygon()
    whole = _cleaned(union.simplify(_STRAIGHT * size), tolerance)
    if not whole:
        raise StudyError(f"{name}: has no area; allowed: at least one polygon")
    rings = [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(whole)]
    if contact := _first_contact(rings, tolerance):
        raise StudyError(
            f"{name}: parts meet in a single point, or in a neck as thin as one, at "
            f"{coordinates(contact.point)}; allowed: parts that overlap, share an edge or are apart"
        )
    return shapely.orient_polygons(shapely.MultiPolygon(whole))


def without(area: Any, holes: Any) -> shapely.MultiPolygon:
    """Return ``area`` without ``holes``, which lie inside it and apart from each other.

    The result needs no checks, because no edges can meet that were apart; this makes it fast.
    Corners on a straight line (up to round-off) are dropped. The result is normalised: it does not
    depend on the corner at which an outline begins.

    Args:
        area: Polygons that are apart from each other.
        holes: Array of polygons or multi-polygons; may be empty.
    """
    removed = shapely.MultiPolygon(shapely.get_parts(holes).tolist())
    left: Any = shapely.difference(area, removed)
    parts = shapely.get_parts(left.simplify(_STRAIGHT * float(sizes(area)))).tolist()
    whole = shapely.orient_polygons(shapely.MultiPolygon(parts))
    return shapely.normalize(whole)


def without_repeats(ring: Any, tolerance: float) -> Any:
    """Return the corners of a ring without those within ``tolerance`` of the corner before."""
    if np.all(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T) > tolerance):
        return ring
    kept = list(ring[:1])
    for point in ring[1:]:
        if np.hypot(*(point - kept[-1])) > tolerance:
            kept.append(point)
    while len(kept) > 1 and np.hypot(*(kept[-1] - kept[0])) <= tolerance:
        kept.pop()
    return np.array(kept).reshape(-1, 2)


def sizes(outlines: Any) -> Any:
    """Return the size of each geometry, the longer side of its bounding box [length]."""
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(outlines), -1, 0)
    return np.maximum(x1 - x0, y1 - y0)


def coordinates(point: Any) -> str:
    """Return a point as ``(x, y)``, for messages."""
    return f"({point[0]:.12g}, {point[1]:.12g})"


def _size(points: Any) -> float:
    """Return the longer side of the bounding box of points."""
    return float(np.ptp(points, axis=0).max()) if len(points) else 0.0


def _numbers(points: Points, name: str) -> Any:
    """Return the points as an array of shape ``(n, 2)``."""
    try:
        array = np.asarray(points)
    except ValueError:  # of different lengths
        array = np.array(None)
    if array.size == 0:
        return np.empty((0, 2))
    if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] != 2:
        raise StudyError(
            f"{name}: not a list of points; allowed: a list of (x, y) pairs of numbers"
        )
    array = array.astype(float)
    for index in np.flatnonzero(~np.all(np.abs(array) < LARGEST, axis=1))[:1]:
        raise StudyError(
            f"{name}: point {index + 1} is {coordinates(array[index])}; "
            f"allowed: finite numbers below {LARGEST:g}"
        )
    return array


def _check_area(ring: Any, tolerance: float, name: str) -> None:
    different = len(np.unique(ring, axis=0))
    if different < 3:
        listed = ", ".join(coordinates(point) for point in ring[:different]) or "none"
        raise StudyError(
            f"{name}: fewer than three different points ({listed}); allowed: at least three "
            f"that are more than {tolerance:.3g} apart"
        )
    if shapely.MultiPoint(ring).convex_hull.area <= tolerance * _size(ring):
        along = ring[:, np.ptp(ring, axis=0).argmax()]
        ends = ring[[along.argmin(), along.argmax()]]
        raise StudyError(
            f"{name}: no area, all points lie on the line from {coordinates(ends[0])} to "
            f"{coordinates(ends[1])}; allowed: points around an area"
        )


class _Contact(NamedTuple):
    """A point where two edges meet that should not, and the numbers of their rings."""

    point: Any
    rings: tuple[int, int]
    is_spike: bool


def _first_contact(rings: Sequence[Any], tolerance: float) -> _Contact | None:
    """Return the first contact: two edges that meet and are not neighbours, or a spike.

    Neighbours share a corner. If one of them has its other end on the other edge, that is a spike.
    """
    # Arrays over the corners of all rings: edge k goes from corner k to the next one of its ring.
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    before, here, after = (
        np.concatenate([np.roll(r, shift, axis=0) for r in rings]) for shift in (1, 0, -1)
    )
    last = np.concatenate([np.arange(len(r)) == len(r) - 1 for r in rings])
    following = np.arange(len(here)) + 1 - np.where(last, np.bincount(ring)[ring], 0)
    edges = shapely.linestrings(np.stack([here, after], axis=1))
    back = shapely.linestrings(np.stack([before, here], axis=1))
    folded = np.minimum(
        shapely.distance(edges, shapely.points(before)),
        shapely.distance(back, shapely.points(after)),
    )
    for corner in np.flatnonzero(folded <= tolerance)[:1]:
        return _Contact(here[corner], (ring[corner], ring[corner]), is_spike=True)
    one, other = shapely.STRtree(edges).query(edges, predicate="dwithin", distance=tolerance)
    wrong = (one < other) & (following[one] != other) & (following[other] != one)
    for pair in np.flatnonzero(wrong)[:1]:
        i, j = one[pair], other[pair]
        point = shapely.get_coordinates(shapely.shortest_line(edges[i], edges[j]))[0]
        return _Contact(point, (ring[i], ring[j]), is_spike=False)
    return None


def _without_cuts(ring: Any, tolerance: float) -> shapely.Polygon | None:
    """Return the polygon of an outline with cuts; None if it crosses or touches itself otherwise.

    An outline that only follows itself winds once around its area, in one direction, and not around
    its holes. At a crossing, there would be three different winding numbers.
    """
    [[snapped]] = _snapped_rings(np.array([shapely.Polygon(ring)]), tolerance)
    faces, winding = faces_and_winding(snapped)
    if set(np.abs(winding)) - {0, 1} or {-1, 1} <= set(winding) or not np.any(winding):
        return None
    union = shapely.union_all(faces[winding != 0]).simplify(_STRAIGHT * _size(ring))
    parts = _cleaned(union, tolerance)
    if len(parts) != 1:
        return None
    rings = [shapely.get_coordinates(each)[:-1] for each in shapely.get_rings(parts[0])]
    return None if _first_contact(rings, tolerance) else shapely.orient_polygons(parts[0])


def _snapped(parts: Any, tolerance: float) -> list[Any]:
    """Return the polygons after near corners were merged and corners near an edge put into it."""
    return [_area(rings) for rings in _snapped_rings(parts, tolerance)]


def _snapped_rings(parts: Any, tolerance: float) -> list[list[Any]]:
    """Return the rings of polygons after near corners were merged and put into near edges."""
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = _clustered(points, tolerance)
    # Edge k goes from points[first[k]] to the next point of the same ring.
    first = np.flatnonzero(ring[:-1] == ring[1:])
    starts, ends = points[first], points[first + 1]
    corners = np.unique(points, axis=0)
    edge, near = shapely.STRtree(shapely.points(corners)).query(
        shapely.linestrings(np.stack([starts, ends], axis=1)),
        predicate="dwithin",
        distance=tolerance,
    )
    inserted, along = corners[near], (ends - starts)[edge]
    with np.errstate(divide="ignore", invalid="ignore"):  # an edge may have shrunk to a point
        # Where a corner projects onto the edge, from 0 at its start to 1 at its end.
        fraction = np.sum((inserted - starts[edge]) * along, axis=1) / np.sum(along**2, axis=1)
    is_new = (fraction > 0) & (fraction < 1) & np.any(inserted != ends[edge], axis=1)
    # All corners in order: each edge's start, then the corners put into it.
    all_points = np.concatenate([starts, inserted[is_new]])
    all_edges = np.concatenate([np.arange(len(first)), edge[is_new]])
    all_fractions = np.concatenate([np.zeros(len(first)), fraction[is_new]])
    order = np.lexsort((all_fractions, all_edges))
    all_rings = ring[first][all_edges][order]
    new_rings = np.split(all_points[order], np.flatnonzero(np.diff(all_rings)) + 1)
    rings_of_parts = np.split(np.arange(len(new_rings)), np.flatnonzero(np.diff(part)) + 1)
    return [[new_rings[number] for number in numbers] for numbers in rings_of_parts]


def _clustered(points: Any, tolerance: float) -> Any:
    """Replace each point by the first one (in x, then y) of its cluster of near points."""
    different, index = np.unique(points, axis=0, return_inverse=True)
    geometries = shapely.points(different)
    one, other = shapely.STRtree(geometries).query(
        geometries, predicate="dwithin", distance=tolerance
    )
    first = np.arange(len(different))
    while True:  # spread the lowest number through each cluster until nothing changes
        nearer = first.copy()
        np.minimum.at(nearer, one, first[other])
        if np.array_equal(nearer, first):
            return different[first[index.reshape(-1)]]
        first = nearer


def _area(rings: Sequence[Any]) -> Any:
    """Return the area that the first ring encloses and the others do not."""
    outline, *holes = (filled(ring) for ring in rings)
    return shapely.difference(outline, shapely.union_all(holes)) if holes else outline


def _cleaned(area: Any, tolerance: float) -> list[shapely.Polygon]:
    """Return the polygons of an area without corners, holes and parts below the tolerance."""
    polygons = []
    for part in shapely.get_parts(area):
        if part.is_empty:
            continue
        outline, *holes = (
            without_repeats(shapely.get_coordinates(ring)[:-1], tolerance)
            for ring in shapely.get_rings(part)
        )
        if len(outline) > 2:
            polygons.append(shapely.Polygon(outline, [hole for hole in holes if len(hole) > 2]))
    return polygons
