"""p-multigrid for symmetric positive definite operators of degree 1 to 3.

The finest level has the operator in the degree of the elements, the next one the operator of degree
1; finite element interpolation connects them. Below follow the levels of algebraic multigrid
(GAMG). A V-cycle smooths with Chebyshev's method and Jacobi's preconditioner on every level except
the coarsest.

The cycle treats many vectors at once, in single precision. It leaves an error of about 0.2 anyway,
so a relative error of 1e-7 does not matter, and only half as much memory has to be read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from petsc4py import PETSc

from pearlfem.solvers.conjugate_gradients import ConjugateGradients
from pearlfem.solvers.options import GAMG, configure
from pearlfem.solvers.row_blocks import Columns, RowBlocks

TOLERANCE = 1e-9
MAX_ITERATIONS = 100

_BATCH = 16  # twice as many would hardly be faster
_STEPS = 3  # of smoothing, before and after the coarser levels
_LOWEST = 0.05  # smallest eigenvalue that the smoother must reduce, relative to the largest
# The largest eigenvalue is estimated by 20 steps of Lanczos and a safety factor. With 10 steps and
# 1.1 the estimate was too low on one mesh in fifty. Chebyshev's polynomial then amplifies some
# errors, and the preconditioner is not positive definite.
_LANCZOS_STEPS = 20
_SAFETY = 1.2


class Multigrid(ConjugateGradients):
    """Conjugate gradients with p-multigrid.

    Args:
        operator: Symmetric positive definite matrix; fixed dofs have unit rows and columns.
        coarse: The same operator in degree 1; None if ``operator`` has degree 1 itself.
        interpolation: Matrix from the coarse to the fine dofs; zero at fixed dofs of both.
        tolerance: Relative tolerance in the natural norm; None for ``TOLERANCE``.
        unit: See ``ConjugateGradients``.

    Note:
        Collective. The solver copies the matrices and destroys them, to save memory. ``destroy``
        frees the copies.
    """

    def __init__(
        self,
        operator: PETSc.Mat,
        coarse: PETSc.Mat | None = None,
        interpolation: PETSc.Mat | None = None,
        tolerance: float | None = None,
        unit: float = 1.0,
    ) -> None:
        super().__init__(operator, tolerance or TOLERANCE, MAX_ITERATIONS, _BATCH, unit)
        self._operator = RowBlocks(operator)
        pairs = [] if coarse is None else [(operator, interpolation)]
        self._gamg = PETSc.PC().create(operator.comm)
        self._gamg.setOperators(operator if coarse is None else coarse)
        configure(self._gamg, GAMG)
        self._gamg.setUp()
        for number in range(self._gamg.getMGLevels() - 1, 0, -1):
            matrix, _ = self._gamg.getMGSmoother(number).getOperators()
            pairs.append((matrix, self._gamg.getMGInterpolation(number)))
        copies = [self._operator, *(RowBlocks(matrix) for matrix, _ in pairs[1:])]
        self._levels = [_Level(*pair, copy) for pair, copy in zip(pairs, copies, strict=False)]
        self._coarsest = self._gamg.getMGCoarseSolve()
        self._load, self._solution = self._coarsest.getOperators()[0].createVecs()

    def destroy(self) -> None:
        """Free the copies of the matrices, and GAMG's levels (collective)."""
        for level in self._levels:
            level.destroy()
        self._operator.destroy()
        self._gamg.destroy()

    def _multiply(self, columns: Columns) -> Iterator[tuple[slice, Columns]]:
        return self._operator.times(columns)

    def _precondition(self, columns: Columns) -> Columns:
        return self._cycle(columns, self._levels)

    def _cycle(self, loads: Columns, levels: list[_Level]) -> Columns:
        """Return the approximate solutions by one V-cycle over ``levels``, the finest first."""
        if not levels:
            return self._solve_coarsest(loads)
        level, *coarser = levels
        loads = level.divide(loads)
        solutions = level.smooth(loads)
        level.correct(solutions, self._cycle(level.restrict(loads, solutions), coarser))
        return level.smooth(loads, solutions)

    def _solve_coarsest(self, loads: Columns) -> Columns:
        solutions = np.empty_like(loads)
        for load, solution in zip(loads.T, solutions.T, strict=True):
            self._load.array[:] = load
            self._coarsest.solve(self._load, self._solution)
            solution[:] = self._solution.array_r
        return solutions


class _Level:
    """A level of the hierarchy, except the coarsest, in single precision.

    Its equations are divided by the diagonal: D⁻¹A x = D⁻¹b. It destroys the given matrices.
    """

    def __init__(self, operator: PETSc.Mat, interpolation: PETSc.Mat, rows: RowBlocks) -> None:
        diagonal = operator.getDiagonal()
        self._steps = _chebyshev_steps(_SAFETY * _top_eigenvalue(operator))
        operator.destroy()  # now, because the copies below need the most memory
        self._inverse = 1.0 / np.where(diagonal.array_r == 0.0, 1.0, diagonal.array_r)
        self._operator = rows.single(self._inverse)
        self._interpolation = RowBlocks(interpolation).single()
        restriction = interpolation.transpose(PETSc.Mat())
        restriction.diagonalScale(R=diagonal)  # residuals here are divided by D: multiply again
        self._restriction = RowBlocks(restriction).single()
        for matrix in (restriction, interpolation):
            matrix.destroy()

    def destroy(self) -> None:
        for matrix in (self._operator, self._interpolation, self._restriction):
            matrix.destroy()

    def divide(self, loads: Columns) -> Columns:
        """Return D⁻¹ ``loads``, in single precision."""
        divided = np.empty(loads.shape, np.float32)
        return np.multiply(loads, self._inverse[:, None], out=divided, casting="same_kind")

    def smooth(self, loads: Columns, start: Columns | None = None) -> Columns:
        """Return ``start`` (None for zero) after all smoothing steps; ``start`` is overwritten."""
        steps = iter(self._steps)
        before = np.zeros_like(loads)
        if start is None:
            start = next(steps)[1] * loads
        for momentum, weight in steps:
            for rows, product in self._operator.times(start):
                np.subtract(loads[rows], product, out=product)
                product *= weight
                change = start[rows] - before[rows]
                change *= momentum
                change += start[rows]
                np.add(change, product, out=before[rows])
            start, before = before, start
        return start

    def restrict(self, loads: Columns, solutions: Columns) -> Columns:
        """Return the loads of the next level, which are not divided by a diagonal."""
        residuals = np.empty_like(loads)
        for rows, product in self._operator.times(solutions):
            np.subtract(loads[rows], product, out=residuals[rows])
        return self._restriction.product(residuals)

    def correct(self, solutions: Columns, corrections: Columns) -> None:
        """Add the interpolated ``corrections`` of the next level to ``solutions``."""
        for rows, product in self._interpolation.times(corrections):
            solutions[rows] += product


def _chebyshev_steps(top: float) -> list[tuple[float, float]]:
    """Return the factors (a, c) of each step x ← x + a (x − x_before) + c D⁻¹ (b − A x).

    References:
        Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., algorithm 12.1.
    """
    centre, radius = 0.5 * (1.0 + _LOWEST) * top, 0.5 * (1.0 - _LOWEST) * top
    rate = radius / centre
    steps = [(0.0, 1.0 / centre)]
    for _ in range(_STEPS - 1):
        next_rate = 1.0 / (2.0 * centre / radius - rate)
        steps.append((next_rate * rate, 2.0 * next_rate / radius))
        rate = next_rate
    return steps


def _top_eigenvalue(operator: PETSc.Mat) -> float:
    """Return an estimate of the largest eigenvalue of D⁻¹A, never above it."""
    lanczos = PETSc.KSP().create(operator.comm)
    lanczos.setOperators(operator)
    lanczos.setType("cg")
    lanczos.getPC().setType("jacobi")
    lanczos.setNormType(PETSc.KSP.NormType.NONE)
    lanczos.setTolerances(max_it=_LANCZOS_STEPS)
    lanczos.setComputeEigenvalues(True)
    load, solution = operator.createVecs()
    load.array[:] = np.random.default_rng(operator.comm.rank).normal(size=load.local_size)
    lanczos.solve(load, solution)
    top = float(lanczos.computeEigenvalues().real.max())
    lanczos.destroy()
    return top
