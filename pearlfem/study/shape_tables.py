"""Shapes as tables of a study file: ``shape = "disc"`` and the keys that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import shapely
from pydantic import Field, model_validator

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
from pearlfem.quantities.annotated import Finite, Number, Point, PositiveLength, Table
from pearlfem.quantities.units import ReducedUnits, Units


class Origin(NamedTuple):
    """Where a study comes from: the folder that its files lie in, and its units."""

    folder: Path
    units: Units | ReducedUnits


class PlaneTable(Table):
    """The whole plane."""

    shape: Literal["plane"]

    def build(self, origin: Origin) -> Plane:
        """Return the shape."""
        return Plane()


class DiscTable(Table):
    """A disc."""

    shape: Literal["disc"]
    radius: PositiveLength
    center: Point = (0.0, 0.0)

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Disc(self.radius, self.center)


class RectangleTable(Table):
    """A rectangle, turned by ``angle`` [degrees]."""

    shape: Literal["rectangle"]
    size: tuple[PositiveLength, PositiveLength]
    center: Point = (0.0, 0.0)
    angle: Finite = 0.0

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Rectangle(self.size, self.center, self.angle)


class PolygonTable(Table):
    """A polygon by its corners."""

    shape: Literal["polygon"]
    points: Corners  # checked here, where the message knows whose they are

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Polygon(self.points)


class RingTable(Table):
    """The ring between two circles."""

    shape: Literal["ring"]
    inner: PositiveLength
    outer: PositiveLength
    center: Point = (0.0, 0.0)

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return ring(self.inner, self.outer, self.center)


class UnionTable(Table):
    """All of several shapes."""

    shape: Literal["union"]
    parts: Annotated[tuple[BoundedTable, ...], Field(min_length=1)]

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        return Union(tuple(part.build(origin) for part in self.parts))


class DifferenceTable(Table):
    """A shape without others."""

    shape: Literal["difference"]
    base: BoundedTable
    removed: Annotated[tuple[BoundedTable, ...], Field(min_length=1)]

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        removed = tuple(part.build(origin) for part in self.removed)
        return Difference(self.base.build(origin), removed)


class GdsTable(Table):
    """A layer of a GDSII file."""

    shape: Literal["gds"]
    file: str
    layer: Number
    cell: str | None = None
    datatype: Number | None = None

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawn = drawings.read_gds(path, self.cell, self.layer, self.datatype)
        return _scaled(drawn, f"layer {self.layer} of {path}", origin)


class DxfTable(Table):
    """A layer of a DXF file."""

    shape: Literal["dxf"]
    file: str
    layer: str

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawn = drawings.read_dxf(path, self.layer)
        return _scaled(drawn, f"layer {self.layer!r} of {path}", origin)


class MeshShapeTable(Table):
    """The outline of a named group of a gmsh mesh."""

    shape: Literal["mesh"]
    file: str
    group: str

    def build(self, origin: Origin) -> BoundedShape:
        """Return the shape."""
        path = origin.folder / self.file
        drawn = drawings.read_mesh_outline(path, self.group)
        return _scaled(drawn, f"group {self.group!r} of {path}", origin)


BoundedTable = Annotated[
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
ShapeTable = Annotated[PlaneTable | BoundedTable, Field(discriminator="shape")]

SHAPE_TABLES: dict[str, type[Table]] = {
    table.model_fields["shape"].annotation.__args__[0]: table  # type: ignore[union-attr]
    for table in (
        PlaneTable,
        DiscTable,
        RectangleTable,
        PolygonTable,
        RingTable,
        UnionTable,
        DifferenceTable,
        GdsTable,
        DxfTable,
        MeshShapeTable,
    )
}


class PlacedTable(Table):
    """A table with a shape, ``outline``: the keys of the shape stand among its own."""

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        own = cls.model_fields.keys() - {"outline"}
        outline = {key: value for key, value in content.items() if key not in own}
        return {k: v for k, v in content.items() if k in own} | {"outline": outline}


def _scaled(drawn: drawings.Drawing, source: str, origin: Origin) -> Drawing:
    """Return a drawing in the study's unit of length; without units, in its own."""
    geometry = drawn.geometry
    if drawn.unit is not None and isinstance(origin.units, Units):
        factor = origin.units.to_reduced(f"{drawn.unit!r} m", "length")
        geometry = shapely.transform(geometry, lambda points: factor * points)
    return Drawing(geometry, source)
