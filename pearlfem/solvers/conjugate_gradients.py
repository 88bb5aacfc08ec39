"""Conjugate gradients for one operator and many right-hand sides; subclasses precondition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.errors import ConvergenceError
from pearlfem.quantities.arrays import Array, BoolArray
from pearlfem.solvers.row_blocks import Columns, row_slices

_Vector = Array  # this rank's rows of a vector
_Numbers = Array  # one number for each column

_LANES = 4  # more than one column are filled up to a multiple of this, which takes no longer


class ConjugateGradients(ABC):
    """A CG solver whose tolerance applies to the natural (energy) norm, √(rᵀ C⁻¹ r).

    Many loads are solved together, as the columns of an array. They do not depend on each other:
    other loads change a solution only by round-off.

    The tolerance must not use the unpreconditioned residual norm: on graded meshes it stopped after
    8 iterations with an error of 1e-3.

    Args:
        operator: Symmetric positive (semi)definite matrix; fixed dofs have unit rows and columns.
        tolerance: Relative tolerance in the natural norm.
        max_iterations: Largest number of iterations; more raise an error.
        batch: Largest number of columns; each takes the memory of six vectors.
        unit: The problem's operator is ``unit`` times ``operator``. With entries near one no unit
            of length leaves the range of single precision.

    Note:
        Collective.
    """

    def __init__(
        self, operator: PETSc.Mat, tolerance: float, max_iterations: int, batch: int, unit: float
    ) -> None:
        self.tolerance, self._unit = tolerance, unit
        self._max_iterations, self._batch = max_iterations, batch
        self._comm: MPI.Comm = operator.comm.tompi4py()
        self._slices = row_slices(operator.getLocalSize()[0])

    def solve(self, loads: Sequence[_Vector]) -> tuple[list[_Vector], list[int]]:
        """Return the solutions for ``loads`` and the number of iterations of each.

        Args:
            loads: This rank's rows of each load, ``(n,)``.

        Raises:
            ConvergenceError: One did not reach the tolerance; the message has its last residuals.

        Note:
            Collective.
        """
        solutions: list[_Vector] = []
        iterations: list[int] = []
        for batch in self._batches(loads):
            with np.errstate(
                all="ignore"
            ):  # _check raises an error for numbers that are not finite
                columns, counts = self._solve(_side_by_side(batch))
            solutions += _separate(columns, len(batch))
            iterations += counts[: len(batch)]
        return solutions, iterations

    def apply_operator(self, vectors: Sequence[_Vector]) -> list[_Vector]:
        """Return the products of the operator and ``vectors``, this rank's rows ``(n,)``.

        Note:
            Collective.
        """
        products: list[_Vector] = []
        for batch in self._batches(vectors):
            columns = _side_by_side(batch)
            result = np.empty_like(columns)
            for rows, product in self._multiply(columns):
                result[rows] = product
            result *= self._unit
            products += _separate(result, len(batch))
        return products

    @abstractmethod
    def destroy(self) -> None:
        """Free the solver's PETSc objects (collective)."""

    @abstractmethod
    def _multiply(self, columns: Columns) -> Iterator[tuple[slice, Columns]]:
        """Yield slices of rows with these rows of the operator times ``columns`` (collective)."""

    @abstractmethod
    def _precondition(self, columns: Columns) -> Columns:
        """Return approximate solutions for the loads ``columns``, in any precision (collective)."""

    def _batches(self, vectors: Sequence[_Vector]) -> Iterator[Sequence[_Vector]]:
        for first in range(0, len(vectors), self._batch):
            yield vectors[first : first + self._batch]

    def _solve(self, residuals: Columns) -> tuple[Columns, list[int]]:
        """Return solutions and numbers of iterations.

        ``residuals`` are the loads at first; they are overwritten.
        """
        largest = self._reduce(np.max(abs(residuals), axis=0, initial=0.0), MPI.MAX)
        scale = np.where(
            largest > 0.0, largest, 1.0
        )  # keeps all within the range of single precision
        residuals /= scale
        solutions, products = np.zeros_like(residuals), np.empty_like(residuals)
        corrections = self._precondition(residuals)
        directions = corrections.astype(np.float64)
        history = [self._dots(residuals, corrections)]
        counts = np.zeros(len(scale), int)
        goals = self.tolerance**2 * history[0]
        while (active := ~((abs(history[-1]) <= goals) & np.isfinite(goals))).any():
            curvatures = self._curvatures(directions, products)
            self._check(history, curvatures, active)
            steps = np.where(active, history[-1] / curvatures, 0.0)
            for rows in self._slices:
                solutions[rows] += steps * directions[rows]
                residuals[rows] -= steps * products[rows]
            corrections = self._precondition(residuals)
            history.append(self._dots(residuals, corrections))
            ratios = history[-1] / np.where(active, history[-2], 1.0)
            for rows in self._slices:
                directions[rows] *= ratios
                directions[rows] += corrections[rows]
            counts += active
        solutions *= scale / self._unit
        return solutions, counts.tolist()

    def _curvatures(self, directions: Columns, products: Columns) -> _Numbers:
        """Write A d to ``products`` for all directions d, and return dᵀ A d."""
        curvatures = np.zeros(directions.shape[1])
        for rows, product in self._multiply(directions):
            products[rows] = product
            curvatures += np.sum(directions[rows] * product, axis=0)
        return self._reduce(curvatures)

    def _dots(self, one: Columns, other: Columns) -> _Numbers:
        """Return the dot product of each column with that of the other array."""
        dots = np.zeros(one.shape[1])
        for rows in self._slices:
            dots += np.sum(one[rows] * other[rows], axis=0)
        return self._reduce(dots)

    def _reduce(self, values: _Numbers, operation: MPI.Op = MPI.SUM) -> _Numbers:
        total = np.empty_like(values)
        self._comm.Allreduce(values, total, operation)
        return total

    def _check(self, history: list[_Numbers], curvatures: _Numbers, active: BoolArray) -> None:
        """Raise an error if an active column cannot go on."""
        broken = active & ~((history[-1] > 0.0) & (curvatures > 0.0))
        if broken.any():
            failed, reason = broken, "operator or preconditioner is not positive definite"
        elif len(history) > self._max_iterations:
            failed, reason = active, "the largest number allowed"
        else:
            return
        column = np.flatnonzero(failed)[0]
        energies = np.array([energies[column] for energies in (history[0], *history[-5:])])
        residuals = np.sqrt(abs(energies / energies[0]))[1:]
        raise ConvergenceError(
            f"conjugate gradients did not reach a relative residual of {self.tolerance:g} in "
            f"{len(history) - 1} iterations ({reason}); the last residuals: "
            + ", ".join(f"{residual:.2e}" for residual in residuals)
        )


def _side_by_side(vectors: Sequence[_Vector]) -> Columns:
    """Return ``vectors`` as columns, with columns of zeros added up to a multiple of _LANES."""
    count = len(vectors)
    columns = np.zeros((len(vectors[0]), count if count == 1 else count + -count % _LANES))
    for rows in row_slices(len(columns)):  # slice by slice, which stays in the cache
        for column, vector in enumerate(vectors):
            columns[rows, column] = vector[rows]
    return columns


def _separate(columns: Columns, count: int) -> list[_Vector]:
    """Return the first ``count`` columns as separate vectors."""
    vectors = [np.empty(len(columns)) for _ in range(count)]
    for rows in row_slices(len(columns)):
        for column, vector in enumerate(vectors):
            vector[rows] = columns[rows, column]
    return vectors
