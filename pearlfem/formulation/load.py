"""Loads of sources: integrals over the film of a given field times test functions.

Assembled without a compiled form: any source whose values are known at the quadrature points will
do, at the cost of one matrix product.
"""

from __future__ import annotations

from typing import Any

import basix
import dolfinx
import numpy as np
from dolfinx import fem

from pearlfem.formulation.film import FilmMesh, FilmQuadrature, facet_rule
from pearlfem.quantities.arrays import Array, Int32Array


class FilmLoad:
    """ℓ(v) = ∫_Γ t·∇v dS of Lagrange functions v, or ∫_Γ t·v dS of Nédélec ones.

    ∇v and v map alike to a cell with the Jacobian J, by J⁻ᵀ, so that t may go to the reference cell
    as J⁻¹ t in both cases.

    Args:
        V: Lagrange space or Nédélec space (first kind).
        film: Γ, in the mesh of V.

    Note:
        Collective.
    """

    def __init__(self, V: fem.FunctionSpace, film: FilmMesh) -> None:
        self._V, self._element = V, V.element
        self._cells, self._facets = film.sides.T
        domain = film.mesh.domain
        corners = domain.geometry.x[domain.geometry.dofmaps[0][self._cells]]
        self._inverse = np.linalg.inv((corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1))
        self._tables = [_table(V, facet) for facet in range(4)]
        domain.topology.create_entity_permutations()
        self._permutations = domain.topology.get_cell_permutation_info()

    def assemble(
        self, field: Array, quadrature: FilmQuadrature, facets: Any = slice(None)
    ) -> dolfinx.la.Vector:
        """Return ℓ, complete on owned dofs.

        Args:
            field: t at the quadrature points, shape ``(n, q, 2)``.
            quadrature: The points of the same mesh.
            facets: Which facets of the film these are, if t is 0 on the others.

        Note:
            Collective.
        """
        weighted = quadrature.weights[..., None] * field
        pulled = weighted @ self._inverse[facets, :, :2].transpose(0, 2, 1)
        cells = self._cells[facets]
        local = np.empty((len(cells), self._V.dofmap.list.shape[1]))
        for facet, table in enumerate(self._tables):
            here = self._facets[facets] == facet
            local[here] = pulled[here].reshape(np.count_nonzero(here), len(table)) @ table
        self._transform(local, cells)
        load = dolfinx.la.vector(self._V.dofmap.index_map, self._V.dofmap.index_map_bs)
        dofs = self._V.dofmap.list[cells].ravel()
        load.array[:] = np.bincount(dofs, local.ravel(), minlength=len(load.array))
        load.scatter_reverse(dolfinx.la.InsertMode.add)
        return load

    def _transform(self, local: Array, cells: Int32Array) -> None:
        """Turn values of reference functions into those of the cells' functions, in place."""
        if self._element.needs_dof_transformations and len(local):
            flat = local.ravel()
            self._element.T_apply(flat, self._permutations[cells], 1)
            local[:] = flat.reshape(local.shape)


def _table(V: fem.FunctionSpace, facet: int) -> Array:
    """Return functions or gradients at a facet's points on the reference cell, ``(3 q, dofs)``."""
    cell = basix.CellType.tetrahedron
    vertices = np.asarray(basix.geometry(cell))[basix.topology(cell)[2][facet]]
    points = vertices[0] + facet_rule()[0] @ (vertices[1:] - vertices[0])
    element = V.element.basix_element
    if element.value_size == 3:
        values = np.asarray(element.tabulate(0, points))[0].transpose(0, 2, 1)
    else:
        values = np.asarray(element.tabulate(1, points))[1:, :, :, 0].transpose(1, 0, 2)
    # points, components, dofs
    return np.ascontiguousarray(values.reshape(-1, values.shape[2]))
