"""What is wrong with a study, in words: key, value, and what is allowed."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.probes import PROBES
from pearlfem.model.sources.applied import CurrentLoop, Dipole
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.units import Units
from pearlfem.study.boundary_table import BoundaryTable
from pearlfem.study.impurity_tables import ImpuritiesTable, LatticeTable, RandomTable
from pearlfem.study.shape_tables import SHAPE_TABLES
from pearlfem.study.tables import (
    OrderTable,
    OutputTable,
    StudyTable,
    _AppliedTable,
    _FilmTable,
    _HoleTable,
    _RegionTable,
)


def explain(error: ValidationError) -> str:
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
        "mesh": MeshOptions,
        "solve": SolveOptions,
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
