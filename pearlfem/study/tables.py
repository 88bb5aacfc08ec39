"""The tables of a study file: each is a class, and a key that is not a field is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pearlfem.model.film import Film, Hole, Profile, Region
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.probes import Probe
from pearlfem.model.sources.applied import CurrentLoop, Dipole, UniformField
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.flux import Fluxoid, Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.annotated import (
    FieldStrength,
    Number,
    PositiveEnergy,
    PositiveLength,
    Table,
)
from pearlfem.quantities.units import Units
from pearlfem.study.boundary_table import BoundaryTable
from pearlfem.study.expressions import Expression
from pearlfem.study.impurity_tables import ImpuritiesTable
from pearlfem.study.shape_tables import BoundedTable, Origin, PlacedTable, ShapeTable


class _ProfileTable(Table):
    profile: str

    def build(self) -> Profile:
        return Expression(self.profile)


_PearlLength = PositiveLength | _ProfileTable


def _length(given: float | _ProfileTable) -> float | Profile:
    return given.build() if isinstance(given, _ProfileTable) else given


class _HoleTable(PlacedTable):
    name: Annotated[str, Field(min_length=1)]
    outline: BoundedTable
    fluxoid: Annotated[int, Field(strict=True)] = 0

    def build(self, origin: Origin) -> Hole:
        return Hole(self.outline.build(origin), self.name)


class _RegionTable(PlacedTable):
    outline: BoundedTable
    pearl_length: _PearlLength

    def build(self, origin: Origin) -> Region:
        return Region(self.outline.build(origin), _length(self.pearl_length))


class _FilmTable(PlacedTable):
    outline: ShapeTable
    pearl_length: _PearlLength
    hole: tuple[_HoleTable, ...] = ()
    region: tuple[_RegionTable, ...] = ()

    def film(self, origin: Origin) -> Film:
        return Film(
            self.outline.build(origin),
            _length(self.pearl_length),
            tuple(hole.build(origin) for hole in self.hole),
            tuple(region.build(origin) for region in self.region),
        )

    def fluxoids(self) -> tuple[Fluxoid, ...]:
        return tuple(Fluxoid(hole.name, hole.fluxoid) for hole in self.hole if hole.fluxoid)


class _AppliedTable(Table):
    field: tuple[FieldStrength, FieldStrength, FieldStrength] = (0.0, 0.0, 0.0)
    dipole: tuple[Dipole, ...] = ()
    loop: tuple[CurrentLoop, ...] = ()

    def sources(self) -> tuple[Source, ...]:
        uniform = (UniformField(self.field),) if any(self.field) else ()
        return (*uniform, *self.dipole, *self.loop)


class OutputTable(Table):
    """[output]: what is written besides summary.json."""

    fields: Literal["vtu", "vtx", "none"] = "vtu"
    picture: Annotated[bool, Field(strict=True)] = True
    solution: Annotated[bool, Field(strict=True)] = False
    probe: tuple[Probe, ...] = ()


class OrderTable(Table):
    """[order], for ``pearlfem order``: the search for the ground state, and thermal averages.

    ``starts`` of the minimiser; ``temperatures`` k_B T and ``sweeps`` of the Monte Carlo walk;
    ``seed`` of both.
    """

    starts: Annotated[int, Field(ge=1, strict=True)] = 16
    seed: Number = 0
    temperatures: tuple[PositiveEnergy, ...] = ()
    sweeps: Annotated[int, Field(ge=32, strict=True)] = 1000


class StudyTable(Table):
    """The whole file."""

    title: str = ""
    units: dict[str, Any] | None = None
    film: _FilmTable
    temperature: Temperature | None = None
    impurity: tuple[Impurity, ...] = ()
    impurities: ImpuritiesTable | None = None
    vortex: tuple[Vortex, ...] = ()
    applied: _AppliedTable = _AppliedTable()
    boundary: BoundaryTable = BoundaryTable()
    mesh: MeshOptions = MeshOptions()
    solve: SolveOptions = SolveOptions()
    order: OrderTable = OrderTable()
    output: OutputTable = OutputTable()


class _UnitsTable(Table):
    """What is read first, for all else is in these units."""

    units: Units | None = None
