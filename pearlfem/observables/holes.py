"""Holes: the current around a hole, the flux in it, and its fluxoid; the inductance matrix.

The fluxoid of a hole is the sum of the flux through it and the circulation of K/κ around it. It is
an integer number of Φ0 [F. London, Superfluids I (1950)]. If all sources are fluxoids Φ in the
holes, then F = ½ Φ·L⁻¹·Φ, and the currents around the holes are I = L⁻¹ Φ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
import ufl

from pearlfem.formulation.film import FilmMesh, facet_rule
from pearlfem.geometry.perforated import Opening
from pearlfem.model.film import Film
from pearlfem.model.sources.applied import is_applied
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.model.sources.impurity import is_point
from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.energy import Bracket, mutual_energies
from pearlfem.observables.facets import on_facets
from pearlfem.observables.fields import (
    has_stream_function,
    london_current,
    regular_flux_density,
    rotated_gradient,
)
from pearlfem.observables.point_impurities.fields import exact_flux, exact_work
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_DEGREE = 10  # of the quadrature; the fields have the degree 2
_BAND = 0.5  # width of the band around a hole, in distances from the nearest other edge
_LINE_POINTS = 8  # on each straight part of a hole's edge, for the flux of applied fields


class HoleState(NamedTuple):
    """The current around a hole, the flux in it, and its fluxoid.

    Islands in the hole belong to it.

    Args:
        name: Name of the hole.
        current: The current [Φ0/(μ0 length) in reduced units]; positive if counterclockwise.
        flux: The flux through the hole [Φ0], including applied fields.
        fluxoid: The fluxoid [Φ0], including applied fields.
    """

    name: str
    current: float
    flux: float
    fluxoid: float


def hole_states(solution: Solution) -> list[HoleState]:
    """Return current, flux and fluxoid of each hole, computed from the fields only.

    The current ∫ K·φ̂ dr across a half line that starts in the hole is the same for all directions.
    The result is the mean over directions, ∫ K·φ̂/(2πr) dS. The fluxoid is a mean over loops in a
    band around the hole. It is computed from the fields and not from the sources, so its difference
    from an integer number of Φ0 is an error of the fields.

    Note:
        Collective.
    """
    return [state for film in solution.films for state in _states_in(solution, film)]


def _states_in(solution: Solution, film: FilmMesh) -> list[HoleState]:
    """Return the states of the holes of one film (collective)."""
    openings = film.film.openings
    if not openings:
        return []
    on_film = _on_facets(solution, film, film.group)
    K = _sheet_current(solution, film, on_film)
    in_holes = _on_facets(solution, film, *film.holes.values())
    return [_state(solution, film, opening, on_film, K, in_holes) for opening in openings]


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


class _FacetFields(NamedTuple):
    """Regular parts of fields at q quadrature points on each of n facets in the film's plane.

    Args:
        weights: Quadrature weights [area], ``(n, q)``.
        points: (x, y) [length], ``(n, q, 2)``.
        B_z: B_z in the cells above, ``(n, q)``.
        K_or_A: K = ∇g × ẑ in the stream formulation, A in the vector formulation, ``(n, q, 2)``.
    """

    weights: Array
    points: Array
    B_z: Array
    K_or_A: Array


def _on_facets(solution: Solution, film: FilmMesh, *groups: str) -> _FacetFields:
    """Return the fields on the facets of ``groups`` in the film's plane (collective)."""
    reference, weights = facet_rule(_DEGREE)
    x, B = ufl.SpatialCoordinate(film.mesh.domain), regular_flux_density(solution)
    K_or_A: Any = solution.potential
    if has_stream_function(solution):
        K_or_A = rotated_gradient(solution.stream_function(film))
    vector = ufl.as_vector([x[0], x[1], B[2], K_or_A[0], K_or_A[1]])
    values = on_facets(vector, film, film.sides_of(*groups), reference)
    corners = film.corners_of(*groups)
    areas = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return _FacetFields(np.outer(areas, weights), values[..., :2], values[..., 2], values[..., 3:])


def _sheet_current(solution: Solution, film: FilmMesh, on_film: _FacetFields) -> Array:
    """Return the regular part of K at the points of ``on_film``, ``(n, q, 2)``."""
    if has_stream_function(solution):
        return on_film.K_or_A
    facet_regions = film.film.regions_at(on_film.points.mean(axis=1))
    regions = np.broadcast_to(facet_regions[:, None], on_film.weights.shape)
    return london_current(solution, film, on_film.K_or_A, on_film.points, regions)


def _state(
    solution: Solution,
    film: FilmMesh,
    opening: Opening,
    on_film: _FacetFields,
    K: Array,
    in_holes: _FacetFields,
) -> HoleState:
    """Return the state of one hole (collective).

    Args:
        solution: The solution.
        film: The film.
        opening: The hole.
        on_film: Fields on the facets of the film, with islands.
        K: The regular part of K at the points of ``on_film``.
        in_holes: Fields on the facets of all holes.
    """
    quantum = Fluxoid(opening.name, 1)
    hole = shapely.Polygon(opening.outline.exterior)
    shapely.prepare(hole)
    # One flux quantum has a = −φ̂/(2πr), which does not depend on κ: any numbers will do for κ.
    a = quantum.vector_potential(film.layer, on_film.points, np.ones_like(on_film.B_z))
    current = -np.sum(on_film.weights[..., None] * K * a)
    flux = sum(_flux_within(hole, fields) for fields in (on_film, in_holes))
    width = _BAND * _clearance(film.film, opening)
    circulation = _circulation(solution, film, hole, width, on_film, K)
    current, flux, circulation = film.comm.allreduce(np.array([current, flux, circulation]))
    current += exact_work(solution, quantum)
    # Exact fields of point impurities are not in this sum: on the infinite film, their flux and
    # their circulation cancel. The flux of applied fields is part of the circulation.
    fluxoid = flux + circulation
    flux += exact_flux(solution, shapely.get_coordinates(shapely.orient_polygons(hole)))
    flux += _applied_flux(solution, film, hole)
    return HoleState(opening.name, float(current), float(flux), float(fluxoid))


def _flux_within(hole: shapely.Polygon, fields: _FacetFields) -> float:
    """Return ∫ B_z dS over this rank's facets in the ``hole``."""
    centres = fields.points.mean(axis=1)
    in_hole = shapely.contains_xy(hole, centres[:, 0], centres[:, 1])
    return float(np.sum((fields.weights * fields.B_z)[in_hole]))


def _circulation(
    solution: Solution,
    film: FilmMesh,
    hole: shapely.Polygon,
    width: float,
    on_film: _FacetFields,
    K: Array,
) -> float:
    """Return this rank's part of ∮ f·dl around a hole, f = K/κ + a, as an integral over a band.

    w falls from 1 at the hole to 0 at the distance ``width``. By Stokes' theorem for w f and
    London's law rot f = −B_z, with B of the currents,

        ∮ f·dl = −∫_band rot(w f) dS = ∫_band [w B_z − (∇w × f)_z] dS.

    a is the sum over all sources except fluxoids and point impurities. For an applied field, the
    circulation of a is its flux through the hole.
    """
    outline = shapely.simplify(hole, 1e-3 * width)
    x0, y0, x1, y1 = outline.bounds
    x, y = on_film.points[..., 0], on_film.points[..., 1]
    in_box = (x > x0 - width) & (x < x1 + width) & (y > y0 - width) & (y < y1 + width)
    facets, q = np.nonzero(in_box)
    points = on_film.points[facets, q]
    shapes = shapely.points(points)
    in_band = shapely.dwithin(shapes, outline, width) & ~shapely.contains(hole, shapes)
    facets, q, points, shapes = facets[in_band], q[in_band], points[in_band], shapes[in_band]
    lines = shapely.shortest_line(outline, shapes)
    offset = points - shapely.get_coordinates(shapely.get_point(lines, 0))
    distance = np.linalg.norm(offset, axis=1)
    grad_w = -offset / np.maximum(distance, 1e-300)[:, None] / width
    regions = film.film.regions_at(on_film.points.mean(axis=1))[facets]
    kappa = film.film.superfluid_weight(points, regions)
    f = K[facets, q] / kappa[:, None]
    for source, weight in solution.drives:
        if not isinstance(source, Fluxoid) and not is_point(source):
            f += weight * source.vector_potential(film.layer, points, kappa)
    cross_product = grad_w[:, 0] * f[:, 1] - grad_w[:, 1] * f[:, 0]
    density = (1.0 - distance / width) * on_film.B_z[facets, q] - cross_product
    return float(np.sum(on_film.weights[facets, q] * density))


def _clearance(film: Film, opening: Opening) -> float:
    """Return the distance [length] of a hole from the nearest other edge of the film.

    If there is no other edge, return the size of the hole.
    """
    edges = [other.outline for other in film.openings if other is not opening]
    if film.bounded:
        edges += [shapely.get_exterior_ring(polygon) for polygon in film.outline().geoms]
    distances = [shapely.distance(opening.outline, edge) for edge in edges]
    size = float(np.ptp(np.reshape(opening.outline.bounds, (2, 2)), axis=0).max())
    return max(min([d for d in distances if d > 0], default=size), 1e-3 * size)


def _applied_flux(solution: Solution, film: FilmMesh, hole: shapely.Polygon) -> float:
    """Return the flux of applied fields through a hole: ∮ A·dl along its edge."""
    nodes, weights = np.polynomial.legendre.leggauss(_LINE_POINTS)
    corners = np.asarray(shapely.get_coordinates(shapely.orient_polygons(hole)))
    steps = np.diff(corners, axis=0)
    points = corners[:-1, None] + 0.5 * (nodes[:, None] + 1) * steps[:, None]
    total = 0.0
    for source, weight in solution.drives:
        if is_applied(source):
            A = source.vector_potential(film.layer, points, np.ones(points.shape[:-1]))
            total += weight * 0.5 * np.einsum("q,sqx,sx->", weights, A, steps)
    return float(total)
