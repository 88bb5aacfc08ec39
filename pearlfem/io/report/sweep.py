"""The content of the page of a sweep, made from its table and the names of its folders alone."""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pearlfem.errors import StudyError
from pearlfem.io.report.charts import MOST_SERIES, Chart, Series, chart
from pearlfem.io.report.contents import read_summary, read_text
from pearlfem.io.report.text import heading, number
from pearlfem.io.results.folder import PAGE, SUMMARY
from pearlfem.io.results.sweep_folder import CSV, FAILED, POINT, SWEEP
from pearlfem.quantities.result_shapes import SIDES
from pearlfem.quantities.results import RESULTS

_MOST_CHARTS, _MOST_ROWS = 24, 500
_FIRST_RESULT = RESULTS[0].name
_NOISE = 1e-9  # relative: a column that varies by less is constant

_Column = list[float | str | None]


class Row(NamedTuple):
    """A point that is done: its folder, a link to its page or its folder, and its cells."""

    folder: str
    link: str
    cells: list[float | str | None]


class Curves(NamedTuple):
    """Charts of all numbers against one parameter."""

    parameter: str
    charts: list[Chart]
    left_out: int
    lines: int
    lines_left_out: int


def is_sweep(folder: Path) -> bool:
    """Return whether ``folder`` holds a sweep."""
    return (folder / CSV).is_file() or (folder / SWEEP).is_file()


def sweep_content(folder: Path) -> dict[str, Any]:
    """Return the variables of the template ``sweep.html``.

    Raises:
        StudyError: A file is missing or damaged.
    """
    text = read_text(folder / SWEEP)
    columns = _read_table(folder / CSV)
    names = list(columns)
    parameters = names[1 : _first_result(folder / CSV, names)]
    results = [name for name in names if name not in (names[0], *parameters)]
    shown = [n for n in results if heading(n).name.startswith(_FIRST_RESULT) or n == "error"]
    shown += [name for name in ("dofs",) if name in results]
    points = columns[names[0]]
    first = _folder_name(folder / CSV, points[0]) if points else None
    return {
        "title": _title(folder / SWEEP, text) or folder.resolve().name,
        "source": CSV,
        "count": len(points),
        "parameters": parameters,
        "headings": [heading(name) for name in (*parameters, *shown)],
        "rows": list(_rows(folder, columns, [*parameters, *shown])),
        "rows_left_out": max(0, len(points) - _MOST_ROWS),
        "failures": list(_failures(folder)),
        "curves": list(_all_curves(columns, parameters, results)),
        "study": text,
        "versions": read_summary(folder / first / SUMMARY).versions if first else {},
    }


def _read_table(path: Path) -> dict[str, _Column]:
    rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    if not rows or rows[0][:1] != ["point"] or len(set(rows[0])) < len(rows[0]):
        raise StudyError(f"{path}: is damaged: no columns of a sweep")
    for line, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise StudyError(f"{path}: is damaged: line {line} has {len(row)} cells")
    return {name: [_cell(row[k]) for row in rows[1:]] for k, name in enumerate(rows[0])}


def _cell(text: str) -> float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def _first_result(path: Path, names: Sequence[str]) -> int:
    """Return the number of the first column with results; the parameters come before it."""
    for k, name in enumerate(names):
        if heading(name).name == _FIRST_RESULT:
            return k
    raise StudyError(f"{path}: is damaged: no column {_FIRST_RESULT!r}")


def _title(path: Path, text: str) -> str:
    try:
        title = tomllib.loads(text).get("title", "")
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: is damaged: {error}") from None
    return title if isinstance(title, str) else ""


def _folder_name(path: Path, point: float | str | None) -> str:
    if not isinstance(point, int):
        raise StudyError(f"{path}: is damaged: point = {point!r}")
    return f"{point:04d}"


def _rows(folder: Path, columns: Mapping[str, _Column], shown: Sequence[str]) -> Iterator[Row]:
    for k, point in enumerate(columns["point"][:_MOST_ROWS]):
        name = _folder_name(folder / CSV, point)
        page = f"{name}/{PAGE}" if (folder / name / PAGE).is_file() else f"{name}/"
        yield Row(name, page, [columns[column][k] for column in shown])


def _failures(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the folder of each point that failed, and the reason."""
    for path in sorted(folder.glob(f"*/{FAILED}")):
        if POINT.fullmatch(path.parent.name):
            yield path.parent.name, read_text(path).strip()


def _all_curves(
    columns: Mapping[str, _Column], parameters: Sequence[str], results: Sequence[str]
) -> Iterator[Curves]:
    """Yield charts of all numbers that vary, against each parameter that is a number."""
    plain = [name for name in results if not heading(name).side]
    for parameter in parameters:
        if _varies(columns[parameter]):
            others = [name for name in parameters if name != parameter]
            lines = _lines(columns, parameter, others)
            chosen = dict(_evenly(list(lines.items()), MOST_SERIES))
            names = [name for name in plain if _depends(columns[name], lines.values())]
            charts = [_chart(columns, parameter, name, chosen) for name in names[:_MOST_CHARTS]]
            left_out = len(names) - len(charts)
            yield Curves(
                str(heading(parameter)), charts, left_out, len(lines), len(lines) - len(chosen)
            )


def _varies(column: _Column) -> bool:
    """Return whether ``column`` has only numbers, and different ones."""
    return not any(isinstance(c, str) for c in column) and _depends(column, [range(len(column))])


def _depends(column: _Column, lines: Iterable[Sequence[int]]) -> bool:
    """Return whether the numbers of ``column`` vary along any of ``lines``."""
    least = _NOISE * max((abs(c) for c in column if isinstance(c, int | float)), default=0.0)
    for rows in lines:
        numbers = [c for k in rows if isinstance(c := column[k], int | float)]
        if numbers and max(numbers) - min(numbers) > least:
            return True
    return False


def _lines(
    columns: Mapping[str, _Column], parameter: str, others: Sequence[str]
) -> dict[str, list[int]]:
    """Return the rows of each curve: those with the same values of all other parameters.

    If parameters vary together, no two rows have that, and all rows are one curve.
    """
    x = columns[parameter]
    rows = sorted((k for k, value in enumerate(x) if value is not None), key=lambda k: _order(x[k]))
    lines: dict[str, list[int]] = {}
    for k in sorted(rows, key=lambda k: [_order(columns[name][k]) for name in others]):
        cells = (columns[name][k] for name in others)
        label = ", ".join(
            f"{heading(name).name} = {_text(cell)}"
            for name, cell in zip(others, cells, strict=True)
        )
        lines.setdefault(label, []).append(k)
    if all(len(line) == 1 for line in lines.values()):
        return {"": rows}
    return {label: sorted(line, key=lambda k: _order(x[k])) for label, line in lines.items()}


def _order(cell: float | str | None) -> tuple[float, str]:
    return (cell, "") if isinstance(cell, int | float) else (math.inf, cell or "")


def _text(cell: float | str | None) -> str:
    return number(float(cell), 5) if isinstance(cell, int | float) else str(cell)


def _evenly[T](items: list[T], most: int) -> list[T]:
    """Return at most ``most`` of ``items``, evenly chosen, with the first and the last."""
    if len(items) <= most:
        return items
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _chart(
    columns: Mapping[str, _Column], parameter: str, name: str, lines: Mapping[str, list[int]]
) -> Chart:
    head = heading(name)

    def values(column: str, rows: Sequence[int]) -> list[float]:
        cells = (columns[column][k] for k in rows)
        return [float(c) if isinstance(c, int | float) else math.nan for c in cells]

    sides = [
        f"{head.name}.{side} [{head.unit}]" if head.unit else f"{head.name}.{side}"
        for side in SIDES
    ]
    bounded = all(side in columns for side in sides)
    series = [
        Series(
            label,
            values(parameter, rows),
            values(name, rows),
            values(sides[0], rows) if bounded else None,
            values(sides[1], rows) if bounded else None,
        )
        for label, rows in lines.items()
    ]
    title = head.name.replace("_", " ", 1) if head.name.startswith(_FIRST_RESULT) else head.name
    return chart(title, heading(parameter), ("", head.unit), series)
