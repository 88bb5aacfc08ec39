"""Holes: the current around each, the flux in it and its fluxoid; the inductance matrix.

The fluxoid of a hole is the flux through it and the circulation of K/κ around it together, and a
whole number of Φ0 [F. London, Superfluids I (1950)]. Without vortices, F = ½ Φ·L⁻¹·Φ for the
fluxoids Φ in the holes, and I = L⁻¹ Φ are the currents around them.
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

_DEGREE = 10  # of quadrature: fields are of degree 2
_BAND = 0.5  # width of the band around a hole, of its distance to what is next
_LINE_POINTS = 8  # per side of a hole, for the flux of applied fields


class HoleState(NamedTuple):
    """A hole: the current around it (counterclockwise), the flux in it, and its fluxoid.

    In units of Γ/length and of flux (reduced units). Applied fields count in flux and fluxoid, and
    islands in the hole are parts of it.
    """

    name: str
    current: float
    flux: float
    fluxoid: float


def hole_states(solution: Solution) -> list[HoleState]:
    """Return what is in each hole, from the fields alone.

    The current is the mean of K·φ̂/2πr around the hole, which all loops give alike. The fluxoid is a
    mean over loops in a band around the hole, so it shows the error of the fields, not what was
    asked for.

    Note:
        Collective.
    """
    return [state for film in solution.films for state in _states_in(solution, film)]


def _states_in(solution: Solution, film: FilmMesh) -> list[HoleState]:
    """Return what is in each hole of one film."""
    openings = film.film.openings
    if not openings:
        return []
    on_film = _on_facets(solution, film, film.group)
    K = _sheet_current(solution, film, on_film)
    off_film = _on_facets(solution, film, *film.holes.values())
    return [_state(solution, film, hole, on_film, K, off_film) for hole in openings]


def inverse_inductance(solutions: Sequence[Solution]) -> Array:
    """Return L⁻¹ from the solutions for one flux quantum in each hole, shape ``(n, n)``.

    L⁻¹_ij = 2 E_ij/Φ0² [1/(μ0 length)]. As a quadratic form it is a bound like ``free_energy``.

    Note:
        Collective.
    """
    return 2.0 * mutual_energies(solutions)


def inductance_bracket(lower: Array, upper: Array) -> Bracket:
    """Return bounds of every entry of L from L⁻¹ of the stream and of the vector formulation.

    As quadratic forms ``upper⁻¹ ≤ L ≤ lower⁻¹``, and entries follow by Cauchy–Schwarz.

    Args:
        lower: L⁻¹ of the stream formulation, shape ``(n, n)``.
        upper: L⁻¹ of the vector formulation, of the same shape.
    """
    least, most = np.linalg.inv(upper), np.linalg.inv(lower)
    gap = np.maximum(np.diag(most - least), 0.0)
    half = 0.5 * np.sqrt(np.outer(gap, gap))
    mean = 0.5 * (least + most)
    return Bracket(mean - half, mean + half)


class _Values(NamedTuple):
    """Fields at quadrature points of facets: weights (n, q), points and A or ∇g × ẑ (n, q, 2).

    Without what point impurities have on the infinite film.
    """

    weights: Array
    points: Array
    B_z: Array
    vector: Array


def _on_facets(solution: Solution, film: FilmMesh, *groups: str) -> _Values:
    reference, weights = facet_rule(_DEGREE)
    x, B = ufl.SpatialCoordinate(film.mesh.domain), regular_flux_density(solution)
    K: Any = solution.potential
    if has_stream_function(solution):
        K = rotated_gradient(solution.stream_function(film))
    vector = ufl.as_vector([x[0], x[1], B[2], K[0], K[1]])
    values = on_facets(vector, film, film.sides_of(*groups), reference)
    corners = film.corners_of(*groups)
    areas = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return _Values(np.outer(areas, weights), values[..., :2], values[..., 2], values[..., 3:])


def _sheet_current(solution: Solution, film: FilmMesh, on_film: _Values) -> Array:
    if has_stream_function(solution):
        return on_film.vector
    regions = film.film.regions_at(on_film.points.mean(axis=1))
    each = np.broadcast_to(regions[:, None], on_film.weights.shape)
    return london_current(solution, film, on_film.vector, on_film.points, each)


def _state(
    solution: Solution,
    film: FilmMesh,
    opening: Opening,
    on_film: _Values,
    K: Array,
    off_film: _Values,
) -> HoleState:
    unit = Fluxoid(opening.name, 1)
    inside = shapely.Polygon(opening.outline.exterior)
    shapely.prepare(inside)
    a = unit.vector_potential(film.layer, on_film.points, on_film.B_z)
    current = -np.sum(on_film.weights[..., None] * K * a)
    flux = sum(_flux_within(inside, values) for values in (on_film, off_film))
    width = _BAND * _clearance(film.film, opening)
    around = _in_band(solution, film, inside, width, on_film, K)
    current, flux, around = film.comm.allreduce(np.array([current, flux, around]))
    current += exact_work(solution, unit)
    # The infinite film has no fluxoids: its flux and circulation cancel.
    fluxoid = flux + around
    flux += exact_flux(solution, shapely.get_coordinates(shapely.orient_polygons(inside)))
    flux += _applied_flux(solution, film, inside)
    return HoleState(opening.name, float(current), float(flux), float(fluxoid))


def _flux_within(inside: shapely.Polygon, values: _Values) -> float:
    """Return the flux of the film's currents through those facets that lie ``inside``."""
    middles = values.points.mean(axis=1)
    here = shapely.contains_xy(inside, middles[:, 0], middles[:, 1])
    return float(np.sum((values.weights * values.B_z)[here]))


def _in_band(
    solution: Solution,
    film: FilmMesh,
    inside: shapely.Polygon,
    width: float,
    on_film: _Values,
    K: Array,
) -> float:
    """Return ∫_Γ [w B_z − (∇w × (K/κ + a))_z] dS over a band of this ``width`` around a hole.

    w falls from 1 at the hole to 0 across the band. By London's law, rot (K/κ + a) = −B_z of the
    currents, this is the circulation of K/κ + a around the hole, with a of all sources but
    fluxoids; at the hole's edge that of applied fields is all there is of a.
    """
    outline = shapely.simplify(inside, 1e-3 * width)
    x0, y0, x1, y1 = outline.bounds
    x, y = on_film.points[..., 0], on_film.points[..., 1]
    boxed = (x > x0 - width) & (x < x1 + width) & (y > y0 - width) & (y < y1 + width)
    facets, number = np.nonzero(boxed)
    points = on_film.points[facets, number]
    shapes = shapely.points(points)
    near = shapely.dwithin(shapes, outline, width) & ~shapely.contains(inside, shapes)
    facets, number, points, shapes = facets[near], number[near], points[near], shapes[near]
    lines = shapely.shortest_line(outline, shapes)
    offset = points - shapely.get_coordinates(shapely.get_point(lines, 0))
    distance = np.linalg.norm(offset, axis=1)
    gradient = -offset / np.maximum(distance, 1e-300)[:, None] / width
    regions = film.film.regions_at(on_film.points.mean(axis=1))[facets]
    kappa = film.film.superfluid_weight(points, regions)
    total = K[facets, number] / kappa[:, None]
    for source, factor in solution.drives:
        if not isinstance(source, Fluxoid) and not is_point(source):
            total += factor * source.vector_potential(film.layer, points, kappa)
    turn = gradient[:, 0] * total[:, 1] - gradient[:, 1] * total[:, 0]
    density = (1.0 - distance / width) * on_film.B_z[facets, number] - turn
    return float(np.sum(on_film.weights[facets, number] * density))


def _clearance(film: Film, opening: Opening) -> float:
    """Return the distance [length] of a hole from other edges."""
    others = [o.outline for o in film.openings if o is not opening]
    if film.bounded:
        others += [shapely.get_exterior_ring(part) for part in film.outline().geoms]
    distances = [shapely.distance(opening.outline, other) for other in others]
    size = float(np.ptp(np.reshape(opening.outline.bounds, (2, 2)), axis=0).max())
    return max(min([d for d in distances if d > 0], default=size), 1e-3 * size)


def _applied_flux(solution: Solution, film: FilmMesh, inside: shapely.Polygon) -> float:
    """Return the flux of applied fields through a hole: ∮ A_ext·dl along its edge."""
    nodes, weights = np.polynomial.legendre.leggauss(_LINE_POINTS)
    corners = np.asarray(shapely.get_coordinates(shapely.orient_polygons(inside)))
    sides = np.diff(corners, axis=0)
    points = corners[:-1, None] + 0.5 * (nodes[:, None] + 1) * sides[:, None]
    total = 0.0
    for source, factor in solution.drives:
        if is_applied(source):
            A = source.vector_potential(film.layer, points, np.ones(points.shape[:-1]))
            total += factor * 0.5 * np.einsum("q,sqx,sx->", weights, A, sides)
    return float(total)
