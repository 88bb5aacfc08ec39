"""[film] of a study file, with its holes and regions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from pearlfem.model.film import Film, Hole, Region
from pearlfem.model.profiles import Profile
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.quantities.annotated import PositiveLength, Quanta, Table
from pearlfem.study.expressions import Expression
from pearlfem.study.schema import INLINE
from pearlfem.study.shape_tables import BoundedShapeTable, Origin, ShapeTable


class ProfileTable(Table):
    """A Pearl length that varies over the film.

    Args:
        profile: Expression in x and y [length] for the Pearl length [length], everywhere positive.
    """

    profile: str

    def build(self) -> Profile:
        """Return the Pearl length as a function of x and y."""
        return Expression(self.profile)


PearlLength = PositiveLength | ProfileTable


class ShapedTable(Table):
    """A table with a shape: in the file the keys of the field ``outline`` stand among its own."""

    @model_validator(mode="before")
    @classmethod
    def _gather_outline(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        fields = cls.model_fields.keys() - {"outline"}
        outline = {key: value for key, value in content.items() if key not in fields}
        return {k: v for k, v in content.items() if k in fields} | {"outline": outline}


class HoleTable(ShapedTable):
    """[[film.hole]]: a hole in the film, and the flux that is trapped in it.

    Args:
        outline: Shape of the hole; the keys of this shape stand in the same table.
        name: Its name in results and messages.
        fluxoid: Number of trapped flux quanta, of either sign.
    """

    outline: Annotated[BoundedShapeTable, INLINE]
    name: Annotated[str, Field(min_length=1)]
    fluxoid: Quanta = 0

    def build(self, origin: Origin) -> Hole:
        """Return the hole."""
        return Hole(self.outline.build(origin), self.name)


class RegionTable(ShapedTable):
    """[[film.region]]: a part of the film with a Pearl length of its own.

    Args:
        outline: Shape of the region; the keys of this shape stand in the same table.
        pearl_length: Pearl length there [length]; a later region covers an earlier one.
    """

    outline: Annotated[BoundedShapeTable, INLINE]
    pearl_length: PearlLength

    def build(self, origin: Origin) -> Region:
        """Return the region."""
        return Region(self.outline.build(origin), _length(self.pearl_length))


class FilmTable(ShapedTable):
    """[film]: where the film is, and how strongly it screens.

    Args:
        outline: Shape of the film; the keys of this shape stand in the same table.
        pearl_length: r0 = 2λ²/d at T = 0 [length]; twice the Λ = λ²/d of some other codes.
        hole: Holes in the film.
        region: Parts with another Pearl length.
    """

    outline: Annotated[ShapeTable, INLINE]
    pearl_length: PearlLength
    hole: tuple[HoleTable, ...] = ()
    region: tuple[RegionTable, ...] = ()

    def build(self, origin: Origin) -> Film:
        """Return the film.

        Raises:
            StudyError: A drawing cannot be used, or holes and regions do not fit into the film.
        """
        return Film(
            self.outline.build(origin),
            _length(self.pearl_length),
            tuple(hole.build(origin) for hole in self.hole),
            tuple(region.build(origin) for region in self.region),
        )

    def fluxoids(self) -> tuple[Fluxoid, ...]:
        """Return what is trapped in the holes."""
        return tuple(Fluxoid(hole.name, hole.fluxoid) for hole in self.hole if hole.fluxoid)


def _length(given: float | ProfileTable) -> float | Profile:
    return given.build() if isinstance(given, ProfileTable) else given
