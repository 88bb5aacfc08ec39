"""Holes: the current around each, the flux in it and its fluxoid; the inductance matrix.

The fluxoid of a hole is the flux through it and the circulation of K/κ around it together, and a
whole number of Φ0 [F. London, Superfluids I (1950)]. Without vortices, F = ½ Φ·L⁻¹·Φ for the
fluxoids Φ in the holes, and I = L⁻¹ Φ are the currents around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
import ufl
from dolfinx import fem

from pearlfem.fem.film import facet_rule
from pearlfem.model.applied import is_applied
from pearlfem.model.film import Opening
from pearlfem.model.sources import Fluxoid
from pearlfem.observables.energy import Bracket, mutual_energies
from pearlfem.observables.fields import flux_density, london_current, turned_gradient
from pearlfem.solution import Solution

_Array = npt.NDArray[np.float64]
_BAND = 0.5  # width of the band around a hole, of its distance to what is next
_LINE_POINTS = 8  # per side of a hole, for the flux of applied fields


class HoleState(NamedTuple):
    """A hole: the current around it (counterclockwise), the flux in it, and its fluxoid.

    In units of Γ/length and of flux (reduced units); applied fields count in flux and fluxoid.
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
    film = _on_facets(solution, "film")
    K = _sheet_current(solution, film)
    return [_state(solution, opening, film, K) for opening in solution.film.openings]


def inverse_inductance(solutions: Sequence[Solution]) -> _Array:
    """Return L⁻¹ from the solutions for one flux quantum in each hole, shape ``(n, n)``.

    L⁻¹_ij = 2 E_ij/Φ0² [1/(μ0 length)]. As a quadratic form it is a bound like ``free_energy``.

    Note:
        Collective.
    """
    return 2.0 * mutual_energies(solutions)


def inductance_bracket(lower: _Array, upper: _Array) -> Bracket:
    """Return bounds of every entry of L from L⁻¹ of the stream and of the vector formulation.

    As quadratic forms ``upper``⁻¹ ≤ L ≤ ``lower``⁻¹, and entries follow by Cauchy–Schwarz.

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
    """Fields at quadrature points of facets: weights (n, q), points and A or ∇g × ẑ (n, q, 2)."""

    weights: _Array
    points: _Array
    B_z: _Array
    vector: _Array


def _on_facets(solution: Solution, group: str) -> _Values:
    space, g = solution.space, solution.stream_function
    points, weights = facet_rule()
    facets = space.sides(group)
    x, B = ufl.SpatialCoordinate(space.mesh), flux_density(solution)
    K: Any = turned_gradient(g) if g is not None else solution.potential
    expression = fem.Expression(ufl.as_vector([x[0], x[1], B[2], K[0], K[1]]), points)
    values = np.asarray(expression.eval(space.mesh, facets), dtype=float)
    values = values.reshape(len(facets), len(points), 5)
    corners = space.corners(group)
    areas = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return _Values(np.outer(areas, weights), values[..., :2], values[..., 2], values[..., 3:])


def _sheet_current(solution: Solution, film: _Values) -> _Array:
    if solution.stream_function is not None:
        return film.vector
    regions = solution.film.regions_at(film.points.mean(axis=1))
    each = np.broadcast_to(regions[:, None], film.weights.shape)
    return london_current(solution, film.vector, film.points, each)


def _state(solution: Solution, opening: Opening, film: _Values, K: _Array) -> HoleState:
    comm, unit = solution.space.mesh.comm, Fluxoid(opening.name, 1)
    a = unit.vector_potential(solution.film, film.points, film.B_z)
    current = -np.sum(film.weights[..., None] * K * a)
    hole = _on_facets(solution, solution.space.holes[opening.name])
    own = np.sum(hole.weights * hole.B_z)
    current, own = comm.allreduce(np.array([current, own]))
    around = comm.allreduce(_in_band(solution, opening, film, K))
    applied = _applied_flux(solution, opening)
    return HoleState(opening.name, float(current), float(own + applied), float(own + around))


def _in_band(solution: Solution, opening: Opening, film: _Values, K: _Array) -> float:
    """Return ∫_Γ [w B_z − (∇w × (K/κ + A_ext))_z] dS, w from 1 at the hole to 0 across the band.

    By London's law, rot (K/κ + A_ext) = −B_z of the currents, this is the circulation around the
    hole of K/κ + A_ext.
    """
    width = _BAND * _clearance(solution, opening)
    points = film.points.reshape(-1, 2)
    shapes = shapely.points(points)
    near = np.flatnonzero(shapely.dwithin(shapes, opening.outline, width))
    points, shapes = points[near], shapes[near]
    lines = shapely.shortest_line(opening.outline, shapes)
    nearest = shapely.get_coordinates(shapely.get_point(lines, 0))
    offset = points - nearest
    distance = np.linalg.norm(offset, axis=1)
    gradient = -offset / np.maximum(distance, 1e-300)[:, None] / width
    weight = 1.0 - distance / width
    facets = near // film.points.shape[1]
    regions = solution.film.regions_at(film.points.mean(axis=1))[facets]
    kappa = solution.film.superfluid_weight(points, regions)
    total = K.reshape(-1, 2)[near] / kappa[:, None]
    for source, factor in solution.drives:
        if is_applied(source):
            total += factor * source.vector_potential(solution.film, points, kappa)
    turn = gradient[:, 0] * total[:, 1] - gradient[:, 1] * total[:, 0]
    density = weight * film.B_z.ravel()[near] - turn
    return float(np.sum(film.weights.ravel()[near] * density))


def _clearance(solution: Solution, opening: Opening) -> float:
    """Return the distance [length] of a hole from other edges and from vortices and impurities."""
    film = solution.film
    others = [o.outline for o in film.openings if o is not opening]
    if film.bounded:
        others += [shapely.get_exterior_ring(part) for part in film.outline().geoms]
    distances = [shapely.distance(opening.outline, other) for other in others]
    for source, _ in solution.drives:
        if not is_applied(source):
            for core in source.cores:
                place = shapely.Point(core.position)
                distances.append(opening.outline.distance(place) - 5 * core.size)
    size = float(np.ptp(np.reshape(opening.outline.bounds, (2, 2)), axis=0).max())
    return max(min([d for d in distances if d > 0], default=size), 1e-3 * size)


def _applied_flux(solution: Solution, opening: Opening) -> float:
    """Return the flux of applied fields through a hole: ∮ A_ext·dl along its edge."""
    nodes, weights = np.polynomial.legendre.leggauss(_LINE_POINTS)
    polygon = shapely.geometry.polygon.orient(opening.outline)
    total = 0.0
    for ring in (polygon.exterior, *polygon.interiors):
        corners = np.asarray(shapely.get_coordinates(ring))
        sides = np.diff(corners, axis=0)
        points = corners[:-1, None] + 0.5 * (nodes[:, None] + 1) * sides[:, None]
        for source, factor in solution.drives:
            if is_applied(source):
                kappa = np.ones(points.shape[:-1])
                A = source.vector_potential(solution.film, points, kappa)
                total += factor * 0.5 * np.einsum("q,sqx,sx->", weights, A, sides)
    return float(total)
