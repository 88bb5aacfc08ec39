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
from typing import NamedTuple

import dolfinx
import numpy as np
import ufl
from dolfinx import fem

from pearlfem.formulation.film import FilmMesh, facet_rule
from pearlfem.model.checks import refuse_points
from pearlfem.observables.cell_energies import (
    cell_corners,
    facet_areas,
    field_energies,
    kinetic_energies,
    nodal_vectors,
)
from pearlfem.observables.facets import FacetCurrents, facet_currents, on_facets
from pearlfem.observables.fields import FIELD_DEGREE, flux_density
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.solution import Solution


class CellFields(NamedTuple):
    """B in the cells and K on the films, as one formulation or an average has them.

    Args:
        B: Discontinuous, as ``flux_density`` returns it.
        currents: K on each film, at the points of ``facet_rule()``.
    """

    B: fem.Function
    currents: tuple[FacetCurrents, ...]


def cell_fields(solution: Solution) -> CellFields:
    """Return the fields of ``solution``: K = ∇g × ẑ or K = −κ(A + a).

    Raises:
        StudyError: A source is a point impurity, whose fields have no finite energy.

    Note:
        Not collective, except for the compilation of the first call.
    """
    refuse_points([drive.source for drive in solution.drives], "for fields cell by cell")
    reference, _ = facet_rule()
    currents = tuple(facet_currents(solution, film, reference) for film in solution.films)
    return CellFields(flux_density(solution), currents)


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
    x, (reference, _) = ufl.SpatialCoordinate(mesh.domain), facet_rule()
    currents = []
    for k, film in enumerate(solution.films):
        jump = fem.Function(B.function_space)
        difference = 2.0 * means[k + 1] if mesh.mirrored else means[k + 1] - means[k]
        _place(jump, difference, nodes, slabs[k + 1])
        vector = ufl.as_vector([x[0], x[1], -jump[1], jump[0]])
        values = on_facets(vector, film, film.sides, reference)
        currents.append(FacetCurrents(values[..., :2], values[..., 2:]))
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
    difference = nodal_vectors(first.B) - nodal_vectors(second.B)
    gaps = field_energies(films[0].mesh, difference)
    for film, one, other in zip(films, first.currents, second.currents, strict=True):
        on_film = kinetic_energies(film, one._replace(K=one.K - other.K))
        gaps += np.bincount(film.sides[:, 0], on_film, minlength=len(gaps))
    return np.asarray(gaps)


def film_energies(fields: CellFields, films: Sequence[FilmMesh]) -> Array:
    """Return |K|²/(2κ) of each owned cell above a film, its mean over the facet; 0 elsewhere.

    Returns:
        Array of shape ``(cells,)`` [μ0Γ²/length³ in reduced units].

    Note:
        Not collective.
    """
    energies = np.zeros(len(cell_corners(films[0].mesh)))
    for film, currents in zip(films, fields.currents, strict=True):
        densities = kinetic_energies(film, currents) / facet_areas(film)
        energies += np.bincount(film.sides[:, 0], densities, minlength=len(energies))
    return energies


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
