"""Many studies from one file: a study with [sweep], and the study of each of its points."""

from __future__ import annotations

import copy
import itertools
import json
import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from pydantic import ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.places import parse_place, put
from pearlfem.model.study import Study, StudyTable, parse_study, read_study_text
from pearlfem.model.sweep_tables import ParameterTable, sweep_table
from pearlfem.model.units import Kind, ReducedUnits, Units

_Units = Units | ReducedUnits


class Point(NamedTuple):
    """One study of a sweep.

    Args:
        number: Its number, from 1.
        values: That of each parameter, as the study has it.
        cells: The same as numbers in the units of ``Sweep.columns``, or texts.
        study: The study; its text has its files by their paths from the point's folder.
    """

    number: int
    values: tuple[Any, ...]
    cells: tuple[float | str, ...]
    study: Study

    @property
    def folder(self) -> str:
        """Name of the folder of its result."""
        return _folder(self.number)


class Sweep(NamedTuple):
    """All points of a sweep.

    Args:
        text: The file as it is.
        keys: The parameters.
        columns: The same with their units.
        points: In the order of their numbers.
    """

    text: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    points: tuple[Point, ...]

    def describe(self, point: Point) -> str:
        """Return the values of ``point`` in words."""
        return _described(self.keys, point.values)


def read_sweep(path: Path, folder: Path) -> Sweep:
    """Read a study with [sweep] and validate every point of it.

    Args:
        path: The study file.
        folder: Where the results will go, each point in a folder of its own.

    Raises:
        StudyError: The file cannot be read or has no [sweep], or a point is no study; names the
            key, the value and the point.
    """
    text = read_study_text(path)
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        raise StudyError(f"{path}: not a TOML file: {error}") from None
    if "sweep" not in content:
        raise StudyError(f"{path}: sweep: missing, but needed: which keys take which values")
    given = content.pop("sweep")
    units = _units(content, path)
    try:
        table = sweep_table(given)
        keys = tuple(parameter.key for parameter in table.parameter)
        _check_keys(keys)
        kinds = [_kind(content, parameter, units) for parameter in table.parameter]
        values = [_values(*each, units) for each in zip(itertools.count(1), table.parameter, kinds)]
        combined = table.combined(values)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    points = []
    for number, chosen in enumerate(combined, start=1):
        where = f"{path}: point {number} ({_described(keys, chosen)})"
        study = _study(content, keys, chosen, where, path.parent, folder / _folder(number))
        cells = tuple(_cell(*each, units) for each in zip(chosen, kinds, strict=True))
        points.append(Point(number, chosen, cells, study))
    named = zip(keys, kinds, strict=True)
    columns = tuple(k if kind is None else f"{k} [{units.name(kind)}]" for k, kind in named)
    return Sweep(text, keys, columns, tuple(points))


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
        parse_study(tomli_w.dumps(content), str(path), path.parent)  # tells what is wrong
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


def _study(
    content: dict[str, Any],
    keys: tuple[str, ...],
    values: tuple[Any, ...],
    where: str,
    folder: Path,
    result: Path,
) -> Study:
    """Return the study with ``values`` in it, read from ``folder`` and to be kept in ``result``."""
    own = copy.deepcopy(content)
    try:
        for key, value in zip(keys, values, strict=True):
            put(own, key, copy.deepcopy(value))
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None
    study = parse_study(tomli_w.dumps(own), where, folder)
    way = os.path.relpath(os.path.realpath(folder), os.path.realpath(result))
    return study.model_copy(update={"text": tomli_w.dumps(_moved(own, way))})


def _moved(content: Any, way: str) -> Any:
    """Return ``content`` for a study in another folder, from which ``way`` leads to its files."""
    if isinstance(content, list):
        return [_moved(each, way) for each in content]
    if not isinstance(content, dict):
        return content
    return {
        key: os.path.join(way, value)
        if key == "file" and isinstance(value, str)
        else _moved(value, way)
        for key, value in content.items()
    }
