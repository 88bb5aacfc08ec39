"""What the command line prints of a result."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from pearlfem.cli.tables import comparison_table, holes_table
from pearlfem.geometry.shapes import Plane
from pearlfem.model.boundary import Open
from pearlfem.model.periodic import Periodic
from pearlfem.study.study import Study
from pearlfem.workflow.comparison import coupling_comparisons

_MOST_ROWS = 30


def print_summary(study: Study, summary: Mapping[str, Any], title: str) -> None:
    """Print couplings, energy and holes.

    Args:
        study: What was solved.
        summary: The content of summary.json.
        title: Above the table of couplings.
    """
    unit = summary["free_energy"]["unit"]
    if summary["interaction"] is not None and study.film.uniform:
        tensor = np.array(summary["interaction"]["tensor"])
        scale = float(study.units.from_reduced(1.0, "energy"))
        rows = list(
            coupling_comparisons(
                study.film, study.impurities, tensor / scale, boundary=study.boundary
            )
        )
        infinite = isinstance(study.film.shape, Plane) and not study.film.openings
        exact = infinite and isinstance(study.boundary, Open | Periodic)
        reference = "exact" if exact else "infinite film"
        shown = [row.scaled(scale) for row in rows[:_MOST_ROWS]]
        heading = f"{title}, energies in {unit}"
        print_table(comparison_table(shown, title=heading, reference=reference))
        if len(rows) > len(shown):
            click.echo(f"and {len(rows) - len(shown)} more numbers in summary.json")
    if summary["holes"]:
        print_table(holes_table(summary["holes"], summary["units"]))
    energy = summary["free_energy"]["value"]
    click.echo(f"free energy of all sources together: {energy:.9g} {unit}, {_bounds(summary)}")


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal if it is one."""
    # A log has no width to be read off, and a number cut in two is of no use.
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def _bounds(summary: Mapping[str, Any]) -> str:
    """Return in words what is known of the free energy's error."""
    lower, upper = (summary["free_energy"][side] for side in ("lower", "upper"))
    if lower is not None and upper is not None:
        gap = (upper - lower) / abs(lower)
        return f"guaranteed between {lower:.9g} and {upper:.9g} (relative gap {gap:.1e})"
    if lower is None and upper is None:
        return "an estimate: there are no bounds with point impurities"
    bound = "a lower bound" if upper is None else "an upper bound"
    if summary["rounds"]:
        return f"{bound}, relative error estimated at {summary['rounds'][-1]['error']:.1e}"
    return bound
