"""Lengths of a study: how far they may be apart, and how large or small they may be at all.

Numbers have 16 digits. The smallest and the largest length of a study meet in one calculation (in
the mesh, in the matrix), so their ratio must leave some of these digits. And volumes, or products
of areas, must not overflow. Both are checked for all lengths at once, before any shape is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source, numbered
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.study.schema import Node, schema

LARGEST, SMALLEST = 1e60, 1e-60  # of all lengths, in the unit of length
LARGEST_RATIO = 1e15  # of two lengths


class _Length(NamedTuple):
    """A length of a study.

    Args:
        key: Its key, as messages name it.
        value: Its value in reduced units.
        is_size: Whether it is the size of something. A coordinate may be as small as it likes.
    """

    key: str
    value: float
    is_size: bool


def check_table_lengths(table: BaseModel, units: Units | ReducedUnits) -> None:
    """Refuse a study whose lengths are too large, too small or too far apart.

    Args:
        table: The validated tables of the study; nothing is built from them yet.
        units: The units of its numbers.

    Raises:
        StudyError: Names the lengths, and what is allowed.
    """
    _check(_lengths(schema(type(table)), table, ""), units)


def check_built_lengths(
    film: Film, sources: Sequence[Source], boundary: Boundary, units: Units | ReducedUnits
) -> None:
    """Refuse lengths that are too far apart, with those that come from files or from the shapes.

    Args:
        film: The film.
        sources: The sources.
        boundary: The space.
        units: The units of the numbers in messages.

    Raises:
        StudyError: Names the lengths, and what is allowed.
    """
    lengths = [_Length("the smallest Pearl length", film.least_pearl_length, True)]
    if film.bounded:
        x0, y0, x1, y1 = film.outline().bounds
        lengths.append(_Length("the size of the film", max(x1 - x0, y1 - y0), True))
        lengths.append(_Length("a corner of the film", max(map(abs, (x0, y0, x1, y1))), False))
    if isinstance(boundary, Periodic):
        lengths.append(_Length("the width of the cell", boundary.width, True))
    if isinstance(boundary, Walls):
        lengths.append(_Length("the film's distance from a wall", boundary.wall_distance, True))
    for name, source in numbered(sources):
        lengths += [_Length(f"the core of {name}", core.size, True) for core in source.cores]
    _check(lengths, units)


def _check(lengths: Iterable[_Length], units: Units | ReducedUnits) -> None:
    unit = units.name("length")
    smallest = largest = None
    for length in lengths:
        size = abs(length.value)
        if size == 0 or size == float("inf"):  # a point, or a box without sides
            continue
        if size > LARGEST or (length.is_size and size < SMALLEST):
            raise StudyError(
                f"{length.key} = {_shown(length, units)} {unit}: not allowed; allowed: lengths "
                f"from {SMALLEST:g} to {LARGEST:g}"
            )
        if largest is None or size > abs(largest.value):
            largest = length
        if length.is_size and (smallest is None or size < smallest.value):
            smallest = length
    if smallest is None or largest is None:
        return
    ratio = abs(largest.value) / smallest.value
    if ratio > LARGEST_RATIO:
        raise StudyError(
            f"{smallest.key} = {_shown(smallest, units)} and {largest.key} = "
            f"{_shown(largest, units)} {unit}: {ratio:.0e} is their ratio; allowed: at most "
            f"{LARGEST_RATIO:g} between any two lengths, as numbers have 16 digits"
        )


def _shown(length: _Length, units: Units | ReducedUnits) -> str:
    return f"{units.from_reduced(length.value, 'length'):g}"


def _lengths(node: Node, value: Any, key: str) -> Iterator[_Length]:
    """Yield all lengths in a validated ``value`` whose schema is ``node``."""
    if isinstance(value, BaseModel) or is_dataclass(value):
        if node.tag is not None:
            node = node.choices[getattr(value, node.tag)]
        for name in _names(value):
            inner = node.find(name, None)
            if inner.inline:
                yield from _lengths(inner, getattr(value, name), key)
            else:
                yield from _lengths(inner, getattr(value, name), f"{key}.{name}" if key else name)
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            inner = node.element(number)
            place = f"{key} {number + 1}" if inner.is_table else f"{key}[{number}]"
            yield from _lengths(inner, each, place)
    elif isinstance(value, float | int) and node.quantity == "length":
        yield _Length(key, float(value), node.positive)


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, BaseModel):
        return type(value).model_fields
    return [field.name for field in fields(value)]
