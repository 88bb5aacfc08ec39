"""This rank's rows of a sparse matrix, for products with many vectors in one pass.

Vectors are the columns of an array ``(n, k)`` in C order: an entry of the matrix, once read, serves
k neighbouring numbers. Rows come in blocks, so that what is done with a product finds it in the
cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc
from scipy.sparse import csr_matrix

from pearlfem.solvers.sparse_product import compile_product, multiply

Columns = npt.NDArray[np.floating]

_ROWS = 8192  # × 16 columns in single precision are half a megabyte


def row_slices(rows: int) -> list[slice]:
    """Return slices of a few thousand rows, which cover ``rows`` of them."""
    return [slice(first, min(first + _ROWS, rows)) for first in range(0, rows, _ROWS)]


class RowBlocks:
    """A copy of a PETSc matrix of type AIJ, rows and columns distributed in any way.

    Args:
        matrix: The matrix.

    Note:
        Collective.
    """

    def __init__(self, matrix: PETSc.Mat) -> None:
        compile_product(matrix.comm.tompi4py())
        starts, columns, values = matrix.getValuesCSR()
        first, last = matrix.getOwnershipRangeColumn()
        owned = last - first
        foreign = (columns < first) | (columns >= last)
        ghosts, places = np.unique(columns[foreign], return_inverse=True)
        columns -= first
        columns[foreign] = owned + places
        self.rows = len(starts) - 1
        self._exchange = _Exchange(matrix, ghosts)
        self._blocks = []
        for rows in row_slices(self.rows):
            entries = slice(starts[rows.start], starts[rows.stop])
            starts_here = starts[rows.start : rows.stop + 1] - entries.start
            block = csr_matrix(
                (values[entries], columns[entries], starts_here),
                shape=(rows.stop - rows.start, owned + len(ghosts)),
            )
            self._blocks.append(_Block(rows, block[:, :owned], block[:, owned:]))

    def single(self, scale: npt.NDArray[np.float64] | None = None) -> RowBlocks:
        """Return the matrix in single precision, which shares the places of the entries.

        Args:
            scale: Factor for each row.
        """
        factors = np.ones(self.rows) if scale is None else scale
        copy = object.__new__(RowBlocks)
        copy.rows, copy._exchange = self.rows, self._exchange
        copy._blocks = [
            _Block(rows, *(_single(part, factors[rows]) for part in (own, foreign)))
            for rows, own, foreign in self._blocks
        ]
        return copy

    def times(self, x: Columns) -> Iterator[tuple[slice, Columns]]:
        """Yield slices of rows and the product there (collective).

        Args:
            x: This rank's rows of the vectors, ``(n, k)``; must not change before the last slice.
        """
        ghosts = self._exchange(x)
        for rows, own, foreign in self._blocks:
            product = multiply(own, x)
            if foreign.nnz:
                product += multiply(foreign, ghosts)
            yield rows, product

    def destroy(self) -> None:
        """Free what the exchange between ranks holds, for copies too (collective)."""
        self._exchange.destroy()

    def product(self, x: Columns) -> Columns:
        """Return all rows of the product (collective)."""
        result = np.empty((self.rows, x.shape[1]), x.dtype)
        for rows, values in self.times(x):
            result[rows] = values
        return result


class _Block(NamedTuple):
    """Consecutive rows, split into columns that this rank owns and those that others own."""

    rows: slice
    own: csr_matrix
    foreign: csr_matrix


class _Exchange:
    """Fetches rows of vectors from the ranks that own them."""

    def __init__(self, matrix: PETSc.Mat, ghosts: npt.NDArray[np.integer]) -> None:
        first = matrix.getOwnershipRangesColumn()
        owners = np.searchsorted(first, ghosts, side="right") - 1
        remote = np.column_stack([owners, ghosts - first[owners]])
        self._count = len(ghosts)
        self._forest = PETSc.SF().create(matrix.comm)
        self._forest.setGraph(matrix.getLocalSize()[1], None, remote.astype(PETSc.IntType))

    def __call__(self, x: Columns) -> Columns:
        ghosts = np.empty((self._count, x.shape[1]), x.dtype)
        row = MPI.BYTE.Create_contiguous(x.itemsize * x.shape[1]).Commit()
        self._forest.bcastBegin(row, x, ghosts, MPI.REPLACE)
        self._forest.bcastEnd(row, x, ghosts, MPI.REPLACE)
        row.Free()
        return ghosts

    def destroy(self) -> None:
        self._forest.destroy()


def _single(matrix: csr_matrix, factors: npt.NDArray[np.float64]) -> csr_matrix:
    """Return ``matrix`` in single precision, rows scaled, with the same arrays of indices."""
    values = (np.repeat(factors, np.diff(matrix.indptr)) * matrix.data).astype(np.float32)
    return csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
