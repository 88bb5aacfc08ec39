"""The study file: TOML in, validated and frozen objects out.

Each table of the file is a class here, and a key that is not a field of its class is refused.
The keys are the contract that other tools rely on. [sweep] makes many studies of one file: see
``pearlfem.study.sweep``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary
from pearlfem.model.checks import check_apart, check_task
from pearlfem.model.film import Film
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.periodic import Periodic
from pearlfem.model.probes import check_probes
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import Impurity
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.annotated import (
    Point,
    Table,
)
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.study.messages import explain
from pearlfem.study.shape_tables import Origin
from pearlfem.study.tables import OrderTable, OutputTable, StudyTable, _UnitsTable
from pearlfem.study.toml_text import parse_toml


class Study(Table):
    """A complete, validated study: what to solve, how, and what to write.

    Film and impurities are those at ``temperature``, if there is one, while ``text`` has them at 0.
    ``lattice`` has the vectors of that of [impurities.lattice], None without it;
    ``others`` are all sources but the impurities. ``text`` is the TOML it came from, and the files
    that it names lie in ``folder``, so that a result can carry its own study.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    title: str
    units: Units | ReducedUnits
    film: Film
    temperature: Temperature | None
    impurities: tuple[Impurity, ...]
    lattice: tuple[Point, Point] | None
    others: tuple[Any, ...]
    boundary: Boundary
    mesh: MeshOptions
    solve: SolveOptions
    order: OrderTable
    output: OutputTable
    text: str
    folder: Path

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that drives currents: the impurities first."""
        return (*self.impurities, *self.others)


def read_study(path: Path) -> Study:
    """Read and validate a study file.

    Raises:
        StudyError: The file cannot be read, is not TOML, or holds an unknown key or an
            impossible value.
    """
    return parse_study(read_study_text(path), name=str(path), folder=path.parent)


def read_study_text(path: Path) -> str:
    """Return the text of a study file, unchecked.

    Raises:
        StudyError: The file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise StudyError(f"{path}: cannot be read as a study file: {reason}") from None


def parse_study(text: str, name: str = "study", folder: Path = Path()) -> Study:
    """Validate the TOML ``text``.

    Args:
        text: The study.
        name: Stands in messages.
        folder: That of the files which the study names.

    Raises:
        StudyError: ``text`` is not TOML, or holds an unknown key or an impossible value.
    """
    content = parse_toml(text, name)
    if "sweep" in content:
        raise StudyError(f"{name}: sweep = {content['sweep']!r}: allowed with pearlfem sweep only")
    try:
        units = _units(content)
        table = StudyTable.model_validate(content, context=units)
        return _study(table, text, Origin(folder, units))
    except ValidationError as error:
        raise StudyError(f"{name}: {explain(error)}") from None
    except StudyError as error:
        raise StudyError(f"{name}: {error}") from None


def _units(content: dict[str, Any]) -> Units | ReducedUnits:
    given = {"units": content["units"]} if "units" in content else {}
    return _UnitsTable.model_validate(given).units or ReducedUnits()


def _study(table: StudyTable, text: str, origin: Origin) -> Study:
    film, impurities = table.film.film(origin), table.impurity
    if table.impurities is not None:
        impurities += table.impurities.build(film, origin)
    if table.temperature is not None:
        film, impurities = table.temperature.film(film), table.temperature.impurities(impurities)
    fluxoids, applied = table.film.fluxoids(), table.applied.sources()
    others: tuple[Source, ...] = (*table.vortex, *fluxoids, *applied)
    sources = (*impurities, *others)
    check_apart([(f"impurity {k}", one) for k, one in enumerate(impurities, start=1)])
    boundary = table.boundary.boundary(film)
    check_task(film, sources, boundary=boundary, mesh=table.mesh, solve=table.solve)
    mesh = _in_folder(table.mesh, origin.folder)
    if isinstance(boundary, Periodic) and table.output.solution:
        raise StudyError("output.solution = true: not allowed with boundary.kind = 'periodic'")
    check_probes(table.output.probe)
    return Study(
        title=table.title,
        units=origin.units,
        film=film,
        temperature=table.temperature,
        impurities=impurities,
        lattice=None if table.impurities is None else table.impurities.vectors,
        others=others,
        boundary=boundary,
        mesh=mesh,
        solve=table.solve,
        order=table.order,
        output=table.output,
        text=text,
        folder=origin.folder,
    )


def _in_folder(mesh: MeshOptions, folder: Path) -> MeshOptions:
    """Return ``mesh`` with the path of its file, which is relative to ``folder``.

    Raises:
        StudyError: There is no such file.
    """
    if mesh.file is None:
        return mesh
    path = folder / mesh.file
    if not path.is_file():
        raise StudyError(f"mesh.file = {mesh.file!r}: no such file; allowed: a gmsh file (.msh)")
    return mesh.model_copy(update={"file": str(path)})


def with_angles(study: Study, angles: Array) -> Study:
    """Return ``study`` with other ``angles`` [degrees] of its moments, ``(n,)``.

    Raises:
        StudyError: There are more moments, or less.
    """
    if len(angles) != len(study.impurities):
        raise StudyError(
            f"{len(angles)} angles (interaction.npz) for {len(study.impurities)} impurities"
        )
    pairs = zip(study.impurities, angles.tolist(), strict=True)
    impurities = tuple(replace(impurity, angle=angle) for impurity, angle in pairs)
    return study.model_copy(update={"impurities": impurities})
