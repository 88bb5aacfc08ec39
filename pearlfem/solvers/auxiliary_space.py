"""Auxiliary-space preconditioner for H(curl) problems with a large null space of gradients.

Smoothing on the edges leaves errors that are gradients, or smooth vector fields. They are corrected
in two auxiliary spaces, scalar potentials (by the matrix G of the discrete gradient) and vector
fields of degree 1 (by the interpolation Π), each with a cycle of algebraic multigrid. The
corrections follow one another symmetrically: smoother, G, Π, G, smoother.

References:
    R. Hiptmair, J. Xu, SIAM J. Numer. Anal. 45, 2483 (2007).
"""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from pearlfem.solvers.conjugate_gradients import (
    GAMG,
    ConjugateGradients,
    configure,
    configure_smoother,
)

TOLERANCE = 1e-8
MAX_ITERATIONS = 200
_SHIFT = 1e-8  # relative, of the preconditioner's diagonal: above round-off, far below the rest


class AuxiliarySpace(ConjugateGradients):
    """Conjugate gradients with the auxiliary-space preconditioner.

    Args:
        operator: Symmetric positive semidefinite matrix on H(curl) dofs, definite up to gradients
            on which the load vanishes too; fixed dofs have unit rows and columns.
        gradient: G, from potentials to H(curl) dofs, zero at fixed dofs of either.
        potential_operator: Close to GᵀAG where that is not zero, unit rows elsewhere. Its null
            space, if it has one, holds potentials whose images A takes to zero.
        interpolation: Π, from vector fields of degree 1 (blocks of 3) to H(curl) dofs, zero at
            fixed dofs of either.

    Note:
        Collective. The matrices stay the caller's; ``destroy`` frees the rest.
    """

    def __init__(
        self,
        operator: PETSc.Mat,
        gradient: PETSc.Mat,
        potential_operator: PETSc.Mat,
        interpolation: PETSc.Mat,
    ) -> None:
        super().__init__(operator, TOLERANCE, MAX_ITERATIONS)
        vector_operator = _galerkin_operator(operator, interpolation)
        potentials = _Correction(operator, gradient, potential_operator)
        vectors = _Correction(operator, interpolation, vector_operator)
        pc = self._ksp.getPC()
        pc.setType("python")
        pc.setPythonContext(_Cycle(operator, (potentials, vectors, potentials)))
        self._ksp.setUp()


class _Cycle:
    """Smoother, corrections, smoother: symmetric if the order of the corrections is.

    Destroyed by PETSc together with the preconditioner whose context it is.
    """

    def __init__(self, operator: PETSc.Mat, corrections: tuple[_Correction, ...]) -> None:
        self._corrections = corrections
        self._smoother = PETSc.KSP().create(operator.comm)
        self._smoother.setNormType(PETSc.KSP.NormType.NONE)
        configure_smoother(self._smoother, operator, lowest=0.02, steps=4)
        self._smoother.setUp()

    def apply(self, pc: PETSc.PC, residual: PETSc.Vec, result: PETSc.Vec) -> None:
        """Overwrite ``result`` by the preconditioned ``residual``."""
        result.set(0.0)
        self._smoother.solve(residual, result)
        for correction in self._corrections:
            correction.improve(residual, result)
        self._smoother.solve(residual, result)

    def destroy(self, pc: PETSc.PC) -> None:
        """Free what the cycle made."""
        self._smoother.destroy()
        for correction in set(self._corrections):
            correction.destroy()


class _Correction:
    """x ← x + P C⁻¹ Pᵀ (b − A x), with a multigrid cycle for C⁻¹."""

    def __init__(self, operator: PETSc.Mat, prolongation: PETSc.Mat, coarse: PETSc.Mat) -> None:
        self._operator, self._prolongation = operator, prolongation
        self._residual = operator.createVecLeft()
        self._load, self._change = coarse.createVecs()
        self._null_space = coarse.getNullSpace()
        self._solver = PETSc.KSP().create(operator.comm)
        self._solver.setOperators(coarse)
        self._solver.setType("preonly")
        configure(self._solver.getPC(), GAMG)
        self._solver.setUp()

    def improve(self, b: PETSc.Vec, x: PETSc.Vec) -> None:
        """Update ``x`` once."""
        self._operator.mult(x, self._residual)
        self._residual.aypx(-1.0, b)
        self._prolongation.multTranspose(self._residual, self._load)
        if self._null_space:  # what it finds there is round-off, which a weak film makes large
            self._null_space.remove(self._load)
        self._solver.solve(self._load, self._change)
        self._prolongation.multAdd(self._change, x, x)

    def destroy(self) -> None:
        """Free the multigrid hierarchy."""
        self._solver.destroy()


def _galerkin_operator(operator: PETSc.Mat, interpolation: PETSc.Mat) -> PETSc.Mat:
    """Return ΠᵀAΠ with unit rows at fixed dofs and the constant fields as near-null space.

    Gradients of degree 1, if nothing fixes them, would give the coarsest level a pivot of zero.
    """
    product = operator.ptap(interpolation)
    diagonal = product.getDiagonal()
    entries = diagonal.array.copy()
    diagonal.array[:] = np.where(entries == 0.0, 1.0, _SHIFT * entries)
    shift = PETSc.Mat().createAIJ(product.getSizes(), nnz=1, comm=product.comm)
    shift.setDiagonal(diagonal)
    shift.assemble()
    product.axpy(1.0, shift)  # fixed rows are empty, so their diagonal is a new place
    product.setBlockSize(3)
    product.setOption(PETSc.Mat.Option.SPD, True)
    constants = [product.createVecLeft() for _ in range(3)]
    for component, constant in enumerate(constants):
        constant.set(0.0)
        constant.array[component::3] = 1.0
        constant.normalize()
    product.setNearNullSpace(PETSc.NullSpace().create(vectors=constants))
    return product
