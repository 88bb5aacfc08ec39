"""Tables for people: numbers of the solver beside the exact infinite film, or its lattice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.workflow.comparison import Comparison
from pearlfem.workflow.inductance import Inductance


def holes_table(holes: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> Table:
    """Return a table of the holes of a summary."""
    table = Table(title="holes", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading, kind in (("current", "current"), ("flux", "flux"), ("fluxoid", "flux")):
        table.add_column(f"{heading}, {units[kind]}", justify="right", no_wrap=True)
    for hole in holes:
        numbers = (f"{hole[key]:.6g}" for key in ("current", "flux", "fluxoid"))
        table.add_row(hole["name"], *numbers)
    return table


def order_tables(order: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a table of the ground state in a summary, and one of the thermal averages if any."""
    energy = order["energy"]
    table = Table(title="ground state of the moments", title_justify="left", show_header=False)
    table.add_row(f"energy, {energy['unit']}", f"{energy['value']:.9g}")
    table.add_row("no state is below", f"{energy['lower']:.9g}")
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
    """Return a table of the inductances of all pairs of holes."""
    unit = units.name("inductance")
    table = Table(title=f"inductance, {unit}", title_justify="left")
    table.add_column("", no_wrap=True)
    bounds = found.lower is not None and found.upper is not None
    for heading in ("L", "at least", "at most") if bounds else ("L",):
        table.add_column(heading, justify="right", no_wrap=True)
    for i, one in enumerate(found.holes):
        for j, other in enumerate(found.holes[: i + 1]):
            arrays = (found.matrix, found.lower, found.upper)
            entries = [a[i, j] for a in arrays if a is not None]
            numbers = (f"{units.from_reduced(float(e), 'inductance'):.8g}" for e in entries)
            table.add_row(one if i == j else f"{other}, {one}", *numbers)
    return table


def comparison_table(rows: Iterable[Comparison], *, title: str, reference: str) -> Table:
    """Return a table of ``rows``; the column of references is headed ``reference``."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("FEM", reference, "rel. difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        style = None if row.passed else "bold red"
        numbers = (f"{row.computed:.9g}", f"{row.reference:.9g}", f"{row.difference:+.1e}")
        table.add_row(row.name, *numbers, style=style)
    return table
