"""The files of a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.io.fields.nodal import nodal_values
from pearlfem.io.fields.vtu import write_films, write_space
from pearlfem.io.fields.vtx import write_vtx
from pearlfem.io.results.impurities import write_impurities, write_interaction
from pearlfem.io.results.probes import write_probe
from pearlfem.model.probes import Probe
from pearlfem.model.sources.applied import applied_field
from pearlfem.observables.tables import Column, measure
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.parallel import on_root
from pearlfem.solution import FormulationName, Solution
from pearlfem.study.study import Study
from pearlfem.workflow.answers import TotalSolution

PICTURE = "film.png"


def write_picture(folder: Path, study: Study) -> Path:
    """Draw the film from the fields in ``folder``; return the picture's path (on one rank)."""
    fields = next(iter(sorted(folder.glob("film.*vtu"))), None)
    if fields is None:
        raise StudyError(f"{folder}: holds no film.vtu or film.pvtu; run a study with fields first")
    from pearlfem.io.fields.picture import draw_film  # VTK takes a second to load

    with atomic_file(folder / PICTURE) as part:
        draw_film(part, fields, study)
    return folder / PICTURE


def write_fields(study: Study, stage: Path, solution: Solution) -> None:
    """Write the fields and the picture that ``study`` asks for (collective)."""
    comm = solution.mesh.domain.comm
    fields, picture = study.output.fields, study.output.picture
    if fields == "none" and not picture:
        return
    values = nodal_values(solution, study.units)
    if fields == "vtx":
        write_vtx(stage, values)
    if picture or fields == "vtu":
        write_films(stage, values)
    if picture:
        on_root(comm, lambda: write_picture(stage, study))
    if fields == "vtu":
        write_space(stage, values)
    else:
        on_root(comm, lambda: _remove(stage.glob("film*vtu")))


def write_couplings(
    study: Study, stage: Path, answers: Mapping[FormulationName, TotalSolution]
) -> None:
    """Write the impurities and their tensors."""
    tensors = {str(name): a.tensor for name, a in answers.items() if a.tensor is not None}
    write_interaction(stage, study.impurities, tensors, study.units)
    if study.output.fields != "none":
        write_impurities(stage, study.impurities, study.units)


def write_probes(study: Study, stage: Path, solution: Solution) -> None:
    """Write the tables of all probes (collective)."""
    for probe in study.output.probe:
        columns = measure_probe(solution, probe)
        write = partial(write_probe, stage, probe.name, columns, study.units)
        on_root(solution.mesh.domain.comm, write)


def measure_probe(solution: Solution, probe: Probe) -> list[Column]:
    """Return the table of ``probe``, with the applied field if there is one (collective)."""

    def applied(points: Array) -> Array:
        field = applied_field(solution.drives, points)
        assert field is not None
        return field

    has_field = applied_field(solution.drives, np.empty((0, 3))) is not None
    return measure(solution, probe, applied if has_field else None)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
