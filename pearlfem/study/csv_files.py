"""Tables of numbers as CSV files: a row of names, then rows of cells.

Every fault is told with its file, row and column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.probes import MOST_SAMPLES, PointsProbe, PositionOrPoint
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.runtime.files import read_file

_POSITION: TypeAdapter[tuple[float, float, float]] = TypeAdapter(PositionOrPoint)


class Row(NamedTuple):
    """A row of a CSV file.

    Args:
        name: What messages call it.
        cells: Its texts, by column.
    """

    name: str
    cells: dict[str, str]

    @property
    def values(self) -> dict[str, float | str]:
        """The numbers by column; a text that is no number may be one with a unit."""
        return {column: _number(cell) for column, cell in self.cells.items()}

    def refusal(self, error: ValidationError) -> StudyError:
        """Return the error that names the row, the column and the cell of the first fault."""
        fault = error.errors(include_url=False)[0]
        axes = ["xyz"[part] for part in fault["loc"] if isinstance(part, int)]
        column = axes[0] if axes else str(fault["loc"][0])
        cell = self.cells[column]
        return StudyError(f"{self.name}, column {column} = {cell!r}: not allowed; {fault['msg']}")


def read_points(path: Path, name: str, units: Units | ReducedUnits) -> PointsProbe:
    """Return the probe ``name`` of the points in a CSV file with columns x, y and maybe z.

    Without z they lie on the film.

    Raises:
        StudyError: The file cannot be read, or a cell is not a number.
    """
    points = []
    for row in csv_rows(path, str(path), ("x", "y"), ("z",), MOST_SAMPLES):
        values = row.values
        try:
            given = [values[axis] for axis in "xyz" if axis in values]
            points.append(_POSITION.validate_python(given, context=units))
        except ValidationError as error:
            raise row.refusal(error) from None
    try:
        return PointsProbe(name=name, points=tuple(points))
    except ValidationError as error:
        raise StudyError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from None


def csv_rows(
    path: Path, name: str, required: Sequence[str], optional: Sequence[str], most: int
) -> Iterator[Row]:
    """Yield the rows of a CSV file below its row of column names.

    Args:
        path: The file.
        name: What messages call it.
        required: Columns that must be there.
        optional: Columns that may be there.
        most: Largest number of rows.

    Raises:
        StudyError: The file cannot be read, has other columns, no rows or too many, or a row
            of another length.
    """
    allowed = ", ".join(required) + " (" + ", ".join(optional) + ")"
    lines = _lines(path, name)
    if not lines:
        raise StudyError(f"{name}: empty; allowed: a row of names {allowed}, and rows of numbers")
    (number, columns), *rest = lines
    for column in columns:
        if column not in (*required, *optional) or columns.count(column) > 1:
            raise StudyError(
                f"{name}: row {number}, column {column!r}: not allowed; allowed: {allowed}, once"
            )
    for column in required:
        if column not in columns:
            raise StudyError(f"{name}: row {number}: column {column!r} is missing, but needed")
    if not 0 < len(rest) <= most:
        raise StudyError(
            f"{name}: {len(rest) or 'no'} rows; allowed: at least one below the names, at most "
            f"{most}"
        )
    for number, cells in rest:
        if len(cells) != len(columns):
            raise StudyError(
                f"{name}: row {number}: has {len(cells)} cells; allowed: {len(columns)}, one for "
                f"each of {', '.join(columns)}"
            )
        yield Row(f"{name}: row {number}", dict(zip(columns, cells, strict=True)))


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _lines(path: Path, name: str) -> list[tuple[int, list[str]]]:
    """Return the number of each line that is not empty, and its cells."""
    try:
        lines = read_file(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise StudyError(f"{name}: cannot be read: {reason}") from None
    reader = csv.reader(lines, strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise StudyError(f"{name}: row {reader.line_num}: {error}") from None
    return [(number, cells) for number, cells in rows if any(cells)]
