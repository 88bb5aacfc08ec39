"""Currents on films and fields in space, as finite element functions and as values at points.

The stream formulation has K = ∇g × ẑ and B = −μ0 ∇ψ, the vector formulation K = −κ (A + a) and
B = curl A (reduced units, μ0 = 1). K from A is two to three times more accurate than K from the
jump of H. If the mesh is the half z ≥ 0 of a mirror symmetric space, B_z is even in z, and B_x and
B_y are odd.

The *regular* part of a field is the field minus the exact field of the point impurities on the
infinite film (``pearlfem.observables.point_impurities.fields``), which is infinite at their
positions.
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
from pearlfem.observables.film_points import onto_facets
from pearlfem.observables.point_impurities.fields import add_exact_part, exact_moment, exact_part
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution

FIELD_DEGREE = 2  # of B: potentials have the degree 3 at most, and B is a derivative


def scalar_potential(solution: Solution) -> fem.Function:
    """Return ψ [Γ/length in reduced units] as a discontinuous function of degree 2.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Collective.
    """
    if not has_stream_function(solution):
        raise _no_stream_function(solution, "scalar_potential")
    psi = _interpolated(solution, _potential_expression(solution), "psi")
    return add_exact_part(psi, solution, infinite_film.scalar_potential)


def flux_density(solution: Solution) -> fem.Function:
    """Return B = −∇ψ or curl A [μ0Γ/length² in reduced units], discontinuous and of degree 2.

    The function has three components. It equals the derivative of the potential exactly, as
    potentials have the degree 1 to 3. The exact fields of point impurities are interpolated.

    Note:
        Collective.
    """
    return add_exact_part(regular_flux_density(solution), solution, infinite_film.magnetic_field)


def regular_flux_density(solution: Solution) -> fem.Function:
    """Return the regular part of ``flux_density``.

    Note:
        Collective.
    """
    return _interpolated(solution, _regular_field(solution), "B")


def regular_normal_field(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return the regular part of B_z as a discontinuous function of degree 2.

    Its values on ``film`` are those in the cells above it.

    Note:
        Collective.
    """
    return _interpolated(solution, _regular_field(solution)[2], "B_z")


def magnetic_field_of_mesh(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return B as the derivative of the potential in the cells; see ``magnetic_field``.

    Raises:
        StudyError: A point lies beyond walls or the far boundary.

    Note:
        Collective.
    """
    positions = np.array(points, dtype=float).reshape(-1, 3)
    heights = [film.height for film in solution.films]
    B = evaluate_in_space(regular_flux_density(solution), positions, solution.mesh, heights)
    if solution.mesh.mirrored:
        B[positions[:, 2] < 0, :2] *= -1
    return B + exact_part(solution, infinite_film.magnetic_field, positions)


def stream_function(solution: Solution, points: npt.ArrayLike, film: str | None = None) -> Array:
    """Return g [Γ/length in reduced units] at points (x, y) of the film; K = ∇g × ẑ.

    If shields touch a film on its whole outer edge, g is determined up to a constant only.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.
        film: Name of the film; not needed if there is only one.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary, there is no such film, or the
            solution is not of the stream formulation.

    Note:
        Collective.
    """
    film_mesh = solution.film(film)
    g = _need_stream_function(solution, film_mesh, "stream_function")
    positions, cells = _in_plane(film_mesh, points)
    exact = exact_part(solution, infinite_film.stream_function, positions[:, :2])
    return evaluate(g, positions, cells)[:, 0] + exact


def sheet_current(solution: Solution, points: npt.ArrayLike, film: str | None = None) -> Array:
    """Return K [Γ/length² in reduced units] at points (x, y) in the film's plane; 0 off the film.

    In the stream formulation, the order of accuracy of K is one less than that of ψ. Between a
    round edge and the straight sides that the mesh has there, K is that of the nearest facet.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.
        film: Name of the film; not needed if there is only one.

    Returns:
        Array of shape ``(n, 2)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls or the far boundary, or there is no such film.

    Note:
        Collective.
    """
    film_mesh = solution.film(film)
    asked, cells = _in_plane(film_mesh, points)
    marker, above_film = _film_marker(film_mesh), film_mesh.sides[:, 0]
    evaluate(marker, asked, cells)  # refuses points beyond the mesh
    on_film = evaluate(marker, asked, above_film, outside=0.0)[:, 0] > 0
    positions = asked.copy()
    positions[:, :2] = onto_facets(film_mesh, asked[:, :2], on_film)
    on_film |= np.any(positions != asked, axis=1)
    if has_stream_function(solution):
        K = _interpolated(solution, rotated_gradient(solution.stream_function(film_mesh)), "K")
        values = evaluate(K, positions, above_film, outside=0.0)
        values += exact_part(solution, infinite_film.sheet_current, asked[:, :2])
    else:
        A = evaluate(solution.film_potential(), positions, above_film, outside=0.0)[:, :2]
        values = london_current(solution, film_mesh, A, positions[:, :2])
    return np.where(on_film[:, None], values, 0.0)


def regular_sheet_current(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return the regular part of K on ``film`` as a discontinuous function of degree 2.

    Only its values at nodes on the film, in the cells above it, have a meaning.

    Note:
        Collective.
    """
    if has_stream_function(solution):
        return _interpolated(solution, rotated_gradient(solution.stream_function(film)), "K")
    A = solution.film_potential()
    current = _interpolated(solution, ufl.as_vector([A[0], A[1]]), "K")
    V = current.function_space
    dofs = V.dofmap.list[film.sides[:, 0]].ravel()
    nodes = V.tabulate_dof_coordinates()[dofs, :2]
    values = current.x.array.reshape(-1, 2)
    regions = np.repeat(film.regions, V.dofmap.list.shape[1])
    values[dofs] = london_current(solution, film, values[dofs], nodes, regions)
    return current


def regular_stream_function(solution: Solution, film: FilmMesh) -> fem.Function:
    """Return the regular part of g on ``film`` as a discontinuous function of degree 2.

    Only its values at nodes on the film, in the cells above it, have a meaning.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Collective.
    """
    g = _need_stream_function(solution, film, "regular_stream_function")
    return _interpolated(solution, g, "g")


def magnetic_moment(solution: Solution) -> Array:
    """Return ½ ∫ r × K dS = ẑ ∫ g dS [Γ·length in reduced units], shape ``(3,)``.

    The second integral is over the films and their holes. For a film on the whole plane, it ends at
    the far boundary or at the walls.

    Raises:
        StudyError: The solution is not of the stream formulation, shields touch a film on its whole
            outer edge (then g has an unknown constant), or space is periodic.

    Note:
        Collective.
    """
    if not has_stream_function(solution):
        raise _no_stream_function(solution, "magnetic_moment")
    if not has_magnetic_moment(solution):
        raise StudyError(
            "magnetic_moment: not defined if shields touch the whole edge of a film, or in a "
            "periodic space; allowed: a film with an edge, or magnetic walls"
        )
    pairs = zip(solution.films, solution.stream_functions, strict=True)
    return np.array([0.0, 0.0, sum(film.integral(g) for film, g in pairs) + exact_moment(solution)])


def has_magnetic_moment(solution: Solution) -> bool:
    """Return whether ``solution`` has a magnetic moment.

    Each film must have an edge on which g is zero: otherwise g has an unknown constant. Space must
    not be periodic.
    """
    groups = set(solution.mesh.groups)
    zero_edges = [{film.plane, "far", "magnetic-wall"} & groups for film in solution.films]
    return has_stream_function(solution) and all(zero_edges) and solution.mesh.cell is None


def has_stream_function(solution: Solution) -> bool:
    """Return whether ``solution`` has g and ψ: whether it is of the stream formulation."""
    return solution.formulation == "stream"


def _interpolated(solution: Solution, expression: Any, name: str) -> fem.Function:
    """Return ``expression`` as a discontinuous function of degree 2 (collective)."""
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
    """Return K = −κ (A + a) at points of a film [Γ/length² in reduced units].

    Args:
        solution: The solution, whose sources give a.
        film: The film.
        A: Vector potential along the film at the points, shape ``(…, 2)``.
        points: The points (x, y) [length], shape ``(…, 2)``.
        regions: The region of the film for each point, ``(…)``. By default it follows from the
            point, which is ambiguous on the line between two regions.

    Returns:
        Array of shape ``(…, 2)``.
    """
    kappa = film.film.superfluid_weight(points, regions)
    total = A.copy()
    for source, weight in solution.drives:
        total += weight * source.vector_potential(film.layer, points, kappa)
    return -kappa[..., None] * total


def _regular_field(solution: Solution) -> Any:
    """Return the regular part of B as a UFL expression."""
    if has_stream_function(solution):
        return -ufl.grad(_potential_expression(solution))
    return ufl.curl(solution.potential)


def _potential_expression(solution: Solution) -> Any:
    """Return ψ as a UFL expression."""
    return forms.potential(solution.potential, solution.stream_functions, solution.films)


def _film_marker(film: FilmMesh) -> fem.Function:
    """Return the function that is 1 in the cells above the film and 0 in all other cells."""
    V = fem.functionspace(film.mesh.domain, ("Discontinuous Lagrange", 0))
    marker = fem.Function(V)
    marker.x.array[V.dofmap.list[film.sides[:, 0], 0]] = 1.0
    return marker


def _need_stream_function(solution: Solution, film: FilmMesh, observable: str) -> fem.Function:
    """Return g of a film; refuse solutions of the vector formulation."""
    if not has_stream_function(solution):
        raise _no_stream_function(solution, observable)
    return solution.stream_function(film)


def _no_stream_function(solution: Solution, observable: str) -> StudyError:
    """Return the error for an ``observable`` that only the stream formulation has."""
    return StudyError(
        f"{observable}: formulation = {solution.formulation!r}: not allowed; allowed: 'stream'"
    )


def _in_plane(film: FilmMesh, points: npt.ArrayLike) -> tuple[Array, Int32Array]:
    """Return points (x, y) as points of space, and the owned cells above the film's plane.

    Args:
        film: The film.
        points: The points [length], shape ``(n, 2)``.

    Returns:
        The points in the film's plane [length], shape ``(n, 3)``; in a periodic space, moved into
        the periodic cell. The cells with a facet in the plane, ``(m,)``.
    """
    xy = film.mesh.inside(np.asarray(points, dtype=float).reshape(-1, 2))
    cells = film.sides_of(film.plane, *film.filled)[:, 0]
    return np.column_stack([xy, np.full(len(xy), film.height)]), cells
