"""Probes of a study as tables: columns of numbers, each with what it measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from dolfinx import fem

from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.probes import CutProbe, GridProbe, LineProbe, LoopProbe, PointsProbe, Probe
from pearlfem.observables.evaluation import evaluate
from pearlfem.observables.lookup import function_of, is_known
from pearlfem.observables.probes import (
    FieldFunction,
    current_through,
    flux_through_loops,
    in_batches,
    loop_flux,
)
from pearlfem.quantities.arrays import Array, BoolArray
from pearlfem.quantities.result_shapes import AXES
from pearlfem.quantities.results import CURRENT, FIELDS, FLUX, FLUX_DENSITY, Field
from pearlfem.quantities.units import Kind
from pearlfem.solution import Solution


class Column(NamedTuple):
    """A column of a table: its name, what it measures, and numbers in reduced units, ``(n,)``."""

    name: str
    kind: Kind
    values: Array


def measure(solution: Solution, probe: Probe, applied: FieldFunction | None = None) -> list[Column]:
    """Return the table of what ``probe`` finds.

    - points, line, grid: x, y, z, then the fields in space (B, psi), and, if a point lies on the
      film, those of the film (K, g), which are NaN in the rows of other points. A line begins with
      the distance s from its start; a grid with a loop ends with flux.
    - loop: x, y, z, radius, flux. cut: start_x, start_y, end_x, end_y, current.

    B, psi and flux are those of the film's currents.

    Args:
        solution: The solution.
        probe: What is asked for.
        applied: The applied field, B_applied at points ``(n, 3)`` [length], the same on every rank:
            it comes in additional columns.

    Raises:
        StudyError: The probe reaches beyond walls or the far boundary.

    Note:
        Collective; the table is the same on every rank.
    """
    with _named(probe):
        match probe:
            case PointsProbe():
                return _fields(solution, probe.places(), applied)
            case LineProbe():
                s = Column("s", "length", probe.arc_lengths())
                return [s, *_fields(solution, probe.places(), applied)]
            case GridProbe():
                return _grid(solution, probe, applied)
            case LoopProbe():
                return _loop(solution, probe, applied)
            case CutProbe():
                return _cut(solution, probe)


def check_places(mesh: TaggedMesh, probes: Sequence[Probe]) -> None:
    """Refuse probes that reach out of the mesh, before anything is solved.

    Raises:
        StudyError: A probe has a point beyond walls or the far boundary.

    Note:
        Collective.
    """
    nothing = fem.Function(fem.functionspace(mesh.domain, ("Discontinuous Lagrange", 0)))
    cells = np.arange(mesh.domain.topology.index_map(3).size_local, dtype=np.int32)
    for probe in probes:
        with _named(probe):
            places = mesh.inside(probe.outline())
            if mesh.mirrored:
                places = np.column_stack([places[:, :2], np.abs(places[:, 2])])
            evaluate(nothing, places, cells)


@contextmanager
def _named(probe: Probe) -> Iterator[None]:
    """Put the probe's name before what is wrong with it."""
    try:
        yield
    except StudyError as error:
        raise StudyError(f"probe {probe.name!r}: {error}") from None


def _grid(solution: Solution, probe: GridProbe, applied: FieldFunction | None) -> list[Column]:
    places, radius = probe.places(), probe.loop_radius
    columns = _fields(solution, places, applied)
    return columns if radius is None else columns + _fluxes(solution, places, radius, applied)


def _loop(solution: Solution, probe: LoopProbe, applied: FieldFunction | None) -> list[Column]:
    center = np.array([probe.center])
    radius = Column("radius", "length", np.array([probe.radius]))
    return [*_place(center), radius, *_fluxes(solution, center, probe.radius, applied)]


def _cut(solution: Solution, probe: CutProbe) -> list[Column]:
    ends = zip(("start_x", "start_y", "end_x", "end_y"), (*probe.start, *probe.end), strict=True)
    current = current_through(solution, probe.start, probe.end)
    return [
        *(Column(name, "length", np.array([value])) for name, value in ends),
        Column(CURRENT.name, CURRENT.kind, np.array([current])),
    ]


def _fields(solution: Solution, places: Array, applied: FieldFunction | None) -> list[Column]:
    """Return the columns of places and of the fields there."""
    columns = _place(places)
    (film,) = solution.films
    on_film = places[:, 2] == film.height
    for field in FIELDS:
        if field.points and is_known(field, solution):
            if not field.on_film:
                columns += _columns(field, _at_points(solution, field, places))
            elif np.any(on_film):
                values = _at_points(solution, field, places[on_film, :2])
                columns += _columns(field, _spread(values, on_film))
    if applied is not None:
        values = in_batches(applied, places)
        columns += _columns(FLUX_DENSITY, values, "_applied")
    return columns


def _at_points(solution: Solution, field: Field, points: Array) -> Array:
    """Return a field at points (collective)."""
    function = function_of(field.points)
    return in_batches(lambda some: function(solution, some), points)


def _spread(values: Array, chosen: BoolArray) -> Array:
    """Return ``values`` in the ``chosen`` rows, NaN in the others."""
    every = np.full((len(chosen), *values.shape[1:]), np.nan)
    every[chosen] = values
    return every


def _columns(field: Field, values: Array, ending: str = "") -> list[Column]:
    """Return a column for each component of a field: Bx, By, Bz."""
    components = values.reshape(len(values), -1).T
    pairs = zip(field.columns, components, strict=True)
    return [Column(name + ending, field.kind, numbers) for name, numbers in pairs]


def _fluxes(
    solution: Solution, centers: Array, radius: float, applied: FieldFunction | None
) -> list[Column]:
    columns = [Column(FLUX.name, FLUX.kind, loop_flux(solution, centers, radius))]
    if applied is not None:
        flux = flux_through_loops(applied, centers, radius)
        columns.append(Column(f"{FLUX.name}_applied", FLUX.kind, flux))
    return columns


def _place(places: Array) -> list[Column]:
    return [Column(name, "length", x) for name, x in zip(AXES, places.T, strict=True)]
