"""Tables of probes as CSV files: a line of names and units, then numbers that lose no digit."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pearlfem.observables.tables import Column, Quantity


class Unit(NamedTuple):
    """A unit as it stands in the header, and how many of it are one reduced unit."""

    text: str
    factor: float = 1.0


REDUCED_UNITS: Mapping[Quantity, Unit] = {
    "length": Unit("L"),
    "field": Unit("mu0 Gamma/L^2"),
    "sheet_current": Unit("Gamma/L^2"),
    "current": Unit("Gamma/L"),
    "flux": Unit("mu0 Gamma"),
}


def write_probe(
    folder: Path,
    name: str,
    columns: Sequence[Column],
    units: Mapping[Quantity, Unit] = REDUCED_UNITS,
) -> Path:
    """Write the table of the probe ``name``: ``probe_NAME.csv``; return its path.

    Args:
        folder: Where the file goes.
        name: Name of the probe.
        columns: The table, of numbers in reduced units; NaN is written as ``nan``.
        units: The unit of each quantity.

    Raises:
        OSError: The file cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    path = folder / f"probe_{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(f"{c.name} [{units[c.quantity].text}]" for c in columns)
        # + 0.0 for there is no minus before 0, which depends on the order of sums
        scaled = [(c.values * units[c.quantity].factor + 0.0).tolist() for c in columns]
        writer.writerows(zip(*scaled, strict=True))
    return path
