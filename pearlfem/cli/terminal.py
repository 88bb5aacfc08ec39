"""Printing of results and tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from pearlfem.cli.tables import comparison_table, rows_table
from pearlfem.geometry.shapes import Plane
from pearlfem.io.results.shown import facts, tables
from pearlfem.model.boundary import Open
from pearlfem.model.periodic import Periodic
from pearlfem.quantities.results import FREE_ENERGY
from pearlfem.quantities.rounding import Side, rounded
from pearlfem.study.study import Study
from pearlfem.workflow.comparison import coupling_comparisons

_MOST_ROWS = 30
_NO_BOUNDS = "not guaranteed: no bounds of the Pearl length are known"


def print_summary(study: Study, summary: Mapping[str, Any], title: str) -> None:
    """Print the results of a run.

    Args:
        study: The study that was solved.
        summary: The content of summary.json.
        title: Above the table of couplings.
    """
    if summary["interaction"] is not None and study.film.uniform:
        _print_couplings(study, summary, title)
    for table in tables(summary):
        print_table(rows_table(table))
    for fact in facts(summary):
        click.echo(f"{fact.label}: {fact.value:.6g} {fact.unit}")
    click.echo(f"{FREE_ENERGY.label}: {_energy(summary)}")


def _print_couplings(study: Study, summary: Mapping[str, Any], title: str) -> None:
    """Print self-energies and couplings beside those of the infinite film."""
    tensor = np.array(summary["interaction"]["tensor"])
    scale = float(study.units.from_reduced(1.0, "energy"))
    comparisons = coupling_comparisons(
        study.film, study.impurities, tensor / scale, boundary=study.boundary
    )
    rows = [row.scaled(scale) for row in comparisons]
    infinite = isinstance(study.film.shape, Plane) and not study.film.openings
    exact = infinite and isinstance(study.boundary, Open | Periodic)
    # In a device the difference is no error, but what edges, holes and walls do to the couplings.
    names = {} if exact else {"reference": "infinite film", "difference": "effect of the device"}
    heading = f"{title}, energies in {summary['interaction']['unit']}"
    print_table(comparison_table(rows[:_MOST_ROWS], title=heading, **names))
    if len(rows) > _MOST_ROWS:
        click.echo(f"and {len(rows) - _MOST_ROWS} more numbers in summary.json")


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal if it is one."""
    # A log has no width, and a number cut in two is of no use.
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def _energy(summary: Mapping[str, Any]) -> str:
    """Return the free energy and, in words, what is known about its error."""
    energy = summary["free_energy"]
    value, lower, upper, unit = (energy[key] for key in ("value", "lower", "upper", "unit"))
    if lower is not None and upper is not None:
        gap = upper - lower
        bounds = f"{rounded(lower, gap, 'lower')} and {rounded(upper, gap, 'upper')}"
        relative = f"relative gap {gap / abs(lower):.1e}"
        if not energy["guaranteed"]:
            between = f"{lower:.9g} and {upper:.9g}"
            return f"{value:.9g} {unit}, estimated between {between} ({relative}); {_NO_BOUNDS}"
        return f"{rounded(value, gap)} {unit}, guaranteed between {bounds} ({relative})"
    if lower is None and upper is None:
        return f"{value:.9g} {unit}, an estimate: there are no bounds with point impurities"
    if not energy["guaranteed"]:
        return f"{value:.9g} {unit}, an estimate; {_NO_BOUNDS}"
    side: Side = "lower" if upper is None else "upper"
    text = f"{rounded(value, side=side)} {unit}, {'a' if side == 'lower' else 'an'} {side} bound"
    if summary["rounds"]:
        return f"{text}, relative error estimated at {summary['rounds'][-1]['error']:.1e}"
    return text
