"""Shapes as tables of a study file: ``shape = "disc"`` and the keys that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import shapely
from pydantic import Field

from pearlfem.errors import StudyError
from pearlfem.geometry import drawings
from pearlfem.geometry.outlines import sizes
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
from pearlfem.quantities.annotated import (
    Finite,
    NaturalNumber,
    Point,
    Positive,
    PositiveLength,
    Table,
)
from pearlfem.quantities.units import ReducedUnits, Units

# Sizes of films [m] that a file may claim: from one atom's neighbours to the largest wafers. Many
# programs write a unit that nobody chose (metres, millimetres) into the drawing of a chip.
_SMALLEST, _LARGEST = 1e-9, 0.3


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
    """A layer of a drawing in a GDSII or OASIS file.

    Args:
        file: The file, which may be packed (.gz); a relative path begins in the study's folder.
        layer: Number of the layer.
        cell: Name of the cell; needed if several top cells have this layer.
        datatype: Number of the datatype; without it all datatypes of the layer.
        unit: What one unit of the drawing is [length]; without it what the file says.
    """

    shape: Literal["gds"]
    file: str
    layer: NaturalNumber
    cell: str | None = None
    datatype: NaturalNumber | None = None
    unit: PositiveLength | None = None

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawing = drawings.read_gds(path, self.cell, self.layer, self.datatype)
        return _scaled(drawing, f"layer {self.layer} of {path}", origin, self.unit)


class DxfTable(Table):
    """A layer of a drawing in a DXF file.

    Args:
        file: The file, which may be packed (.gz); a relative path begins in the study's folder.
        layer: Name of the layer.
        tolerance: Ends of lines that are nearer than this meet [unit of the file]; without it 1e-6
            of the size of the layer.
        unit: What one unit of the drawing is [length]; without it what the file says.
    """

    shape: Literal["dxf"]
    file: str
    layer: str
    tolerance: Positive | None = None
    unit: PositiveLength | None = None

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawing = drawings.read_dxf(path, self.layer, self.tolerance)
        return _scaled(drawing, f"layer {self.layer!r} of {path}", origin, self.unit)


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


def _scaled(
    drawing: drawings.Drawing, source: str, origin: Origin, unit: float | None = None
) -> Drawing:
    """Return a drawing in the study's unit of length; without units, in its own.

    Args:
        drawing: The drawing.
        source: Its name for messages.
        origin: Where the study comes from.
        unit: What one unit of the drawing is [length]; None for what its file says.

    Raises:
        StudyError: The file says that the drawing is of a size that no film has.
    """
    if unit is None and drawing.unit is not None and isinstance(origin.units, Units):
        _check_size(drawing.geometry, drawing.unit, source)
        unit = origin.units.to_reduced(f"{drawing.unit!r} m", "length")
    if unit is None:
        return Drawing(drawing.geometry, source)
    return Drawing(shapely.transform(drawing.geometry, lambda points: unit * points), source)


def _check_size(geometry: shapely.MultiPolygon, unit: float, source: str) -> None:
    size = float(sizes(geometry))
    if not _SMALLEST <= unit * size <= _LARGEST:
        raise StudyError(
            f"{source} is {unit * size:.3g} m in size: {size:.6g} units of {unit:g} m each, as the "
            f"file says; allowed: {_SMALLEST:g} m to {_LARGEST:g} m; if it is drawn in another "
            'unit, give that in the same table, as in unit = "1 um"'
        )
