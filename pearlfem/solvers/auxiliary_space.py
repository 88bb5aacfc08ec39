"""Auxiliary-space preconditioner for H(curl) problems with a large null space of gradients.

A smoother on the edges cannot reduce errors that are gradients or smooth vector fields. Two
auxiliary spaces correct them: scalar potentials (with the matrix G of the discrete gradient) and
vector fields of degree 1 (with the interpolation Π). Each correction is one cycle of algebraic
multigrid. The order is symmetric: smoother, G, Π, G, smoother.

References:
    R. Hiptmair, J. Xu, SIAM J. Numer. Anal. 45, 2483 (2007).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from petsc4py import PETSc

from pearlfem.solvers.conjugate_gradients import ConjugateGradients
from pearlfem.solvers.options import GAMG, Options, configure
from pearlfem.solvers.row_blocks import Columns

TOLERANCE = 1e-8
MAX_ITERATIONS = 200
_SHIFT = 1e-8  # part added to a diagonal: above round-off, far below the eigenvalues that matter


class AuxiliarySpace(ConjugateGradients):
    """Conjugate gradients with the auxiliary-space preconditioner.

    Args:
        operator: A, symmetric and positive semidefinite on H(curl) dofs. Its null space holds only
            gradients, and the load vanishes on them. Fixed dofs have unit rows and columns.
        gradient: G, from potentials to H(curl) dofs; zero at fixed dofs of both.
        potential_operator: Close to GᵀAG where this is not zero; unit rows elsewhere. If it has a
            null space attached, A G vanishes on the potentials in it.
        interpolation: Π, from vector fields of degree 1 (blocks of 3) to H(curl) dofs; zero at
            fixed dofs of both.
        tolerance: Relative tolerance in the natural norm; None for ``TOLERANCE``.
        unit: See ``ConjugateGradients``.

    Note:
        Collective. The caller keeps and destroys the matrices; ``destroy`` frees all else.
    """

    def __init__(
        self,
        operator: PETSc.Mat,
        gradient: PETSc.Mat,
        potential_operator: PETSc.Mat,
        interpolation: PETSc.Mat,
        tolerance: float | None = None,
        unit: float = 1.0,
    ) -> None:
        super().__init__(operator, tolerance or TOLERANCE, MAX_ITERATIONS, batch=1, unit=unit)
        self._operator = operator
        self._smoother = _create_smoother(operator)
        self._potentials = _Correction(operator, gradient, potential_operator)
        vector_operator = _galerkin_operator(operator, interpolation)
        self._vectors = _Correction(operator, interpolation, vector_operator)
        self._right, self._left = operator.createVecs()

    def destroy(self) -> None:
        """Free the smoother and the multigrid hierarchies (collective)."""
        for part in (self._smoother, self._potentials, self._vectors):
            part.destroy()

    def _multiply(self, columns: Columns) -> Iterator[tuple[slice, Columns]]:
        self._right.array[:] = columns[:, 0]
        self._operator.mult(self._right, self._left)
        yield slice(None), self._left.array_r[:, None]

    def _precondition(self, columns: Columns) -> Columns:
        residual, result = self._left, self._right
        residual.array[:] = columns[:, 0]
        result.set(0.0)
        self._smoother.solve(residual, result)
        for correction in (self._potentials, self._vectors, self._potentials):
            correction.improve(residual, result)
        self._smoother.solve(residual, result)
        return np.array(result.array_r)[:, None]


class _Correction:
    """Correction in an auxiliary space: x ← x + P C⁻¹ Pᵀ (b − A x), C⁻¹ being a multigrid cycle."""

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
        """Apply the correction to ``x`` once, for the right-hand side ``b``."""
        self._operator.mult(x, self._residual)
        self._residual.aypx(-1.0, b)
        self._prolongation.multTranspose(self._residual, self._load)
        if self._null_space:  # a load there is only round-off, but a weak film would amplify it
            self._null_space.remove(self._load)
        self._solver.solve(self._load, self._change)
        self._prolongation.multAdd(self._change, x, x)

    def destroy(self) -> None:
        """Free the multigrid hierarchy."""
        self._solver.destroy()


def _create_smoother(operator: PETSc.Mat) -> PETSc.KSP:
    """Return 4 Chebyshev–Jacobi steps, for eigenvalues down to 0.02 times the largest one."""
    smoother = PETSc.KSP().create(operator.comm)
    smoother.setOperators(operator)
    smoother.setType("chebyshev")
    smoother.setNormType(PETSc.KSP.NormType.NONE)
    smoother.setTolerances(max_it=4)
    smoother.setInitialGuessNonzero(True)
    # With PETSc's defaults (10 steps, factor 1.1) the estimate was below the largest eigenvalue on
    # one mesh in fifty. Chebyshev's polynomial then amplifies some errors, and the preconditioner
    # is not positive definite.
    options: Options = {
        "ksp_chebyshev_esteig": "0,0.02,0,1.2",
        "ksp_chebyshev_esteig_steps": 20,
        "pc_type": "jacobi",
    }
    configure(smoother, options)
    smoother.setUp()
    return smoother


def _galerkin_operator(operator: PETSc.Mat, interpolation: PETSc.Mat) -> PETSc.Mat:
    """Return ΠᵀAΠ with unit rows at fixed dofs and the constant fields as near-null space.

    A small shift of the diagonal keeps it definite: gradients of degree 1 that nothing fixes would
    give a zero pivot on the coarsest level.
    """
    product = operator.ptap(interpolation)
    diagonal = product.getDiagonal()
    entries = diagonal.array.copy()
    diagonal.array[:] = np.where(entries == 0.0, 1.0, _SHIFT * entries)
    shift = PETSc.Mat().createAIJ(product.getSizes(), nnz=1, comm=product.comm)
    shift.setDiagonal(diagonal)
    shift.assemble()
    product.axpy(1.0, shift)  # adds the diagonal entries that the empty fixed rows lack
    product.setBlockSize(3)
    product.setOption(PETSc.Mat.Option.SPD, True)
    constants = [product.createVecLeft() for _ in range(3)]
    for component, constant in enumerate(constants):
        constant.set(0.0)
        constant.array[component::3] = 1.0
        constant.normalize()
    product.setNearNullSpace(PETSc.NullSpace().create(vectors=constants))
    return product
