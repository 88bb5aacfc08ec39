"""The closed curves of a DXF layer: blocks exploded, arcs flattened, single lines strung together.

Flattened curves keep their corners on the curve and leave it by at most ``FLATTENING`` of the size
of the layer; arcs also by at most 1e-3 of their radius, so that small holes stay round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import coordinates

FLATTENING = 1e-5  # of the size of the layer
REACH = 1e-6  # of the size of the layer: ends of lines nearer than this meet
_OF_RADIUS = 1e-3
_OF_ELLIPSE = 64  # segments of an ellipse at least
_MOST = 200_000  # entities, when blocks are exploded

_CURVES = ("LINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "LWPOLYLINE", "POLYLINE", "HATCH")
_ANNOTATION = {"TEXT", "MTEXT", "ATTDEF", "ATTRIB", "DIMENSION", "LEADER", "MULTILEADER", "POINT"}
_IGNORED = {*_ANNOTATION, "INSERT"}  # what an insertion puts in its place comes by itself


def entities_of_layers(document: Any, name: str) -> dict[str, list[Any]]:
    """Return what is drawn on each layer, inserted blocks in their places, without annotations.

    What is on layer 0 in a block is on the layer of its insertion.

    Args:
        document: An ``ezdxf`` drawing.
        name: What to call it in messages.

    Raises:
        StudyError: Too many entities, or one that cannot be placed.
    """
    layers: dict[str, list[Any]] = {}
    for number, (layer, entity) in enumerate(_exploded(document.modelspace(), "0", name)):
        if number >= _MOST:
            raise StudyError(f"{name}: too many entities; allowed: {_MOST} with blocks exploded")
        if entity.dxftype() not in _IGNORED:
            layers.setdefault(layer, []).append(entity)
    return layers


def closed_curves(entities: Sequence[Any], name: str) -> tuple[list[Any], float]:
    """Return the corners of all closed curves, each of shape ``(n, 2)``, and how exact they are.

    Both are in units of the file.

    Args:
        entities: All entities of a layer (``ezdxf``).
        name: What to call the layer in messages.

    Raises:
        StudyError: An entity that is not a curve, or not in a plane z = const; lines that do not
            close, or of which more than two meet in a point.
    """
    for entity in entities:
        if entity.dxftype() not in _CURVES:
            raise _not_allowed(entity.dxftype(), name)
    rough = [piece for piece in _flat(entities, math.inf, name) if len(piece)]
    size = float(np.ptp(np.concatenate(rough), axis=0)[:2].max()) if rough else 0.0
    pieces = _flat(entities, FLATTENING * size, name)
    for piece in pieces:
        if len(piece) and np.ptp(piece[:, 2]) > REACH * size:
            raise StudyError(
                f"{name}: a curve goes from z = {piece[:, 2].min():g} to {piece[:, 2].max():g}; "
                "allowed: curves in a plane z = const"
            )
    return _strung([piece[:, :2] for piece in pieces], REACH * size, name), FLATTENING * size


def _not_allowed(kind: str, name: str) -> StudyError:
    return StudyError(f"{name}: {kind} is not a curve in a plane; allowed: {', '.join(_CURVES)}")


def _exploded(entities: Iterable[Any], layer: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield what is drawn, with its layer; ``layer`` is that of the insertion."""

    def refuse(entity: Any, reason: str) -> None:
        raise StudyError(f"{name}: {entity.dxftype()} in a block cannot be placed: {reason}")

    for entity in entities:
        own = layer if entity.dxf.layer == "0" else entity.dxf.layer
        yield own, entity
        if entity.dxftype() == "INSERT":
            if entity.mcount > _MOST:
                raise StudyError(f"{name}: {entity.mcount} times a block; allowed: {_MOST}")
            for insert in entity.multi_insert() if entity.mcount > 1 else (entity,):
                inside = insert.virtual_entities(skipped_entity_callback=refuse)
                yield from _exploded(inside, own, name)


def _flat(entities: Sequence[Any], sagitta: float, name: str) -> list[Any]:
    """Return the points of all curves, each of shape ``(n, 3)``; closed ones end at the start.

    Arcs are at most ``sagitta`` [unit of the file] away; if this is infinite, roughly right.
    """
    pieces = [piece for entity in entities for piece in _pieces(entity, sagitta, name)]
    return [_array(piece) for piece in pieces]


def _array(points: Iterable[Any]) -> Any:
    """Return points as an array of shape ``(n, 3)``."""
    return np.array([tuple(point) for point in points], dtype=float).reshape(-1, 3)


def _pieces(entity: Any, sagitta: float, name: str) -> Iterator[Iterable[Any]]:
    """Yield the points (x, y, z) of each curve of an entity."""
    kind, dxf = entity.dxftype(), entity.dxf
    if kind == "LINE":
        yield dxf.start, dxf.end
    elif kind in ("ARC", "CIRCLE"):
        yield entity.flattening(min(sagitta, _OF_RADIUS * abs(dxf.radius)))
    elif kind == "ELLIPSE":
        yield entity.flattening(sagitta, _OF_ELLIPSE)
    elif kind == "SPLINE":
        yield _spline(entity.construction_tool(), sagitta)
    elif kind == "HATCH":
        for path in entity.paths.rendering_paths(dxf.hatch_style):
            for points in _hatch_pieces(path, sagitta):
                yield _in_world(entity, points, dxf.elevation.z)
    elif kind == "POLYLINE" and not entity.is_2d_polyline:
        if not entity.is_3d_polyline:
            raise _not_allowed("POLYLINE of a mesh", name)
        points = list(entity.points())
        yield points + points[:1] if entity.is_closed else points
    elif entity.has_width:
        raise StudyError(f"{name}: a {kind} has a width; allowed: outlines, which have none")
    elif kind == "LWPOLYLINE":
        points = _bent(entity.get_points("xyb"), entity.closed, sagitta)
        yield _in_world(entity, points, dxf.elevation)
    else:
        drawn = [v.dxf for v in entity.vertices if not v.dxf.flags & 16]  # 16: guides of a spline
        bends = [(v.location.x, v.location.y, v.get("bulge", 0.0)) for v in drawn]
        points = _bent(bends, entity.is_closed, sagitta)
        yield _in_world(entity, points, dxf.elevation.z)


def _in_world(entity: Any, points: Iterable[Any], elevation: float) -> Any:
    """Return points (x, y) of the entity's own plane as points (x, y, z) of the drawing."""
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
            yield edge.construction_tool().flattening(min(sagitta, _OF_RADIUS * edge.radius))
        elif edge.EDGE_TYPE == "EllipseEdge":
            yield edge.construction_tool().flattening(sagitta, _OF_ELLIPSE)
        else:
            yield _spline(edge.construction_tool(), sagitta)


def _spline(curve: Any, sagitta: float) -> Any:
    """Return points of a B-spline, over the knots between which all its functions are there."""
    knots = np.array(curve.knots())[curve.order - 1 : 1 - curve.order]
    points = [_array(curve.points(knots[:1]))]
    for start, end in pairwise(np.unique(knots)):
        for steps in 2 ** np.arange(3, 13):
            inner = _array(curve.points(np.linspace(start, end, steps + 1)))
            if np.abs((inner[:-1:2] + inner[2::2]) / 2 - inner[1::2]).max() <= sagitta:
                break
        points.append(inner[2::2])
    return np.concatenate(points)


def _bent(bends: Sequence[Any], is_closed: bool, sagitta: float) -> list[Any]:
    """Return the points of a polyline of (x, y, bulge), the tangent of a quarter of each angle."""
    from ezdxf.math import ConstructionArc, bulge_to_arc

    points = [bend[:2] for bend in bends[:1]]
    following = [*bends[1:], *bends[:1]] if is_closed else bends[1:]
    for (*start, bulge), (*end, _) in zip(bends, following, strict=False):
        if bulge and start != end:
            center, first, last, radius = bulge_to_arc(start, end, bulge)
            arc = ConstructionArc(center, radius, np.degrees(first), np.degrees(last))
            inner = list(arc.flattening(min(sagitta, _OF_RADIUS * radius)))[1:-1]
            points += inner if bulge > 0 else inner[::-1]
        points.append(end)
    return points


def _strung(pieces: Sequence[Any], reach: float, name: str) -> list[Any]:
    """Return the closed pieces, and the rings that the others form, without a last point."""
    rings, lines = [], []
    for piece in pieces:
        is_closed = len(piece) == 0 or np.hypot(*(piece[-1] - piece[0])) <= reach
        if not is_closed:
            lines.append(piece)
        elif len(piece) > 2:
            rings.append(piece[:-1])
    follow = _follower(lines, reach, name)
    left = set(range(len(lines)))
    while left:
        way = list(follow(2 * min(left)))
        rings.append(np.concatenate([lines[end // 2][:: 1 - end % 2 * 2][:-1] for end in way]))
        left -= {end // 2 for end in way}
    return rings


def _follower(lines: Sequence[Any], reach: float, name: str) -> Callable[[int], Iterator[int]]:
    """Return a function that yields the ends by which a way round enters lines, from a first one.

    The start of line n is end 2n, its other end 2n + 1.

    Raises:
        StudyError: An end that meets none, or more than one.
    """
    ends = np.array([(line[0], line[-1]) for line in lines]).reshape(-1, 2)
    points = shapely.points(ends)
    pairs = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach).T
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    for end in np.flatnonzero(np.bincount(pairs[:, 0]) > 1)[:1]:
        raise StudyError(
            f"{name}: more than two lines meet at {coordinates(ends[end])}; allowed: closed curves"
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
            "; allowed: closed curves"
        )
    return follow
