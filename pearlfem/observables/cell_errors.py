"""The error of each cell: the energy of the difference between two fields.

With H and K of the stream formulation and A of the vector formulation,

    F_vector − F_stream = ∫ |curl A − μ0 H|²/(2μ0) dV + ∫_Γ |K + κ(A + a)|²/(2κ) dS

holds exactly for any two conforming fields on the same films [W. Prager, J. L. Synge, Quart. Appl.
Math. 5, 241 (1947)]. Where κ varies, the formulations have weights p ≥ κ and q ≥ 1/κ, which add

    ∫_Γ ½ (p − κ) |A + a|² dS + ∫_Γ ½ (q − 1/κ) |K|² dS,   the losses.

The part of a cell is its contribution to the gap between the bounds: a finer
mesh in that cell can reduce the gap by this amount.

With one formulation alone, its fields averaged over neighbouring cells take the place of the other
fields. Then the sum estimates the error [O. C. Zienkiewicz, J. Z. Zhu, Int. J. Numer. Meth. Eng.
24, 337 (1987)].
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
    field_energies,
    kinetic_energies,
    nodal_vectors,
)
from pearlfem.observables.facets import FacetCurrents, facet_currents, on_facets
from pearlfem.observables.fields import FIELD_DEGREE, flux_density
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.solution import Solution


class CellFields(NamedTuple):
    """B in the cells and K on the films, of one formulation or averaged.

    Args:
        B: A discontinuous function, as ``flux_density`` returns it.
        currents: K on each film, at the points of ``facet_rule()``.
        losses: What weights larger than the true ones cost on each facet of each film [energy].
    """

    B: fem.Function
    currents: tuple[FacetCurrents, ...]
    losses: tuple[Array, ...]


def cell_fields(solution: Solution) -> CellFields:
    """Return the fields of ``solution``, with K = ∇g × ẑ or K = −κ(A + a).

    Raises:
        StudyError: A source is a point impurity; the energy of its fields is infinite.

    Note:
        Collective.
    """
    refuse_points([drive.source for drive in solution.drives], "for fields cell by cell")
    reference, _ = facet_rule()
    currents = tuple(facet_currents(solution, film, reference) for film in solution.films)
    losses = tuple(
        _losses(film, facets, solution.formulation == "stream")
        for film, facets in zip(solution.films, currents, strict=True)
    )
    return CellFields(flux_density(solution), currents, losses)


def averaged_fields(solution: Solution) -> CellFields:
    """Return the average of B at each node over the cells around it, and K from the averages.

    Cells above and below a film have separate averages, because B along the film jumps by K × ẑ.

    Note:
        Collective.
    """
    mesh, B = solution.mesh, flux_density(solution)
    nodes = fem.functionspace(mesh.domain, ("Lagrange", FIELD_DEGREE)).dofmap
    smooth = fem.Function(B.function_space)
    slabs = mesh.slabs([film.height for film in solution.films])
    means = [_nodal_means(B, nodes, cells) for cells in slabs]
    for mean, cells in zip(means, slabs, strict=True):
        _set_values(smooth, mean, nodes, cells)
    x, (reference, _) = ufl.SpatialCoordinate(mesh.domain), facet_rule()
    currents = []
    for k, film in enumerate(solution.films):
        # In the half of a mirror symmetric space, B along the film is the opposite below it.
        jump = fem.Function(B.function_space)
        difference = 2.0 * means[k + 1] if mesh.mirrored else means[k + 1] - means[k]
        _set_values(jump, difference, nodes, slabs[k + 1])
        vector = ufl.as_vector([x[0], x[1], -jump[1], jump[0]])
        values = on_facets(vector, film, film.sides, reference)
        currents.append(FacetCurrents(values[..., :2], values[..., 2:]))
    none = tuple(np.zeros(len(film.sides)) for film in solution.films)
    return CellFields(smooth, tuple(currents), none)


def cell_gaps(first: CellFields, second: CellFields, films: Sequence[FilmMesh]) -> Array:
    """Return the energy of the difference between two fields in each owned cell.

    Args:
        first: Fields in the cells of the mesh.
        second: Other fields in the same cells.
        films: The films in their mesh. In the half of a mirror symmetric space the energy of a cell
            includes that of its mirror image.

    Returns:
        Array of shape ``(n,)`` for n owned cells [μ0Γ²/length in reduced units], not negative.

    Note:
        Not collective.
    """
    difference = nodal_vectors(first.B) - nodal_vectors(second.B)
    gaps = field_energies(films[0].mesh, difference)
    rows = (films, first.currents, second.currents, first.losses, second.losses)
    for film, currents, others, *losses in zip(*rows, strict=True):
        facet_gaps = kinetic_energies(film, currents._replace(K=currents.K - others.K))
        facet_gaps += sum(losses)
        gaps += np.bincount(film.sides[:, 0], facet_gaps, minlength=len(gaps))
    return np.asarray(gaps)


def _losses(film: FilmMesh, currents: FacetCurrents, inverse: bool) -> Array:
    """Return ∫ ½ (q − 1/κ) |K|² dS, or ∫ ½ (p − κ) |K/κ|² dS, over each facet, ``(n,)``."""
    kappa = film.quadrature.superfluid_weight
    excess = film.weight_above(inverse=inverse) - (1 / kappa if inverse else kappa)
    squares = np.sum((currents.K if inverse else currents.K / kappa[..., None]) ** 2, axis=2)
    return np.asarray(0.5 * np.sum(film.quadrature.weights * excess * squares, axis=1))


def film_energies(fields: CellFields, films: Sequence[FilmMesh]) -> Array:
    """Return the mean of |K|²/(2κ) over the film's facet of each owned cell; 0 without a facet.

    Args:
        fields: The fields.
        films: The films in their mesh.

    Returns:
        Array of shape ``(n,)`` for n owned cells [μ0Γ²/length³ in reduced units].

    Note:
        Not collective.
    """
    energies = np.zeros(len(cell_corners(films[0].mesh)))
    for film, currents in zip(films, fields.currents, strict=True):
        densities = kinetic_energies(film, currents) / film.quadrature.weights.sum(axis=1)
        energies += np.bincount(film.sides[:, 0], densities, minlength=len(energies))
    return energies


def _set_values(
    function: fem.Function, nodal_values: Array, nodes: fem.DofMap, cells: Int32Array
) -> None:
    """Set the discontinuous ``function`` in ``cells`` to values at continuous ``nodes``."""
    values = function.x.array.reshape(-1, 3)
    values[function.function_space.dofmap.list[cells]] = nodal_values[nodes.list[cells]]


def _nodal_means(B: fem.Function, nodes: fem.DofMap, cells: Int32Array) -> Array:
    """Return the mean of ``B`` over ``cells`` at each of this rank's ``nodes``, ``(n, 3)``.

    It is 0 at nodes of none of the cells.

    Note:
        Collective.
    """
    values = B.x.array.reshape(-1, 3)[B.function_space.dofmap.list[cells].ravel()]
    node_numbers = nodes.list[cells].ravel()
    # Three columns are sums of components over cells, the fourth one counts the cells.
    sums = dolfinx.la.vector(nodes.index_map, 4)
    rows = sums.array.reshape(-1, 4)
    for column, weights in enumerate((*values.T, np.ones(len(values)))):
        rows[:, column] = np.bincount(node_numbers, weights, minlength=len(rows))
    sums.scatter_reverse(dolfinx.la.InsertMode.add)
    sums.scatter_forward()
    return np.asarray(rows[:, :3] / np.maximum(rows[:, 3:], 1.0))
