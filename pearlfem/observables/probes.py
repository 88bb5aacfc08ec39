"""What probes of a device measure: flux through loops, current through cuts, fields at places.

The flux of B through a horizontal disc is a sum over points of the disc (Gauss in r², trapezoid in
the angle), K that through a line of the film ∫ K·n dl. Reduced units, μ0 = 1.
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
from pearlfem.observables.evaluation import evaluate_in_space
from pearlfem.observables.fields import (
    has_stream_function,
    magnetic_field,
    sheet_current,
    stream_function,
)
from pearlfem.observables.point_impurities.fields import exact_part
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

FieldFunction = Callable[[Array], Array]  # of points (n, 3) to vectors (n, 3)

_BATCH = 100_000  # points at once: 200 MB while their cells are looked up
_SAME = 1e-12  # crossings nearer than this, in lengths of the cut, are one


def magnetic_potential(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return ψ [Γ/length in reduced units] at points of space, H = −∇ψ off the film.

    On a film the limit from above.

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
    places, mesh = np.asarray(points, dtype=float).reshape(-1, 3), solution.mesh
    heights = [film.height for film in solution.films]
    u = evaluate_in_space(solution.potential, places, mesh, heights)[:, 0]
    if mesh.mirrored:
        side = np.where(places[:, 2] < 0, -1.0, 1.0)
        return side * u + exact_part(solution, infinite_film.scalar_potential, places)
    for film, g in zip(solution.films, solution.stream_functions, strict=True):
        side = np.where(places[:, 2] < film.height, -1.0, 1.0)
        u += 0.5 * side * evaluate_in_space(g, places, mesh, heights)[:, 0]
    return u


def loop_flux(solution: Solution, centers: npt.ArrayLike, radius: float) -> Array:
    """Return Φ = ∫ B_z dS [μ0Γ in reduced units] through horizontal circular loops above the film.

    B is that of the film's currents. For a smooth B the sum over points is right to 3e-8, 2e-6,
    3e-5 and 1e-4 of the largest flux when the radius is 2, 4, 10 and 30 heights, above point-like
    sources: the worst case. What counts is the error of B, which the average makes smaller: 1e-3 of
    the largest flux near an impurity at default settings, for radii of its size or more.

    Args:
        solution: The solution.
        centers: The loops' centres, the same on every rank [length], shape ``(n, 3)``.
        radius: Of all of them [length], at most ``LARGEST_LOOP`` times the height of each.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A loop reaches beyond walls or the far boundary, or is not above the film, or
            ``radius`` is out of range.

    Note:
        Collective.
    """
    return flux_through_loops(lambda points: magnetic_field(solution, points), centers, radius)


def flux_through_loops(field: FieldFunction, centers: npt.ArrayLike, radius: float) -> Array:
    """Return ∫ B_z dS through horizontal circular loops above the film, as ``loop_flux`` does.

    Args:
        field: B at points; no larger number of them is asked for at once than memory allows.
        centers: The loops' centres [length], shape ``(n, 3)``.
        radius: Of all of them [length].

    Raises:
        StudyError: A loop is not above the film, or ``radius`` is out of range.

    Note:
        Collective if ``field`` is.
    """
    middles = np.asarray(centers, dtype=float).reshape(-1, 3)
    _check_loops(middles, radius)
    if len(middles) == 0:
        return np.empty(0)
    steps, weights = disc_rule(radius, float(middles[:, 2].min()))

    def fluxes(some: Array) -> Array:
        points = (some[:, None] + steps).reshape(-1, 3)
        return np.asarray(field(points)[:, 2].reshape(len(some), -1) @ weights)

    return in_batches(fluxes, middles, len(steps))


def in_batches(work: Callable[[Array], Array], points: Array, cost: int = 1) -> Array:
    """Return ``work`` of some of the ``points`` at a time, one after the other.

    Args:
        work: A function of points ``(m, 3)`` to m rows.
        points: All points, at least one, shape ``(n, 3)``.
        cost: Points of the mesh at which ``work`` evaluates fields for each of them.

    Note:
        Collective if ``work`` is.
    """
    step = max(1, _BATCH // cost)
    return np.concatenate([work(points[i : i + step]) for i in range(0, len(points), step)])


def disc_rule(radius: float, height: float) -> tuple[Array, Array]:
    """Return points (x, y, 0) and weights [area] on a disc for the field of a film below it.

    Gauss in r² and trapezoid in the angle converge exponentially, all the faster the larger the
    height is in units of the radius; ``loop_flux`` tells what their numbers here give.

    Args:
        radius: Of the disc around the origin [length].
        height: Of the disc above the film [length].
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

    n = t × ẑ with t the direction from start to end: positive is a current from the left to the
    right of someone who walks on the film from start to end. Then I = g(end) − g(start), and so it
    is computed where g is known: to 1e-4 at default settings, of the largest current of an
    impurity. In the vector formulation it is integrated facet by facet: as good as K, 2e-2 at
    degree 2. Where there is no film there is no current.

    Args:
        solution: The solution.
        start: One end of the cut (x, y), on the film or off it [length].
        end: The other.
        film: Name of the film; the only one by default.

    Raises:
        StudyError: Both ends are the same, or one lies beyond walls or the far boundary.

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
    breaks = _crossings(solution.film(film), ends)
    steps = np.diff(breaks)
    places = (breaks[:-1, None] + np.outer(steps, (1 + roots) / 2)).ravel()
    points = ends[0] + places[:, None] * (ends[1] - ends[0])
    # The ends come first, so that it is one of them that is named if the cut leaves the mesh.
    K = sheet_current(solution, np.concatenate([ends, points]), film)[2:]
    return float(length * np.outer(steps, weights / 2).ravel() @ (K @ [ty, -tx]))


def _crossings(film: FilmMesh, ends: Array) -> Array:
    """Return 0, 1 and where a cut crosses edges of the film's facets between, sorted (collective).

    In units of the cut's length, the same on every rank.
    """
    along = ends[1] - ends[0]
    corners, cell = film.corners, film.mesh.cell
    if cell is not None:
        shifted = corners[:, None] + cell.shifts_along(ends)[:, None]
        corners = shifted.reshape(-1, 3, 2)
    offsets = corners - ends[0]
    across = offsets[..., 0] * along[1] - offsets[..., 1] * along[0]
    places = offsets @ along / (along @ along)
    found = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crossed = (across[:, a] <= 0) != (across[:, b] <= 0)
        before, after = across[crossed, a], across[crossed, b]
        part = before / (before - after)
        found.append((1 - part) * places[crossed, a] + part * places[crossed, b])
    every = np.concatenate(film.comm.allgather(np.concatenate(found)))
    between = np.sort(every[(every > _SAME) & (every < 1 - _SAME)])
    return np.concatenate([[0.0], between[np.diff(between, prepend=0.0) > _SAME], [1.0]])


def _check_loops(centers: Array, radius: float) -> None:
    if not 0 < radius < math.inf:
        raise StudyError(f"radius = {radius}: not allowed; allowed: a positive number")
    if np.any(wrong := ~(centers[:, 2] * LARGEST_LOOP >= radius)):
        raise StudyError(
            f"loop around {centers[wrong][0].tolist()}: not allowed with radius = {radius:g}; "
            f"allowed: above the film, at z of at least {radius / LARGEST_LOOP:g}"
        )
