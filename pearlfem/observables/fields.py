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
from pearlfem.formulation.stream import forms
from pearlfem.observables.evaluation import evaluate
from pearlfem.observables.point_impurities.fields import add_exact_part, exact_moment, exact_part
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution

FIELD_DEGREE = 2  # of B, the derivative of elements of degree 3 at most


def scalar_potential(solution: Solution) -> fem.Function | None:
    """Return ψ on both sides of the film: discontinuous, of degree 2; None without ψ.

    Note:
        Not collective, except for the compilation of the first call.
    """
    g = solution.stream_function
    if g is None:
        return None
    psi = _interpolated(solution, forms.potential(solution.potential, g, solution.mesh), "psi")
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
    g = solution.stream_function
    if g is None:
        field = ufl.curl(solution.potential)
    else:
        field = -ufl.grad(forms.potential(solution.potential, g, solution.mesh))
    return _interpolated(solution, field, "B")


def magnetic_field(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return B [μ0Γ/length² in reduced units] at points of space.

    At z = 0 the limit z → 0⁺.

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
    places = solution.mesh.inside(np.array(points, dtype=float).reshape(-1, 3))
    field, mesh = regular_flux_density(solution), solution.mesh
    below = places[:, 2] < 0
    values = np.empty_like(places)
    values[~below] = evaluate(field, places[~below], mesh.cells_above())
    if mesh.mirrored:
        values[below] = evaluate(field, places[below] * [1, 1, -1], mesh.cells_above())
        values[below, :2] *= -1
    else:
        values[below] = evaluate(field, places[below], mesh.cells_below())
    return values + exact_part(solution, infinite_film.magnetic_field, places)


def stream_function(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return g [Γ/length in reduced units] at points (x, y) of the film, K = ∇g × ẑ.

    On a film in contact with shields all around, g is known up to a constant.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary, or the solution is not of the
            stream formulation.

    Note:
        Collective.
    """
    g = _need_stream_function(solution, "stream_function")
    places, cells = _in_plane(solution, points)
    exact = exact_part(solution, infinite_film.stream_function, places[:, :2])
    return evaluate(g, places, cells)[:, 0] + exact


def sheet_current(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return K [Γ/length² in reduced units] at points (x, y) of the film.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.

    Returns:
        Array of shape ``(n, 2)``, the same on every rank; of one degree less than ψ in accuracy.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    places, cells = _in_plane(solution, points)
    g = solution.stream_function
    if g is not None:
        own = evaluate(_interpolated(solution, rotated_gradient(g), "K"), places, cells)
        return own + exact_part(solution, infinite_film.sheet_current, places[:, :2])
    A = evaluate(solution.potential, places, cells)[:, :2]
    on_film = evaluate(_film_marker(solution), places, cells)
    return on_film * london_current(solution, A, places[:, :2])


def nodal_sheet_current(solution: Solution) -> fem.Function:
    """Return K as ``sheet_current`` has it: discontinuous, of degree 2, right at its nodes.

    Only on the film, in the cells above it.

    Note:
        Not collective, except for the compilation of the first call.
    """
    K = regular_sheet_current(solution)
    return add_exact_part(K, solution, infinite_film.sheet_current, on_film=True)


def regular_sheet_current(solution: Solution) -> fem.Function:
    """Return ``nodal_sheet_current`` without what point impurities have on the infinite film.

    Note:
        Not collective, except for the compilation of the first call.
    """
    g = solution.stream_function
    if g is not None:
        return _interpolated(solution, rotated_gradient(g), "K")
    A = solution.potential
    current = _interpolated(solution, ufl.as_vector([A[0], A[1]]), "K")
    V = current.function_space
    dofs = V.dofmap.list[solution.mesh.sides("film")[:, 0]].ravel()
    nodes = V.tabulate_dof_coordinates()[dofs, :2]
    values = current.x.array.reshape(-1, 2)
    regions = solution.film.regions_at(solution.mesh.corners("film").mean(axis=1))
    each = np.repeat(regions, V.dofmap.list.shape[1])
    values[dofs] = london_current(solution, values[dofs], nodes, each)
    return current


def nodal_stream_function(solution: Solution) -> fem.Function:
    """Return g as ``stream_function`` has it: discontinuous, of degree 2, right at its nodes.

    Only on the film, in the cells above it.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Not collective, except for the compilation of the first call.
    """
    g = regular_stream_function(solution)
    return add_exact_part(g, solution, infinite_film.stream_function, on_film=True)


def regular_stream_function(solution: Solution) -> fem.Function:
    """Return ``nodal_stream_function`` without what point impurities have on the infinite film.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Not collective, except for the compilation of the first call.
    """
    return _interpolated(solution, _need_stream_function(solution, "nodal_stream_function"), "g")


def magnetic_moment(solution: Solution) -> Array:
    """Return ½ ∫ r × K dS = ẑ ∫ g dS [Γ·length in reduced units], shape ``(3,)``.

    Over film and holes; on the plane the integral runs to the far boundary or to the walls.

    Raises:
        StudyError: The solution is not of the stream formulation, or currents leave the film for
            shields all around it, or space is periodic (see ``has_magnetic_moment``).

    Note:
        Collective.
    """
    g = _need_stream_function(solution, "magnetic_moment")
    if not has_magnetic_moment(solution):
        raise StudyError(
            "magnetic_moment: currents of a film in contact with shields, or in a periodic space, "
            "have none; allowed: a film with an edge, or magnetic walls"
        )
    return np.array([0.0, 0.0, forms.film_integral(g, solution.mesh) + exact_moment(solution)])


def has_magnetic_moment(solution: Solution) -> bool:
    """Return whether g is known, and not only up to a constant, on a film that comes to an end."""
    mesh = solution.mesh
    bounded = {"plane", "far", "magnetic-wall"} & set(mesh.groups)
    return solution.stream_function is not None and bool(bounded) and mesh.cell is None


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
    solution: Solution, A: Array, points: Array, regions: Int64Array | None = None
) -> Array:
    """Return K = −κ (A + a) at ``points`` of the film, all ``(…, 2)``.

    ``regions`` are those of the film, where they are known better than from the points, ``(…)``.
    """
    kappa = solution.film.superfluid_weight(points, regions)
    total = A.copy()
    for source, weight in solution.drives:
        total += weight * source.vector_potential(solution.film, points, kappa)
    return -kappa[..., None] * total


def _film_marker(solution: Solution) -> fem.Function:
    """Return 1 in the cells above the film and 0 in all others."""
    marker = fem.Function(fem.functionspace(solution.mesh.domain, ("Discontinuous Lagrange", 0)))
    marker.x.array[marker.function_space.dofmap.list[solution.mesh.sides("film")[:, 0], 0]] = 1.0
    return marker


def _need_stream_function(solution: Solution, what: str) -> fem.Function:
    if solution.stream_function is None:
        raise StudyError(
            f"{what}: formulation = {solution.formulation!r}: not allowed; allowed: 'stream'"
        )
    return solution.stream_function


def _in_plane(solution: Solution, points: npt.ArrayLike) -> tuple[Array, Int32Array]:
    """Return points (x, y) in z = 0, and the cells in which to look for them."""
    flat = solution.mesh.inside(np.asarray(points, dtype=float).reshape(-1, 2))
    cells = solution.mesh.sides("film", "plane", *solution.mesh.holes.values())[:, 0]
    return np.column_stack([flat, np.zeros(len(flat))]), cells
