"""A shape with holes: what is left of it, and what it surrounds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import sizes, without
from pearlfem.geometry.shapes import BoundedShape, Outline, Plane, Rounding, Shape, evenly
from pearlfem.quantities.annotated import Point

Named = tuple[str, BoundedShape]
_Outlines = npt.NDArray[np.object_]  # geometries

TOUCHING = 1e-6  # of the size: edges nearer to each other than this are taken as touching
_KEPT = 8  # the points of a sweep have few films, and one may have millions of corners


class Opening:
    """A bounded part of the plane that the film surrounds: a hole."""

    def __init__(self, name: str, outline: shapely.Polygon) -> None:
        self.name, self.outline = name, outline

    @cached_property
    def pole(self) -> Point:
        """The point (x, y) inside that is farthest from the edge."""
        tolerance = 1e-3 * float(sizes(self.outline))
        line = shapely.maximum_inscribed_circle(self.outline, tolerance=tolerance)
        x, y = line.coords[0]
        return float(x), float(y)


class Perforated:
    """A shape without holes that lie inside it, apart from its edges and from each other.

    Args:
        shape: What there is.
        holes: Name and shape of each hole.
    """

    def __init__(self, shape: Shape, holes: tuple[Named, ...]) -> None:
        self._shape, self._holes = shape, holes

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies on what is left, and not on an edge of it."""
        if not self._shape.contains(point):
            return False
        place = shapely.Point(point)
        if any(self._holes[index][1].contains(point) for index in self._near_holes.query(place)):
            return False
        return not len(self._near_openings.query(place, predicate="intersects"))

    @cached_property
    def outline(self) -> shapely.MultiPolygon:
        """What is left of a bounded shape."""
        outline = self._left(evenly)
        shapely.prepare(outline)
        return outline

    def outline_of(self, rounding: Rounding) -> shapely.MultiPolygon:
        """Return what is left of a bounded shape, with round edges as ``rounding`` says."""
        return self.outline if rounding is evenly else self._left(rounding)

    def _left(self, rounding: Rounding) -> shapely.MultiPolygon:
        assert not isinstance(self._shape, Plane)
        return without(self._shape.outline(rounding), self._hole_outlines(rounding))

    @cached_property
    def openings(self) -> tuple[Opening, ...]:
        """All holes, those that the shape has itself as well."""
        if isinstance(self._shape, Plane):
            return self._alone(evenly)
        names = [name for name, _ in self._holes]
        free = (name for k in itertools.count(1) if (name := f"hole {k}") not in names)
        size = float(sizes(self.outline))
        found = sorted(_surrounded(self.outline), key=lambda hole: _order(hole, size))
        points = shapely.point_on_surface(self._hole_outlines(evenly))
        named, inside = shapely.STRtree(found).query(points, predicate="within")
        name_of = dict(zip(inside.tolist(), (names[k] for k in named), strict=True))
        return tuple(Opening(name_of.get(k) or next(free), o) for k, o in enumerate(found))

    def openings_of(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return all holes, with round edges as ``rounding`` says."""
        if rounding is evenly:
            return self.openings
        if isinstance(self._shape, Plane):
            return self._alone(rounding)
        found = _surrounded(self._left(rounding))
        poles = shapely.points(np.reshape([opening.pole for opening in self.openings], (-1, 2)))
        _, inside = shapely.STRtree(found).query(poles, predicate="within")
        pairs = zip(self.openings, inside, strict=True)
        return tuple(Opening(true.name, found[index]) for true, index in pairs)

    def _alone(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return the holes of the whole plane."""
        pairs = zip(self._holes, self._hole_outlines(rounding), strict=True)
        return tuple(Opening(name, *shapely.get_parts(outline)) for (name, _), outline in pairs)

    def _hole_outlines(self, rounding: Rounding) -> _Outlines:
        return _outlines(self._holes, rounding)

    @cached_property
    def _near_holes(self) -> shapely.STRtree:
        return shapely.STRtree(self._hole_outlines(evenly))

    @cached_property
    def _near_openings(self) -> shapely.STRtree:
        return shapely.STRtree([opening.outline for opening in self.openings])


@lru_cache(maxsize=_KEPT)
def perforated(shape: Shape, holes: tuple[Named, ...]) -> Perforated:
    """Return ``shape`` without ``holes``; the same object again for those of late.

    Raises:
        StudyError: A hole has several parts, is not inside the shape or touches another one; two
            holes have one name.
    """
    names = [name for name, _ in holes]
    if len(set(names)) < len(names):
        raise StudyError(f"film.hole: names {names}: not allowed; allowed: different ones")
    outlines = _outlines(holes, evenly)
    _check_parts(holes, outlines)
    if not isinstance(shape, Plane):
        _check_inside(shape, holes, outlines)
    _check_apart(holes, outlines)
    return Perforated(shape, holes)


def _check_parts(holes: Sequence[Named], outlines: _Outlines) -> None:
    parts = shapely.get_num_geometries(outlines)
    for index in np.flatnonzero(parts > 1)[:1]:
        raise StudyError(
            f"{_words(holes[index])} has {parts[index]} parts; allowed: one, or a hole for each"
        )


def _check_inside(shape: BoundedShape, holes: Sequence[Named], outlines: _Outlines) -> None:
    whole = shape.outline()
    edge = whole.boundary
    for area in (whole, edge):
        shapely.prepare(area)
    near = shapely.dwithin(edge, outlines, TOUCHING * float(sizes(whole)))
    for index in np.flatnonzero(near | ~shapely.contains(whole, outlines))[:1]:
        x, y = farthest_out(outlines[index], whole)
        raise StudyError(
            f"{_words(holes[index])} leaves or touches {shape} at ({x:g}, {y:g}); allowed: a hole "
            "inside the film, away from its edge"
        )


def _check_apart(holes: Sequence[Named], outlines: _Outlines) -> None:
    near = TOUCHING * sizes(outlines)
    pairs = shapely.STRtree(outlines).query(outlines, predicate="dwithin", distance=near).T
    for one, other in pairs[pairs[:, 1] < pairs[:, 0]][:1]:
        x, y = shapely.shortest_line(outlines[one], outlines[other]).coords[0]
        raise StudyError(
            f"{_words(holes[one])} overlaps or touches hole {holes[other][0]!r} at ({x:g}, {y:g}); "
            "allowed: holes apart from each other"
        )


def _outlines(holes: Sequence[Named], rounding: Rounding) -> _Outlines:
    return np.array([hole.outline(rounding) for _, hole in holes], dtype=object)


def _words(hole: Named) -> str:
    return f"hole {hole[0]!r}: {hole[1]}"


def farthest_out(outline: Outline, whole: Outline) -> Point:
    """Return the corner of ``outline`` that is farthest outside, or nearest to the edge."""
    corners = shapely.get_coordinates(outline)
    points = shapely.points(corners)
    outside = shapely.distance(points, whole)
    inside = shapely.distance(points, whole.boundary)
    x, y = corners[np.argmax(outside) if outside.max() > 0 else np.argmin(inside)]
    return float(x), float(y)


def _surrounded(film: shapely.MultiPolygon) -> list[shapely.Polygon]:
    """Return the bounded parts of the plane that are not film: its inner rings, without islands."""
    rings, part = shapely.get_rings(shapely.get_parts(film), return_index=True)
    is_inner = np.append(False, part[1:] == part[:-1])
    islands, rings = shapely.polygons(rings[~is_inner]), shapely.polygons(rings[is_inner])
    ring, island = shapely.STRtree(islands).query(rings, predicate="contains")
    left: list[shapely.Polygon] = rings.tolist()
    for number in np.unique(ring):
        within = shapely.union_all(islands[island[ring == number]])
        left[number] = shapely.difference(rings[number], within)
    return left


def _order(hole: shapely.Polygon, size: float) -> tuple[float, float, float]:
    """Return the centre of a hole, up to round-off in a film of ``size``, and its area."""
    x, y = np.round(np.divide(hole.centroid.coords[0], size), 6)
    return float(x), float(y), float(hole.area)
