"""This rank's rows of a sparse matrix, for products with many vectors in one pass.

Vectors are the columns of an array ``(n, k)`` in C order: an entry of the matrix, once read, serves
k neighbouring numbers. Rows come in blocks, so that what is done with a product finds it in the
cache.
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
        whole = Rows(*matrix.getValuesCSR())
        self.rows = len(whole.starts) - 1
        first, last = matrix.getOwnershipRangeColumn()
        self._own, self._foreign = _split(whole, first, last)
        ghosts, self._foreign.columns[:] = np.unique(self._foreign.columns, return_inverse=True)
        self._exchange = _Exchange(matrix, ghosts)

    def single(self, scale: Array | None = None) -> RowBlocks:
        """Return the matrix in single precision, which shares the places of the entries.

        Args:
            scale: Factor for each row.
        """
        factors = np.ones(self.rows) if scale is None else scale
        copy = object.__new__(RowBlocks)
        copy.rows, copy._exchange = self.rows, self._exchange
        copy._own, copy._foreign = (_single(part, factors) for part in (self._own, self._foreign))
        return copy

    def times(self, x: Columns) -> Iterator[tuple[slice, Columns]]:
        """Yield slices of rows and the product there (collective).

        Args:
            x: This rank's rows of the vectors, ``(n, k)``; must not change before the last slice.
        """
        own, foreign = self._own, self._foreign
        ghosts = self._exchange(x)
        for rows in row_slices(self.rows):
            product = multiply(own, x, rows)
            if foreign.starts[rows.start] < foreign.starts[rows.stop]:
                product += multiply(foreign, ghosts, rows)
            yield rows, product

    def destroy(self) -> None:
        """Free the matrix, and what copies need for the exchange between ranks (collective)."""
        self._exchange.destroy()
        self.__dict__.pop("_own", None)  # a product after this is an error

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
    """Return the columns from ``first`` to before ``last``, numbered from 0, and the others.

    The former move together where ``whole`` has them, which is lost: at no time are there two.
    """
    starts, columns, entries = whole
    outside = (columns < first) | (columns >= last)
    foreign = Rows(np.zeros_like(starts), columns[outside], entries[outside])
    kept = left_out = 0
    for rows in row_slices(len(starts) - 1):
        here = slice(int(starts[rows.start]), int(starts[rows.stop]))
        own = ~outside[here]
        ends = starts[rows.start + 1 : rows.stop + 1] - here.start
        counts = np.append(0, np.cumsum(outside[here]))[ends]
        foreign.starts[rows.start + 1 : rows.stop + 1] = left_out + counts
        left_out = int(foreign.starts[rows.stop])
        places = slice(kept, here.stop - left_out)
        kept = places.stop
        columns[places] = columns[here][own] - first
        entries[places] = entries[here][own]
    return Rows(starts - foreign.starts, columns[:kept], entries[:kept]), foreign


def _single(matrix: Rows, factors: Array) -> Rows:
    """Return ``matrix`` in single precision, rows scaled, with the same arrays of indices."""
    starts, columns, entries = matrix
    scaled = np.empty(len(entries), np.float32)
    for rows in row_slices(len(factors)):
        here = slice(starts[rows.start], starts[rows.stop])
        counts = np.diff(starts[rows.start : rows.stop + 1])
        scaled[here] = np.repeat(factors[rows], counts) * entries[here]
    return Rows(starts, columns, scaled)
