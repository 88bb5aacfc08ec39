"""The closed curves of a DXF layer: blocks resolved, arcs flattened, single lines joined to rings.

A flattened curve is a polygon with its corners on the curve. It deviates from the curve by at most
``FLATTENING`` times the size of the layer, an arc also by at most 1e-3 of its radius, so that small
holes stay round.
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
_ARC_DEVIATION = 1e-3  # of the radius, at most
_ELLIPSE_SEGMENTS = 64  # at least
_MOST_ENTITIES = 200_000  # after all blocks are resolved

_CURVES = ("LINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "LWPOLYLINE", "POLYLINE", "HATCH")
_ANNOTATION = {"TEXT", "MTEXT", "ATTDEF", "ATTRIB", "DIMENSION", "LEADER", "MULTILEADER", "POINT"}
_IGNORED = {*_ANNOTATION, "INSERT"}  # the entities of an inserted block are listed as well


def entities_of_layers(document: Any, name: str) -> dict[str, list[Any]]:
    """Return the entities on each layer, with inserted blocks and without annotations.

    An entity of a block that is on layer 0 goes to the layer of the insertion.

    Args:
        document: An ``ezdxf`` drawing.
        name: Name of the file for messages.

    Raises:
        StudyError: There are too many entities, or one cannot be inserted.
    """
    layers: dict[str, list[Any]] = {}
    for number, (layer, entity) in enumerate(_exploded(document.modelspace(), "0", name)):
        if number >= _MOST_ENTITIES:
            raise StudyError(
                f"{name}: too many entities; allowed: {_MOST_ENTITIES}, those of inserted blocks "
                "included"
            )
        if entity.dxftype() not in _IGNORED:
            layers.setdefault(layer, []).append(entity)
    return layers


def closed_curves(entities: Sequence[Any], name: str) -> tuple[list[Any], float]:
    """Return the corners of all closed curves, each of shape ``(n, 2)``, and their deviation.

    Both are in the unit of the file.

    Args:
        entities: All entities of a layer (``ezdxf``).
        name: Name of the layer for messages.

    Raises:
        StudyError: An entity is not a curve, or not in a plane z = const; lines do not form closed
            curves, or more than two of them meet in a point.
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
                f"{name}: a curve reaches from z = {piece[:, 2].min():g} to {piece[:, 2].max():g}; "
                "allowed: curves in a plane z = const"
            )
    return _strung([piece[:, :2] for piece in pieces], REACH * size, name), FLATTENING * size


def _not_allowed(kind: str, name: str) -> StudyError:
    return StudyError(f"{name}: {kind} is not a curve in a plane; allowed: {', '.join(_CURVES)}")


def _exploded(entities: Iterable[Any], layer: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each entity with its layer, also those in blocks inserted on ``layer``."""

    def refuse(entity: Any, reason: str) -> None:
        raise StudyError(f"{name}: {entity.dxftype()} in a block cannot be inserted: {reason}")

    for entity in entities:
        entity_layer = layer if entity.dxf.layer == "0" else entity.dxf.layer
        yield entity_layer, entity
        if entity.dxftype() == "INSERT":
            if entity.mcount > _MOST_ENTITIES:
                raise StudyError(
                    f"{name}: a block is inserted {entity.mcount} times; allowed: {_MOST_ENTITIES}"
                )
            for insert in entity.multi_insert() if entity.mcount > 1 else (entity,):
                inserted = insert.virtual_entities(skipped_entity_callback=refuse)
                yield from _exploded(inserted, entity_layer, name)


def _flat(entities: Sequence[Any], sagitta: float, name: str) -> list[Any]:
    """Return the points of all curves, each of shape ``(n, 3)``; closed ones end where they start.

    Arcs deviate by at most ``sagitta`` [unit of the file]; if this is infinite, they are only
    roughly right.
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
        yield entity.flattening(min(sagitta, _ARC_DEVIATION * abs(dxf.radius)))
    elif kind == "ELLIPSE":
        yield entity.flattening(sagitta, _ELLIPSE_SEGMENTS)
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
    """Return all rings, without a last point: closed pieces, and those that open pieces form."""
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
            "; allowed: closed curves"
        )
    return follow
