"""Results of a summary as people read them: single numbers, and tables for holes and films."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pearlfem.quantities.result_shapes import Cell, NumberResult, TableResult, VectorResult
from pearlfem.quantities.results import RESULTS


class ShownTable(NamedTuple):
    """A table with a row for each hole or film.

    Args:
        name: Name of the result.
        title: What people read.
        headings: Name and unit of each column of numbers.
        rows: The name of a row, and its numbers; None where one was not computed.
    """

    name: str
    title: str
    headings: list[tuple[str, str]]
    rows: list[tuple[str, list[float | None]]]


def facts(summary: Mapping[str, Any]) -> list[Cell]:
    """Return the single numbers of the results, and of vectors the components that are not zero."""
    found: list[Cell] = []
    for result in RESULTS:
        if isinstance(result, NumberResult | VectorResult):
            cells = list(result.cells(summary.get(result.name), summary["units"]))
            found += [cell for cell in cells if cell.value != 0] or cells[-1:]
    return found


def tables(summary: Mapping[str, Any]) -> list[ShownTable]:
    """Return the results that are tables, without those that have no row."""
    units, found = summary["units"], []
    for result in RESULTS:
        if isinstance(result, TableResult) and (content := summary.get(result.name)):
            headings = [(part.name, units[part.kind]) for part in result.parts]
            rows = [(row["name"], [row.get(part.name) for part in result.parts]) for row in content]
            found.append(ShownTable(result.name, result.label, headings, rows))
    return found
