"""The files of a result."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.io.fields.blocks import write_blocks
from pearlfem.io.fields.nodal import NodalValues, array_units, nodal_values
from pearlfem.io.fields.vtu import write_films
from pearlfem.io.results.folder import PICTURE
from pearlfem.io.results.impurities import write_impurities, write_interaction
from pearlfem.io.results.probes import write_probe
from pearlfem.model.probes import Probe
from pearlfem.model.sources.applied import applied_field
from pearlfem.observables.lookup import function_of
from pearlfem.observables.tables import Column, measure
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.formats import FORMATS, FormatName
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.parallel import on_root
from pearlfem.solution import FormulationName, Solution
from pearlfem.study.study import Study
from pearlfem.workflow.answers import TotalSolution


def check_format(name: FormatName) -> None:
    """Refuse an output format that this machine cannot write.

    Raises:
        StudyError: Something that the format needs is missing.
    """
    if FORMATS[name].check:
        function_of(FORMATS[name].check)()


def write_result(
    study: Study, stage: Path, answers: Mapping[FormulationName, TotalSolution]
) -> None:
    """Write all files of a result but its solution and its summary (collective)."""
    solution = next(iter(answers.values())).solution
    comm, chosen = solution.mesh.comm, FORMATS[study.output.fields]
    write_fields(study, stage, solution)
    write_probes(study, stage, solution)
    if study.impurities:
        on_root(comm, partial(write_couplings, study, stage, answers))
    if chosen.blocks:
        on_root(comm, partial(write_blocks, stage, array_units(study.units)))


def write_picture(folder: Path, fields: Path, study: Study) -> Path:
    """Draw the film into ``folder`` from the files in ``fields``; return the picture's path.

    Raises:
        StudyError: There are no files of the film.

    Note:
        Not collective: call it on one rank.
    """
    film = next(iter(sorted(fields.glob("film.*vtu"))), None)
    if film is None:
        raise StudyError(f"{fields}: has no film.vtu or film.pvtu; run a study with fields first")
    from pearlfem.io.fields.picture import draw_film  # VTK takes a second to load

    with atomic_file(folder / PICTURE) as part:
        draw_film(part, film, study)
    return folder / PICTURE


def write_fields(study: Study, stage: Path, solution: Solution) -> None:
    """Write the fields and the picture that ``study`` asks for (collective)."""
    chosen, picture = FORMATS[study.output.fields], study.output.picture
    if not chosen.writer and not picture:
        return
    values = nodal_values(solution, study.units)
    if chosen.writer:
        function_of(chosen.writer)(stage, values)
    if picture and chosen.blocks:
        on_root(values.comm, lambda: write_picture(stage, stage, study))
    elif picture:
        _draw_from_scratch(study, stage, values)


def _draw_from_scratch(study: Study, stage: Path, values: NodalValues) -> None:
    """Draw the picture from files of the film that are removed afterwards (collective)."""
    scratch = stage / "picture"
    on_root(values.comm, scratch.mkdir)
    write_films(scratch, values)

    def draw() -> None:
        write_picture(stage, scratch, study)
        shutil.rmtree(scratch)

    on_root(values.comm, draw)


def write_couplings(
    study: Study, stage: Path, answers: Mapping[FormulationName, TotalSolution]
) -> None:
    """Write the impurities and their tensors."""
    tensors = {str(name): a.tensor for name, a in answers.items() if a.tensor is not None}
    write_interaction(stage, study.impurities, tensors, study.units)
    if FORMATS[study.output.fields].writer:
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
