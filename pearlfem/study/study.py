"""The study file: TOML in, validated and frozen objects out.

The tables of the file are the classes of ``pearlfem.study.tables``; their keys are a contract that
other tools rely on. For a file with [sweep], which is many studies, see ``pearlfem.study.sweep``.
"""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
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
from pearlfem.quantities.annotated import Point, Table
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.runtime.files import AnyPath, read_file
from pearlfem.study.impurity_tables import check_strengths
from pearlfem.study.lengths import check_built_lengths, check_table_lengths
from pearlfem.study.messages import brief, explain, shown
from pearlfem.study.shape_tables import Origin
from pearlfem.study.tables import OrderTable, OutputTable, StudyTable
from pearlfem.study.toml_text import parse_toml


class Study(Table):
    """A complete, validated study: what to solve, how, and what to write.

    Args:
        title: Any text, for people.
        units: Units of numbers in the file and in its results. Everything else here, and what
            Python computes from it, is in reduced units: ``units.from_reduced`` converts.
        film: The film, with the Pearl length that it has at the temperature.
        temperature: None for T = 0.
        impurities: All impurities, with the strength that they have at the temperature.
        lattice: Vectors of [impurities.lattice]; None without that table.
        others: All sources but the impurities.
        boundary: What surrounds the film.
        mesh: The table [mesh].
        solve: The table [solve].
        order: The table [order].
        output: The table [output].
        text: The TOML that the study comes from, so that a result can hold its own study.
        folder: The folder in which relative paths of files begin.
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
        """Everything that drives currents, the impurities first."""
        return (*self.impurities, *self.others)


def read_study(path: AnyPath) -> Study:
    """Read and validate a study file.

    Returns:
        The study. Its lengths, strengths and so on are in reduced units, and so are numbers that
        Python computes from it; ``study.units.from_reduced`` converts to the units of [units].

    Raises:
        StudyError: The file cannot be read, is not TOML, or has an unknown key or an impossible
            value.
    """
    return parse_study(read_study_text(path), name=str(path), folder=Path(path).parent)


def read_study_text(path: AnyPath) -> str:
    """Return the text of a study file without checking it.

    Raises:
        StudyError: The file cannot be read.
    """
    try:
        text = read_file(Path(path)).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise StudyError(f"{path}: cannot be read as a study file: {reason}") from None
    return StringIO(text, newline=None).read()  # with line ends of any system


def parse_study(text: str, name: str = "study", folder: AnyPath = "") -> Study:
    """Validate the TOML ``text``.

    Args:
        text: The study.
        name: What messages call it.
        folder: The folder in which relative paths of files begin.

    Raises:
        StudyError: ``text`` is not TOML, or has an unknown key or an impossible value.
    """
    content = parse_toml(text, name)
    if "sweep" in content:
        raise StudyError(
            f"{name}: sweep = {shown(content['sweep'])}: allowed with pearlfem sweep only"
        )
    try:
        units = parse_units(content)
        table = StudyTable.model_validate(content, context=units)
        check_strengths(content, units)
        check_table_lengths(table, units)
        return _study(table, text, Origin(Path(folder), units))
    except ValidationError as error:
        raise StudyError(f"{name}: {brief(explain(error, StudyTable))}") from None
    except StudyError as error:
        raise StudyError(f"{name}: {brief(str(error))}") from None


def parse_units(content: dict[str, Any]) -> Units | ReducedUnits:
    """Return the units of a study; they come first, because all other tables need them.

    Args:
        content: The whole study.

    Raises:
        StudyError: The table [units] has an unknown key or an impossible value.
    """
    if "units" not in content:
        return ReducedUnits()
    try:
        return Units.model_validate(content["units"])
    except ValidationError as error:
        raise StudyError(explain(error, Units, "units")) from None


def _study(table: StudyTable, text: str, origin: Origin) -> Study:
    film, impurities = table.film.build(origin), table.impurity
    if table.impurities is not None:
        impurities += table.impurities.build(film, origin)
    if table.temperature is not None:
        film, impurities = table.temperature.film(film), table.temperature.impurities(impurities)
    others = table.other_sources()
    sources = (*impurities, *others)
    check_apart([(f"impurity {k}", one) for k, one in enumerate(impurities, start=1)])
    boundary = table.boundary.build(film)
    check_built_lengths(film, sources, boundary, origin.units)
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
        StudyError: The number of angles is not the number of moments.
    """
    if len(angles) != len(study.impurities):
        raise StudyError(
            f"{len(angles)} angles (interaction.npz) for {len(study.impurities)} impurities"
        )
    pairs = zip(study.impurities, angles.tolist(), strict=True)
    impurities = tuple(replace(impurity, angle=angle) for impurity, angle in pairs)
    return study.model_copy(update={"impurities": impurities})
