"""Where the error lies: cell by cell, the energy of the difference of two fields.

With the field H and the current K of the stream formulation and A of the vector formulation,

    F_vector − F_stream = ∫ |curl A − μ0 H|²/(2μ0) dV + ∫_Γ |K + κ(A + a)|²/(2κ) dS

exactly, for any two conforming fields on one film [W. Prager, J. L. Synge, Quart. Appl. Math. 5,
241 (1947)]. Each cell's part says how much a finer mesh there can close the gap. With fields that
are averaged over neighbouring cells in place of those of the other formulation, the same sum
estimates the error of one [O. C. Zienkiewicz, J. Z. Zhu, Int. J. Numer. Meth. Eng. 24, 337 (1987)].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import basix
import basix.ufl
import dolfinx
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.formulation.film import FilmQuadrature, facet_rule, film_quadrature
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.checks import refuse_points
from pearlfem.model.film import Film
from pearlfem.observables.fields import FIELD_DEGREE, flux_density, london_current, rotated_gradient
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution


class CellFields(NamedTuple):
    """B in the cells and K on the film, as one formulation or an average has them.

    Args:
        B: Discontinuous, as ``flux_density`` returns it.
        K: At the quadrature points of the film's facets in the order of ``TaggedMesh.sides``, shape
            ``(facets, points, 2)`` [Γ/length² in reduced units].
    """

    B: fem.Function
    K: Array


def cell_fields(solution: Solution) -> CellFields:
    """Return the fields of ``solution``: K = ∇g × ẑ or K = −κ(A + a).

    Raises:
        StudyError: A source is a point impurity, whose fields have no finite energy.

    Note:
        Not collective, except for the compilation of the first call.
    """
    refuse_points([drive.source for drive in solution.drives], "for fields cell by cell")
    mesh, g = solution.mesh, solution.stream_function
    if g is not None:
        return CellFields(flux_density(solution), _on_film(rotated_gradient(g), mesh))
    A, x = solution.potential, ufl.SpatialCoordinate(mesh.domain)
    values = _on_film(ufl.as_vector([A[0], A[1], x[0], x[1]]), mesh)
    regions = solution.film.regions_at(mesh.corners("film").mean(axis=1))
    each = np.broadcast_to(regions[:, None], values.shape[:-1])
    K = london_current(solution, values[..., :2], values[..., 2:], each)
    return CellFields(flux_density(solution), K)


def averaged_fields(solution: Solution) -> CellFields:
    """Return B of ``solution`` averaged at each node over all cells around it, and K from it.

    Above and below the film are kept apart, for B along the film jumps there by K × ẑ.

    Note:
        Collective.
    """
    mesh, B = solution.mesh, flux_density(solution)
    nodes = fem.functionspace(mesh.domain, ("Lagrange", FIELD_DEGREE)).dofmap
    smooth, jump = fem.Function(B.function_space), fem.Function(B.function_space)
    sides = mesh.cells_above(), mesh.cells_below()
    above, below = (_nodal_means(B, nodes, cells) for cells in sides)
    for means, cells in zip((above, below), sides, strict=True):
        _place(smooth, means, nodes, cells)
    _place(jump, 2.0 * above if mesh.mirrored else above - below, nodes, sides[0])
    return CellFields(smooth, _on_film(ufl.as_vector([-jump[1], jump[0]]), mesh))


def cell_gaps(first: CellFields, second: CellFields, mesh: TaggedMesh, film: Film) -> Array:
    """Return each owned cell's part of the energy of the difference of two fields.

    Args:
        first: Fields in the cells of ``mesh``.
        second: Others in the same cells.
        mesh: The mesh; if a half, the result counts the other half too.
        film: The film.

    Returns:
        Array of shape ``(cells,)`` [μ0Γ²/length in reduced units], not negative.

    Note:
        Not collective.
    """
    corners = mesh.domain.geometry.x[_corners(mesh)]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    dofs = first.B.function_space.dofmap.list[: len(volumes)]
    difference = (first.B.x.array - second.B.x.array).reshape(-1, 3)[dofs]
    squares = np.einsum("cik,ij,cjk->c", difference, _mass(), difference, optimize=True)
    gaps = (1.0 if mesh.mirrored else 0.5) * volumes * squares
    facets, rule = mesh.sides("film"), film_quadrature(mesh, film)
    on_film = np.sum(rule.weights * _kinetic(first.K - second.K, rule), axis=1)
    return np.asarray(gaps + np.bincount(facets[:, 0], on_film, minlength=len(gaps)))


def film_energies(fields: CellFields, mesh: TaggedMesh, film: Film) -> Array:
    """Return |K|²/(2κ) of each owned cell above the film, its mean over the facet; 0 elsewhere.

    Returns:
        Array of shape ``(cells,)`` [μ0Γ²/length³ in reduced units].

    Note:
        Not collective.
    """
    facets, rule = mesh.sides("film"), film_quadrature(mesh, film)
    total = np.sum(rule.weights * _kinetic(fields.K, rule), axis=1)
    densities = total / rule.weights.sum(axis=1)
    return np.bincount(facets[:, 0], densities, minlength=len(_corners(mesh)))


def _kinetic(K: Array, rule: FilmQuadrature) -> Array:
    """Return |K|²/(2κ) at the quadrature points."""
    return np.asarray(np.sum(K**2, axis=2) / (2 * rule.superfluid_weight))


def _on_film(vector: Any, mesh: TaggedMesh) -> Array:
    """Return a UFL vector at the quadrature points of the film's facets, seen from above.

    Only values of calls of this function stand in the same order: it depends on the numbering.
    """
    points, _ = facet_rule()
    facets = mesh.sides("film")
    values = compiled_expression(vector, points, mesh.domain.comm).eval(mesh.domain, facets)
    shape = len(facets), len(points), *vector.ufl_shape  # there may be no facets
    return np.asarray(values, dtype=float).reshape(shape)


def _place(function: fem.Function, means: Array, nodes: fem.DofMap, cells: Int32Array) -> None:
    """Give ``function`` the values at the ``nodes`` of ``cells``."""
    values = function.x.array.reshape(-1, 3)
    values[function.function_space.dofmap.list[cells]] = means[nodes.list[cells]]


def _nodal_means(B: fem.Function, nodes: fem.DofMap, cells: Int32Array) -> Array:
    """Return the means of ``B`` over ``cells`` at this rank's ``nodes``, 0 at those without."""
    values = B.x.array.reshape(-1, 3)[B.function_space.dofmap.list[cells].ravel()]
    places = nodes.list[cells].ravel()
    sums = dolfinx.la.vector(nodes.index_map, 4)
    rows = sums.array.reshape(-1, 4)
    for column, weights in enumerate((*values.T, np.ones(len(values)))):
        rows[:, column] = np.bincount(places, weights, minlength=len(rows))
    sums.scatter_reverse(dolfinx.la.InsertMode.add)
    sums.scatter_forward()
    return np.asarray(rows[:, :3] / np.maximum(rows[:, 3:], 1.0))


def _corners(mesh: TaggedMesh) -> npt.NDArray[np.integer]:
    """Return the geometry's nodes of the cells that this rank owns."""
    owned = mesh.domain.topology.index_map(3).size_local
    return np.asarray(mesh.domain.geometry.dofmaps[0][:owned])


def _mass() -> Array:
    """Return the products of B's basis functions, their means over a cell."""
    rule = basix.make_quadrature(basix.CellType.tetrahedron, 2 * FIELD_DEGREE)
    points, weights = (np.asarray(part, dtype=float) for part in rule)
    element = basix.ufl.element("DG", "tetrahedron", FIELD_DEGREE)
    shapes = np.asarray(element.tabulate(0, points), dtype=float)[0]
    return np.asarray(6.0 * shapes.T @ (weights[:, None] * shapes))
