"""Areas from outlines: nested outlines are edges of film and holes in turn; fills are film."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import TOLERANCE, coordinates, joined, sizes


def nested(
    outlines: Sequence[shapely.Polygon], name: str, tolerance: float = 0.0
) -> shapely.MultiPolygon:
    """Return the area between outlines: one inside another is a hole, one inside a hole an island.

    An outline that is given twice counts once. Areas that share an edge become one.

    Args:
        outlines: Valid polygons without holes [length].
        name: Name of the area for messages.
        tolerance: Distance within which two outlines count as equal [length]; at least
            ``TOLERANCE`` times the size counts.

    Raises:
        StudyError: There are no outlines; two of them cross, so that it is not clear which part is
            a hole; parts meet in single points.
    """
    if not outlines:
        return joined([], name)  # refused
    order = sorted(outlines, key=lambda outline: -outline.area)
    tolerance = max(tolerance, TOLERANCE * _size(order))
    around: list[set[int]] = [set() for _ in order]  # for each outline, the larger ones around it
    repeated = set()
    pairs = shapely.STRtree(order).query(order, predicate="intersects").T
    for large, small in pairs[pairs[:, 0] < pairs[:, 1]].tolist():
        one, other = order[large], order[small]
        # Outlines that run within the tolerance of each other may differ by a strip of this area.
        common, strip = one.intersection(other).area, tolerance * other.length
        is_inside = common > other.area / 2
        if (other.area - common if is_inside else common) > strip:
            point = shapely.get_coordinates(one.exterior.intersection(other.exterior))[0]
            raise StudyError(
                f"{name}: outlines cross at {coordinates(point)}; "
                "allowed: outlines inside each other or side by side"
            )
        if not is_inside:
            continue
        if one.area - common <= strip:
            repeated.add(small)
        around[small].add(large)
    areas, holes = [], defaultdict(list)
    # The smallest first, so that the holes of an area are known when it is its turn.
    for index in sorted(set(range(len(order))) - repeated, reverse=True):
        outer = around[index] - repeated
        if len(outer) % 2:  # inside an odd number of outlines: a hole of the smallest of them
            holes[max(outer)].append(order[index])
        else:
            areas.append(order[index].difference(shapely.union_all(holes[index])))
    return joined([part for area in areas for part in shapely.get_parts(area)], name)


def with_fills(
    area: shapely.MultiPolygon, fills: Sequence[Any], name: str, tolerance: float
) -> shapely.MultiPolygon:
    """Return the union of an area that curves enclose and of areas that are drawn as filled.

    A fill inside the area, or inside another fill, says again that there is film.

    Args:
        area: The area that curves enclose [length]; may be empty.
        fills: Filled areas [length], which may overlap.
        name: Name of the area for messages.
        tolerance: Distance within which two outlines count as equal [length].

    Raises:
        StudyError: A fill lies partly inside the area, so that it is not clear what is film; parts
            meet in single points.
    """
    parts = np.array([p for fill in fills for p in shapely.get_parts(fill)], dtype=object)
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    strips = tolerance * shapely.length(parts)
    common = shapely.area(shapely.intersection(parts, area))
    is_inside = shapely.area(parts) - common <= strips
    for index in np.flatnonzero(~is_inside & (common > strips))[:1]:
        point = shapely.point_on_surface(shapely.difference(parts[index], area))
        raise StudyError(
            f"{name}: a filled part crosses the edges that are drawn as curves; it covers "
            f"{coordinates(shapely.get_coordinates(point)[0])}, which these curves leave out; "
            "allowed: fills inside or outside of the curves"
        )
    large, small = shapely.STRtree(parts).query(parts, predicate="intersects")[::-1]
    is_pair = large < small
    large, small = large[is_pair], small[is_pair]
    covered = shapely.area(shapely.intersection(parts[large], parts[small]))
    repeated = small[shapely.area(parts[small]) - covered <= strips[small]]
    is_inside[repeated] = True
    return joined([*shapely.get_parts(area), *parts[~is_inside]], name)


def _size(outlines: Sequence[Any]) -> float:
    """Return the size of all outlines together."""
    return float(sizes(shapely.GeometryCollection(list(outlines)))) if outlines else 0.0
