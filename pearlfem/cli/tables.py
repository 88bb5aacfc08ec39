"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.table import Table

from pearlfem.io.results.shown import ShownTable
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.rounding import Side, rounded
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.workflow.comparison import Comparison
from pearlfem.workflow.inductance import Inductance


def rows_table(shown: ShownTable) -> Table:
    """Return a table of a result that has a row for each hole or film."""
    table = Table(title=shown.title, title_justify="left")
    table.add_column("", no_wrap=True)
    for name, unit in shown.headings:
        table.add_column(f"{name}, {unit}", justify="right", no_wrap=True)
    for name, numbers in shown.rows:
        table.add_row(name, *("–" if value is None else f"{value:.6g}" for value in numbers))
    return table


def order_tables(order: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a table of the ground state in a summary, and one of the thermal averages, if any."""
    energy = order["energy"]
    table = Table(title="ground state of the moments", title_justify="left", show_header=False)
    table.add_row(f"energy, {energy['unit']}", f"{energy['value']:.9g}")
    table.add_row("no state is below", rounded(energy["lower"], side="lower"))
    table.add_row("starts that reached it", f"{order['reached']} of {order['starts']}")
    table.add_row("other states of this energy", "yes" if order["degenerate"] else "none found")
    for name, value in order["parameters"].items():
        table.add_row(name.replace("_", " "), f"{value:.4f}")
    yield table
    if order["thermal"]:
        names = ["energy", "specific_heat", "net_moment"]
        names += [name for name in order["parameters"] if name not in names]
        unit = order["thermal"][0]["unit"]
        table = Table(title=f"thermal averages, energies in {unit}", title_justify="left")
        table.add_column("kT")
        for one in order["thermal"]:
            table.add_column(f"{one['kT']:.5g}", justify="right", no_wrap=True)
        for name in names:
            cells = (
                f"{one[name]['mean']:.5g} ± {one[name]['error']:.1g}" for one in order["thermal"]
            )
            table.add_row(name.replace("_", " "), *cells)
        yield table


def inductance_table(found: Inductance, units: Units | ReducedUnits) -> Table:
    """Return a table of the inductances of all pairs of holes, with bounds if they are known."""
    table = Table(title=f"inductance, {units.name('inductance')}", title_justify="left")
    table.add_column("", no_wrap=True)
    bounded = found.lower is not None and found.upper is not None
    sides = ("at least", "at most") if found.guaranteed else ("estimate 1", "estimate 2")
    for heading in ("L", *sides) if bounded else ("L",):
        table.add_column(heading, justify="right", no_wrap=True)
    for i, one in enumerate(found.holes):
        for j, other in enumerate(found.holes[: i + 1]):
            name = one if i == j else f"{other}, {one}"
            table.add_row(name, *_inductance_cells(found, i, j, units))
    return table


def _inductance_cells(
    found: Inductance, i: int, j: int, units: Units | ReducedUnits
) -> Iterator[str]:
    """Yield L_ij, and its bounds if they are known, rounded outward."""
    arrays: tuple[tuple[Array | None, Side], ...] = (
        (found.matrix, ""),
        (found.lower, "lower"),
        (found.upper, "upper"),
    )
    for array, side in arrays:
        if array is not None:
            value = units.from_reduced(float(array[i, j]), "inductance")
            yield rounded(value, side=side, digits=8)


def comparison_table(
    rows: Iterable[Comparison],
    *,
    title: str,
    reference: str = "exact",
    difference: str = "rel. difference",
) -> Table:
    """Return a table of ``rows``.

    Args:
        rows: The numbers.
        title: What stands above the table.
        reference: The heading of the column of references.
        difference: The heading of the column of relative differences from them.
    """
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("FEM", reference, difference):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        style = None if row.passed else "bold red"
        numbers = (f"{row.computed:.9g}", f"{row.reference:.9g}", f"{row.difference:+.1e}")
        table.add_row(row.name, *numbers, style=style)
    return table
