"""Paths of layouts: the area that a centre line of some width covers.

Layout programs agree on the outer side of a bend: the edges of both neighbours go on until they
meet, but by no more than half the width. So a bend of up to 90° has a pointed corner, a sharper one
is cut off, and a path that turns back ends half a width beyond the turn. The pieces are united, so
that also paths that cross or cover themselves are right; outlines that follow one side of the path
and return on the other are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely

_ROUND_SIDES = 128  # of a circle: its polygon has 4e-4 less area


class Ends(NamedTuple):
    """How a path ends: so far beyond its first and last point [length], or with half discs."""

    first: float = 0.0
    last: float = 0.0
    are_round: bool = False


def path_area(points: Any, width: float, ends: Ends) -> shapely.MultiPolygon:
    """Return the area that a path covers; empty without a width.

    Args:
        points: Its centre line [length], shape ``(n, 2)``. Where all points are the same it is a
            dot: a square, a disc, or nothing, as its ends are.
        width: Its width [length], not negative.
        ends: What it has at both ends.
    """
    line = np.asarray(points, dtype=float)
    changes = np.any(line[1:] != line[:-1], axis=1)
    line = line[np.append(True, changes)]
    along = np.diff(line, axis=0) if len(line) > 1 else np.array([(1.0, 0.0)])
    along /= np.hypot(*along.T)[:, None]
    if not ends.are_round:
        shifts = -ends.first * along[0], ends.last * along[-1]
        line = np.concatenate([[line[0] + shifts[0]], line[1:-1], [line[-1] + shifts[1]]])
    elif len(line) == 1:
        line = np.concatenate([line, line])
    pieces = [shapely.polygons(piece) for piece in _pieces(line, along, width / 2)]
    if ends.are_round:
        pieces += [_disc(line[k], along[k], width / 2) for k in (0, -1)]
    area = shapely.union_all(pieces)
    return shapely.MultiPolygon([p for p in shapely.get_parts(area).tolist() if p.area > 0])


def outlines_with_cuts(area: Any) -> list[Any]:
    """Return an outline for each polygon of an area, shape ``(n, 2)``.

    A cut of zero width joins each hole to the outside, as in formats that have no holes.
    """
    outlines = []
    for polygon in shapely.get_parts(shapely.orient_polygons(area)):
        outer, *holes = map(shapely.get_coordinates, shapely.get_rings(polygon))
        cuts = [ring for hole in holes for ring in (hole, outer[:1])]
        outlines.append(np.concatenate([outer, *cuts]))
    return outlines


def _pieces(line: Any, along: Any, half: float) -> Iterator[Any]:
    """Yield the corners of a rectangle for each piece of the line, and what fills each bend."""
    left = half * np.column_stack([-along[:, 1], along[:, 0]])
    for start, end, side in zip(line[:-1], line[1:], left, strict=True):
        yield np.array([start + side, start - side, end - side, end + side])
    cosines = np.sum(along[:-1] * along[1:], axis=1)
    sines = along[:-1, 0] * along[1:, 1] - along[:-1, 1] * along[1:, 0]
    for k in np.flatnonzero((sines != 0) | (cosines < 0)):
        outwards = -1 if sines[k] > 0 else 1  # away from the side to which the path turns
        point, before, after = line[k + 1], outwards * left[k], outwards * left[k + 1]
        # The tangent of half the angle of the turn: where both edges meet, in half widths.
        reach = half * (abs(sines[k]) / (1 + cosines[k]) if cosines[k] > 0 else 1.0)
        tips = [point + before + reach * along[k]]
        if cosines[k] < 0:
            tips.append(point + after - reach * along[k + 1])
        yield np.array([point, point + before, *tips, point + after])


def _disc(center: Any, along: Any, radius: float) -> Any:
    """Return a disc with a corner at each corner of the rectangle that it ends."""
    angles = np.arctan2(*along[::-1]) + np.linspace(0, 2 * np.pi, _ROUND_SIDES, endpoint=False)
    return shapely.Polygon(center + radius * np.column_stack([np.cos(angles), np.sin(angles)]))
