"""The areas and closed curves of a DXF layer: arcs flattened, single lines joined to rings.

A flattened curve is a polygon with its corners on the curve. It deviates from the curve by at most
``FLATTENING`` times the size of the layer, an arc also by at most 1e-3 of its radius, so that small
holes stay round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import LARGEST, coordinates

FLATTENING = 1e-5  # of the size of the layer
REACH = 1e-6  # of the size of the layer: ends of lines nearer than this meet
_ARC_DEVIATION = 1e-3  # of the radius, at most
_ELLIPSE_SEGMENTS = 64  # at least
_POINT = 1e-9  # of the size of the layer: curves smaller than this are points

_FILLED = ("HATCH", "SOLID", "TRACE")
_CURVES = ("LINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "LWPOLYLINE", "POLYLINE")


class Layer(NamedTuple):
    """What is drawn on a layer; rings have the shape ``(n, 2)``, all in the unit of the file.

    ``curves`` are the rings of all closed curves. ``fills`` has the rings of each filled entity.
    All deviate from what is drawn by at most ``deviation``. ``warnings`` say what was left out.
    """

    curves: list[Any]
    fills: list[list[Any]]
    deviation: float
    warnings: list[str]


def flat_layer(entities: Sequence[Any], name: str, gap: float | None = None) -> Layer:
    """Return what is drawn on a layer.

    Args:
        entities: All entities of a layer (``ezdxf``).
        name: Name of the layer for messages.
        gap: Ends of lines that are nearer than this meet [unit of the file]; None for ``REACH``
            times the size of the layer.

    Raises:
        StudyError: An entity is not a curve, or not in a plane z = const; lines do not form closed
            curves, or more than two of them meet in a point.
    """
    for entity in entities:
        if entity.dxftype() not in _CURVES + _FILLED:
            raise _not_allowed(entity.dxftype(), name)
    rough = [
        piece for each in entities for group in _groups(each, math.inf, name) for piece in group
    ]
    corners = np.concatenate([*rough, np.empty((0, 3))])
    size = float(np.ptp(corners, axis=0)[:2].max()) if len(corners) else 0.0
    lines, fills, lost = [], [], []
    for entity in entities:
        groups = _groups(entity, FLATTENING * size, name)
        _check_flat([piece for group in groups for piece in group], REACH * size, name)
        parts = [[p[:, :2] for p in group if _extent(p) > _POINT * size] for group in groups]
        if not any(parts):
            lost.append(f"a {entity.dxftype()}" + _place(groups))
        elif entity.dxftype() in _FILLED:
            fills.append([ring for part in parts for ring in _strung(part, REACH * size, name)])
        else:
            lines += parts[0]
    reach = REACH * size if gap is None else gap
    others = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    warnings = [f"{name}: {each} has no length; it is left out{others}" for each in lost[:1]]
    return Layer(_strung(lines, reach, name), fills, FLATTENING * size, warnings)


def _not_allowed(kind: str, name: str) -> StudyError:
    listed = ", ".join(_CURVES + _FILLED)
    return StudyError(f"{name}: {kind} is not a curve in a plane; allowed: {listed}")


def _check_flat(pieces: Sequence[Any], tolerance: float, name: str) -> None:
    for piece in pieces:
        if not np.all(np.abs(piece) < LARGEST):
            raise StudyError(f"{name}: a coordinate is not finite; allowed: below {LARGEST:g}")
        if len(piece) and np.ptp(piece[:, 2]) > tolerance:
            raise StudyError(
                f"{name}: a curve reaches from z = {piece[:, 2].min():g} to {piece[:, 2].max():g}; "
                "allowed: curves in a plane z = const"
            )


def _extent(piece: Any) -> float:
    return float(np.ptp(piece[:, :2], axis=0).max()) if len(piece) else 0.0


def _place(groups: Sequence[Sequence[Any]]) -> str:
    """Return where an entity is, for messages."""
    points = np.concatenate([*(piece for group in groups for piece in group), np.empty((0, 3))])
    return f" at {coordinates(points[0])}" if len(points) else ""


def _groups(entity: Any, sagitta: float, name: str) -> list[list[Any]]:
    """Return the pieces of an entity, each of shape ``(n, 3)``; closed ones end where they start.

    The pieces of each boundary of a hatch are a group; other entities have one group. Arcs deviate
    by at most ``sagitta`` [unit of the file]; if this is infinite, they are only roughly right.
    """
    if entity.dxftype() != "HATCH":
        return [[_array(piece) for piece in _pieces(entity, sagitta, name)]]
    paths = entity.paths.rendering_paths(entity.dxf.hatch_style)
    height = entity.dxf.elevation.z
    return [
        [_array(_in_world(entity, piece, height)) for piece in _hatch_pieces(path, sagitta)]
        for path in paths
    ]


def _array(points: Iterable[Any]) -> Any:
    """Return points as an array of shape ``(n, 3)``."""
    return np.array([tuple(point) for point in points], dtype=float).reshape(-1, 3)


def _pieces(entity: Any, sagitta: float, name: str) -> Iterator[Iterable[Any]]:
    """Yield the points (x, y, z) of each curve of an entity."""
    kind, dxf = entity.dxftype(), entity.dxf
    if kind == "LINE":
        yield dxf.start, dxf.end
    elif kind in ("SOLID", "TRACE"):
        yield entity.wcs_vertices(close=True)
    elif kind in ("ARC", "CIRCLE"):
        if dxf.radius:
            yield entity.flattening(min(sagitta, _ARC_DEVIATION * abs(dxf.radius)))
    elif kind == "ELLIPSE":
        yield entity.flattening(sagitta, _ELLIPSE_SEGMENTS)
    elif kind == "SPLINE":
        yield _spline(entity.construction_tool(), sagitta)
    elif kind == "POLYLINE" and not entity.is_2d_polyline:
        if not entity.is_3d_polyline:
            raise _not_allowed("POLYLINE of a mesh", name)
        points = list(entity.points())
        yield points + points[:1] if entity.is_closed else points
    elif entity.has_width:
        raise StudyError(f"{name}: a {kind} has a width; allowed: outlines without a width")
    elif kind == "LWPOLYLINE":
        points = _bent(entity.get_points("xyb"), entity.closed, sagitta)
        yield _in_world(entity, points, dxf.elevation)
    else:
        # Flag 16 marks control points of a spline, which are not drawn.
        vertices = [v.dxf for v in entity.vertices if not v.dxf.flags & 16]
        bends = [(v.location.x, v.location.y, v.get("bulge", 0.0)) for v in vertices]
        points = _bent(bends, entity.is_closed, sagitta)
        yield _in_world(entity, points, dxf.elevation.z)


def _in_world(entity: Any, points: Iterable[Any], elevation: float) -> Any:
    """Return points (x, y) in the plane of the entity as points (x, y, z) of the drawing."""
    from ezdxf.math import Vec3

    return entity.ocs().points_to_wcs(Vec3(point[0], point[1], elevation) for point in points)


def _hatch_pieces(path: Any, sagitta: float) -> Iterator[Iterable[Any]]:
    """Yield the points of a hatch's boundary, in the plane of the hatch."""
    if hasattr(path, "vertices"):
        yield _bent(path.vertices, True, sagitta)
        return
    for edge in path.edges:
        if edge.EDGE_TYPE == "LineEdge":
            yield edge.start, edge.end
        elif edge.EDGE_TYPE == "ArcEdge":
            yield edge.construction_tool().flattening(min(sagitta, _ARC_DEVIATION * edge.radius))
        elif edge.EDGE_TYPE == "EllipseEdge":
            yield edge.construction_tool().flattening(sagitta, _ELLIPSE_SEGMENTS)
        else:
            yield _spline(edge.construction_tool(), sagitta)


def _spline(curve: Any, sagitta: float) -> Any:
    """Return points of a B-spline, over the range of knots in which the curve is defined."""
    knots = np.array(curve.knots())[curve.order - 1 : 1 - curve.order]
    points = [_array(curve.points(knots[:1]))]
    for start, end in pairwise(np.unique(knots)):
        # Halve the steps until every second point is close to the chord between its neighbours.
        for steps in 2 ** np.arange(3, 13):
            inner = _array(curve.points(np.linspace(start, end, steps + 1)))
            if np.abs((inner[:-1:2] + inner[2::2]) / 2 - inner[1::2]).max() <= sagitta:
                break
        points.append(inner[2::2])
    return np.concatenate(points)


def _bent(bends: Sequence[Any], is_closed: bool, sagitta: float) -> list[Any]:
    """Return the points of a polyline with arcs, given as (x, y, bulge).

    The bulge belongs to the side that starts at (x, y): the tangent of a quarter of the arc's
    angle, or 0 for a straight side.
    """
    from ezdxf.math import ConstructionArc, bulge_to_arc

    points = [bend[:2] for bend in bends[:1]]
    following = [*bends[1:], *bends[:1]] if is_closed else bends[1:]
    for (*start, bulge), (*end, _) in zip(bends, following, strict=False):
        if bulge and start != end:
            center, first, last, radius = bulge_to_arc(start, end, bulge)
            arc = ConstructionArc(center, radius, np.degrees(first), np.degrees(last))
            inner = list(arc.flattening(min(sagitta, _ARC_DEVIATION * radius)))[1:-1]
            points += inner if bulge > 0 else inner[::-1]
        points.append(end)
    return points


def _strung(pieces: Sequence[Any], reach: float, name: str) -> list[Any]:
    """Return all rings, without a last point: closed pieces, and those that open pieces form.

    A piece that is there twice counts once, and one that is smaller than ``reach`` is a gap.
    """
    rings: list[Any] = []
    lines: dict[bytes, Any] = {}
    for piece in pieces:
        extent, opening = _extent(piece), np.hypot(*(piece[-1] - piece[0]))
        if opening <= min(reach, extent / 2):
            rings += [piece[:-1]] if len(piece) > 2 else []
        elif extent > reach:
            lines.setdefault(min(piece.tobytes(), piece[::-1].tobytes()), piece)
    return rings + _rings_of(list(lines.values()), reach, name)


def _rings_of(lines: Sequence[Any], reach: float, name: str) -> list[Any]:
    rings = []
    follow = _follower(lines, reach, name)
    left = set(range(len(lines)))
    while left:
        ring = []
        for end in follow(2 * min(left)):
            line = lines[end // 2]
            ring.append(line[:-1] if end % 2 == 0 else line[:0:-1])  # backwards from its end
            left.discard(end // 2)
        rings.append(np.concatenate(ring))
    return rings


def _follower(lines: Sequence[Any], reach: float, name: str) -> Callable[[int], Iterator[int]]:
    """Return a function that walks around a ring of lines and yields the end where it enters each.

    Ends have numbers: line n starts at end 2n and stops at end 2n + 1, so ``end ^ 1`` is the other
    end of the same line.

    Raises:
        StudyError: An end meets no other end, or more than one.
    """
    ends = np.array([(line[0], line[-1]) for line in lines]).reshape(-1, 2)
    points = shapely.points(ends)
    pairs = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach).T
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    for end in np.flatnonzero(np.bincount(pairs[:, 0]) > 1)[:1]:
        raise StudyError(
            f"{name}: more than two lines meet at {coordinates(ends[end])}; "
            "allowed: closed curves that do not share points"
        )
    partner = dict(pairs.tolist())

    def follow(first: int) -> Iterator[int]:
        end: int | None = first
        while end is not None:
            yield end
            end = partner.get(end ^ 1)
            if end == first:
                return

    for end in sorted(set(range(len(ends))) - set(partner))[:1]:
        *_, last = follow(end)
        raise StudyError(
            f"{name}: an open curve from {coordinates(ends[end])} to {coordinates(ends[last ^ 1])}"
            "; allowed: closed curves (the key `tolerance` of the study closes gaps)"
        )
    return follow
