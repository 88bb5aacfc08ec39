"""Tables of probes as CSV files: a line of names and units, then numbers with all digits."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pearlfem.observables.tables import Column
from pearlfem.quantities.units import ReducedUnits, Units


def write_probe(
    folder: Path,
    name: str,
    columns: Sequence[Column],
    units: Units | ReducedUnits,
) -> Path:
    """Write the table of the probe ``name``: ``probe_NAME.csv``; return its path.

    Args:
        folder: Folder of the file.
        name: Name of the probe.
        columns: The table, of numbers in reduced units; NaN is written as ``nan``.
        units: Units of the numbers in the file.

    Raises:
        OSError: The file cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    path = folder / f"probe_{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write_table(file, columns, units)
    return path


def write_table(file: TextIO, columns: Sequence[Column], units: Units | ReducedUnits) -> None:
    """Write the table ``columns`` in ``units`` to an open file.

    Raises:
        OSError: It cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(f"{c.name} [{units.name(c.kind)}]" for c in columns)
    # + 0.0 removes the sign of −0.0, which depends on the order of sums
    scaled = [(units.from_reduced(c.values, c.kind) + 0.0).tolist() for c in columns]
    writer.writerows(zip(*scaled, strict=True))
