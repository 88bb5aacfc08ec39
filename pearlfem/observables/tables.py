"""Tables of what probes measure: columns of numbers with a name and a kind of quantity."""

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
    """A column of a table.

    Args:
        name: Its name, as in the CSV file.
        kind: The kind of quantity, from which its unit follows.
        values: The numbers in reduced units, ``(n,)``.
    """

    name: str
    kind: Kind
    values: Array


def measure(solution: Solution, probe: Probe, applied: FieldFunction | None = None) -> list[Column]:
    """Return the table of the values that ``probe`` measures.

    The columns are:

    - points, line, grid: x, y, z, then the fields in space (B, psi). If a point lies on the film,
      the fields of the film (K, g) follow; they are NaN in the rows of other points. A line has the
      distance s from its start as first column. A grid with a loop has flux as last column.
    - loop: x, y, z, radius, flux.
    - cut: start_x, start_y, end_x, end_y, current.

    B, psi and flux are those of the film's currents, without applied fields.

    Args:
        solution: The solution.
        probe: The probe.
        applied: The applied field: a function that returns B ``(n, 3)`` at points ``(n, 3)``
            [length], the same on every rank. Its values are in additional columns.

    Raises:
        StudyError: The probe reaches beyond walls or the far boundary.

    Note:
        Collective; the table is the same on every rank.
    """
    check_probes(solution.mesh, [probe])
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


def check_probes(mesh: TaggedMesh, probes: Sequence[Probe]) -> None:
    """Refuse probes that are not inside the mesh; this needs no solution.

    Raises:
        StudyError: A probe has a point beyond walls or the far boundary.

    Note:
        Collective.
    """
    zero = fem.Function(fem.functionspace(mesh.domain, ("Discontinuous Lagrange", 0)))
    cells = np.arange(mesh.domain.topology.index_map(3).size_local, dtype=np.int32)
    for probe in probes:
        with _named(probe):
            points = mesh.inside(probe.outline())
            if mesh.mirrored:
                points = np.column_stack([points[:, :2], np.abs(points[:, 2])])
            evaluate(zero, points, cells)


@contextmanager
def _named(probe: Probe) -> Iterator[None]:
    """Add the name of the probe to the beginning of error messages."""
    try:
        yield
    except StudyError as error:
        raise StudyError(f"probe {probe.name!r}: {error}") from None


def _grid(solution: Solution, probe: GridProbe, applied: FieldFunction | None) -> list[Column]:
    """Return the columns of a grid: points, fields, and flux if there is a loop (collective)."""
    points, radius = probe.places(), probe.loop_radius
    columns = _fields(solution, points, applied)
    return columns if radius is None else columns + _fluxes(solution, points, radius, applied)


def _loop(solution: Solution, probe: LoopProbe, applied: FieldFunction | None) -> list[Column]:
    """Return the columns of a loop: centre, radius and flux (collective)."""
    center = np.array([probe.center])
    radius = Column("radius", "length", np.array([probe.radius]))
    return [*_coordinates(center), radius, *_fluxes(solution, center, probe.radius, applied)]


def _cut(solution: Solution, probe: CutProbe) -> list[Column]:
    """Return the columns of a cut: its two ends and the current (collective)."""
    names = ("start_x", "start_y", "end_x", "end_y")
    ends = zip(names, (*probe.start, *probe.end), strict=True)
    current = current_through(solution, probe.start, probe.end)
    return [
        *(Column(name, "length", np.array([value])) for name, value in ends),
        Column(CURRENT.name, CURRENT.kind, np.array([current])),
    ]


def _fields(solution: Solution, points: Array, applied: FieldFunction | None) -> list[Column]:
    """Return the columns of the coordinates of ``points`` and of the fields there (collective)."""
    columns = _coordinates(points)
    (film,) = solution.films
    on_film = points[:, 2] == film.height
    for field in FIELDS:
        if field.points and is_known(field, solution):
            if not field.on_film:
                columns += _columns(field, _at_points(solution, field, points))
            elif np.any(on_film):
                values = _at_points(solution, field, points[on_film, :2])
                columns += _columns(field, _with_nan_rows(values, on_film))
    if applied is not None:
        values = in_batches(applied, points)
        columns += _columns(FLUX_DENSITY, values, "_applied")
    return columns


def _at_points(solution: Solution, field: Field, points: Array) -> Array:
    """Return the values of a field at points (collective)."""
    function = function_of(field.points)
    return in_batches(lambda batch: function(solution, batch), points)


def _with_nan_rows(values: Array, on_film: BoolArray) -> Array:
    """Return an array with ``values`` in the rows ``on_film`` and NaN in the others."""
    rows = np.full((len(on_film), *values.shape[1:]), np.nan)
    rows[on_film] = values
    return rows


def _columns(field: Field, values: Array, suffix: str = "") -> list[Column]:
    """Return one column for each component of a field, for example Bx, By, Bz."""
    components = values.reshape(len(values), -1).T
    pairs = zip(field.columns, components, strict=True)
    return [Column(name + suffix, field.kind, component) for name, component in pairs]


def _fluxes(
    solution: Solution, centers: Array, radius: float, applied: FieldFunction | None
) -> list[Column]:
    """Return the flux of the film's currents, and of the applied field if any (collective)."""
    columns = [Column(FLUX.name, FLUX.kind, loop_flux(solution, centers, radius))]
    if applied is not None:
        flux = flux_through_loops(applied, centers, radius)
        columns.append(Column(f"{FLUX.name}_applied", FLUX.kind, flux))
    return columns


def _coordinates(points: Array) -> list[Column]:
    """Return the columns x, y, z of ``points``."""
    return [Column(name, "length", x) for name, x in zip(AXES, points.T, strict=True)]
