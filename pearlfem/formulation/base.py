"""The interface of a formulation, and the steps that both formulations share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.fields import Fields, Gauge, Lift
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.solvers.conjugate_gradients import ConjugateGradients


class Load(NamedTuple):
    """The load of a source.

    Args:
        vector: ℓ at this rank's unknowns, zero at fixed ones, ``(n,)``.
        lift: The lift of a point impurity; None for other sources.
        gauge: The part of A that the vector formulation has found already; else None.
    """

    vector: Array
    lift: Lift | None = None
    gauge: Gauge | None = None


class Formulation(ABC):
    """An assembled formulation with the operator B.

    Args:
        dofs: Number of unknowns on all ranks, including the fixed ones.
    """

    def __init__(self, dofs: int) -> None:
        self.dofs = dofs

    @abstractmethod
    def loads(self, sources: Sequence[Source]) -> list[Load]:
        """Return the load of each source (collective)."""

    @abstractmethod
    def create_solver(self, tolerance: float | None = None) -> ConjugateGradients:
        """Create the solver; it may take ownership of the operator, so call this only once.

        Args:
            tolerance: Relative tolerance in the natural norm; None for the solver's default.

        Note:
            Collective.
        """

    @property
    def hole_unknowns(self) -> dict[str, Int32Array]:
        """The unknown that is g on each hole, if there is one.

        From the group of the hole's facets to the local number of the unknown, ``(1,)``, on the
        rank that owns it, and to an empty array on all others.
        """
        return {}

    def energy_products(self, solver: ConjugateGradients, vectors: Sequence[Array]) -> list[Array]:
        """Return the products that ``Solution.apply_operator`` is for (collective)."""
        return solver.apply_operator(vectors)

    @abstractmethod
    def fields(self, unknowns: Array) -> Fields:
        """Return the functions with this rank's ``unknowns``, ``(n,)`` (collective)."""

    @abstractmethod
    def unknowns(self, fields: Fields) -> Array:
        """Return this rank's unknowns of ``fields``, ``(n,)``: the inverse of ``self.fields``.

        Args:
            fields: Functions on the same mesh; their elements may differ from those used here.

        Note:
            Collective.
        """

    @abstractmethod
    def destroy(self) -> None:
        """Free the matrices (collective)."""


def create_function(V: fem.FunctionSpace, name: str, values: Array) -> fem.Function:
    """Return the function with ``values`` at the owned dofs, ``(n,)`` (collective)."""
    function = fem.Function(V, name=name)
    function.x.array[: len(values)] = values
    function.x.scatter_forward()
    return function


def values_at_dofs(V: fem.FunctionSpace, function: fem.Function) -> Array:
    """Return the values of ``function`` at the owned dofs of V, ``(n,)`` (collective)."""
    interpolated = fem.Function(V)
    interpolated.interpolate(function)
    return np.array(interpolated.x.array[: V.dofmap.index_map.size_local * V.dofmap.bs])


def assemble_operator(
    form: fem.Form, V: fem.FunctionSpace, fixed: Int32Array, unit: float, diagonal: float = 1.0
) -> PETSc.Mat:
    """Return the matrix of a symmetric ``form`` on V, divided by ``unit``.

    Args:
        form: The compiled form.
        V: The space of its arguments.
        fixed: Fixed dofs, including ghosts. Their rows and columns are zero except on the diagonal.
        unit: A power of two, so that dividing by it is exact.
        diagonal: The diagonal entry of fixed dofs.

    Note:
        Collective. The caller destroys the matrix.
    """
    zero_values = fem.Function(V)
    conditions = [fem.dirichletbc(zero_values, fixed)]
    matrix = fem_petsc.assemble_matrix(form, bcs=conditions, diag=diagonal * unit)
    matrix.assemble()
    matrix.scale(1.0 / unit)
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    return matrix


def clear_rows_and_columns(matrix: PETSc.Mat, rows: Int32Array, columns: Int32Array) -> None:
    """Set ``rows`` and ``columns`` of a transfer matrix to zero, in place.

    Without this the transfer would change the values of fixed dofs.

    Args:
        matrix: The matrix.
        rows: Local numbers of its rows; those of ghosts are ignored.
        columns: Local numbers of its columns; those of ghosts are ignored.

    Note:
        Collective.
    """
    right, left = matrix.createVecs()
    for scale, dofs in ((left, rows), (right, columns)):
        scale.set(1.0)
        scale.array[dofs[dofs < scale.local_size]] = 0.0
    matrix.diagonalScale(left, right)
