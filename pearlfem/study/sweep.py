"""Many studies from one file: a study with [sweep], and the study of each of its points."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import tomlkit

from pearlfem.errors import StudyError
from pearlfem.quantities.units import Kind, ReducedUnits, Units
from pearlfem.runtime.files import AnyPath
from pearlfem.study.keys import parse_key, set_key
from pearlfem.study.messages import brief, shown
from pearlfem.study.schema import schema
from pearlfem.study.study import Study, parse_study, parse_units, read_study_text
from pearlfem.study.sweep_tables import ParameterTable, sweep_table
from pearlfem.study.tables import StudyTable
from pearlfem.study.toml_text import parse_toml

_Units = Units | ReducedUnits


@dataclass(frozen=True)
class SweepPoint:
    """One study of a sweep.

    Args:
        number: Its number, from 1.
        values: The value of each parameter, as the file has it.
        text: The study as TOML.
        origin: The folder in which relative paths of files begin: that of the sweep's file.
        where: What messages call this point.
    """

    number: int
    values: tuple[Any, ...]
    text: str
    origin: Path
    where: str

    @property
    def folder(self) -> str:
        """Name of the folder for its result."""
        return _folder(self.number)

    @cached_property
    def study(self) -> Study:
        """The study, validated at the first use.

        Raises:
            StudyError: It has an unknown key or an impossible value.
        """
        return parse_study(self.text, self.where, self.origin)


@dataclass(frozen=True)
class Sweep:
    """All points of a sweep.

    Args:
        text: The whole file.
        keys: The key of each parameter.
        kinds: What each parameter measures; None if it has no unit.
        units: The units of the study.
        points: The points in the order of their numbers.
    """

    text: str
    keys: tuple[str, ...]
    kinds: tuple[Kind | None, ...]
    units: _Units
    points: tuple[SweepPoint, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys with the units of their values, as names of the columns of a table."""
        pairs = zip(self.keys, self.kinds, strict=True)
        return tuple(k if kind is None else f"{k} [{self.units.name(kind)}]" for k, kind in pairs)

    def cells(self, point: SweepPoint) -> tuple[float | str, ...]:
        """Return the values of ``point`` as numbers in the units of ``columns``, or as texts."""
        pairs = zip(point.values, self.kinds, strict=True)
        return tuple(_cell(value, kind, self.units) for value, kind in pairs)

    def describe(self, point: SweepPoint) -> str:
        """Return the values of ``point`` in words."""
        return _described(self.keys, point.values)


def read_sweep(path: AnyPath, *, checked: bool = True) -> Sweep:
    """Read a study with [sweep].

    Args:
        path: The study file.
        checked: Validate the study of every point now.

    Raises:
        StudyError: The file cannot be read or has no [sweep], or the study of a point is not
            valid; names the key, the value and the point.
    """
    text = read_study_text(path)
    content = parse_toml(text, str(path))
    if "sweep" not in content:
        raise StudyError(f"{path}: sweep: missing, but needed: which keys take which values")
    try:
        table = sweep_table(content.pop("sweep"))
        units = parse_units(content)
        keys = tuple(parameter.key for parameter in table.parameter)
        _check_keys(keys)
        kinds = tuple(_kind(content, key) for key in keys)
        numbered = enumerate(zip(table.parameter, kinds, strict=True), start=1)
        combined = table.combined([_values(number, *pair, units) for number, pair in numbered])
    except StudyError as error:
        raise StudyError(f"{path}: {brief(str(error))}") from None
    points = []
    for number, values in enumerate(combined, start=1):
        where = f"{path}: point {number} ({_described(keys, values)})"
        changed = _changed(content, keys, values, where)
        points.append(SweepPoint(number, values, tomlkit.dumps(changed), Path(path).parent, where))
        if checked:
            _ = points[-1].study
    return Sweep(text, keys, kinds, units, tuple(points))


def _folder(number: int) -> str:
    return f"{number:04}"


def _described(keys: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return ", ".join(f"{key} = {shown(value)}" for key, value in zip(keys, values, strict=True))


def _check_keys(keys: tuple[str, ...]) -> None:
    """Refuse a key that all points share, and one that would overwrite another."""
    paths = {key: parse_key(key) for key in keys}
    for key, path in paths.items():
        if path[0] in ("sweep", "units"):
            raise StudyError(f"sweep.parameter: key = {key!r}: not allowed; all points share it")
        for other, longer in paths.items():
            if other != key and longer[: len(path)] == path:
                raise StudyError(
                    f"sweep.parameter: key = {key!r}: not allowed beside {other!r}, a part of it"
                )


def _kind(content: dict[str, Any], key: str) -> Kind | None:
    """Return what the number at ``key`` of a study measures; None if it has no unit."""
    node, value = schema(StudyTable), cast(Any, content)
    for part in parse_key(key):
        node = node.find(part, value) if isinstance(part, str) else node.element(part)
        try:
            value = value[part]
        except (LookupError, TypeError):  # the study of each point tells what is wrong
            value = None
    return node.quantity


def _values(number: int, parameter: ParameterTable, kind: Kind | None, units: _Units) -> list[Any]:
    """Return all values of parameter ``number``."""
    if parameter.range is None:
        return list(parameter.values or ())
    try:
        start = _end("start", parameter.range.start, kind, units)
        stop = _end("stop", parameter.range.stop, kind, units)
        return list(parameter.range.values(start, stop))
    except StudyError as error:
        raise StudyError(f"sweep.parameter {number}.range.{error}") from None


def _end(name: str, given: float | str, kind: Kind | None, units: _Units) -> float:
    """Return an end of a range in the unit of the study."""
    if not isinstance(given, str):
        return given
    try:
        if kind is None:
            raise StudyError("this key has no unit; allowed: a number")
        return _in_study_units(given, kind, units)
    except StudyError as error:
        raise StudyError(f"{name} = {shown(given)}: not allowed; {error}") from None


def _in_study_units(text: str, kind: Kind, units: _Units) -> float:
    """Return the number of a text with a unit, in the unit of the study."""
    return units.from_reduced(units.to_reduced(text, kind), kind)


def _cell(value: Any, kind: Kind | None, units: _Units) -> float | str:
    """Return a value as a table shows it."""
    if isinstance(value, str):
        return value if kind is None else _in_study_units(value, kind, units)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, default=str)


def _changed(
    content: dict[str, Any], keys: tuple[str, ...], values: tuple[Any, ...], where: str
) -> dict[str, Any]:
    """Return a copy of a study's content that has ``values`` at ``keys``."""
    changed = copy.deepcopy(content)
    try:
        for key, value in zip(keys, values, strict=True):
            set_key(changed, key, copy.deepcopy(value))
    except StudyError as error:
        raise StudyError(f"{where}: {brief(str(error))}") from None
    return changed
