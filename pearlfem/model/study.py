"""The study file: TOML in, validated and frozen objects out.

Each table of the file is a class here, and a key that is not a field of its class is refused.
The keys are the contract that other tools rely on; a key of a later version (tolerance, holes,
vortices, units, …) is unknown to this one and refused like any other.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary, Box, Open, Place, Walls, check_boundary
from pearlfem.model.film import Disc, Film, Plane
from pearlfem.model.quantities import Point, Positive
from pearlfem.model.sources import Impurity, check_impurities


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PlaneTable(_Table):
    shape: Literal["plane"]
    pearl_length: Positive

    def film(self) -> Film:
        return Film(Plane(), self.pearl_length)


class _DiscTable(_Table):
    shape: Literal["disc"]
    pearl_length: Positive
    radius: Positive
    center: Point = (0.0, 0.0)

    def film(self) -> Film:
        return Film(Disc(self.radius, self.center), self.pearl_length)


class _BoundaryTable(_Table):
    kind: Literal["open", "shield", "magnetic-wall"] = "open"
    box: Box | None = None
    center: Place | None = None

    def boundary(self, film: Film) -> Boundary:
        """Return what surrounds ``film``, by default around its centre."""
        if self.kind == "open":
            for key in ("box", "center"):
                if (value := getattr(self, key)) is not None:
                    raise StudyError(
                        f"boundary.{key} = {list(value)}: not allowed with kind = 'open'; "
                        "allowed: kind = 'shield' or 'magnetic-wall', whose walls it places"
                    )
            return Open()
        if self.box is None:
            raise StudyError(
                f"boundary.box: missing, but needed with kind = {self.kind!r}; "
                "allowed: the sizes [x, y, z] of the box whose faces are walls"
            )
        x, y = film.shape.center if isinstance(film.shape, Disc) else (0.0, 0.0)
        return Walls(self.kind, self.box, self.center or (x, y, 0.0))


class MeshTable(_Table):
    """[mesh]: how fine space is meshed, and how far if it is open or has no walls at the sides."""

    resolution: Positive = 1.0
    far: Annotated[float, Field(ge=2, le=1e6, strict=True)] = 100.0


class SolveTable(_Table):
    """[solve]: formulation and degree of the elements, and the error that is allowed.

    ``tolerance`` is the relative error of the free energy at which refinement stops; without one
    there is a single mesh. ``max_dofs`` limits its meshes: unknowns of all formulations together.
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True)] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True)] = 2_000_000


class OutputTable(_Table):
    """[output]: what is written besides summary.json."""

    fields: Literal["vtu", "none"] = "vtu"
    picture: Annotated[bool, Field(strict=True)] = True


class _StudyTable(_Table):
    title: str = ""
    film: Annotated[_PlaneTable | _DiscTable, Field(discriminator="shape")]
    impurity: tuple[Impurity, ...] = ()
    boundary: _BoundaryTable = _BoundaryTable()
    mesh: MeshTable = MeshTable()
    solve: SolveTable = SolveTable()
    output: OutputTable = OutputTable()


class Study(_Table):
    """A complete, validated study: what to solve, how, and what to write.

    ``text`` is the TOML it came from, so that a result can carry its own study file.
    """

    title: str
    film: Film
    impurities: tuple[Impurity, ...]
    boundary: Boundary
    mesh: MeshTable
    solve: SolveTable
    output: OutputTable
    text: str


def read_study(path: Path) -> Study:
    """Read and validate a study file.

    Raises:
        StudyError: The file cannot be read, is not TOML, or holds an unknown key or an
            impossible value.
    """
    return parse_study(read_study_text(path), name=str(path))


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


def parse_study(text: str, name: str = "study") -> Study:
    """Validate the TOML ``text``; ``name`` stands in messages.

    Raises:
        StudyError: ``text`` is not TOML, or holds an unknown key or an impossible value.
    """
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and a plain one for a number of 5000 digits
        raise StudyError(f"{name}: not a TOML file: {error}") from None
    try:
        table = _StudyTable.model_validate(content)
    except ValidationError as error:
        raise StudyError(f"{name}: {_explain(error)}") from None
    film = table.film.film()
    try:
        check_impurities(film, table.impurity)
        boundary = table.boundary.boundary(film)
        check_boundary(boundary, film, table.impurity)
    except StudyError as error:
        raise StudyError(f"{name}: {error}") from None
    return Study(
        title=table.title,
        film=film,
        impurities=table.impurity,
        boundary=boundary,
        mesh=table.mesh,
        solve=table.solve,
        output=table.output,
        text=text,
    )


def _explain(error: ValidationError) -> str:
    """Return every fault in one line each: key, value, what is allowed."""
    return "\n  ".join(_fault(dict(fault)) for fault in error.errors(include_url=False))


def _fault(fault: dict[str, Any]) -> str:
    key = _key(fault["loc"])
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return (
            f"{key} = {fault['input']!r}: not a key that this version knows; "
            f"allowed here: {', '.join(_allowed_keys(fault['loc']))}"
        )
    if fault["type"] == "missing":
        return f"{key}: missing, but needed"
    if fault["type"] == "union_tag_not_found":
        return f"{key}.shape: missing, but needed; allowed: 'plane', 'disc'"
    if fault["type"] == "union_tag_invalid":
        ctx = fault["ctx"]
        return f"{key}.shape = {ctx['tag']!r}: not allowed; allowed: {ctx['expected_tags']}"
    return f"{key} = {fault['input']!r}: not allowed; {fault['msg']}"


def _key(location: tuple[int | str, ...]) -> str:
    """Return a location as the user wrote it: ``impurity 2: position``."""
    words: list[str] = []
    for part in location:
        if isinstance(part, int):
            words[-1] += f" {part + 1}" if len(words) == 1 else f"[{part}]"
        elif not (words == ["film"] and part in ("plane", "disc")):  # the union's own tag
            words.append(part)
    return ".".join(words)


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table in which the unknown key at ``location`` stands."""
    tables: dict[tuple[int | str, ...], type] = {
        ("film", "plane"): _PlaneTable,
        ("film", "disc"): _DiscTable,
        ("impurity",): Impurity,
        ("boundary",): _BoundaryTable,
        ("mesh",): MeshTable,
        ("solve",): SolveTable,
        ("output",): OutputTable,
        (): _StudyTable,
    }
    parent = tuple(part for part in location[:-1] if isinstance(part, str))
    table: Any = tables[parent]
    return list(getattr(table, "model_fields", None) or table.__pydantic_fields__)
