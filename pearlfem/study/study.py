"""The study file: TOML in, validated and frozen objects out.

Each table of the file is a class here, and a key that is not a field of its class is refused.
The keys are the contract that other tools rely on. [sweep] makes many studies of one file: see
``pearlfem.study.sweep``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary, check_boundary
from pearlfem.model.film import Film, Hole, Profile, Region
from pearlfem.model.periodic import Periodic
from pearlfem.model.probes import PROBES, Probe, check_probes
from pearlfem.model.sources.applied import CurrentLoop, Dipole, UniformField, check_applied
from pearlfem.model.sources.base import (
    Fluxoid,
    Impurity,
    Source,
    Vortex,
    check_apart,
    check_sources,
    refuse_points,
)
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.annotated import FieldStrength, Point, PositiveEnergy, PositiveLength
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.study.boundary_table import BoundaryTable
from pearlfem.study.expressions import Expression
from pearlfem.study.impurity_tables import ImpuritiesTable, LatticeTable, RandomTable
from pearlfem.study.shape_tables import (
    SHAPE_TABLES,
    BoundedTable,
    Number,
    Origin,
    PlacedTable,
    ShapeTable,
    Table,
)
from pearlfem.study.solve_tables import MeshTable, SolveTable, check_mesh
from pearlfem.study.toml_text import parse_toml


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
    mesh: MeshTable = MeshTable()
    solve: SolveTable = SolveTable()
    order: OrderTable = OrderTable()
    output: OutputTable = OutputTable()


class _UnitsTable(Table):
    """What is read first, for all else is in these units."""

    units: Units | None = None


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
    mesh: MeshTable
    solve: SolveTable
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
        raise StudyError(f"{name}: {_explain(error)}") from None
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
    check_sources(film, sources)
    boundary = table.boundary.boundary(film)
    check_boundary(boundary, film, sources)
    check_mesh(table.mesh, table.solve, boundary, origin.folder)
    if isinstance(boundary, Periodic) and table.output.solution:
        raise StudyError("output.solution = true: not allowed with boundary.kind = 'periodic'")
    check_applied(film, boundary, sources)
    check_probes(table.output.probe)
    if table.solve.formulation != "stream":
        refuse_points(sources, f"with formulation = {table.solve.formulation!r}")
    if table.solve.tolerance is not None:
        refuse_points(sources, "with a tolerance")
    return Study(
        title=table.title,
        units=origin.units,
        film=film,
        temperature=table.temperature,
        impurities=impurities,
        lattice=None if table.impurities is None else table.impurities.vectors,
        others=others,
        boundary=boundary,
        mesh=table.mesh,
        solve=table.solve,
        order=table.order,
        output=table.output,
        text=text,
        folder=origin.folder,
    )


def _explain(error: ValidationError) -> str:
    """Return every fault in one line each: key, value, what is allowed."""
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        found.setdefault(_key(fault["loc"]) or str(len(found)), _fault(dict(fault)))
    return "\n  ".join(found.values())


def _fault(fault: dict[str, Any]) -> str:
    key = _key(fault["loc"])
    if isinstance(error := fault.get("ctx", {}).get("error"), StudyError):
        return f"{key}: {error}" if key else str(error)
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        allowed = ", ".join(_allowed_keys(fault["loc"]))
        return (
            f"{key} = {fault['input']!r}: not a key that this version knows; "
            f"allowed here: {allowed}"
        )
    if fault["type"] == "missing":
        return f"{key}: missing, but needed"
    if fault["type"] in ("union_tag_not_found", "union_tag_invalid"):
        allowed = ", ".join(map(repr, _tags(fault["loc"])))
        which = "kind" if "probe" in fault["loc"] else "shape"
        if fault["type"] == "union_tag_not_found":
            return f"{key}.{which}: missing, but needed; allowed: {allowed}"
        return f"{key}.{which} = {fault['ctx']['tag']!r}: not allowed; allowed: {allowed}"
    return f"{key} = {fault['input']!r}: not allowed; {fault['msg']}"


def _tags(location: tuple[int | str, ...]) -> list[str]:
    """Return what may stand where a union's tag is missing or wrong."""
    if "probe" in location:
        return list(PROBES)
    return [name for name in SHAPE_TABLES if name != "plane" or location == ("film", "outline")]


def _plain(location: tuple[int | str, ...]) -> list[int | str]:
    """Return a location without what the user did not write: the tags of unions."""
    parts: list[int | str] = []
    before: int | str = ""
    for part in location:
        after_union = before in ("outline", "base") or isinstance(before, int)
        tag = after_union and part in (*SHAPE_TABLES, *PROBES)
        member = part in ("outline", "_ProfileTable") or str(part).startswith("function-wrap")
        if not tag and not member:
            parts.append(part)
        before = part
    return parts


_LISTS = ("impurity", "vortex", "hole", "region", "dipole", "loop", "probe", "parts", "removed")


def _key(location: tuple[int | str, ...]) -> str:
    """Return a location as the user wrote it: ``impurity 2: position``."""
    words: list[str] = []
    for part in _plain(location):
        if isinstance(part, int):
            words[-1] += f" {part + 1}" if words[-1] in _LISTS else f"[{part}]"
        else:
            words.append(part)
    return ".".join(words)


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table in which the unknown key at ``location`` stands."""
    tables: dict[str, Any] = {
        "units": Units,
        "film": _FilmTable,
        "hole": _HoleTable,
        "region": _RegionTable,
        "temperature": Temperature,
        "impurity": Impurity,
        "impurities": ImpuritiesTable,
        "lattice": LatticeTable,
        "random": RandomTable,
        "vortex": Vortex,
        "applied": _AppliedTable,
        "dipole": Dipole,
        "loop": CurrentLoop,
        "boundary": BoundaryTable,
        "mesh": MeshTable,
        "solve": SolveTable,
        "order": OrderTable,
        "output": OutputTable,
    }
    parents = [part for part in location[:-1] if isinstance(part, str)]
    own: list[str] = []
    if parents and parents[-1] in PROBES and "probe" in parents:
        return list(PROBES[parents[-1]].model_fields)
    if parents and parents[-1] in SHAPE_TABLES and location[-2] == parents[-1]:
        own = list(SHAPE_TABLES[parents[-1]].model_fields)
    named = next((part for part in reversed(parents) if part in tables), None)
    table = tables[named] if named else StudyTable
    keys = list(getattr(table, "model_fields", None) or table.__pydantic_fields__)
    return own + [key for key in keys if key != "outline"]
