"""Shapes in the plane z = 0, and their unions and differences.

Every shape except the whole plane has an outline, a shapely geometry. Round edges are inscribed
polygons in it; the caller chooses where their vertices are (``Rounding``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Annotated, Any

import numpy as np
import shapely
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import checked_polygon, joined
from pearlfem.quantities.annotated import FORBID_EXTRA, Finite, Point, PositiveLength
from pearlfem.quantities.arrays import Array

type Outline = shapely.Polygon | shapely.MultiPolygon
Rounding = Callable[["Disc"], Array]  # returns the angles of the vertices on a disc's circle

_ROUND_SIDES = 2048
_KEPT = 64  # checked polygons, which may have many corners


def evenly(disc: Disc) -> Array:
    """Return evenly spaced angles, so many that the polygon follows the circle to 1e-6 R."""
    return np.linspace(0.0, 2 * np.pi, _ROUND_SIDES, endpoint=False)


@dataclass(frozen=True, config=FORBID_EXTRA)
class Plane:
    """The whole plane z = 0; its mesh ends at the far boundary or at walls."""

    discs = ()

    def contains(self, point: Point) -> bool:
        """Return True: every ``point`` [length] lies inside."""
        return True

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return "the whole plane"


@dataclass(frozen=True, config=FORBID_EXTRA)
class Disc:
    """A disc in the plane z = 0.

    Args:
        radius: Radius R [length], positive.
        center: Centre (x, y) [length].

    Raises:
        pydantic.ValidationError: A value is out of range (a ``ValueError``).
    """

    radius: PositiveLength
    center: Point = (0.0, 0.0)

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies inside the edge."""
        return math.dist(point, self.center) < self.radius

    def outline(self, rounding: Rounding = evenly) -> Outline:
        """Return the inscribed polygon with its vertices at the angles of ``rounding``."""
        angles = rounding(self)
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        return shapely.Polygon(self.center + self.radius * circle)

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs whose circles contain the round edges."""
        return (self,)

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return f"the disc of radius {self.radius:g} around {self.center}"


class _Straight:
    """Base of shapes without round edges."""

    discs: tuple[Disc, ...] = ()

    @cached_property
    def _geometry(self) -> Outline:
        raise NotImplementedError

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies inside the edge."""
        return bool(shapely.contains_xy(self._geometry, *point))

    def outline(self, rounding: Rounding = evenly) -> Outline:
        """Return the shape as a geometry; ``rounding`` does not matter."""
        return self._geometry


@dataclass(frozen=True, config=FORBID_EXTRA)
class Rectangle(_Straight):
    """A rectangle, turned by any angle.

    Args:
        size: Width and height [length], positive.
        center: Centre (x, y) [length].
        angle: Rotation around the centre, counterclockwise [degrees].

    Raises:
        pydantic.ValidationError: A value is out of range (a ``ValueError``).
    """

    size: tuple[PositiveLength, PositiveLength]
    center: Point = (0.0, 0.0)
    angle: Finite = 0.0

    @cached_property
    def _geometry(self) -> Outline:
        a, b = self.size[0] / 2, self.size[1] / 2
        corners = np.array([-a - 1j * b, a - 1j * b, a + 1j * b, -a + 1j * b])
        corners = corners * np.exp(1j * math.radians(self.angle))
        return shapely.Polygon(self.center + np.column_stack([corners.real, corners.imag]))

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return f"the rectangle of size {list(self.size)} around {self.center}"


@lru_cache(maxsize=_KEPT)
def _polygon(points: tuple[Point, ...]) -> shapely.Polygon:
    """Return the checked polygon; kept, because it is needed several times."""
    return checked_polygon(points, name="polygon")


def _simple(points: tuple[Point, ...]) -> tuple[Point, ...]:
    _polygon(points)
    return points


Corners = Annotated[tuple[Point, ...], Field(min_length=3), AfterValidator(_simple)]


@dataclass(frozen=True, config=FORBID_EXTRA)
class Polygon(_Straight):
    """A polygon whose edges neither cross nor touch each other.

    Args:
        points: Corners (x, y) [length] in order; the first may be repeated at the end.

    Raises:
        pydantic.ValidationError: The points are not a polygon; the message says where (a
            ``ValueError``).
    """

    points: Corners

    @cached_property
    def _geometry(self) -> Outline:
        return _polygon(self.points)

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        x, y = self.points[0]
        return f"the polygon with {len(self.points)} corners that starts at ({x:g}, {y:g})"


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Drawing(_Straight):
    """Polygons with holes, from a file.

    Args:
        geometry: The polygons [length], which do not touch each other.
        source: Name of their origin for messages.
    """

    geometry: shapely.MultiPolygon
    source: str = "a drawing"

    @cached_property
    def _geometry(self) -> Outline:
        shapely.prepare(self.geometry)
        return self.geometry

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return self.source


class _Compound:
    """Base of shapes made of other shapes; keeps the outline, which takes a moment to compute."""

    def _joined(self, rounding: Rounding) -> shapely.MultiPolygon:
        raise NotImplementedError

    @cached_property
    def _even(self) -> shapely.MultiPolygon:
        outline = self._joined(evenly)
        shapely.prepare(outline)
        return outline

    def outline(self, rounding: Rounding = evenly) -> Outline:
        """Return the outline, made from the outlines of the parts."""
        return self._even if rounding is evenly else self._joined(rounding)


@dataclass(frozen=True, config=FORBID_EXTRA)
class Union(_Compound):
    """All points of one or more shapes.

    Args:
        parts: The shapes; they may overlap, share edges or be apart.

    Raises:
        pydantic.ValidationError: Parts touch each other in a single point; the message says where.
    """

    parts: Annotated[tuple[BoundedShape, ...], Field(min_length=1)]

    def __post_init__(self) -> None:
        self.outline()

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies inside the edge."""
        inside = any(part.contains(point) for part in self.parts)
        # A point on the common edge of two parts is inside the union, but in none of the parts.
        return inside or bool(shapely.contains_xy(self._even, *point))

    def _joined(self, rounding: Rounding) -> shapely.MultiPolygon:
        outlines = [part.outline(rounding) for part in self.parts]
        return joined(shapely.get_parts(outlines), name="union")

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs whose circles contain the round edges."""
        return tuple(disc for part in self.parts for disc in part.discs)

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return "the union of " + ", ".join(map(str, self.parts))


@dataclass(frozen=True, config=FORBID_EXTRA)
class Difference(_Compound):
    """All points of a shape that are not in other shapes.

    Args:
        shape: The shape.
        removed: The shapes to remove from it.

    Raises:
        pydantic.ValidationError: Nothing is left, or parts touch each other in a single point.
    """

    shape: BoundedShape
    removed: Annotated[tuple[BoundedShape, ...], Field(min_length=1)]

    def __post_init__(self) -> None:
        if self._left(evenly).is_empty:
            raise StudyError(f"difference: nothing is left of {self.shape}")
        self.outline()

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies inside the edge."""
        return self.shape.contains(point) and not any(s.contains(point) for s in self.removed)

    def _joined(self, rounding: Rounding) -> shapely.MultiPolygon:
        return joined(shapely.get_parts(self._left(rounding)), name="difference")

    def _left(self, rounding: Rounding) -> Any:
        removed = shapely.union_all([shape.outline(rounding) for shape in self.removed])
        return shapely.difference(self.shape.outline(rounding), removed)

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs whose circles contain the round edges."""
        return tuple(disc for shape in (self.shape, *self.removed) for disc in shape.discs)

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return f"{self.shape} without " + ", ".join(map(str, self.removed))


def ring(inner: float, outer: float, center: Point = (0.0, 0.0)) -> Difference:
    """Return the ring between two circles of radii ``inner`` and ``outer`` [length].

    Raises:
        StudyError: ``inner`` is not smaller than ``outer``.
    """
    if not 0 < inner < outer:
        raise StudyError(
            f"ring: inner = {inner:g}, outer = {outer:g}: not allowed; allowed: 0 < inner < outer"
        )
    return Difference(Disc(outer, center), (Disc(inner, center),))


BoundedShape = Disc | Rectangle | Polygon | Drawing | Union | Difference
Shape = Plane | BoundedShape
