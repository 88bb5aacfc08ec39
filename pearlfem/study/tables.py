"""The whole study file as one class, and its smaller tables.

Each table of the file is a class. Its fields are the keys: any other key is refused. The line of
each key under ``Args`` is its line in demos/STUDY.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.probes import Probe
from pearlfem.model.sources.applied import CurrentLoop, Dipole, UniformField
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.annotated import WHOLE, FieldStrength, NaturalNumber, PositiveEnergy, Table
from pearlfem.quantities.formats import FormatName
from pearlfem.quantities.units import Units
from pearlfem.study.boundary_table import BoundaryTable
from pearlfem.study.film_tables import FilmTable
from pearlfem.study.impurity_tables import ImpuritiesTable
from pearlfem.study.sweep_tables import SweepTable


class AppliedTable(Table):
    """[applied]: magnetic fields from outside.

    Args:
        field: A uniform field (B_x, B_y, B_z).
        dipole: Magnetic dipoles, such as a magnet or a tip.
        loop: Circular currents, such as a coil.
    """

    field: tuple[FieldStrength, FieldStrength, FieldStrength] = (0.0, 0.0, 0.0)
    dipole: tuple[Dipole, ...] = ()
    loop: tuple[CurrentLoop, ...] = ()

    def build(self) -> tuple[Source, ...]:
        """Return the fields as sources."""
        uniform = (UniformField(self.field),) if any(self.field) else ()
        return (*uniform, *self.dipole, *self.loop)


class OutputTable(Table):
    """[output]: what is written beside summary.json.

    Args:
        fields: File format of the fields: "vtu" for ParaView, "vtx" (ADIOS2) for large runs.
        picture: Draw film.png.
        solution: Write solution.npz, for ``pearlfem probe``.
        probe: Places to measure at.
    """

    fields: FormatName = "vtu"
    picture: Annotated[bool, Field(strict=True)] = True
    solution: Annotated[bool, Field(strict=True)] = False
    probe: tuple[Probe, ...] = ()


class OrderTable(Table):
    """[order], for ``pearlfem order``: the search for the ground state, and thermal averages.

    Args:
        starts: Number of random starts of the search.
        seed: Seed of all random numbers: the same seed gives the same numbers on every machine.
        temperatures: Temperatures k_B T of the averages.
        sweeps: Monte Carlo sweeps of each chain.
    """

    starts: Annotated[int, Field(ge=1, strict=True), WHOLE] = 16
    seed: NaturalNumber = 0
    temperatures: tuple[PositiveEnergy, ...] = ()
    sweeps: Annotated[int, Field(ge=32, strict=True), WHOLE] = 1000


class StudyTable(Table):
    """The whole file.

    Args:
        title: Any text, for people.
        units: Units of bare numbers and of results; without it all units are reduced.
        film: The film.
        temperature: Temperature; without it T = 0.
        impurity: Magnetic impurities, one table for each.
        impurities: Many impurities of one kind.
        vortex: Vortices, one table for each.
        applied: Magnetic fields from outside.
        boundary: What surrounds the film.
        mesh: How finely space is meshed.
        solve: How the equations are solved, and how accurately.
        order: Settings of ``pearlfem order``.
        output: What is written.
        sweep: For ``pearlfem sweep`` only: which keys take which values.
    """

    title: str = ""
    units: Units | None = None
    film: FilmTable
    temperature: Temperature | None = None
    impurity: tuple[Impurity, ...] = ()
    impurities: ImpuritiesTable | None = None
    vortex: tuple[Vortex, ...] = ()
    applied: AppliedTable = AppliedTable()
    boundary: BoundaryTable = BoundaryTable()
    mesh: MeshOptions = MeshOptions()
    solve: SolveOptions = SolveOptions()
    order: OrderTable = OrderTable()
    output: OutputTable = OutputTable()
    sweep: SweepTable | None = None

    def other_sources(self) -> tuple[Source, ...]:
        """Return all sources but the impurities."""
        return (*self.vortex, *self.film.fluxoids(), *self.applied.build())
