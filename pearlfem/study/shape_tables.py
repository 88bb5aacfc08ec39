"""Shapes as tables of a study file: ``shape = "disc"`` and the keys that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import shapely
from pydantic import Field

from pearlfem.geometry import drawings
from pearlfem.geometry.shapes import (
    BoundedShape,
    Corners,
    Difference,
    Disc,
    Drawing,
    Plane,
    Polygon,
    Rectangle,
    Union,
    ring,
)
from pearlfem.quantities.annotated import Finite, NaturalNumber, Point, PositiveLength, Table
from pearlfem.quantities.units import ReducedUnits, Units


class Origin(NamedTuple):
    """Where a study comes from: the folder of the files that it names, and its units."""

    folder: Path
    units: Units | ReducedUnits


class PlaneTable(Table):
    """The whole plane."""

    shape: Literal["plane"]

    def build(self, origin: Origin) -> Plane:
        """Return the shape."""
        return Plane()


class DiscTable(Table):
    """A disc.

    Args:
        radius: Its radius [length].
        center: Its centre (x, y) [length].
    """

    shape: Literal["disc"]
    radius: PositiveLength
    center: Point = (0.0, 0.0)

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Disc(self.radius, self.center)


class RectangleTable(Table):
    """A rectangle.

    Args:
        size: Its sizes along x and y, before it is turned [length].
        center: Its centre (x, y) [length].
        angle: Angle [degrees] by which it is turned counterclockwise around its centre.
    """

    shape: Literal["rectangle"]
    size: tuple[PositiveLength, PositiveLength]
    center: Point = (0.0, 0.0)
    angle: Finite = 0.0

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Rectangle(self.size, self.center, self.angle)


class PolygonTable(Table):
    """A polygon.

    Args:
        points: Its corners (x, y) [length], in either direction; the last side closes it.
    """

    shape: Literal["polygon"]
    points: Corners  # checked here, where the message knows whose they are

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Polygon(self.points)


class RingTable(Table):
    """The ring between two circles.

    Args:
        inner: Radius of the inner circle [length].
        outer: Radius of the outer circle [length], larger than ``inner``.
        center: Their centre (x, y) [length].
    """

    shape: Literal["ring"]
    inner: PositiveLength
    outer: PositiveLength
    center: Point = (0.0, 0.0)

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return ring(self.inner, self.outer, self.center)


class UnionTable(Table):
    """Several shapes together.

    Args:
        parts: The shapes, a table for each.
    """

    shape: Literal["union"]
    parts: Annotated[tuple[BoundedShapeTable, ...], Field(min_length=1)]

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Union(tuple(part.build(origin) for part in self.parts))


class DifferenceTable(Table):
    """A shape without the parts that other shapes cover.

    Args:
        base: The shape from which the others are taken away.
        removed: The others, a table for each.
    """

    shape: Literal["difference"]
    base: BoundedShapeTable
    removed: Annotated[tuple[BoundedShapeTable, ...], Field(min_length=1)]

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        removed = tuple(part.build(origin) for part in self.removed)
        return Difference(self.base.build(origin), removed)


class GdsTable(Table):
    """A layer of a drawing in a GDSII file.

    Args:
        file: The file; a relative path begins in the study's folder.
        layer: Number of the layer.
        cell: Name of the cell; needed if the file has several top cells.
        datatype: Number of the datatype; without it all datatypes of the layer.
    """

    shape: Literal["gds"]
    file: str
    layer: NaturalNumber
    cell: str | None = None
    datatype: NaturalNumber | None = None

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawing = drawings.read_gds(path, self.cell, self.layer, self.datatype)
        return _scaled(drawing, f"layer {self.layer} of {path}", origin)


class DxfTable(Table):
    """A layer of a drawing in a DXF file.

    Args:
        file: The file; a relative path begins in the study's folder.
        layer: Name of the layer.
    """

    shape: Literal["dxf"]
    file: str
    layer: str

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawing = drawings.read_dxf(path, self.layer)
        return _scaled(drawing, f"layer {self.layer!r} of {path}", origin)


class MeshShapeTable(Table):
    """The outline of a group of triangles in a gmsh file.

    Args:
        file: The file (.msh); a relative path begins in the study's folder.
        group: Name of the physical group.
    """

    shape: Literal["mesh"]
    file: str
    group: str

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawing = drawings.read_mesh_outline(path, self.group)
        return _scaled(drawing, f"group {self.group!r} of {path}", origin)


BoundedShapeTable = Annotated[
    DiscTable
    | RectangleTable
    | PolygonTable
    | RingTable
    | UnionTable
    | DifferenceTable
    | GdsTable
    | DxfTable
    | MeshShapeTable,
    Field(discriminator="shape"),
]
ShapeTable = Annotated[PlaneTable | BoundedShapeTable, Field(discriminator="shape")]


def _scaled(drawing: drawings.Drawing, source: str, origin: Origin) -> Drawing:
    """Return a drawing in the study's unit of length; without units, in its own."""
    geometry = drawing.geometry
    if drawing.unit is not None and isinstance(origin.units, Units):
        factor = origin.units.to_reduced(f"{drawing.unit!r} m", "length")
        geometry = shapely.transform(geometry, lambda points: factor * points)
    return Drawing(geometry, source)
