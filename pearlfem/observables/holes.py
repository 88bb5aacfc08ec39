"""Holes: the current around a hole, the flux in it, and its fluxoid; the inductance matrix.

The fluxoid of a hole is the sum of the flux through it and the circulation of K/κ + a around it,
with the a of all sources but fluxoids. It is an integer number of Φ0 [F. London, Superfluids I
(1950)]. If all sources are fluxoids Φ in the holes, then F = ½ Φ·L⁻¹·Φ, and the currents around the
holes are I = L⁻¹ Φ.

Let v be a test function that is 1 on a hole and falls to 0 in the film around it, in the stream
formulation. Its part of the operator is a mean over loops around the hole, the level lines of v:

    B(ψ, v) = ∫ v B_z dS + ∫_Γ (1/κ) ∇g·∇v dS = mean of (flux of the currents + ∮ K/κ·dl),

and −ℓ(v) of a source that is not a fluxoid is the same mean of the flux or circulation that it
adds. So their sum is the fluxoid that the solution has. No field is evaluated for it, and it
differs from what is asked for by the residual of the solver only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from pearlfem.formulation.film import FilmMesh, facet_rule
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.stream import forms
from pearlfem.geometry.perforated import Opening
from pearlfem.model.sources.applied import is_applied
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.observables.biot_savart.currents import knows_currents, vector_potential
from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.energy import Bracket, mutual_energies
from pearlfem.observables.facets import facet_currents, on_facets
from pearlfem.observables.fields import has_stream_function, regular_flux_density
from pearlfem.observables.point_impurities.fields import exact_flux, exact_work
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_DEGREE = 10  # of the quadrature; the fields have the degree 2
_LINE_POINTS = 8  # on each part of a hole's edge, for the flux of applied fields
_POINTS_AROUND = 1000  # on the whole edge, for the field of the currents


class HoleState(NamedTuple):
    """The current around a hole, the flux in it, and its fluxoid.

    Islands in the hole belong to it.

    Args:
        name: Name of the hole.
        current: The current [Φ0/(μ0 length) in reduced units]; positive if counterclockwise.
        flux: The flux through the hole [Φ0], including applied fields.
        fluxoid: The fluxoid that the solution has [Φ0], including applied fields.
        fluxoid_asked: The fluxoid that was asked for [Φ0].
    """

    name: str
    current: float
    flux: float
    fluxoid: float
    fluxoid_asked: float = 0.0


def hole_states(solution: Solution) -> list[HoleState]:
    """Return current, flux and fluxoid of each hole.

    The current ∫ K·φ̂ dr across a half line that starts in the hole is the same for all directions.
    The result is the mean over directions, ∫ K·φ̂/(2πr) dS; this is a load of the problem, so the
    current converges like the energy. In open space the flux is ∮ A·dl of the sheet currents, with
    the same accuracy; between walls, in a periodic space and with point impurities it is the
    integral of B_z, which is less accurate. In the stream formulation the fluxoid is what the
    equation of the hole's own unknown leaves (see ``pearlfem.observables.holes``). In the vector
    formulation London's law K/κ = −(A + a) holds at every point, so the flux of the mesh and
    ∮ (K/κ + a)·dl add up to the circulation of the a of the fluxoids.

    Note:
        Collective.
    """
    return [state for film in solution.films for state in _states_in(solution, film)]


def _states_in(solution: Solution, film: FilmMesh) -> list[HoleState]:
    """Return the states of the holes of one film (collective)."""
    openings = film.film.openings
    if not openings:
        return []
    currents = _currents_around(solution, film, openings)
    fluxes = _fluxes(solution, film, openings)
    fluxoids = _fluxoids(solution, film, openings)
    drives = _fluxoid_drives(solution)
    asked = [sum(w * each.number for each, w in drives if each.hole == o.name) for o in openings]
    names = [opening.name for opening in openings]
    rows = zip(names, currents, fluxes, fluxoids, asked, strict=True)
    return [HoleState(name, *map(float, numbers)) for name, *numbers in rows]


def inverse_inductance(solutions: Sequence[Solution]) -> Array:
    """Return L⁻¹_ij = 2 E_ij/Φ0² [1/(μ0 length) in reduced units], shape ``(n, n)``.

    As a quadratic form it is a bound like ``free_energy``.

    Args:
        solutions: n solutions; solution i has one flux quantum in hole i and no other source.

    Note:
        Collective.
    """
    return 2.0 * mutual_energies(solutions)


def inductance_bracket(lower: Array, upper: Array, guaranteed: bool = True) -> Bracket:
    """Return bounds of each entry of L from L⁻¹ of the two formulations.

    As quadratic forms upper⁻¹ ≤ L ≤ lower⁻¹. The bounds of entries follow by Cauchy–Schwarz, as in
    ``pearlfem.observables.energy.tensor_bracket``.

    Args:
        lower: L⁻¹ of the stream formulation, shape ``(n, n)``.
        upper: L⁻¹ of the vector formulation, of the same shape.
        guaranteed: Whether both are bounds; if not, the result is an estimate.

    Returns:
        Two arrays of the same shape.

    Raises:
        CrossingError: A diagonal entry of a lower bound is above that of the upper one.

    Note:
        Not collective.
    """
    smaller, larger = np.linalg.inv(upper), np.linalg.inv(lower)
    gaps = gaps_of(np.diag(smaller), np.diag(larger), "inductances", guaranteed)
    half_width = 0.5 * np.sqrt(np.outer(gaps, gaps))
    mean = 0.5 * (smaller + larger)
    return Bracket(mean - half_width, mean + half_width)


def _currents_around(
    solution: Solution, film: FilmMesh, openings: Sequence[Opening]
) -> list[float]:
    """Return the current around each hole (collective)."""
    K = facet_currents(solution, film, facet_rule(_DEGREE)[0])
    weights = film.quadrature_of_degree(_DEGREE).weights
    quanta = [Fluxoid(opening.name, 1) for opening in openings]
    # One flux quantum has a = −φ̂/(2πr), which does not depend on κ: any numbers will do for κ.
    any_kappa = np.ones_like(weights)
    local = [
        -np.sum(weights[..., None] * K.K * q.vector_potential(film.layer, K.points, any_kappa))
        for q in quanta
    ]
    regular = film.comm.allreduce(np.array(local))
    return [float(each) + exact_work(solution, q) for each, q in zip(regular, quanta, strict=True)]


def _fluxes(solution: Solution, film: FilmMesh, openings: Sequence[Opening]) -> Array:
    """Return the flux through each hole, including applied fields (collective)."""
    edges = [_edge(opening) for opening in openings]
    applied = [drive for drive in solution.drives if is_applied(drive.source)]
    of_applied = np.array([_circulation(film, edge, applied) for edge in edges])
    if knows_currents(solution):
        counts = [min(_LINE_POINTS, 1 + _POINTS_AROUND // len(edge)) for edge in edges]
        rules = [_line_rule(*each) for each in zip(edges, counts, strict=True)]
        flat = np.concatenate([points.reshape(-1, 2) for points, _ in rules])
        places = np.column_stack([flat, np.full(len(flat), film.height)])
        A = np.split(
            vector_potential(solution, places)[:, :2],
            np.cumsum([points.shape[0] * points.shape[1] for points, _ in rules])[:-1],
        )
        pairs = zip(A, rules, strict=True)
        return of_applied + [np.sum(each * steps.reshape(-1, 2)) for each, (_, steps) in pairs]
    fluxes = _fluxes_of_mesh(solution, film, openings)
    exact = [exact_flux(solution, edge) for edge in edges]
    return np.asarray(of_applied + fluxes + exact)


def _fluxes_of_mesh(solution: Solution, film: FilmMesh, openings: Sequence[Opening]) -> Array:
    """Return ∫ B_z dS over each hole and its islands, of the regular part of B (collective)."""
    reference, rule_weights = facet_rule(_DEGREE)
    groups = (film.group, *film.holes.values())
    B = on_facets(regular_flux_density(solution), film, film.sides_of(*groups), reference)
    corners = film.corners_of(*groups)
    areas = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    fluxes = areas * (B[..., 2] @ rule_weights)
    centres = corners.mean(axis=1)
    local = []
    for opening in openings:
        hole = shapely.Polygon(opening.outline.exterior)
        shapely.prepare(hole)
        local.append(fluxes[shapely.contains_xy(hole, centres[:, 0], centres[:, 1])].sum())
    return np.asarray(film.comm.allreduce(np.array(local)))


def _fluxoids(solution: Solution, film: FilmMesh, openings: Sequence[Opening]) -> list[float]:
    """Return the fluxoid of each hole; see ``hole_states`` (collective)."""
    drives = _fluxoid_drives(solution)
    if not has_stream_function(solution):
        return [-_circulation(film, _edge(opening), drives) for opening in openings]
    # The fluxoid per load: a test function that is 1 on the hole jumps by 2 in half of a symmetric
    # space, and by 1 elsewhere; ℓ(v) has half of the jump.
    per_load = 1.0 if film.mesh.mirrored else 2.0
    residual = solution.apply_operator([solution.unknowns])[0] - solution.load
    V = solution.potential.function_space
    assembler, owned = FilmLoad(V, film), V.dofmap.index_map.size_local
    dofs_of_holes = dict(zip(film.holes.values(), forms.hole_dofs(V, film), strict=True))
    local = []
    for opening in openings:
        group = film.holes[opening.name]
        dofs = dofs_of_holes[group]
        # The test function is not constant on the facets that touch the hole.
        touching = np.isin(V.dofmap.list[film.sides[:, 0]], dofs).any(axis=1)
        facets = np.flatnonzero(touching)
        rule = film.quadrature.restricted_to(facets)
        a = np.zeros_like(rule.points)
        for source, weight in drives:
            a += weight * source.vector_potential(film.layer, rule.points, rule.superfluid_weight)
        load = assembler.assemble(forms.load_density(a, film.mesh), rule, facets).array
        local.append(load[dofs[dofs < owned]].sum() + residual[solution.hole_unknowns[group]].sum())
    return list(per_load * film.comm.allreduce(np.array(local)))


def _fluxoid_drives(solution: Solution) -> list[tuple[Fluxoid, float]]:
    """Return the fluxoids among the sources, and their weights."""
    return [(source, w) for source, w in solution.drives if isinstance(source, Fluxoid)]


def _edge(opening: Opening) -> Array:
    """Return the corners of a hole's edge, counterclockwise, the first one twice, ``(n, 2)``.

    No side is longer than the distance of the hole's inner point from the edge, over which the
    fields of fluxoids vary.
    """
    outline = shapely.orient_polygons(shapely.Polygon(opening.outline.exterior))
    longest = shapely.distance(shapely.boundary(outline), shapely.Point(opening.pole))
    return np.asarray(shapely.get_coordinates(shapely.segmentize(outline, longest)))


def _line_rule(corners: Array, count: int) -> tuple[Array, Array]:
    """Return Gauss's rule along a line: points, and directions times weights, ``(n, count, 2)``."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    steps = np.diff(corners, axis=0)[:, None]
    return corners[:-1, None] + 0.5 * (nodes[:, None] + 1) * steps, 0.5 * weights[:, None] * steps


def _circulation(film: FilmMesh, edge: Array, drives: Sequence[tuple[Source, float]]) -> float:
    """Return ∮ a·dl along an edge, a of sources that do not depend on κ."""
    points, steps = _line_rule(edge, _LINE_POINTS)
    any_kappa = np.ones(points.shape[:-1])
    return float(
        sum(
            weight * np.sum(source.vector_potential(film.layer, points, any_kappa) * steps)
            for source, weight in drives
        )
    )
