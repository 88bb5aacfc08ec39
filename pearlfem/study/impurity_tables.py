"""[impurities] of a study file: many alike, at sites from a CSV file, of a lattice or random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.model.layouts import MOST_SITES, lattice_sites, random_sites
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import Finite, NotNegativeLength, Number, Point, Strength, Table
from pearlfem.study.csv_rows import cell_value, csv_rows
from pearlfem.study.shape_tables import Origin

_PLACE = ("x", "y")
_REST = ("angle", "strength", "size")
_IMPURITY = TypeAdapter(Impurity)


class LatticeTable(Table):
    """[impurities.lattice]: all sites ``origin`` + i a1 + j a2 on the film."""

    vectors: tuple[Point, Point]
    origin: Point = (0.0, 0.0)


class RandomTable(Table):
    """[impurities.random]: places that are uniform on the film, ``spacing`` apart at least."""

    number: Annotated[int, Field(ge=1, le=MOST_SITES, strict=True)]
    seed: Number = 0
    spacing: NotNegativeLength = 0.0


class ImpuritiesTable(Table):
    """[impurities]: ``size``, ``angle`` and ``strength`` of all, and one way to say where they are.

    A CSV ``file`` has columns x and y, and may have angle, strength and size, which then count.
    Sites of a lattice and random ones stay ``margin`` away from the film's edges.
    """

    size: NotNegativeLength
    angle: Finite = 0.0
    strength: Strength = Field(default=1.0, validate_default=True)
    margin: NotNegativeLength = 0.0
    file: str | None = None
    lattice: LatticeTable | None = None
    random: RandomTable | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ImpuritiesTable:
        given = [name for name in ("file", "lattice", "random") if getattr(self, name) is not None]
        if len(given) != 1:
            what = " and ".join(given) or "none of them"
            raise StudyError(f"{what} given; allowed: one of file, lattice and random")
        return self

    @property
    def vectors(self) -> tuple[Point, Point] | None:
        """Those of the lattice [length]; None without one."""
        return None if self.lattice is None else self.lattice.vectors

    def build(self, film: Film, origin: Origin) -> tuple[Impurity, ...]:
        """Return the impurities on ``film``.

        Raises:
            StudyError: The file cannot be used, or the film has no room.
        """
        if self.file is not None:
            return tuple(self._from_file(self.file, origin))
        if self.lattice is not None:
            sites = lattice_sites(film, self.lattice.vectors, self.lattice.origin, self.margin)
        else:
            assert self.random is not None
            number, seed, spacing = self.random.number, self.random.seed, self.random.spacing
            sites = random_sites(film, number, seed, spacing, self.margin)
        return tuple(
            Impurity((x, y), self.size, self.angle, self.strength) for x, y in sites.tolist()
        )

    def _from_file(self, name: str, origin: Origin) -> Iterator[Impurity]:
        common = {key: getattr(self, key) for key in _REST}
        what = f"impurities.file = {name!r}"
        for row, cells in csv_rows(origin.folder / name, what, _PLACE, _REST, MOST_SITES):
            where = f"{what}: row {row}"
            values = {column: cell_value(cell) for column, cell in cells.items()}
            content = {"position": [values.pop(column) for column in _PLACE], **values}
            try:
                own = _IMPURITY.validate_python({"size": 0.0, **content}, context=origin.units)
            except ValidationError as error:
                fault = error.errors(include_url=False)[0]
                column = _column(fault["loc"])
                raise StudyError(
                    f"{where}, column {column} = {cells[column]!r}: not allowed; {fault['msg']}"
                ) from None
            given = {key: getattr(own, key) for key in _REST if key in cells}
            yield Impurity(own.position, **(common | given))


def _column(location: tuple[Any, ...]) -> str:
    return _PLACE[location[1]] if location[0] == "position" else str(location[0])
