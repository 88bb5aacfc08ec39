"""Loads of sources: integrals over the film of a known field times test functions.

They are assembled by one matrix product, without a compiled form. So a source only needs to give
its values at the quadrature points.
"""

from __future__ import annotations

from typing import Any

import basix
import dolfinx
import numpy as np
import numpy.typing as npt
from dolfinx import fem

from pearlfem.formulation.film import FilmMesh, FilmQuadrature, facet_rule
from pearlfem.quantities.arrays import Array, Int32Array


class FilmLoad:
    """ℓ(v) = ∫_Γ t·∇v dS for Lagrange functions v, or ∫_Γ t·v dS for Nédélec functions v.

    In a cell with the Jacobian J, ∇v of Lagrange functions and v of Nédélec functions are J⁻ᵀ times
    those on the reference cell. As t·(J⁻ᵀ v̂) = (J⁻¹ t)·v̂, we map t instead of the functions.

    Args:
        V: A Lagrange space or a Nédélec space (first kind).
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
        """Return ℓ(v) for the basis functions v of all dofs; entries of ghosts have no meaning.

        Args:
            field: t at the quadrature points, shape ``(n, q, 2)``.
            quadrature: The quadrature points on n facets of the film.
            facets: The indices of these facets in ``film.sides``; t is zero on all others.

        Note:
            Collective.
        """
        weighted = quadrature.weights[..., None] * field
        on_reference = weighted @ self._inverse[facets, :, :2].transpose(0, 2, 1)
        cells = self._cells[facets]
        local = np.empty((len(cells), self._V.dofmap.list.shape[1]))
        for facet, table in enumerate(self._tables):
            rows = self._facets[facets] == facet
            local[rows] = on_reference[rows].reshape(np.count_nonzero(rows), len(table)) @ table
        self._transform(local, cells)
        load = dolfinx.la.vector(self._V.dofmap.index_map, self._V.dofmap.index_map_bs)
        dofs = self._V.dofmap.list[cells].ravel()
        load.array[:] = np.bincount(dofs, local.ravel(), minlength=len(load.array))
        load.scatter_reverse(dolfinx.la.InsertMode.add)
        return load

    @property
    def facet_dofs(self) -> Int32Array:
        """The dofs of each of the film's facets and its edges, ``(n, m)``: those of a trace."""
        return np.take_along_axis(self._V.dofmap.list[self._cells], self._on_facet(), axis=1)

    def trace(self, values: Array, facets: npt.NDArray[np.intp]) -> Array:
        """Return a Nédélec function along the film, at the quadrature points.

        Args:
            values: Its values at the ``facet_dofs`` of n facets, ``(n, m)``.
            facets: The indices of these facets in ``film.sides``.

        Returns:
            Array of shape ``(n, q, 2)``.

        Note:
            Not collective.
        """
        cells = self._cells[facets]
        local = np.zeros((len(cells), self._V.dofmap.list.shape[1]))
        np.put_along_axis(local, self._on_facet()[facets], values, axis=1)
        if self._element.needs_dof_transformations and len(local):
            flat = local.ravel()
            self._element.Tt_apply(flat, self._permutations[cells], 1)
            local = flat.reshape(local.shape)
        on_reference = np.empty((len(cells), len(self._tables[0]) // 3, 3))
        for facet, table in enumerate(self._tables):
            rows = self._facets[facets] == facet
            on_reference[rows] = (local[rows] @ table.T).reshape(-1, *on_reference.shape[1:])
        return np.asarray(on_reference @ self._inverse[facets, :, :2])

    def _on_facet(self) -> npt.NDArray[np.intp]:
        """Return the numbers in the cell of the dofs of each facet, ``(n, m)``."""
        layout = self._V.dofmap.dof_layout
        closures = np.array([layout.entity_closure_dofs(2, facet) for facet in range(4)])
        return np.asarray(closures[self._facets], dtype=np.intp)

    def _transform(self, local: Array, cells: Int32Array) -> None:
        """Change integrals of reference functions to those of the cells' functions, in place.

        Neighbouring cells must agree on the orientation of the edges and facets they share.
        """
        if self._element.needs_dof_transformations and len(local):
            flat = local.ravel()
            self._element.T_apply(flat, self._permutations[cells], 1)
            local[:] = flat.reshape(local.shape)


def _table(V: fem.FunctionSpace, facet: int) -> Array:
    """Return the values on the reference cell that ``FilmLoad`` multiplies with t.

    Args:
        V: A Lagrange space (the values are gradients) or a Nédélec space (the functions).
        facet: The local number of the facet that holds the points of ``facet_rule()``.

    Returns:
        Array of shape ``(3 q, dofs)``.
    """
    cell = basix.CellType.tetrahedron
    vertices = np.asarray(basix.geometry(cell))[basix.topology(cell)[2][facet]]
    points = vertices[0] + facet_rule()[0] @ (vertices[1:] - vertices[0])
    element = V.element.basix_element
    if element.value_size == 3:
        values = np.asarray(element.tabulate(0, points))[0].transpose(0, 2, 1)
    else:
        values = np.asarray(element.tabulate(1, points))[1:, :, :, 0].transpose(1, 0, 2)
    # The axes of values are points, components, dofs.
    return np.ascontiguousarray(values.reshape(-1, values.shape[2]))
