"""Conjugate gradients with p-multigrid for symmetric positive definite operators of degree 1 to 3.

Two levels in the degree: Chebyshev–Jacobi smoothing on the fine operator, and below it algebraic
multigrid (GAMG) on the operator of degree 1, with the finite element interpolation between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from petsc4py import PETSc

from pearlfem.errors import ConvergenceError

TOLERANCE = 1e-9
MAX_ITERATIONS = 100

_GAMG: dict[str, str | float] = {
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.02,
    "mg_levels_ksp_max_it": 3,
    "mg_levels_pc_type": "jacobi",
}
_number = count()


class Multigrid:
    """A CG solver for one operator and many right-hand sides.

    The tolerance holds in the natural (energy) norm. On graded meshes the unpreconditioned residual
    norm is a trap: it was seen to stop after 8 iterations with an error of 1e-3.

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
        self._ksp = PETSc.KSP().create(operator.comm)
        self._ksp.setOperators(operator)
        self._ksp.setType("cg")
        self._ksp.setNormType(PETSc.KSP.NormType.NATURAL)
        self._ksp.setTolerances(rtol=TOLERANCE, atol=0.0, max_it=MAX_ITERATIONS)
        self._ksp.setConvergenceHistory(MAX_ITERATIONS + 1)
        pc = self._ksp.getPC()
        if coarse is None or interpolation is None:
            _configure(pc, _GAMG)
        else:
            _set_two_levels(pc, operator, coarse, interpolation)
        self._ksp.setUp()

    def solve(self, load: PETSc.Vec, solution: PETSc.Vec) -> int:
        """Overwrite ``solution`` and return the number of iterations.

        Raises:
            ConvergenceError: The tolerance was not reached; shows the last residuals.

        Note:
            Collective.
        """
        self._ksp.solve(load, solution)
        if self._ksp.getConvergedReason() <= 0:
            residuals = ", ".join(f"{r:.2e}" for r in self._ksp.getConvergenceHistory()[-5:])
            raise ConvergenceError(
                f"conjugate gradients did not reach a relative residual of {TOLERANCE:g} "
                f"in {self._ksp.its} iterations (PETSc's reason {self._ksp.getConvergedReason()}); "
                f"the last residuals: {residuals}"
            )
        return int(self._ksp.its)

    def destroy(self) -> None:
        """Free the solver's PETSc objects (collective)."""
        self._ksp.destroy()


def _set_two_levels(
    pc: PETSc.PC, operator: PETSc.Mat, coarse: PETSc.Mat, interpolation: PETSc.Mat
) -> None:
    pc.setType("mg")
    pc.setMGLevels(2)
    pc.setMGInterpolation(1, interpolation)
    smoother = pc.getMGSmoother(1)
    smoother.setOperators(operator)
    smoother.setType("chebyshev")
    smoother.setTolerances(max_it=3)
    smoother.setInitialGuessNonzero(True)
    _configure(smoother, {"ksp_chebyshev_esteig": "0,0.05,0,1.1", "pc_type": "jacobi"})
    solver = pc.getMGCoarseSolve()
    solver.setOperators(coarse)
    solver.setType("preonly")
    _configure(solver.getPC(), _GAMG)


def _configure(target: PETSc.KSP | PETSc.PC, options: Mapping[str, str | float]) -> None:
    """Apply ``options`` to ``target`` alone."""
    prefix = f"pearlfem_{next(_number)}_"
    target.setOptionsPrefix(prefix)
    with _temporary_options(prefix, options):
        target.setFromOptions()


@contextmanager
def _temporary_options(prefix: str, options: Mapping[str, str | float]) -> Iterator[None]:
    """Hold ``options`` in PETSc's one global database, and leave nothing behind."""
    database = PETSc.Options()
    for name, value in options.items():
        database.setValue(prefix + name, value)
    try:
        yield
    finally:
        for name in options:
            database.delValue(prefix + name)
