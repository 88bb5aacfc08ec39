"""A shape with holes: the part that is left of it, and the openings that it surrounds."""

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

TOUCHING = 1e-6  # of the size: edges that are nearer to each other than this touch
_KEPT = 8  # a sweep has few different films, and each may have millions of corners


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
        shape: The shape.
        holes: Name and shape of each hole.
    """

    def __init__(self, shape: Shape, holes: tuple[Named, ...]) -> None:
        self._shape, self._holes = shape, holes

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies inside the part that is left, not on an edge."""
        if not self._shape.contains(point):
            return False
        geometry = shapely.Point(point)
        near = self._hole_tree.query(geometry)
        if any(self._holes[index][1].contains(point) for index in near):
            return False
        return not len(self._opening_tree.query(geometry, predicate="intersects"))

    @cached_property
    def outline(self) -> shapely.MultiPolygon:
        """The part that is left of a bounded shape."""
        outline = self._left(evenly)
        shapely.prepare(outline)
        return outline

    def outline_of(self, rounding: Rounding) -> shapely.MultiPolygon:
        """Return ``outline`` with the vertices of round edges that ``rounding`` asks for."""
        return self.outline if rounding is evenly else self._left(rounding)

    def _left(self, rounding: Rounding) -> shapely.MultiPolygon:
        assert not isinstance(self._shape, Plane)
        return without(self._shape.outline(rounding), self._hole_outlines(rounding))

    @cached_property
    def openings(self) -> tuple[Opening, ...]:
        """All holes: the given ones, and those that the shape itself has."""
        if isinstance(self._shape, Plane):
            return self._plane_openings(evenly)
        names = [name for name, _ in self._holes]
        free = (name for k in itertools.count(1) if (name := f"hole {k}") not in names)
        size = float(sizes(self.outline))
        outlines = sorted(_surrounded(self.outline), key=lambda hole: _order(hole, size))
        # The outline of an opening has the name of the given hole whose point lies inside it.
        points = shapely.point_on_surface(self._hole_outlines(evenly))
        holes, numbers = shapely.STRtree(outlines).query(points, predicate="within")
        name_of = {number: names[hole] for hole, number in zip(holes, numbers, strict=True)}
        return tuple(
            Opening(name_of.get(number) or next(free), outline)
            for number, outline in enumerate(outlines)
        )

    def openings_of(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return ``openings`` with the vertices of round edges that ``rounding`` asks for."""
        if rounding is evenly:
            return self.openings
        if isinstance(self._shape, Plane):
            return self._plane_openings(rounding)
        outlines = _surrounded(self._left(rounding))
        poles = shapely.points(np.reshape([opening.pole for opening in self.openings], (-1, 2)))
        _, numbers = shapely.STRtree(outlines).query(poles, predicate="within")
        return tuple(
            Opening(opening.name, outlines[number])
            for opening, number in zip(self.openings, numbers, strict=True)
        )

    def _plane_openings(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return the holes if the shape is the whole plane."""
        pairs = zip(self._holes, self._hole_outlines(rounding), strict=True)
        return tuple(Opening(name, *shapely.get_parts(outline)) for (name, _), outline in pairs)

    def _hole_outlines(self, rounding: Rounding) -> _Outlines:
        return _outlines(self._holes, rounding)

    @cached_property
    def _hole_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._hole_outlines(evenly))

    @cached_property
    def _opening_tree(self) -> shapely.STRtree:
        return shapely.STRtree([opening.outline for opening in self.openings])


@lru_cache(maxsize=_KEPT)
def perforated(shape: Shape, holes: tuple[Named, ...]) -> Perforated:
    """Return ``shape`` without ``holes``; recent results are kept and returned again.

    Raises:
        StudyError: A hole has several parts, is not inside the shape or touches another one; two
            holes have the same name.
    """
    names = [name for name, _ in holes]
    if len(set(names)) < len(names):
        raise StudyError(f"film.hole: names {names}: not allowed; allowed: different names")
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
            f"{_words(holes[index])} has {parts[index]} parts; allowed: one part for each hole"
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
    """Return the corner of ``outline`` farthest outside ``whole``; if none is, nearest its edge."""
    corners = shapely.get_coordinates(outline)
    points = shapely.points(corners)
    outside = shapely.distance(points, whole)
    inside = shapely.distance(points, whole.boundary)
    x, y = corners[np.argmax(outside) if outside.max() > 0 else np.argmin(inside)]
    return float(x), float(y)


def _surrounded(film: shapely.MultiPolygon) -> list[shapely.Polygon]:
    """Return the bounded parts of the plane that are not film: inner rings without islands."""
    rings, part = shapely.get_rings(shapely.get_parts(film), return_index=True)
    is_inner = np.append(False, part[1:] == part[:-1])
    islands, rings = shapely.polygons(rings[~is_inner]), shapely.polygons(rings[is_inner])
    ring, island = shapely.STRtree(islands).query(rings, predicate="contains")
    openings: list[shapely.Polygon] = rings.tolist()
    for number in np.unique(ring):
        within = shapely.union_all(islands[island[ring == number]])
        openings[number] = shapely.difference(rings[number], within)
    return openings


def _order(hole: shapely.Polygon, size: float) -> tuple[float, float, float]:
    """Return a key to sort holes: the centre, rounded relative to the film's size, and the area."""
    x, y = np.round(np.divide(hole.centroid.coords[0], size), 6)
    return float(x), float(y), float(hole.area)
