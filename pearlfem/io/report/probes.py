"""Probes on a page: lines as curves, grids as maps, tables with few rows as tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pearlfem.errors import StudyError
from pearlfem.io.report.charts import Chart, Series, chart
from pearlfem.io.report.contents import read_text
from pearlfem.io.report.images import Map, grid_map
from pearlfem.io.report.text import Heading, greek, heading, unit
from pearlfem.quantities.result_shapes import AXES
from pearlfem.quantities.results import FIELDS, FLUX

_FEW_ROWS = 12
_PLACES = ("s", *AXES)
_MOST_MAPS = 3  # of one grid
_PREFIX = "probe_"
_VECTORS = {column: field.name for field in FIELDS for column in field.columns}
_MAPPED = (*(f.columns[-1] for f in FIELDS if f.components != 2), FLUX.name)


class Table(NamedTuple):
    """Columns of numbers."""

    headings: list[Heading]
    columns: list[list[float]]

    @property
    def rows(self) -> list[tuple[float, ...]]:
        """The same, row by row."""
        return list(zip(*self.columns, strict=True))


class ProbePart(NamedTuple):
    """A probe on the page."""

    name: str
    file: str
    length: int  # rows
    charts: list[Chart]
    maps: list[Map]
    table: Table | None


def read_probes(folder: Path) -> list[ProbePart]:
    """Return all probes in ``folder``, read from probe_*.csv.

    Raises:
        StudyError: A file is not a table of numbers.
    """
    return [_part(path, _read(path)) for path in sorted(folder.glob(f"{_PREFIX}*.csv"))]


def _read(path: Path) -> Table:
    rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    if not rows:
        raise StudyError(f"{path}: is damaged: empty")
    for line, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise StudyError(f"{path}: is damaged: line {line} has {len(row)} cells")
    try:
        columns = [[float(cell) for cell in column] for column in zip(*rows[1:], strict=True)]
    except ValueError as error:
        raise StudyError(f"{path}: is damaged: {error}") from None
    return Table([heading(text) for text in rows[0]], columns or [[] for _ in rows[0]])


def _part(path: Path, table: Table) -> ProbePart:
    name, count = path.stem.removeprefix(_PREFIX), len(table.columns[0])
    charts: list[Chart] = []
    maps: list[Map] = []
    names = [head.name for head in table.headings]
    if count > 2 and names[0] == "s":
        charts = list(_curves(table))
    elif count > _FEW_ROWS and tuple(names[:3]) == AXES:
        maps = list(_maps(table))
    few = table if count <= _FEW_ROWS else None
    return ProbePart(name, path.name, count, charts, maps, few)


def _curves(table: Table) -> Iterator[Chart]:
    """Yield a chart of each quantity along a line; a vector has one chart for all components."""
    s = table.columns[0]
    groups: dict[tuple[str, str], list[Series]] = {}
    for head, values in zip(table.headings, table.columns, strict=True):
        if head.name not in _PLACES and any(math.isfinite(value) for value in values):
            curve = Series(greek(head.name), s, values)
            groups.setdefault((_quantity(head.name), head.unit), []).append(curve)
    for (quantity, name), curves in groups.items():
        yield chart(greek(quantity), ("s", table.headings[0].unit), ("", name), curves)


def _quantity(name: str) -> str:
    """Return B of Bx, By_applied and so on; other names as they are."""
    return _VECTORS.get(name.partition("_")[0], name)


def _maps(table: Table) -> Iterator[Map]:
    """Yield maps of scalars, and of components along z, on a grid in a plane of constant z."""
    columns = dict(zip((h.name for h in table.headings), table.columns, strict=True))
    units = {h.name: h.unit for h in table.headings}
    if len(set(columns["z"])) > 1:
        return
    wanted = [name for name in _MAPPED if name in columns]
    for name in wanted[:_MOST_MAPS]:
        found = grid_map(name, unit(units[name]), columns["x"], columns["y"], columns[name])
        if found is not None:
            yield found
