"""summary.json: the numbers of a run, under names that other tools rely on (schema 1)."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dolfinx
import gmsh
import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.io.results.folder import PARTIAL, SUMMARY
from pearlfem.model.temperature import Temperature
from pearlfem.quantities.results import KINDS, RESULTS
from pearlfem.quantities.units import ReducedUnits, Units


@dataclass
class RunRecord:
    """What is known of a run, collected while it runs; all numbers are in reduced units.

    Args:
        title: Title of the study.
        units: Units of the summary.
        temperature: Temperature of the study, if it has one.
        results: Values of the table of results, by name; those that are missing were not computed.
        shortfall: Why the tolerance was not reached; None for a converged run.
        order: Ground state of the moments, if it was looked for; in ``units`` already.
        rounds: What each mesh gave, if there were several.
        counts: ``cells``, ``dofs``, ``iterations`` and ``ranks``.
        seconds: Wall-clock time of each phase.
    """

    title: str
    units: Units | ReducedUnits
    temperature: Temperature | None = None
    results: dict[str, Any] = field(default_factory=dict)
    shortfall: str | None = None
    order: Mapping[str, Any] | None = None
    rounds: Sequence[Mapping[str, Any]] = ()
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def summarise(record: RunRecord) -> dict[str, Any]:
    """Return the summary of a run; what was not computed is None."""
    units, temperature, values = record.units, record.temperature, record.results
    return {
        "schema": 1,
        "title": record.title,
        "converged": record.shortfall is None,
        **({} if record.shortfall is None else {"shortfall": record.shortfall}),
        "units": {kind: units.name(kind) for kind in KINDS},
        "temperature": None if temperature is None else _temperature(temperature, units),
        **{each.name: each.content(values.get(each.name), units) for each in RESULTS},
        "order": None if record.order is None else dict(record.order),
        "rounds": [_round(one, units) for one in record.rounds],
        **record.counts,
        "seconds": dict(record.seconds),
        "versions": versions(),
    }


def _temperature(temperature: Temperature, units: Units | ReducedUnits) -> dict[str, Any]:
    return {
        "value": units.from_reduced(temperature.value, "temperature"),
        "critical": units.from_reduced(temperature.critical, "temperature"),
        "unit": units.name("temperature"),
        "weight": temperature.weight,
        "factor": temperature.factor,
    }


def _round(one: Mapping[str, Any], units: Units | ReducedUnits) -> dict[str, Any]:
    bounds = {
        name: None if one[name] is None else units.from_reduced(one[name], "energy")
        for name in ("lower", "upper")
    }
    return dict(one) | bounds


def versions() -> dict[str, str]:
    """Return the versions of everything that can change numbers."""
    return {
        "pearlfem": version("pearlfem"),
        "dolfinx": dolfinx.__version__,
        "petsc": ".".join(str(part) for part in PETSc.Sys.getVersion()),
        "gmsh": gmsh.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "mpi": " ".join(MPI.Get_library_version().splitlines()[0].split()),
    }


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write summary.json, or partial.json if not converged, into ``folder``; NaN is an error.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(summary, indent=2, allow_nan=False)
    path = folder / (SUMMARY if summary["converged"] else PARTIAL)
    path.write_text(text + "\n", encoding="utf-8")
