"""What a formulation offers to the problem, and the steps that both have in common."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.model.sources import Impurity
from pearlfem.solvers.conjugate_gradients import ConjugateGradients


class Formulation(Protocol):
    """An assembled formulation.

    ``V`` is the space of the unknown, ``operator`` the matrix of B with unit rows at fixed dofs.
    """

    V: fem.FunctionSpace
    operator: PETSc.Mat

    def create_solver(self) -> ConjugateGradients:
        """Return the solver of ``operator`` (collective)."""

    def load(self, impurity: Impurity, moment: tuple[float, float]) -> PETSc.Vec:
        """Return ℓ of ``impurity`` with another moment, zero at fixed dofs (collective)."""

    def destroy(self) -> None:
        """Free the matrices (collective)."""


def assemble_operator(
    form: fem.Form, V: fem.FunctionSpace, fixed: npt.NDArray[np.int32]
) -> PETSc.Mat:
    """Return the matrix of a symmetric ``form`` on V, with unit rows and columns at ``fixed``."""
    zero_values = fem.Function(V)
    matrix = fem_petsc.assemble_matrix(form, bcs=[fem.dirichletbc(zero_values, fixed)])
    matrix.assemble()
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    return matrix


def vector_on(
    operator: PETSc.Mat, values: npt.NDArray[np.float64], fixed: npt.NDArray[np.int32]
) -> PETSc.Vec:
    """Return the owned part of ``values`` as a vector that is zero at ``fixed`` dofs."""
    vector = operator.createVecRight()
    vector.array[:] = values[: vector.local_size]
    zero(vector, fixed)
    return vector


def leave_out(
    matrix: PETSc.Mat, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32]
) -> None:
    """Make ``rows`` and ``columns`` of a transfer matrix zero, or fixed dofs would be moved."""
    right, left = matrix.createVecs()
    for scale, dofs in ((left, rows), (right, columns)):
        scale.set(1.0)
        zero(scale, dofs)
    matrix.diagonalScale(left, right)


def zero(vector: PETSc.Vec, dofs: npt.NDArray[np.int32]) -> None:
    """Set the owned ones among ``dofs`` to zero."""
    vector.array[dofs[dofs < vector.local_size]] = 0.0
