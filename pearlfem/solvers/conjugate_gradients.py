"""Conjugate gradients for one operator and many right-hand sides, without a preconditioner yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from petsc4py import PETSc

from pearlfem.errors import ConvergenceError

Options = Mapping[str, str | float]

# One V-cycle of algebraic multigrid, accurate enough that the levels above decide the convergence.
GAMG: Options = {
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.02,
    "mg_levels_ksp_max_it": 3,
    "mg_levels_pc_type": "jacobi",
}
_number = count()


class ConjugateGradients:
    """A CG solver whose tolerance holds in the natural (energy) norm.

    On graded meshes the unpreconditioned residual norm is a trap: it was seen to stop after 8
    iterations with an error of 1e-3.

    Args:
        operator: Symmetric positive (semi)definite matrix; fixed dofs have unit rows and columns.
        tolerance: Relative, in the natural norm.
        max_iterations: More than these are an error.

    Note:
        Collective. Matrices stay the caller's; ``destroy`` frees the rest.
    """

    def __init__(self, operator: PETSc.Mat, tolerance: float, max_iterations: int) -> None:
        self._ksp = PETSc.KSP().create(operator.comm)
        self._ksp.setOperators(operator)
        self._ksp.setType("cg")
        self._ksp.setNormType(PETSc.KSP.NormType.NATURAL)
        self._ksp.setTolerances(rtol=tolerance, atol=0.0, max_it=max_iterations)
        self._ksp.setConvergenceHistory(max_iterations + 1)

    @property
    def tolerance(self) -> float:
        """Relative error in the natural norm at which the iteration stops."""
        return float(self._ksp.rtol)

    @tolerance.setter
    def tolerance(self, value: float) -> None:
        self._ksp.setTolerances(rtol=value)

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
                f"conjugate gradients did not reach a relative residual of {self._ksp.rtol:g} "
                f"in {self._ksp.its} iterations (PETSc's reason {self._ksp.getConvergedReason()}); "
                f"the last residuals: {residuals}"
            )
        return int(self._ksp.its)

    def destroy(self) -> None:
        """Free the solver's PETSc objects (collective)."""
        self._ksp.destroy()


def configure_smoother(smoother: PETSc.KSP, operator: PETSc.Mat, lowest: float, steps: int) -> None:
    """Make ``smoother`` Chebyshev–Jacobi ``steps`` down to ``lowest`` × the top eigenvalue."""
    smoother.setOperators(operator)
    smoother.setType("chebyshev")
    smoother.setTolerances(max_it=steps)
    smoother.setInitialGuessNonzero(True)
    # With PETSc's 10 steps, and 1.1 in place of 1.2, the top was missed on one mesh in fifty: the
    # polynomial then amplifies there, and the preconditioner is not definite.
    options: Options = {
        "ksp_chebyshev_esteig": f"0,{lowest},0,1.2",
        "ksp_chebyshev_esteig_steps": 20,
        "pc_type": "jacobi",
    }
    configure(smoother, options)


def configure(target: PETSc.KSP | PETSc.PC, options: Options) -> None:
    """Apply ``options`` to ``target`` alone."""
    prefix = f"pearlfem_{next(_number)}_"
    target.setOptionsPrefix(prefix)
    with _temporary_options(prefix, options):
        target.setFromOptions()


@contextmanager
def _temporary_options(prefix: str, options: Options) -> Iterator[None]:
    """Hold ``options`` in PETSc's one global database, and leave nothing behind."""
    database = PETSc.Options()
    for name, value in options.items():
        database.setValue(prefix + name, value)
    try:
        yield
    finally:
        for name in options:
            database.delValue(prefix + name)
