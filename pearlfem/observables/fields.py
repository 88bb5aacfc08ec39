"""Currents and fields: on the film, in space, and at points.

K = ∇g × ẑ in the stream formulation and K = −κ (A + a) in the vector formulation, which is two to
three times as accurate as the jump of its H. B = −μ0 ∇ψ or curl A (reduced units, μ0 = 1). Where
the mesh is the half z ≥ 0 of a mirror symmetric space, B_z is even in z and the others are odd.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.analytic import infinite_film
from pearlfem.errors import StudyError
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.stream import forms
from pearlfem.observables.evaluation import evaluate, evaluate_in_space
from pearlfem.observables.point_impurities.fields import add_exact_part, exact_moment, exact_part
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution

FIELD_DEGREE = 2  # of B, the derivative of elements of degree 3 at most


def scalar_potential(solution: Solution) -> fem.Function:
    """Return ψ on both sides of the films: discontinuous, of degree 2.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Not collective, except for the compilation of the first call.
    """
    if not has_stream_function(solution):
        raise _no_stream_function(solution, "scalar_potential")
    psi = _interpolated(solution, _potential_expression(solution), "psi")
    return add_exact_part(psi, solution, infinite_film.scalar_potential)


def flux_density(solution: Solution) -> fem.Function:
    """Return B = −∇ψ or curl A, on both sides: discontinuous, of degree 2, three components.

    Exact for elements of degree 1 to 3, whose derivatives are of degree 2 at most; what a point
    impurity has on the infinite film is interpolated.

    Note:
        Not collective, except for the compilation of the first call.
    """
    return add_exact_part(regular_flux_density(solution), solution, infinite_film.magnetic_field)


def regular_flux_density(solution: Solution) -> fem.Function:
    """Return ``flux_density`` without what point impurities have on the infinite film.

    Note:
        Not collective, except for the compilation of the first call.
    """
    return _interpolated(solution, _regular_field(solution), "B")


def regular_normal_field(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return B_z on ``film``, without what point impurities have on the infinite film.

    Discontinuous, of degree 2, right in the cells above the film.

    Note:
        Not collective, except for the compilation of the first call.
    """
    return _interpolated(solution, _regular_field(solution)[2], "B_z")


def magnetic_field(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return B [μ0Γ/length² in reduced units] at points of space.

    On a film the limit from above.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 3)``.

    Returns:
        Array of shape ``(n, 3)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    places = np.array(points, dtype=float).reshape(-1, 3)
    heights = [film.height for film in solution.films]
    values = evaluate_in_space(regular_flux_density(solution), places, solution.mesh, heights)
    if solution.mesh.mirrored:
        values[places[:, 2] < 0, :2] *= -1
    return values + exact_part(solution, infinite_film.magnetic_field, places)


def stream_function(solution: Solution, points: npt.ArrayLike, film: str | None = None) -> Array:
    """Return g [Γ/length in reduced units] at points (x, y) of the film, K = ∇g × ẑ.

    On a film in contact with shields all around, g is known up to a constant.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.
        film: Name of the film; the only one by default.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary, there is no such film, or the
            solution is not of the stream formulation.

    Note:
        Collective.
    """
    chosen = solution.film(film)
    g = _need_stream_function(solution, chosen, "stream_function")
    places, cells = _in_plane(chosen, points)
    exact = exact_part(solution, infinite_film.stream_function, places[:, :2])
    return evaluate(g, places, cells)[:, 0] + exact


def sheet_current(solution: Solution, points: npt.ArrayLike, film: str | None = None) -> Array:
    """Return K [Γ/length² in reduced units] at points (x, y) of the film.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.
        film: Name of the film; the only one by default.

    Returns:
        Array of shape ``(n, 2)``, the same on every rank; of one degree less than ψ in accuracy.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    chosen = solution.film(film)
    places, cells = _in_plane(chosen, points)
    if has_stream_function(solution):
        K = _interpolated(solution, rotated_gradient(solution.stream_function(chosen)), "K")
        regular = evaluate(K, places, cells)
        return regular + exact_part(solution, infinite_film.sheet_current, places[:, :2])
    A = evaluate(solution.potential, places, cells)[:, :2]
    on_film = evaluate(_film_marker(chosen), places, cells)
    return on_film * london_current(solution, chosen, A, places[:, :2])


def regular_sheet_current(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return K on ``film``, without what point impurities have on the infinite film.

    Discontinuous, of degree 2, right at its nodes; only in the cells above the film.

    Note:
        Not collective, except for the compilation of the first call.
    """
    if has_stream_function(solution):
        return _interpolated(solution, rotated_gradient(solution.stream_function(film)), "K")
    A = solution.potential
    current = _interpolated(solution, ufl.as_vector([A[0], A[1]]), "K")
    V = current.function_space
    dofs = V.dofmap.list[film.sides[:, 0]].ravel()
    nodes = V.tabulate_dof_coordinates()[dofs, :2]
    values = current.x.array.reshape(-1, 2)
    regions = np.repeat(film.regions, V.dofmap.list.shape[1])
    values[dofs] = london_current(solution, film, values[dofs], nodes, regions)
    return current


def regular_stream_function(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return g on ``film``, without what point impurities have on the infinite film.

    Discontinuous, of degree 2, right at its nodes; only in the cells above the film.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Not collective, except for the compilation of the first call.
    """
    g = _need_stream_function(solution, film, "regular_stream_function")
    return _interpolated(solution, g, "g")


def magnetic_moment(solution: Solution) -> Array:
    """Return ½ ∫ r × K dS = ẑ ∫ g dS [Γ·length in reduced units], shape ``(3,)``.

    Over film and holes; on the plane the integral runs to the far boundary or to the walls.

    Raises:
        StudyError: The solution is not of the stream formulation, or currents leave the film for
            shields all around it, or space is periodic (see ``has_magnetic_moment``).

    Note:
        Collective.
    """
    if not has_stream_function(solution):
        raise _no_stream_function(solution, "magnetic_moment")
    if not has_magnetic_moment(solution):
        raise StudyError(
            "magnetic_moment: currents of a film in contact with shields, or in a periodic space, "
            "have none; allowed: a film with an edge, or magnetic walls"
        )
    pairs = zip(solution.films, solution.stream_functions, strict=True)
    return np.array([0.0, 0.0, sum(film.integral(g) for film, g in pairs) + exact_moment(solution)])


def has_magnetic_moment(solution: Solution) -> bool:
    """Return whether g is known, and not only up to a constant, on films that come to an end."""
    groups = set(solution.mesh.groups)
    ends = [{film.plane, "far", "magnetic-wall"} & groups for film in solution.films]
    return has_stream_function(solution) and all(ends) and solution.mesh.cell is None


def has_stream_function(solution: Solution) -> bool:
    """Return whether g and ψ are known: whether ``solution`` is of the stream formulation."""
    return solution.formulation == "stream"


def _interpolated(solution: Solution, expression: Any, name: str) -> fem.Function:
    """Return ``expression`` as a discontinuous function of degree 2."""
    element = ("Discontinuous Lagrange", 2, expression.ufl_shape)
    V = fem.functionspace(solution.mesh.domain, element)
    function = fem.Function(V, name=name)
    points, comm = V.element.interpolation_points, solution.mesh.domain.comm
    function.interpolate(compiled_expression(expression, points, comm))
    return function


def rotated_gradient(g: fem.Function) -> Any:
    """Return K = ∇g × ẑ as a UFL expression."""
    return ufl.as_vector([g.dx(1), -g.dx(0)])


def london_current(
    solution: Solution,
    film: FilmMesh,
    A: Array,
    points: Array,
    regions: Int64Array | None = None,
) -> Array:
    """Return K = −κ (A + a) at ``points`` of a film, all ``(…, 2)``.

    ``regions`` are those of the film, where they are known better than from the points, ``(…)``.
    """
    kappa = film.film.superfluid_weight(points, regions)
    total = A.copy()
    for source, weight in solution.drives:
        total += weight * source.vector_potential(film.layer, points, kappa)
    return -kappa[..., None] * total


def _regular_field(solution: Solution) -> Any:
    """Return B without what point impurities have on the infinite film, as a UFL expression."""
    if has_stream_function(solution):
        return -ufl.grad(_potential_expression(solution))
    return ufl.curl(solution.potential)


def _potential_expression(solution: Solution) -> Any:
    """Return ψ as a UFL expression."""
    return forms.potential(solution.potential, solution.stream_functions, solution.films)


def _film_marker(film: FilmMesh) -> fem.Function:
    """Return 1 in the cells above the film and 0 in all others."""
    V = fem.functionspace(film.mesh.domain, ("Discontinuous Lagrange", 0))
    marker = fem.Function(V)
    marker.x.array[V.dofmap.list[film.sides[:, 0], 0]] = 1.0
    return marker


def _need_stream_function(solution: Solution, film: FilmMesh, observable: str) -> fem.Function:
    if not has_stream_function(solution):
        raise _no_stream_function(solution, observable)
    return solution.stream_function(film)


def _no_stream_function(solution: Solution, observable: str) -> StudyError:
    return StudyError(
        f"{observable}: formulation = {solution.formulation!r}: not allowed; allowed: 'stream'"
    )


def _in_plane(film: FilmMesh, points: npt.ArrayLike) -> tuple[Array, Int32Array]:
    """Return points (x, y) in the film's plane, and the cells in which to look for them."""
    flat = film.mesh.inside(np.asarray(points, dtype=float).reshape(-1, 2))
    cells = film.sides_of(film.plane, *film.filled)[:, 0]
    return np.column_stack([flat, np.full(len(flat), film.height)]), cells
