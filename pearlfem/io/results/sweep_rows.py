"""The row of a point in the table of a sweep: the numbers of its summary, with their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pearlfem.quantities.results import RESULTS

Row = dict[str, float | str]


def result_cells(summary: Mapping[str, Any]) -> Row:
    """Return the numbers of a ``summary`` that another run of the same study gives again.

    These are the results, the factor of the temperature, the rounds of refinement, and sizes; not
    times and the number of ranks. What is None is left out, and results that the summary of an
    earlier version does not have.
    """
    units, row = summary["units"], Row()
    for result in RESULTS:
        for cell in result.cells(summary.get(result.name), units):
            row[f"{cell.column} [{cell.unit}]"] = cell.value
    if (temperature := summary["temperature"]) is not None:
        row["temperature.factor"] = temperature["factor"]
    if rounds := summary["rounds"]:
        row.update({"rounds": len(rounds), "error": rounds[-1]["error"]})
    return row | {name: summary[name] for name in ("cells", "dofs", "iterations")}


def as_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return the columns of a table of ``rows``, None where a row has no such cell.

    The cells of a column are all integers, all floats, or all texts.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _alike([row.get(name) for row in rows]) for name in names}


def _alike(cells: list[Any]) -> list[Any]:
    there = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in there):
        kind: type = str
    else:
        kind = int if all(isinstance(cell, int) for cell in there) else float
    # + 0.0 removes the sign of −0.0, which depends on the order of sums
    made = [None if cell is None else kind(cell) for cell in cells]
    return [cell + 0.0 if isinstance(cell, float) else cell for cell in made]
