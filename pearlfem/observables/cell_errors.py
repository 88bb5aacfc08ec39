"""Where the error lies: cell by cell, the energy of the difference of two fields.

With the field H and the current K of the stream formulation and A of the vector formulation,

    F_vector − F_stream = ∫ |curl A − μ0 H|²/(2μ0) dV + ∫_Γ |K + κ(A + a)|²/(2κ) dS

exactly, for any two conforming fields on one film [W. Prager, J. L. Synge, Quart. Appl. Math. 5,
241 (1947)]. Each cell's part says how much a finer mesh there can close the gap. With fields that
are averaged over neighbouring cells in place of those of the other formulation, the same sum
estimates the error of one [O. C. Zienkiewicz, J. Z. Zhu, Int. J. Numer. Meth. Eng. 24, 337 (1987)].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import basix
import basix.ufl
import dolfinx
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.formulation.film import FilmMesh, FilmQuadrature, facet_rule
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.checks import refuse_points
from pearlfem.observables.fields import FIELD_DEGREE, flux_density, london_current, rotated_gradient
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution


class CellFields(NamedTuple):
    """B in the cells and K on the films, as one formulation or an average has them.

    Args:
        B: Discontinuous, as ``flux_density`` returns it.
        K: Of each film, at the quadrature points of its facets in the order of ``FilmMesh.sides``,
            shape ``(facets, points, 2)`` [Γ/length² in reduced units].
    """

    B: fem.Function
    K: tuple[Array, ...]


def cell_fields(solution: Solution) -> CellFields:
    """Return the fields of ``solution``: K = ∇g × ẑ or K = −κ(A + a).

    Raises:
        StudyError: A source is a point impurity, whose fields have no finite energy.

    Note:
        Not collective, except for the compilation of the first call.
    """
    refuse_points([drive.source for drive in solution.drives], "for fields cell by cell")
    currents = tuple(_sheet_current(solution, film) for film in solution.films)
    return CellFields(flux_density(solution), currents)


def _sheet_current(solution: Solution, film: FilmMesh) -> Array:
    """Return K at the quadrature points of a film."""
    if solution.stream_functions:
        return _on_film(rotated_gradient(solution.stream_function(film)), film)
    A, x = solution.potential, ufl.SpatialCoordinate(film.mesh.domain)
    values = _on_film(ufl.as_vector([A[0], A[1], x[0], x[1]]), film)
    regions = np.broadcast_to(film.regions[:, None], values.shape[:-1])
    return london_current(solution, film, values[..., :2], values[..., 2:], regions)


def averaged_fields(solution: Solution) -> CellFields:
    """Return B of ``solution`` averaged at each node over all cells around it, and K from it.

    Above and below a film are kept apart, for B along the film jumps there by K × ẑ.

    Note:
        Collective.
    """
    mesh, B = solution.mesh, flux_density(solution)
    nodes = fem.functionspace(mesh.domain, ("Lagrange", FIELD_DEGREE)).dofmap
    smooth = fem.Function(B.function_space)
    slabs = mesh.slabs([film.height for film in solution.films])
    means = [_nodal_means(B, nodes, cells) for cells in slabs]
    for mean, cells in zip(means, slabs, strict=True):
        _place(smooth, mean, nodes, cells)
    currents = []
    for k, film in enumerate(solution.films):
        jump = fem.Function(B.function_space)
        difference = 2.0 * means[k + 1] if mesh.mirrored else means[k + 1] - means[k]
        _place(jump, difference, nodes, slabs[k + 1])
        currents.append(_on_film(ufl.as_vector([-jump[1], jump[0]]), film))
    return CellFields(smooth, tuple(currents))


def cell_gaps(first: CellFields, second: CellFields, films: Sequence[FilmMesh]) -> Array:
    """Return each owned cell's part of the energy of the difference of two fields.

    Args:
        first: Fields in the cells of the mesh.
        second: Others in the same cells.
        films: The films; if the mesh is a half, the result counts the other half too.

    Returns:
        Array of shape ``(cells,)`` [μ0Γ²/length in reduced units], not negative.

    Note:
        Not collective.
    """
    mesh = films[0].mesh
    corners = mesh.domain.geometry.x[_corners(mesh)]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    dofs = first.B.function_space.dofmap.list[: len(volumes)]
    difference = (first.B.x.array - second.B.x.array).reshape(-1, 3)[dofs]
    squares = np.einsum("cik,ij,cjk->c", difference, _mass(), difference, optimize=True)
    gaps = (1.0 if mesh.mirrored else 0.5) * volumes * squares
    for film, one, other in zip(films, first.K, second.K, strict=True):
        rule = film.quadrature
        on_film = np.sum(rule.weights * _kinetic(one - other, rule), axis=1)
        gaps += np.bincount(film.sides[:, 0], on_film, minlength=len(gaps))
    return np.asarray(gaps)


def film_energies(fields: CellFields, films: Sequence[FilmMesh]) -> Array:
    """Return |K|²/(2κ) of each owned cell above a film, its mean over the facet; 0 elsewhere.

    Returns:
        Array of shape ``(cells,)`` [μ0Γ²/length³ in reduced units].

    Note:
        Not collective.
    """
    energies = np.zeros(len(_corners(films[0].mesh)))
    for film, K in zip(films, fields.K, strict=True):
        rule = film.quadrature
        total = np.sum(rule.weights * _kinetic(K, rule), axis=1)
        densities = total / rule.weights.sum(axis=1)
        energies += np.bincount(film.sides[:, 0], densities, minlength=len(energies))
    return energies


def _kinetic(K: Array, rule: FilmQuadrature) -> Array:
    """Return |K|²/(2κ) at the quadrature points."""
    return np.asarray(np.sum(K**2, axis=2) / (2 * rule.superfluid_weight))


def _on_film(vector: Any, film: FilmMesh) -> Array:
    """Return a UFL vector at the quadrature points of the film's facets, seen from above.

    Only values of calls of this function stand in the same order: it depends on the numbering.
    """
    points, _ = facet_rule()
    values = compiled_expression(vector, points, film.comm).eval(film.mesh.domain, film.sides)
    shape = len(film.sides), len(points), *vector.ufl_shape  # there may be no facets
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
