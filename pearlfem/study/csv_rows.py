"""Tables of numbers as CSV files: a row of names, then rows of cells, all faults named by place."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from pearlfem.errors import StudyError
from pearlfem.runtime.files import read_file


def csv_rows(
    path: Path, what: str, needed: Sequence[str], optional: Sequence[str], most: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row, the header being row 1, and its cells by column.

    Args:
        path: The file.
        what: Begins each message.
        needed: Columns that must be there.
        optional: Columns that may be there.
        most: Number of rows, the header not counted.

    Raises:
        StudyError: The file cannot be read, has other columns, no rows or too many, or a row
            of another length.
    """
    names = ", ".join(needed) + " (" + ", ".join(optional) + ")"
    table = _table(path, what)
    if not table:
        raise StudyError(f"{what}: empty; allowed: a row of names {names}, and rows of numbers")
    (number, columns), *rest = table
    for column in columns:
        if column not in (*needed, *optional) or columns.count(column) > 1:
            raise StudyError(
                f"{what}: row {number}, column {column!r}: not allowed; allowed: {names}, once"
            )
    for column in needed:
        if column not in columns:
            raise StudyError(f"{what}: row {number}: column {column!r} is missing, but needed")
    if not 0 < len(rest) <= most:
        raise StudyError(
            f"{what}: {len(rest) or 'no'} rows; allowed: at least one below the names, at most "
            f"{most}"
        )
    for number, row in rest:
        if len(row) != len(columns):
            raise StudyError(
                f"{what}: row {number}: has {len(row)} cells; allowed: {len(columns)}, one for "
                f"each of {', '.join(columns)}"
            )
        yield number, dict(zip(columns, row, strict=True))


def cell_value(cell: str) -> float | str:
    """Return the number in a cell; other texts may be one with a unit."""
    try:
        return float(cell)
    except ValueError:
        return cell


def _table(path: Path, what: str) -> list[tuple[int, list[str]]]:
    """Return the number of each line that is not empty, and its cells."""
    try:
        lines = read_file(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise StudyError(f"{what}: cannot be read: {reason}") from None
    reader = csv.reader(lines, strict=True)
    try:
        table = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise StudyError(f"{what}: row {reader.line_num}: {error}") from None
    return [(line, row) for line, row in table if any(row)]
