"""The content of the page of a result, made from the files in its folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pearlfem.errors import StudyError
from pearlfem.io.report.charts import Chart, Series, chart
from pearlfem.io.report.contents import Order, Round, Summary, read_summary, read_text
from pearlfem.io.report.images import read_png
from pearlfem.io.report.impurities import Couplings, Impurities, arrows, read_impurities
from pearlfem.io.report.probes import read_probes
from pearlfem.io.results.folder import PARTIAL, PICTURE, SUMMARY
from pearlfem.io.results.impurities import INTERACTION
from pearlfem.io.results.shown import facts, tables
from pearlfem.io.results.study import STUDY
from pearlfem.quantities.results import FIELDS

_PHASES = {
    "mesh": "mesh",
    "refine": "refinement: meshes, assembly, solutions",
    "assemble": "assembly",
    "setup": "set-up of the solver",
    "solve": "solutions",
    "order": "ground state",
    "output": "files and picture",
}
_REST = 0.005  # of the total; a shorter time has no bar


class Phase(NamedTuple):
    """A phase of the run, and its part of the whole [%]."""

    name: str
    seconds: float
    percent: float


def is_result(folder: Path) -> bool:
    """Return whether ``folder`` holds a result, or the bounds of a run that did not converge."""
    return any((folder / name).is_file() for name in (SUMMARY, PARTIAL))


def result_content(folder: Path) -> dict[str, Any]:
    """Return the variables of the template ``result.html``.

    Raises:
        StudyError: A file is missing or damaged.
    """
    path = folder / (SUMMARY if (folder / SUMMARY).is_file() else PARTIAL)
    summary = read_summary(path)
    impurities, couplings = _couplings(folder, summary)
    results = summary.model_dump(exclude={"interaction"})
    return {
        "title": summary.title or folder.resolve().name,
        "source": path.name,
        "summary": summary,
        "facts": facts(results),
        "tables": tables(results),
        "fields": FIELDS,
        "picture": read_png(folder / PICTURE),
        "impurities": impurities,
        "couplings": couplings,
        "arrows": arrows(impurities) if impurities and summary.order else [],
        "thermal": _thermal(summary.order),
        "probes": read_probes(folder),
        "refinement": _refinement(summary.rounds, summary.free_energy.unit),
        "phases": _phases(summary.seconds),
        "study": read_text(folder / STUDY),
        "versions": summary.versions,
    }


def _couplings(folder: Path, summary: Summary) -> tuple[Impurities | None, Couplings | None]:
    if summary.interaction is None:
        return None, None
    impurities = read_impurities(folder / INTERACTION)
    try:
        return impurities, Couplings(summary.interaction, impurities)
    except ValueError as error:
        raise StudyError(f"{folder / SUMMARY}: is damaged: {error}") from None


def _phases(seconds: Mapping[str, float]) -> list[Phase]:
    """Return all phases in the order of the run, and the time between them."""
    total = seconds.get("total", sum(seconds.values())) or 1.0
    known = [name for name in _PHASES if name in seconds]
    others = [name for name in seconds if name not in _PHASES and name != "total"]
    parts = [(_PHASES.get(name, name), seconds[name]) for name in known + others]
    rest = total - sum(time for _, time in parts)
    if rest > _REST * total:
        parts.append(("everything else", rest))
    return [Phase(name, time, min(100.0, 100 * time / total)) for name, time in parts]


def _refinement(rounds: list[Round], energy: str) -> list[Chart]:
    """Return charts of bounds and error against the size of the meshes."""
    if len(rounds) < 2:
        return []
    dofs = [float(one.dofs) for one in rounds]
    sides = (
        ("lower bound", [one.lower for one in rounds]),
        ("upper bound", [one.upper for one in rounds]),
    )
    bounds = [
        Series(name, dofs, [float("nan") if v is None else v for v in values])
        for name, values in sides
        if any(v is not None for v in values)
    ]
    error = Series("", dofs, [one.error for one in rounds])
    return [
        chart("free energy", ("unknowns", ""), ("", energy), bounds),
        chart("relative error", ("unknowns", ""), ("", ""), [error]),
    ]


def _thermal(order: Order | None) -> list[Chart]:
    """Return charts of the thermal averages against temperature."""
    if order is None or len(order.thermal) < 2:
        return []
    states = sorted(order.thermal, key=lambda state: state.temperature)
    kT, energy = [state.temperature for state in states], states[0].unit
    columns = (
        ("energy", energy, [state.energy for state in states]),
        ("specific heat per moment", "k", [state.specific_heat for state in states]),
        ("net moment", "", [state.net_moment for state in states]),
    )
    return [
        chart(
            title,
            ("kT", energy),
            ("", name),
            [
                Series(
                    "",
                    kT,
                    [mean.mean for mean in means],
                    [mean.mean - mean.error for mean in means],
                    [mean.mean + mean.error for mean in means],
                )
            ],
        )
        for title, name, means in columns
    ]
