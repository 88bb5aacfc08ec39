"""Shapes of results: a number, a vector, a number or a tensor with bounds, a table.

A shape knows how its values stand in summary.json (``content``), and how they read as single
numbers (``cells``): in the table of a sweep, on the report page, and in the terminal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import Kind, ReducedUnits, Units

AXES = ("x", "y", "z")  # names of the components of vectors and tensors
MOST_IMPURITIES = 10  # whose tensor has cells; interaction.npz has the tensor of more
SIDES = ("lower", "upper")

AnyUnits = Units | ReducedUnits


class Bounded(NamedTuple):
    """A number or an array with its bounds; a bound that is not known is None.

    Where they are not ``guaranteed``, ``lower`` and ``upper`` are estimates only.
    """

    value: Any
    lower: Any = None
    upper: Any = None
    guaranteed: bool = True


class Cell(NamedTuple):
    """One number of a result.

    Args:
        column: Name of its column in the table of a sweep, without the unit.
        label: What people read.
        unit: Name of its unit.
        value: The number in this unit.
    """

    column: str
    label: str
    unit: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Result(ABC):
    """A result of a run.

    Args:
        name: Its key in summary.json, with which the names of its columns in sweeps begin.
        label: What people read.
        function: "module:function" that computes it from a ``Solution`` in reduced units,
            collectively. Empty if it takes more than one solution: see ``workflow.answers``.
        needs: "module:function" that tells whether a ``Solution`` has it; empty if all have it.
    """

    name: str
    label: str
    function: str = ""
    needs: str = ""

    @property
    @abstractmethod
    def kinds(self) -> tuple[Kind, ...]:
        """What its numbers measure."""

    @abstractmethod
    def content(self, value: Any, units: AnyUnits) -> Any:
        """Return a value, in reduced units, as summary.json has it; None is "not computed"."""

    @abstractmethod
    def cells(self, content: Any, units: Mapping[str, str]) -> Iterator[Cell]:
        """Yield the single numbers of what summary.json has.

        Args:
            content: As the method ``content`` returns it.
            units: Names of the units of all kinds, as in summary.json.
        """


@dataclass(frozen=True, kw_only=True)
class NumberResult(Result):
    """A number of one ``kind``."""

    kind: Kind

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Its kind."""
        return (self.kind,)

    def content(self, value: float | None, units: AnyUnits) -> float | None:
        """Return the number."""
        return None if value is None else float(_plain(value, units, self.kind))

    def cells(self, content: float | None, units: Mapping[str, str]) -> Iterator[Cell]:
        """Yield the number."""
        if content is not None:
            yield Cell(self.name, self.label, units[self.kind], content)


@dataclass(frozen=True, kw_only=True)
class VectorResult(Result):
    """Three components of one ``kind``, in an array of shape ``(3,)``."""

    kind: Kind

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Its kind."""
        return (self.kind,)

    def content(self, value: Array | None, units: AnyUnits) -> list[float] | None:
        """Return a list of the components."""
        components: list[float] | None = _plain(value, units, self.kind)
        return components

    def cells(self, content: Sequence[float] | None, units: Mapping[str, str]) -> Iterator[Cell]:
        """Yield each component."""
        if content is not None:
            for axis, value in zip(AXES, content, strict=True):
                column, label = f"{self.name}_{axis}", f"{self.label}, {axis}"
                yield Cell(column, label, units[self.kind], value)


@dataclass(frozen=True, kw_only=True)
class BoundedResult(Result):
    """A ``Bounded`` number of one ``kind``; it names its unit beside its value."""

    kind: Kind

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Its kind."""
        return (self.kind,)

    def content(self, value: Bounded, units: AnyUnits) -> dict[str, Any]:
        """Return a table of value, bounds and unit."""
        return _with_bounds("value", value, units, self.kind)

    def cells(self, content: Mapping[str, Any], units: Mapping[str, str]) -> Iterator[Cell]:
        """Yield the number and its bounds."""
        numbers = [content[key] for key in ("value", *SIDES)]
        yield from _bounded_cells(self.name, self.label, content["unit"], numbers)


@dataclass(frozen=True, kw_only=True)
class TensorResult(Result):
    """A ``Bounded`` tensor that couples n moments of c components, ``(n, n, c, c)``.

    In the table of a sweep it is called T.
    """

    kind: Kind

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Its kind."""
        return (self.kind,)

    def content(self, value: Bounded | None, units: AnyUnits) -> dict[str, Any] | None:
        """Return a table of tensor, bounds and unit."""
        return None if value is None else _with_bounds("tensor", value, units, self.kind)

    def cells(self, content: Mapping[str, Any] | None, units: Mapping[str, str]) -> Iterator[Cell]:
        """Yield T_ij with its bounds for i ≤ j; the others follow from T_ij = T_jiᵀ."""
        if content is None or len(content["tensor"]) > MOST_IMPURITIES:
            return
        sides = [content[key] for key in ("tensor", *SIDES)]
        n, components = len(sides[0]), len(sides[0][0][0])
        for i, j, a, b in product(range(n), range(n), range(components), range(components)):
            if i < j or (i == j and a <= b):
                name = f"T_{AXES[a]}{AXES[b]} {i + 1}-{j + 1}"
                numbers = [None if side is None else side[i][j][a][b] for side in sides]
                yield from _bounded_cells(name, name, content["unit"], numbers)


class Part(NamedTuple):
    """A column of a ``TableResult``.

    Args:
        name: Its key in each row, and its heading.
        kind: What it measures.
        column: Its name in the table of a sweep; by default ``name``.
    """

    name: str
    kind: Kind
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class TableResult(Result):
    """A row for each hole, or for each film.

    A row is an object with a ``name`` and the ``parts`` as attributes. A number may be None.
    """

    parts: tuple[Part, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What its columns measure."""
        return tuple(part.kind for part in self.parts)

    def content(self, value: Sequence[Any] | None, units: AnyUnits) -> list[dict[str, Any]]:
        """Return a list of rows; an empty one if it was not computed."""
        return [self._row(row, units) for row in value or ()]

    def cells(
        self, content: Sequence[Mapping[str, Any]], units: Mapping[str, str]
    ) -> Iterator[Cell]:
        """Yield all numbers, row by row."""
        for row in content or ():
            for part in self.parts:
                if row.get(part.name) is not None:  # an earlier program may not have written it
                    column = f"{row['name']}: {part.column or part.name}"
                    label = f"{self.label}, {row['name']}, {part.name}"
                    yield Cell(column, label, units[part.kind], row[part.name])

    def _row(self, row: Any, units: AnyUnits) -> dict[str, Any]:
        numbers = {p.name: _plain(getattr(row, p.name), units, p.kind) for p in self.parts}
        return {"name": row.name} | numbers


def _plain(value: Any, units: AnyUnits, kind: Kind) -> Any:
    """Return a number, or an array as nested lists, in ``units``; None stays None."""
    if value is None:
        return None
    scaled = units.from_reduced(value, kind)
    return scaled.tolist() if isinstance(scaled, np.ndarray) else scaled


def _with_bounds(name: str, value: Bounded, units: AnyUnits, kind: Kind) -> dict[str, Any]:
    """Return a table of the value, under ``name``, its bounds and its unit."""
    numbers = [_plain(each, units, kind) for each in (value.value, value.lower, value.upper)]
    known = dict(zip((name, *SIDES), numbers, strict=True))
    return known | {"unit": units.name(kind), "guaranteed": value.guaranteed}


def _bounded_cells(
    name: str, label: str, unit: str, numbers: Sequence[float | None]
) -> Iterator[Cell]:
    """Yield a number and those of its bounds that are known."""
    columns = (name, *(f"{name}.{side}" for side in SIDES))
    labels = (label, f"{label}, at least", f"{label}, at most")
    for column, text, value in zip(columns, labels, numbers, strict=True):
        if value is not None:
            yield Cell(column, text, unit, value)
