"""Outlines of films: checked polygons, and unions without slivers.

Lengths are compared with the size of a figure, the longer side of its bounding box: what is nearer
than ``TOLERANCE`` times it meets. A polygon repeats no corner, has an area, and its edges meet
nowhere but at the corners between neighbours, so a mesh of it has no hairline gaps or necks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError

TOLERANCE = 1e-9  # of the size
_STRAIGHT = 1e-14  # of the size: round-off, but no edge of a finely rounded circle
LARGEST = 1e100  # areas of larger coordinates overflow

Points = Sequence[Sequence[float]]


def checked_polygon(
    points: Points, holes: Sequence[Points] = (), name: str = "polygon"
) -> shapely.Polygon:
    """Return the polygon of an outline and its holes, counter-clockwise with clockwise holes.

    Repaired without a word: orientation, a last point equal to the first, consecutive points that
    are one within ``TOLERANCE`` of the size.

    Args:
        points: Corners of the outline in order [length], shape ``(n, 2)``.
        holes: Corners of each hole [length].
        name: What to call the polygon in messages.

    Raises:
        StudyError: Not finite numbers, fewer than three different points, no area, outlines that
            cross or touch themselves or each other, spikes, holes that are not inside.
    """
    names = [name, *(f"{name}, hole {number}" for number in range(1, len(holes) + 1))]
    given = [_numbers(ring, of) for ring, of in zip((points, *holes), names, strict=True)]
    tolerance = TOLERANCE * _size(given[0])
    rings = [without_repeats(ring, tolerance) for ring in given]
    for ring, of in zip(rings, names, strict=True):
        _check_area(ring, tolerance, of)
    if contact := _first_contact(rings, tolerance):
        one, other = (names[ring] for ring in contact.rings)
        if contact.is_spike:
            fault = f"turns back on itself (a spike) at {coordinates(contact.point)}"
        elif one == other:
            fault = f"crosses or touches itself at {coordinates(contact.point)}"
        else:
            fault = f"is crossed or touched by {other} at {coordinates(contact.point)}"
        raise StudyError(f"{one}: {fault}; allowed: edges that meet only their neighbours, at ends")
    polygon = shapely.Polygon(rings[0], rings[1:])
    if not polygon.is_valid:  # of what is left, only holes in the wrong place
        fault, _, place = shapely.is_valid_reason(polygon).rstrip("]").partition("[")
        raise StudyError(
            f"{name}: {fault.lower()} at ({place.replace(' ', ', ')}); "
            "allowed: holes inside the outline and side by side"
        )
    return shapely.orient_polygons(polygon)


def joined(
    polygons: Iterable[shapely.Polygon | shapely.MultiPolygon], name: str, tolerance: float = 0.0
) -> shapely.MultiPolygon:
    """Return the union of polygons: overlapping and abutting ones become one.

    Corners nearer than the tolerance become one corner, and one that is this near an edge of
    another polygon becomes a corner of that edge, so neighbours merge without gaps or slivers.
    Corners on a straight line (to round-off) are dropped.

    Args:
        polygons: Valid polygons, or several in one [length]; empty ones do not matter.
        name: What to call the union in messages.
        tolerance: How exact the coordinates are [length]; at least ``TOLERANCE`` of the size.

    Raises:
        StudyError: Nothing to join, or parts of the union, its holes included, that meet in
            single points: whether current could pass there is not clear.
    """
    given = shapely.get_parts(list(polygons))
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

    That is so fast, and needs nothing checked, for nothing new can meet. Corners on a straight line
    (to round-off) are dropped, and the result is normalised: it does not depend on where a drawing
    begins.

    Args:
        area: Polygons apart from each other.
        holes: Array of polygons, or of several in one each; may be empty.
    """
    removed = shapely.MultiPolygon(shapely.get_parts(holes).tolist())
    left: Any = shapely.difference(area, removed)
    parts = shapely.get_parts(left.simplify(_STRAIGHT * float(sizes(area)))).tolist()
    whole = shapely.orient_polygons(shapely.MultiPolygon(parts))
    return shapely.normalize(whole)


def nested(
    outlines: Sequence[shapely.Polygon], name: str, tolerance: float = 0.0
) -> shapely.MultiPolygon:
    """Return the area between outlines: one inside another is a hole, one inside that an island.

    An outline that is given twice counts once; abutting ones become one.

    Args:
        outlines: Valid polygons without holes [length].
        name: What to call the area in messages.
        tolerance: How far outlines that are meant to be the same may be apart [length]; at least
            ``TOLERANCE`` of the size.

    Raises:
        StudyError: No outlines, or two that cross: which part is a hole is not clear; parts that
            meet in single points.
    """
    order = sorted(outlines, key=lambda outline: -outline.area)
    tolerance = max(tolerance, TOLERANCE * _size(shapely.get_coordinates(order)))
    around: list[set[int]] = [set() for _ in order]  # of each outline, the larger ones around it
    twice = set()
    pairs = shapely.STRtree(order).query(order, predicate="intersects").T
    for large, small in pairs[pairs[:, 0] < pairs[:, 1]].tolist():
        one, other = order[large], order[small]
        common, slack = one.intersection(other).area, tolerance * other.length
        is_inside = common > other.area / 2
        if (other.area - common if is_inside else common) > slack:
            place = shapely.get_coordinates(one.exterior.intersection(other.exterior))[0]
            raise StudyError(
                f"{name}: outlines cross at {coordinates(place)}; "
                "allowed: outlines inside each other or side by side"
            )
        if not is_inside:
            continue
        if one.area - common <= slack:
            twice.add(small)
        around[small].add(large)
    areas, holes = [], defaultdict(list)
    for index in sorted(set(range(len(order))) - twice, reverse=True):  # what is inside comes first
        outer = around[index] - twice
        if len(outer) % 2:
            holes[max(outer)].append(order[index])
        else:
            areas.append(order[index].difference(shapely.union_all(holes[index])))
    return joined([part for area in areas for part in shapely.get_parts(area)], name)


def filled(points: Points) -> Any:
    """Return the area round which a closed curve goes, whatever it crosses or retraces.

    A place belongs to it if the curve's winding number there is not zero. So a loop of a path
    that crosses itself is filled where it overlaps, and a hole that is joined to the outside by a
    cut there and back is a hole.

    Args:
        points: Corners in order [length], shape ``(n, 2)``.
    """
    ring = np.asarray(points, dtype=float)
    if len(ring) < 3:
        return shapely.Polygon()
    polygon = shapely.Polygon(ring)
    if polygon.is_valid:
        return polygon
    lines = shapely.union_all([shapely.LineString([*ring, ring[0]])])  # with a node at crossings
    faces = shapely.get_parts(shapely.polygonize([lines]))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    return shapely.union_all(faces[_winding(ring, inside) != 0])


def without_repeats(ring: Any, tolerance: float) -> Any:
    """Return the corners of a closed ring without those within ``tolerance`` of the one before."""
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
    """Return the longer side of the bounding box of each geometry [length]."""
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(outlines), -1, 0)
    return np.maximum(x1 - x0, y1 - y0)


def coordinates(point: Any) -> str:
    """Return a point as ``(x, y)``, for messages."""
    return f"({point[0]:.12g}, {point[1]:.12g})"


def _size(points: Any) -> float:
    """Return the longer side of the bounding box of some points."""
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
        raise StudyError(f"{name}: not a list of points; allowed: (x, y) pairs of numbers")
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
            f"{name}: fewer than three different points ({listed}); allowed: at least three, "
            f"farther apart than {tolerance:.3g}"
        )
    if shapely.MultiPoint(ring).convex_hull.area <= tolerance * _size(ring):
        along = ring[:, np.ptp(ring, axis=0).argmax()]
        ends = ring[[along.argmin(), along.argmax()]]
        raise StudyError(
            f"{name}: no area, its points lie on the line from {coordinates(ends[0])} to "
            f"{coordinates(ends[1])}; allowed: points round an area"
        )


class _Contact(NamedTuple):
    """Where edges meet that should not, and of which two rings they are."""

    point: Any
    rings: tuple[int, int]
    is_spike: bool


def _first_contact(rings: Sequence[Any], tolerance: float) -> _Contact | None:
    """Return the first place where edges come nearer than ``tolerance`` that are no neighbours.

    Neighbours share a corner; they meet elsewhere if the end of one lies on the other: a spike.
    """
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
        place = shapely.get_coordinates(shapely.shortest_line(edges[i], edges[j]))[0]
        return _Contact(place, (ring[i], ring[j]), is_spike=False)
    return None


def _snapped(parts: Any, tolerance: float) -> list[Any]:
    """Return the polygons after moving near corners together and putting corners into edges."""
    rings, owner = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = _clustered(points, tolerance)
    edge = np.flatnonzero(ring[:-1] == ring[1:])
    start, along = points[edge], points[edge + 1] - points[edge]
    corners = np.unique(points, axis=0)
    lines = shapely.linestrings(np.stack([start, points[edge + 1]], axis=1))
    at, corner = shapely.STRtree(shapely.points(corners)).query(
        lines, predicate="dwithin", distance=tolerance
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # edges that are one point now
        place = np.sum((corners[corner] - start[at]) * along[at], axis=1) / np.sum(
            along[at] ** 2, axis=1
        )
    is_new = (place > 0) & (place < 1) & np.any(corners[corner] != points[edge + 1][at], axis=1)
    all_points = np.concatenate([start, corners[corner[is_new]]])
    all_edges = np.concatenate([np.arange(len(edge)), at[is_new]])
    order = np.lexsort((np.concatenate([np.zeros(len(edge)), place[is_new]]), all_edges))
    all_rings = ring[edge][all_edges][order]
    pieces = np.split(all_points[order], np.flatnonzero(np.diff(all_rings)) + 1)
    of_part = np.split(np.arange(len(pieces)), np.flatnonzero(np.diff(owner)) + 1)
    return [_area([pieces[index] for index in of]) for of in of_part]


def _clustered(points: Any, tolerance: float) -> Any:
    """Return the points, of all that are near each other the first (in x, then y)."""
    different, index = np.unique(points, axis=0, return_inverse=True)
    places = shapely.points(different)
    one, other = shapely.STRtree(places).query(places, predicate="dwithin", distance=tolerance)
    first = np.arange(len(different))
    while True:
        nearer = first.copy()
        np.minimum.at(nearer, one, first[other])
        if np.array_equal(nearer, first):
            return different[first[index.reshape(-1)]]
        first = nearer


def _area(rings: Sequence[Any]) -> Any:
    """Return what the first ring encloses and the others do not."""
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


def _winding(ring: Any, points: Any) -> Any:
    """Return how often a closed ring goes round each point, counter-clockwise.

    Counted are the edges that cross the ray from the point to the right, upwards or downwards.
    """
    end = np.roll(ring, -1, axis=0)
    edges = shapely.STRtree(shapely.linestrings(np.stack([ring, end], axis=1)))
    beyond = np.column_stack([np.full(len(points), ring[:, 0].max()), points[:, 1]])
    which, edge = edges.query(shapely.linestrings(np.stack([points, beyond], axis=1)))
    (x, y), (next_x, next_y) = (ring[edge] - points[which]).T, (end[edge] - points[which]).T
    side = x * next_y - next_x * y
    up = (y <= 0) & (next_y > 0) & (side > 0)
    down = (y > 0) & (next_y <= 0) & (side < 0)
    return np.bincount(which, up.astype(int) - down.astype(int), minlength=len(points))
