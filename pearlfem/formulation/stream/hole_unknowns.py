"""Unknowns that share one value: on each hole the stream function is one constant.

The first unknown of a hole is active and gives the value of all of them. The others are inactive:
they keep their numbers, but their rows are those of the unit matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.quantities.arrays import Array

_Indices = npt.NDArray[np.integer]


class SharedUnknowns:
    """The matrix E that copies the first unknown of each group to the others of the group.

    With x = E y the system A x = b becomes (Eᵀ A E) y = Eᵀ b; y is zero at inactive unknowns.

    Args:
        layout: A matrix whose rows are the unknowns.
        groups: For each group the global numbers of its owned unknowns.

    Attributes:
        matrix: E.
        active: For each group the local number of its active unknown, ``(1,)``, if this rank owns
            it, otherwise ``(0,)``.
        inactive: Local numbers of the inactive unknowns: all of a group except its first one.

    Note:
        Collective, as are all methods.
    """

    def __init__(self, layout: PETSc.Mat, groups: Sequence[_Indices]) -> None:
        first, last = layout.getOwnershipRange()
        columns = np.arange(first, last, dtype=PETSc.IntType)
        self.active = []
        for group in groups:
            lowest = layout.comm.tompi4py().allreduce(
                int(group.min(initial=np.iinfo(np.int32).max)), op=MPI.MIN
            )
            columns[group - first] = lowest
            self.active.append(np.asarray(group[group == lowest] - first))
        self.inactive = np.flatnonzero(columns != np.arange(first, last)).astype(PETSc.IntType)
        self._columns = columns
        sizes = layout.getSizes()
        row_starts = np.arange(last - first + 1, dtype=PETSc.IntType)
        self.matrix = PETSc.Mat().createAIJ(
            sizes, csr=(row_starts, columns, np.ones(last - first)), comm=layout.comm
        )

    def condense(self, operator: PETSc.Mat) -> PETSc.Mat:
        """Return Eᵀ A E, with unit rows for inactive unknowns; A = ``operator`` is destroyed."""
        right_product = operator.matMult(self.matrix)  # PETSc's ptap takes three times as long
        product = self.matrix.transposeMatMult(right_product)
        for matrix in (right_product, operator):
            matrix.destroy()
        unit = PETSc.Mat().createAIJ(product.getSizes(), nnz=1, comm=product.comm)
        diagonal = product.createVecRight()
        diagonal.array[self.inactive] = 1.0
        unit.setDiagonal(diagonal)
        unit.assemble()
        product.axpy(1.0, unit)
        unit.destroy()
        return product

    def gather(self, load: Array) -> Array:
        """Return Eᵀ b of the load b, both ``(n,)`` for the n owned unknowns (collective)."""
        condensed, full = self.matrix.createVecs()
        full.array[:] = load
        self.matrix.multTranspose(full, condensed)
        return np.array(condensed.array_r)

    def spread(self, unknowns: Array) -> Array:
        """Return E y of the unknowns y, both ``(n,)`` for the n owned unknowns (collective)."""
        condensed, full = self.matrix.createVecs()
        condensed.array[:] = unknowns
        self.matrix.mult(condensed, full)
        return np.array(full.array_r)
