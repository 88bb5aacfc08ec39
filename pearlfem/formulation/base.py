"""What a formulation offers to the problem, and the steps that both have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.fields import Fields, Lift
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.solvers.conjugate_gradients import ConjugateGradients


class Load(NamedTuple):
    """ℓ of a source at this rank's unknowns, zero at fixed ones; a point impurity's lift."""

    vector: Array
    lift: Lift | None = None


class Formulation(ABC):
    """An assembled formulation, B being its operator.

    Args:
        dofs: Number of its unknowns on all ranks, fixed ones included.
    """

    def __init__(self, dofs: int) -> None:
        self.dofs = dofs

    @abstractmethod
    def loads(self, sources: Sequence[Source]) -> list[Load]:
        """Return the load of each of the ``sources`` (collective)."""

    @abstractmethod
    def create_solver(self, tolerance: float | None = None) -> ConjugateGradients:
        """Return the solver, once: it may take the operator over (collective).

        Args:
            tolerance: Relative, in the natural norm; None for the solver's default.
        """

    @abstractmethod
    def fields(self, unknowns: Array) -> Fields:
        """Return the functions that this rank's ``unknowns`` stand for (collective)."""

    @abstractmethod
    def unknowns(self, fields: Fields) -> Array:
        """Return this rank's unknowns of functions on the same mesh, of any elements (collective).

        The inverse of ``fields``.
        """

    @abstractmethod
    def destroy(self) -> None:
        """Free the matrices (collective)."""


def create_function(V: fem.FunctionSpace, name: str, values: Array) -> fem.Function:
    """Return the function with ``values`` at this rank's own dofs (collective)."""
    function = fem.Function(V, name=name)
    function.x.array[: len(values)] = values
    function.x.scatter_forward()
    return function


def values_at_dofs(V: fem.FunctionSpace, function: fem.Function) -> Array:
    """Return the values of ``function`` at this rank's own dofs of V (collective)."""
    interpolated = fem.Function(V)
    interpolated.interpolate(function)
    return np.array(interpolated.x.array[: V.dofmap.index_map.size_local * V.dofmap.bs])


def assemble_operator(
    form: fem.Form, V: fem.FunctionSpace, fixed: Int32Array, diagonal: float = 1.0
) -> PETSc.Mat:
    """Return the matrix of a symmetric ``form`` on V.

    Rows and columns at ``fixed`` are zero but for ``diagonal``.
    """
    zero_values = fem.Function(V)
    conditions = [fem.dirichletbc(zero_values, fixed)]
    matrix = fem_petsc.assemble_matrix(form, bcs=conditions, diag=diagonal)
    matrix.assemble()
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    return matrix


def leave_out(matrix: PETSc.Mat, rows: Int32Array, columns: Int32Array) -> None:
    """Make ``rows`` and ``columns`` of a transfer matrix zero, or fixed dofs would be moved."""
    right, left = matrix.createVecs()
    for scale, dofs in ((left, rows), (right, columns)):
        scale.set(1.0)
        scale.array[dofs[dofs < scale.local_size]] = 0.0
    matrix.diagonalScale(left, right)
