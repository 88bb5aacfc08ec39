"""[impurities] of a study file: many of one kind, from a CSV file, on a lattice or at random."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.model.layouts import MOST_SITES, lattice_sites, random_sites
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import (
    WHOLE,
    Finite,
    NaturalNumber,
    NotNegativeLength,
    Point,
    Strength,
    Table,
)
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.study.csv_files import csv_rows
from pearlfem.study.shape_tables import Origin

_AXES = ("x", "y")
_COMMON = ("angle", "strength", "size")  # keys of the table that may also be columns of the file
_LAYOUTS = ("file", "lattice", "random")
_IMPURITY = TypeAdapter(Impurity)


class LatticeTable(Table):
    """[impurities.lattice]: at all sites ``origin`` + i a + j b on the film.

    Args:
        vectors: The vectors a and b [length], not parallel.
        origin: One site (x, y) [length].
    """

    vectors: tuple[Point, Point]
    origin: Point = (0.0, 0.0)


class RandomTable(Table):
    """[impurities.random]: at random places, uniformly distributed over the film.

    Args:
        number: Number of impurities.
        seed: The same seed gives the same places on every machine.
        spacing: Smallest distance between two of them [length].
    """

    number: Annotated[int, Field(ge=1, le=MOST_SITES, strict=True), WHOLE]
    seed: NaturalNumber = 0
    spacing: NotNegativeLength = 0.0


class ImpuritiesTable(Table):
    """[impurities]: many impurities of one kind; one of file, lattice and random says where.

    Args:
        size: ξ of all [length]; 0 for points.
        angle: θ of all [degrees].
        strength: Γ of all.
        margin: Smallest distance from the film's edges [length], with lattice or random.
        file: A CSV file with columns x and y, and maybe angle, strength and size.
        lattice: At the sites of a lattice.
        random: At random places.
    """

    size: NotNegativeLength
    angle: Finite = 0.0
    strength: Strength = Field(default=1.0, validate_default=True)
    margin: NotNegativeLength = 0.0
    file: str | None = None
    lattice: LatticeTable | None = None
    random: RandomTable | None = None

    @model_validator(mode="after")
    def _one_layout(self) -> ImpuritiesTable:
        given = [name for name in _LAYOUTS if getattr(self, name) is not None]
        if len(given) != 1:
            raise StudyError(
                f"{' and '.join(given) or 'none of them'} given; allowed: one of file, lattice and "
                "random"
            )
        return self

    @property
    def vectors(self) -> tuple[Point, Point] | None:
        """The vectors of the lattice [length]; None without one."""
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

    def _from_file(self, file: str, origin: Origin) -> Iterator[Impurity]:
        common = {key: getattr(self, key) for key in _COMMON}
        name = f"impurities.file = {file!r}"
        for row in csv_rows(origin.folder / file, name, _AXES, _COMMON, MOST_SITES):
            values = row.values
            _check_strength(row.name, self.model_fields_set | values.keys(), origin.units)
            content = {"position": [values.pop(axis) for axis in _AXES], "size": 0.0, **values}
            try:
                read = _IMPURITY.validate_python(content, context=origin.units)
            except ValidationError as error:
                raise row.refusal(error) from None
            given = {key: getattr(read, key) for key in values}
            yield Impurity(read.position, **(common | given))


def check_strengths(content: dict[str, Any], units: Units | ReducedUnits) -> None:
    """Refuse impurities whose strength nobody has chosen, if the study has units.

    All their energies depend on it, and the default of 1 A m would make them 1e21 meV.

    Args:
        content: The study as the file has it, of which the tables were made already.
        units: The units of its numbers.

    Raises:
        StudyError: Names the impurity.
    """
    for number, impurity in enumerate(content.get("impurity", ()), start=1):
        _check_strength(f"impurity {number}", impurity, units)
    many = content.get("impurities")
    if many is not None and "file" not in many:  # a file may give them, row by row
        _check_strength("impurities", many, units)


def _check_strength(name: str, keys: Collection[str], units: Units | ReducedUnits) -> None:
    chosen = isinstance(units, ReducedUnits) or "strength" in units.model_fields_set
    if not chosen and "strength" not in keys:
        raise StudyError(
            f"{name}.strength: missing, but needed with [units], because energies depend on it; "
            "allowed: a number in A*m, a text such as '2e-16 A*m', or units.strength, of which "
            "each impurity then has 1"
        )
