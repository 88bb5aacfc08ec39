"""Many studies from one file: a study with [sweep], and the study of each of its points."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError

from pearlfem.errors import StudyError
from pearlfem.quantities.units import Kind, ReducedUnits, Units
from pearlfem.study.keys import parse_place, put
from pearlfem.study.study import Study, parse_study, read_study_text
from pearlfem.study.sweep_tables import ParameterTable, sweep_table
from pearlfem.study.tables import StudyTable
from pearlfem.study.toml_text import parse_toml

_Units = Units | ReducedUnits


@dataclass(frozen=True)
class SweepPoint:
    """One study of a sweep.

    Args:
        number: Its number, from 1.
        values: That of each parameter, as the study has it.
        text: The study.
        origin: The folder from which it names files: that of the sweep's study.
        where: What messages call it.
    """

    number: int
    values: tuple[Any, ...]
    text: str
    origin: Path
    where: str

    @property
    def folder(self) -> str:
        """Name of the folder of its result."""
        return _folder(self.number)

    @cached_property
    def study(self) -> Study:
        """The study; it is validated when it is first asked for.

        Raises:
            StudyError: It is none.
        """
        return parse_study(self.text, self.where, self.origin)


@dataclass(frozen=True)
class Sweep:
    """All points of a sweep.

    Args:
        text: The file as it is.
        keys: The parameters.
        kinds: What they measure, if they have a unit.
        units: Those of the study.
        points: In the order of their numbers.
    """

    text: str
    keys: tuple[str, ...]
    kinds: tuple[Kind | None, ...]
    units: _Units
    points: tuple[SweepPoint, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The parameters with their units, for a table."""
        named = zip(self.keys, self.kinds, strict=True)
        return tuple(k if kind is None else f"{k} [{self.units.name(kind)}]" for k, kind in named)

    def cells(self, point: SweepPoint) -> tuple[float | str, ...]:
        """Return the values of ``point`` as numbers in the units of ``columns``, or as texts."""
        pairs = zip(point.values, self.kinds, strict=True)
        return tuple(_cell(value, kind, self.units) for value, kind in pairs)

    def describe(self, point: SweepPoint) -> str:
        """Return the values of ``point`` in words."""
        return _described(self.keys, point.values)


def read_sweep(path: Path, *, checked: bool = True) -> Sweep:
    """Read a study with [sweep].

    Args:
        path: The study file.
        checked: Validate the study of every point now.

    Raises:
        StudyError: The file cannot be read or has no [sweep], or a point is no study; names the
            key, the value and the point.
    """
    text = read_study_text(path)
    content = parse_toml(text, str(path))
    if "sweep" not in content:
        raise StudyError(f"{path}: sweep: missing, but needed: which keys take which values")
    given = content.pop("sweep")
    units = _units(content, path)
    try:
        table = sweep_table(given)
        keys = tuple(parameter.key for parameter in table.parameter)
        _check_keys(keys)
        kinds = tuple(_kind(content, parameter, units) for parameter in table.parameter)
        numbered = enumerate(zip(table.parameter, kinds, strict=True), start=1)
        combined = table.combined([_values(number, *each, units) for number, each in numbered])
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    points = []
    for number, values in enumerate(combined, start=1):
        where = f"{path}: point {number} ({_described(keys, values)})"
        own = _content(content, keys, values, where)
        points.append(SweepPoint(number, values, tomlkit.dumps(own), path.parent, where))
        if checked:
            _ = points[-1].study
    return Sweep(text, keys, kinds, units, tuple(points))


def _folder(number: int) -> str:
    return f"{number:04}"


def _described(keys: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in zip(keys, values, strict=True))


def _check_keys(keys: tuple[str, ...]) -> None:
    """Refuse what is no key, or one that would undo another."""
    paths = {key: parse_place(key) for key in keys}
    for key, path in paths.items():
        if path[0] in ("sweep", "units"):
            raise StudyError(f"sweep.parameter: key = {key!r}: not allowed; all points share it")
        for other, its in paths.items():
            if other != key and its[: len(path)] == path:
                raise StudyError(
                    f"sweep.parameter: key = {key!r}: not allowed beside {other!r}, a part of it"
                )


def _units(content: dict[str, Any], path: Path) -> _Units:
    try:
        return Units.model_validate(content["units"]) if "units" in content else ReducedUnits()
    except ValidationError:
        parse_study(tomlkit.dumps(content), str(path), path.parent)  # tells what is wrong
        raise


class _Listener:
    """Units that remember what a marked number measures."""

    def __init__(self, units: _Units) -> None:
        self.units = units
        self.kind: Kind | None = None

    def to_reduced(self, value: float | str, kind: Kind) -> float:
        if isinstance(value, _MarkedNumber | _MarkedText):
            self.kind = kind
        return self.units.to_reduced(value, kind)


class _MarkedNumber(float):
    pass


class _MarkedText(str):
    __slots__ = ()


def _kind(content: dict[str, Any], parameter: ParameterTable, units: _Units) -> Kind | None:
    """Return what a parameter measures: the reader of studies is asked, with a marked value."""
    given = parameter.range.start if parameter.range else (parameter.values or ())[0]
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    marked = copy.deepcopy(content)
    put(marked, parameter.key, (_MarkedText if isinstance(given, str) else _MarkedNumber)(given))
    listener = _Listener(units)
    with suppress(ValidationError, StudyError):  # of each point it is told what is wrong with it
        StudyTable.model_validate(marked, context=listener)
    return listener.kind


def _values(number: int, parameter: ParameterTable, kind: Kind | None, units: _Units) -> list[Any]:
    """Return the values of parameter ``number``."""
    if parameter.range is None:
        return list(parameter.values or ())
    try:
        ends = [_end(end, kind, units) for end in (parameter.range.start, parameter.range.stop)]
        return list(parameter.range.values(*ends))
    except StudyError as error:
        raise StudyError(f"sweep.parameter {number} ({parameter.key}): {error}") from None


def _end(given: float | str, kind: Kind | None, units: _Units) -> float:
    """Return an end of a range in the unit of the study."""
    if not isinstance(given, str):
        return given
    if kind is None:
        raise StudyError(f"range from or to {given!r}: not allowed; allowed: numbers")
    try:
        return _number(given, kind, units)
    except StudyError as error:
        raise StudyError(f"range from or to {given!r}: {error}") from None


def _number(text: str, kind: Kind, units: _Units) -> float:
    """Return a number with a unit as one in the unit of the study."""
    return units.from_reduced(units.to_reduced(text, kind), kind)


def _cell(value: Any, kind: Kind | None, units: _Units) -> float | str:
    """Return what a table has of a value."""
    if isinstance(value, str):
        return value if kind is None else _number(value, kind, units)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, default=str)


def _content(
    content: dict[str, Any], keys: tuple[str, ...], values: tuple[Any, ...], where: str
) -> dict[str, Any]:
    """Return the content of a study with ``values`` in it."""
    own = copy.deepcopy(content)
    try:
        for key, value in zip(keys, values, strict=True):
            put(own, key, copy.deepcopy(value))
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None
    return own
