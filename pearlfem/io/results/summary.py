"""summary.json: the numbers of a run under names that other tools rely on (schema 1)."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import dolfinx
import gmsh
import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.io.results.folder import PARTIAL, SUMMARY
from pearlfem.model.temperature import Temperature
from pearlfem.observables.holes import HoleState
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import Kind, ReducedUnits, Units

_KINDS: tuple[Kind, ...] = ("length", "field", "current", "sheet_current", "flux", "moment")


class Bounded(NamedTuple):
    """A number or an array of them with its bounds, of which either may be missing."""

    value: Any
    lower: Any = None
    upper: Any = None

    def as_dict(self, name: str, units: Units | ReducedUnits, kind: Kind) -> dict[str, Any]:
        """Return value (as ``name``), bounds and unit, with lists in place of arrays."""
        scaled = [None if v is None else units.from_reduced(v, kind) for v in self]
        plain = [v.tolist() if isinstance(v, np.ndarray) else v for v in scaled]
        return dict(zip((name, "lower", "upper"), plain, strict=True)) | {"unit": units.name(kind)}


def summarise(
    *,
    title: str,
    units: Units | ReducedUnits,
    temperature: Temperature | None,
    shortfall: str | None,
    free_energy: Bounded,
    tensor: Bounded | None,
    magnetic_moment: Array | None,
    holes: Sequence[HoleState],
    order: Mapping[str, Any] | None,
    rounds: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the summary of a run; what was not computed is None.

    Args:
        title: Title of the study.
        units: Those of the result; all numbers here are reduced.
        temperature: That of the study, if it has one.
        shortfall: Why the tolerance was not reached; None for a converged run.
        free_energy: F [μ0Γ²/L] of the moments as given.
        tensor: Interaction tensor [μ0Γ²/L], shape ``(n, n, 2, 2)``.
        magnetic_moment: Moment of the currents [ΓL], shape ``(3,)``.
        holes: What is in each hole.
        order: Ground state and order of the moments, if it was looked for; in ``units`` already.
        rounds: What each mesh gave, if there were several.
        counts: ``cells``, ``dofs``, ``iterations`` and ``ranks``.
        seconds: Wall-clock time of each phase.
    """
    return {
        "schema": 1,
        "title": title,
        "converged": shortfall is None,
        **({} if shortfall is None else {"shortfall": shortfall}),
        "units": {kind: units.name(kind) for kind in _KINDS},
        "temperature": None if temperature is None else _temperature(temperature, units),
        "free_energy": free_energy.as_dict("value", units, "energy"),
        "interaction": None if tensor is None else tensor.as_dict("tensor", units, "energy"),
        "magnetic_moment": None
        if magnetic_moment is None
        else units.from_reduced(magnetic_moment, "moment").tolist(),
        "holes": [_hole(hole, units) for hole in holes],
        "order": None if order is None else dict(order),
        "rounds": [_round(one, units) for one in rounds],
        **counts,
        "seconds": dict(seconds),
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


def _hole(hole: HoleState, units: Units | ReducedUnits) -> dict[str, Any]:
    return {
        "name": hole.name,
        "current": units.from_reduced(hole.current, "current"),
        "flux": units.from_reduced(hole.flux, "flux"),
        "fluxoid": units.from_reduced(hole.fluxoid, "flux"),
    }


def _round(one: Mapping[str, Any], units: Units | ReducedUnits) -> dict[str, Any]:
    bounds = {
        name: None if one[name] is None else units.from_reduced(one[name], "energy")
        for name in ("lower", "upper")
    }
    return dict(one) | bounds


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a number."""
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
