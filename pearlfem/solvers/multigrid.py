"""p-multigrid for symmetric positive definite operators of degree 1 to 3.

Two levels in the degree: Chebyshev–Jacobi smoothing on the fine operator, and below it algebraic
multigrid (GAMG) on the operator of degree 1, with the finite element interpolation between them.
"""

from __future__ import annotations

from petsc4py import PETSc

from pearlfem.solvers.conjugate_gradients import (
    GAMG,
    ConjugateGradients,
    configure,
    configure_smoother,
)

TOLERANCE = 1e-9
MAX_ITERATIONS = 100


class Multigrid(ConjugateGradients):
    """Conjugate gradients with p-multigrid.

    Args:
        operator: Symmetric positive definite matrix; fixed dofs have unit rows and columns.
        coarse: The same operator in degree 1, or None if ``operator`` is of degree 1 itself.
        interpolation: Matrix from the coarse to the fine dofs, zero at fixed dofs of either.

    Note:
        Collective. The matrices stay the caller's; ``destroy`` frees the rest.
    """

    def __init__(
        self,
        operator: PETSc.Mat,
        coarse: PETSc.Mat | None = None,
        interpolation: PETSc.Mat | None = None,
    ) -> None:
        super().__init__(operator, TOLERANCE, MAX_ITERATIONS)
        pc = self._ksp.getPC()
        if coarse is None or interpolation is None:
            configure(pc, GAMG)
        else:
            pc.setType("mg")
            pc.setMGLevels(2)
            pc.setMGInterpolation(1, interpolation)
            configure_smoother(pc.getMGSmoother(1), operator, lowest=0.05, steps=3)
            solver = pc.getMGCoarseSolve()
            solver.setOperators(coarse)
            solver.setType("preonly")
            configure(solver.getPC(), GAMG)
        self._ksp.setUp()
