"""What a table of a sweep has of a point's summary: numbers under names with units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

Row = dict[str, float | str]

MOST_IMPURITIES = 10  # whose tensor is in the table; beyond, interaction.npz has it all
_SIDES = ("lower", "upper")


def result_cells(summary: Mapping[str, Any]) -> Row:
    """Return the numbers of a ``summary`` that another run of the same study gives again.

    These are all but times and the number of ranks: energy, tensor and bounds, moment, what is in
    each hole, rounds of refinement, sizes. What is None is left out.
    """
    units = summary["units"]
    row = dict(_bounded("free_energy", summary["free_energy"], "value"))
    if (interaction := summary["interaction"]) is not None:
        row.update(_tensor(interaction))
    if (moment := summary["magnetic_moment"]) is not None:
        names = (f"magnetic_moment_{axis} [{units['moment']}]" for axis in "xyz")
        row.update(zip(names, moment, strict=True))
    for hole in summary["holes"]:
        for name, kind in (("current", "current"), ("flux", "flux"), ("fluxoid", "flux")):
            row[f"{hole['name']}: {name} [{units[kind]}]"] = hole[name]
    if (temperature := summary["temperature"]) is not None:
        row["temperature.factor"] = temperature["factor"]
    if rounds := summary["rounds"]:
        row.update({"rounds": len(rounds), "error": rounds[-1]["error"]})
    return row | {name: summary[name] for name in ("cells", "dofs", "iterations")}


def _bounded(name: str, content: Mapping[str, Any], value: str) -> Iterator[tuple[str, float]]:
    """Yield a number and its bounds with their names."""
    for key, own in ((value, name), *((side, f"{name}.{side}") for side in _SIDES)):
        if content[key] is not None:
            yield f"{own} [{content['unit']}]", content[key]


def _tensor(interaction: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield T_ij, i ≤ j, with its bounds; the rest follows from T_ij = T_jiᵀ."""
    count = len(interaction["tensor"])
    if count > MOST_IMPURITIES:
        return
    for i, j in product(range(count), repeat=2):
        for (a, x), (b, y) in product(enumerate("xy"), repeat=2):
            if i < j or (i == j and a <= b):
                entry = {
                    key: None if interaction[key] is None else interaction[key][i][j][a][b]
                    for key in ("tensor", *_SIDES)
                }
                content = entry | {"unit": interaction["unit"]}
                yield from _bounded(f"T_{x}{y} {i + 1}-{j + 1}", content, "tensor")


def as_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return the columns of a table of ``rows``, None where one has no such cell.

    A column of whole numbers has integers, one of numbers floats; any other has texts.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _alike([row.get(name) for row in rows]) for name in names}


def _alike(cells: list[Any]) -> list[Any]:
    there = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in there):
        kind: type = str
    else:
        kind = int if all(isinstance(cell, int) for cell in there) else float
    # + 0.0 for there is no minus before 0, which depends on the order of sums
    made = [None if cell is None else kind(cell) for cell in cells]
    return [cell + 0.0 if isinstance(cell, float) else cell for cell in made]
