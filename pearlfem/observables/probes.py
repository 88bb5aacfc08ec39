"""Quantities that probes measure: flux through loops, current through cuts, ψ at points.

The flux through a horizontal loop is ∮ A·dl of the sheet currents where these are all currents, and
otherwise ∫ B_z dS over its disc, by Gauss's rule in r² and the trapezoidal rule in the angle. The
current through a cut of the film is ∫ K·n dl. Reduced units, μ0 = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pearlfem.analytic import infinite_film
from pearlfem.errors import StudyError
from pearlfem.formulation.film import SOURCE_QUADRATURE_DEGREE, FilmMesh
from pearlfem.model.probes import LARGEST_LOOP
from pearlfem.observables.biot_savart.currents import knows_currents, vector_potential
from pearlfem.observables.evaluation import evaluate_in_space
from pearlfem.observables.fields import (
    has_stream_function,
    sheet_current,
    stream_function,
)
from pearlfem.observables.magnetic_field import magnetic_field
from pearlfem.observables.point_impurities.fields import exact_part
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

FieldFunction = Callable[[Array], Array]  # from points (n, 3) to vectors (n, 3)

_BATCH = 100_000  # points in one batch: the search for their cells needs 200 MB
_MOST_AROUND = 500  # points on a loop near a film, on which A has kinks where it crosses an edge
_SAME = 1e-12  # crossings nearer to each other than this, in lengths of the cut, are the same


def magnetic_potential(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return ψ [Γ/length in reduced units] at points of space; H = −∇ψ off the film.

    At a point of a film, the value is the limit from above.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 3)``.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary, or the solution is not of the
            stream formulation.

    Note:
        Collective.
    """
    if not has_stream_function(solution):
        raise StudyError(
            f"magnetic_potential: formulation = {solution.formulation!r}: not allowed; "
            "allowed: 'stream'"
        )
    positions, mesh = np.asarray(points, dtype=float).reshape(-1, 3), solution.mesh
    heights = [film.height for film in solution.films]
    u = evaluate_in_space(solution.potential, positions, mesh, heights)[:, 0]
    if mesh.mirrored:
        sign = np.where(positions[:, 2] < 0, -1.0, 1.0)
        return sign * u + exact_part(solution, infinite_film.scalar_potential, positions)
    psi = u
    for film, g in zip(solution.films, solution.stream_functions, strict=True):
        sign = np.where(positions[:, 2] < film.height, -1.0, 1.0)
        psi += 0.5 * sign * evaluate_in_space(g, positions, mesh, heights)[:, 0]
    return psi


def loop_flux(solution: Solution, centers: npt.ArrayLike, radius: float) -> Array:
    """Return Φ = ∫ B_z dS [μ0Γ in reduced units] through horizontal circular loops.

    In open space, without point impurities, it is ∮ A·dl of the sheet currents, for loops at any
    height, also in the plane of a film. Elsewhere it is the integral of B_z over the disc, for
    loops above the film.

    Args:
        solution: The solution.
        centers: The centres of the loops, the same on every rank [length], shape ``(n, 3)``.
        radius: The radius of all loops [length]; with walls, in a periodic space or with point
            impurities at most ``LARGEST_LOOP`` times the height of each.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: ``radius`` is not positive; or, where it is the integral of B_z, a loop is
            partly beyond walls or the far boundary, or too low above the film.

    Note:
        Collective.
    """
    if knows_currents(solution):
        return _circulations(solution, np.asarray(centers, dtype=float).reshape(-1, 3), radius)
    return flux_through_loops(lambda points: magnetic_field(solution, points), centers, radius)


def _circulations(solution: Solution, loops: Array, radius: float) -> Array:
    """Return ∮ A·dl of the sheet currents along loops, by the trapezoidal rule (collective)."""
    _check_radius(radius)
    heights = np.array([film.height for film in solution.films])
    if np.any(wrong := ~np.isfinite(loops).all(axis=1)):
        raise StudyError(f"loop around {loops[wrong][0].tolist()}: not allowed; allowed: numbers")
    height = np.abs(loops[:, 2:] - heights).min(initial=math.inf)
    count = _most_around(radius, height)
    angles = 2 * np.pi * np.arange(count) / count
    radial = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(count)])
    tangent = np.column_stack([-radial[:, 1], radial[:, 0], radial[:, 2]])

    def fluxes(batch: Array) -> Array:
        points = (batch[:, None] + radius * radial).reshape(-1, 3)
        A = vector_potential(solution, points).reshape(len(batch), count, 3)
        return np.asarray(2 * np.pi * radius * np.einsum("nax,ax->n", A, tangent) / count)

    return in_batches(fluxes, loops, count) if len(loops) else np.empty(0)


def _most_around(radius: float, height: float) -> int:
    """Return the number of points around a loop: e^{−N height/radius} is below round-off."""
    return (
        _MOST_AROUND
        if height * _MOST_AROUND < 36 * radius
        else 12 + math.ceil(36 * radius / height)
    )


def flux_through_loops(field: FieldFunction, centers: npt.ArrayLike, radius: float) -> Array:
    """Return ∫ B_z dS through horizontal circular loops above the film, for any field B.

    Args:
        field: Returns B ``(m, 3)`` at points ``(m, 3)``. It is called for batches of points, to
            limit the memory.
        centers: The centres of the loops [length], shape ``(n, 3)``.
        radius: The radius of all loops [length].

    Returns:
        Array of shape ``(n,)``, in units of ``field`` times length².

    Raises:
        StudyError: A loop is not above the film, or ``radius`` is out of range.

    Note:
        Collective if ``field`` is.
    """
    loops = np.asarray(centers, dtype=float).reshape(-1, 3)
    _check_loops(loops, radius)
    if len(loops) == 0:
        return np.empty(0)
    offsets, weights = disc_rule(radius, float(loops[:, 2].min()))

    def fluxes(batch: Array) -> Array:
        points = (batch[:, None] + offsets).reshape(-1, 3)
        return np.asarray(field(points)[:, 2].reshape(len(batch), -1) @ weights)

    return in_batches(fluxes, loops, len(offsets))


def in_batches(function: Callable[[Array], Array], points: Array, cost: int = 1) -> Array:
    """Return the values of ``function`` at ``points``, computed batch by batch.

    Args:
        function: Returns m rows for points ``(m, 3)``.
        points: All points, at least one, shape ``(n, 3)``.
        cost: Number of evaluations of a field that ``function`` needs for each point.

    Returns:
        Array with n rows.

    Note:
        Collective if ``function`` is.
    """
    step = max(1, _BATCH // cost)
    return np.concatenate([function(points[i : i + step]) for i in range(0, len(points), step)])


def disc_rule(radius: float, height: float) -> tuple[Array, Array]:
    """Return a quadrature rule on a disc for the field of a film below it.

    Gauss's rule in r² and the trapezoidal rule in the angle converge exponentially, and the faster
    the larger height/radius is.

    Args:
        radius: Radius of the disc around the origin [length].
        height: Height of the disc above the film [length].

    Returns:
        Points (x, y, 0) [length], shape ``(q, 3)``, and weights [area], shape ``(q,)``.
    """
    radial = math.ceil(6 + 3.5 * radius / height)
    angular = 3 * radial
    roots, weights = np.polynomial.legendre.leggauss(radial)
    r = radius * np.sqrt((1 + roots) / 2)
    angles = 2 * np.pi * np.arange(angular) / angular
    points = np.stack(
        [np.outer(r, np.cos(angles)), np.outer(r, np.sin(angles)), np.zeros((radial, angular))],
        axis=-1,
    )
    return points.reshape(-1, 3), np.repeat(np.pi * radius**2 / angular * weights / 2, angular)


def current_through(
    solution: Solution, start: npt.ArrayLike, end: npt.ArrayLike, film: str | None = None
) -> float:
    """Return I = ∫ K·n dl [Γ/length in reduced units] through a straight cut of the film.

    n = t × ẑ with the direction t from start to end. For someone who walks on the film from start
    to end, a current from left to right is positive. Parts of the cut off the film carry none.

    The stream formulation uses I = g(end) − g(start). At default settings, the error is 1e-4 of the
    largest current of an impurity. The vector formulation integrates K facet by facet; the error is
    that of K, 2e-2 for degree 2.

    Args:
        solution: The solution.
        start: The start (x, y) of the cut, on the film or off it [length].
        end: The end (x, y) of the cut, on the film or off it [length].
        film: Name of the film; not needed if there is only one.

    Raises:
        StudyError: Both ends are the same, one of them lies beyond walls or the far boundary, or
            there is no such film.

    Note:
        Collective; the result is the same on every rank.
    """
    ends = np.array([start, end], dtype=float)
    if np.array_equal(*ends):
        raise StudyError(
            f"current_through: start and end are both {ends[0].tolist()}; allowed: two points"
        )
    if has_stream_function(solution):
        first, last = stream_function(solution, ends, film)
        return float(last - first)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    tx, ty = (ends[1] - ends[0]) / length
    roots, weights = np.polynomial.legendre.leggauss(SOURCE_QUADRATURE_DEGREE // 2 + 1)
    crossings = _crossings(solution.film(film), ends)
    steps = np.diff(crossings)
    fractions = (crossings[:-1, None] + np.outer(steps, (1 + roots) / 2)).ravel()
    points = ends[0] + fractions[:, None] * (ends[1] - ends[0])
    # If the cut leaves the mesh, the message names the first point outside: put the ends first.
    K = sheet_current(solution, np.concatenate([ends, points]), film)[2:]
    return float(length * np.outer(steps, weights / 2).ravel() @ (K @ [ty, -tx]))


def _crossings(film: FilmMesh, ends: Array) -> Array:
    """Return where a cut crosses edges of the film's facets, sorted, with 0 and 1 for its ends.

    Args:
        film: The film.
        ends: The two ends of the cut (x, y) [length], ``(2, 2)``.

    Returns:
        Distances from the start in lengths of the cut, ``(n,)``, the same on every rank.

    Note:
        Collective.
    """
    along = ends[1] - ends[0]
    corners, cell = film.corners, film.mesh.cell
    if cell is not None:
        shifted = corners[:, None] + cell.shifts_along(ends)[:, None]
        corners = shifted.reshape(-1, 3, 2)
    offsets = corners - ends[0]
    across = offsets[..., 0] * along[1] - offsets[..., 1] * along[0]
    fractions = offsets @ along / (along @ along)
    crossings_by_edge = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crossed = (across[:, a] <= 0) != (across[:, b] <= 0)
        across_a, across_b = across[crossed, a], across[crossed, b]
        t = across_a / (across_a - across_b)
        crossings_by_edge.append((1 - t) * fractions[crossed, a] + t * fractions[crossed, b])
    crossings = np.concatenate(film.comm.allgather(np.concatenate(crossings_by_edge)))
    inner = np.sort(crossings[(crossings > _SAME) & (crossings < 1 - _SAME)])
    return np.concatenate([[0.0], inner[np.diff(inner, prepend=0.0) > _SAME], [1.0]])


def _check_loops(centers: Array, radius: float) -> None:
    """Refuse loops that are not above the film, or too wide for their height."""
    _check_radius(radius)
    if np.any(too_low := ~(centers[:, 2] * LARGEST_LOOP >= radius)):
        raise StudyError(
            f"loop around {centers[too_low][0].tolist()}: not allowed with radius = {radius:g}; "
            f"allowed: above the film, at a height z of at least {radius / LARGEST_LOOP:g}"
        )


def _check_radius(radius: float) -> None:
    if not 0 < radius < math.inf:
        raise StudyError(f"radius = {radius}: not allowed; allowed: a positive number")
