"""This rank's rows of a sparse matrix, for products with many vectors in one pass.

Vectors are the columns of an array ``(n, k)`` in C order: an entry of the matrix is read once and
used for k neighbouring numbers. Rows are processed in blocks, so that the caller finds each product
still in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.quantities.arrays import Array
from pearlfem.solvers.sparse_product import Rows, compile_product, multiply

Columns = npt.NDArray[np.floating]

_ROWS = 8192  # in a block: with 16 columns in single precision half a megabyte


def row_slices(rows: int) -> list[slice]:
    """Cut ``rows`` rows into slices of a few thousand."""
    return [slice(first, min(first + _ROWS, rows)) for first in range(0, rows, _ROWS)]


class RowBlocks:
    """A copy of a PETSc matrix of type AIJ; rows and columns may be distributed in any way.

    Args:
        matrix: The matrix.

    Note:
        Collective.
    """

    def __init__(self, matrix: PETSc.Mat) -> None:
        compile_product(matrix.comm.tompi4py())
        whole = Rows(*matrix.getValuesCSR())
        self.rows = len(whole.starts) - 1
        first, last = matrix.getOwnershipRangeColumn()
        # Columns whose rows of a vector are on this rank, and columns that other ranks send.
        self._local, self._remote = _split(whole, first, last)
        ghosts, self._remote.columns[:] = np.unique(self._remote.columns, return_inverse=True)
        self._exchange = _Exchange(matrix, ghosts)

    def single(self, scale: Array | None = None) -> RowBlocks:
        """Return a copy in single precision, which shares the index arrays and the exchange.

        Args:
            scale: Factor for each row; None for 1.
        """
        factors = np.ones(self.rows) if scale is None else scale
        copy = object.__new__(RowBlocks)
        copy.rows, copy._exchange = self.rows, self._exchange
        copy._local = _single(self._local, factors)
        copy._remote = _single(self._remote, factors)
        return copy

    def times(self, x: Columns) -> Iterator[tuple[slice, Columns]]:
        """Yield slices of rows with these rows of the product (collective).

        Args:
            x: This rank's rows of the vectors, ``(n, k)``; must not change before the last slice.
        """
        local, remote = self._local, self._remote
        ghosts = self._exchange(x)
        for rows in row_slices(self.rows):
            product = multiply(local, x, rows)
            if remote.starts[rows.start] < remote.starts[rows.stop]:
                product += multiply(remote, ghosts, rows)
            yield rows, product

    def destroy(self) -> None:
        """Free the matrix, and the exchange between ranks that its copies share (collective)."""
        self._exchange.destroy()
        self.__dict__.pop("_local", None)  # makes a product after this an error

    def product(self, x: Columns) -> Columns:
        """Return all rows of the product (collective)."""
        result = np.empty((self.rows, x.shape[1]), x.dtype)
        for rows, values in self.times(x):
            result[rows] = values
        return result


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


def _split(whole: Rows, first: int, last: int) -> tuple[Rows, Rows]:
    """Return the columns from ``first`` to before ``last``, numbered from 0, and all others.

    To save memory the former overwrite the arrays of ``whole``, moved together without gaps.
    """
    starts, columns, entries = whole
    outside = (columns < first) | (columns >= last)
    remote = Rows(np.zeros_like(starts), columns[outside], entries[outside])
    kept = left_out = 0
    for rows in row_slices(len(starts) - 1):
        here = slice(int(starts[rows.start]), int(starts[rows.stop]))
        inside = ~outside[here]
        ends = starts[rows.start + 1 : rows.stop + 1] - here.start
        counts = np.append(0, np.cumsum(outside[here]))[ends]
        remote.starts[rows.start + 1 : rows.stop + 1] = left_out + counts
        left_out = int(remote.starts[rows.stop])
        target = slice(kept, here.stop - left_out)
        kept = target.stop
        columns[target] = columns[here][inside] - first
        entries[target] = entries[here][inside]
    return Rows(starts - remote.starts, columns[:kept], entries[:kept]), remote


def _single(matrix: Rows, factors: Array) -> Rows:
    """Return ``matrix`` in single precision with scaled rows; the index arrays are shared."""
    starts, columns, entries = matrix
    scaled = np.empty(len(entries), np.float32)
    for rows in row_slices(len(factors)):
        here = slice(starts[rows.start], starts[rows.stop])
        counts = np.diff(starts[rows.start : rows.stop + 1])
        scaled[here] = np.repeat(factors[rows], counts) * entries[here]
    return Rows(starts, columns, scaled)
