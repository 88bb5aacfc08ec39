"""What a closed curve winds around, also where it crosses or retraces itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely


def filled(points: Sequence[Sequence[float]]) -> Any:
    """Return the area that a closed curve winds around; it may cross or retrace itself.

    A point belongs to the area if the winding number of the curve around it is not zero. So a curve
    that overlaps itself is filled there, and a hole that a cut of zero width joins to the outside
    remains a hole.

    Args:
        points: Corners in order [length], shape ``(n, 2)``.
    """
    ring = np.asarray(points, dtype=float)
    if len(ring) < 3:
        return shapely.Polygon()
    polygon = shapely.Polygon(ring)
    if polygon.is_valid:
        return polygon
    faces, winding = faces_and_winding(ring)
    return shapely.union_all(faces[winding != 0])


def faces_and_winding(ring: Any) -> tuple[Any, Any]:
    """Return all faces between the edges of a closed curve, and its winding number around each."""
    lines = shapely.union_all([shapely.LineString([*ring, ring[0]])])  # splits lines at crossings
    faces = shapely.get_parts(shapely.polygonize([lines]))
    return faces, _winding(ring, _poles(faces))


def _poles(faces: Any) -> Any:
    """Return a point well inside each face, where it is wide.

    Any point of a face will not do: the two sides of a cut that was turned are not quite the same
    line, and so the face of a hole may have a needle that other edges cross.
    """
    # A disc of the radius area / perimeter fits into every polygon.
    radii = shapely.area(faces) / np.maximum(shapely.length(faces), np.finfo(float).tiny)
    circles = [
        shapely.maximum_inscribed_circle(face, tolerance=radius / 4)
        for face, radius in zip(faces, radii, strict=True)
    ]
    return shapely.get_coordinates(shapely.get_point(circles, 0)).reshape(-1, 2)


def _winding(ring: Any, points: Any) -> Any:
    """Return the winding number of a closed ring around each point, counter-clockwise.

    It is the number of edges that cross the ray from the point to the right upwards, minus the
    number of those that cross it downwards.
    """
    end = np.roll(ring, -1, axis=0)
    edges = shapely.STRtree(shapely.linestrings(np.stack([ring, end], axis=1)))
    beyond = np.column_stack([np.full(len(points), ring[:, 0].max()), points[:, 1]])
    point, edge = edges.query(shapely.linestrings(np.stack([points, beyond], axis=1)))
    (x, y), (next_x, next_y) = (ring[edge] - points[point]).T, (end[edge] - points[point]).T
    side = x * next_y - next_x * y
    up = (y <= 0) & (next_y > 0) & (side > 0)
    down = (y > 0) & (next_y <= 0) & (side < 0)
    return np.bincount(point, up.astype(int) - down.astype(int), minlength=len(points))
