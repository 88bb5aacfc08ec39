"""Unknowns that share one value: on each hole the stream function is a single constant.

Of the unknowns of a hole the first stands for all; the others stay in the numbering with unit rows.
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
    """E: unknowns with one for each group to all unknowns; Eᵀ A E and Eᵀ b are those of the former.

    Args:
        layout: A matrix with the unknowns as rows.
        groups: Global numbers of the unknowns that are equal, those that this rank owns.

    Note:
        Collective.
    """

    def __init__(self, layout: PETSc.Mat, groups: Sequence[_Indices]) -> None:
        first, last = layout.getOwnershipRange()
        targets = np.arange(first, last, dtype=PETSc.IntType)
        for group in groups:
            lowest = layout.comm.tompi4py().allreduce(
                int(group.min(initial=np.iinfo(np.int32).max)), op=MPI.MIN
            )
            targets[group - first] = lowest
        self.left_out = np.flatnonzero(targets != np.arange(first, last)).astype(PETSc.IntType)
        self._targets = targets
        sizes = layout.getSizes()
        rows = np.arange(last - first + 1, dtype=PETSc.IntType)
        self.matrix = PETSc.Mat().createAIJ(
            sizes, csr=(rows, targets, np.ones(last - first)), comm=layout.comm
        )

    def condense(self, operator: PETSc.Mat) -> PETSc.Mat:
        """Return Eᵀ A E with unit rows where nothing is left; ``operator`` is destroyed."""
        half = operator.matMult(self.matrix)  # with ptap in one go it takes three times as long
        product = self.matrix.transposeMatMult(half)
        for matrix in (half, operator):
            matrix.destroy()
        unit = PETSc.Mat().createAIJ(product.getSizes(), nnz=1, comm=product.comm)
        diagonal = product.createVecRight()
        diagonal.array[self.left_out] = 1.0
        unit.setDiagonal(diagonal)
        unit.assemble()
        product.axpy(1.0, unit)
        unit.destroy()
        return product

    def gather(self, load: Array) -> Array:
        """Return Eᵀ b, what this rank owns of it (collective)."""
        gathered, all_of_it = self.matrix.createVecs()
        all_of_it.array[:] = load
        self.matrix.multTranspose(all_of_it, gathered)
        return np.array(gathered.array_r)

    def spread(self, unknowns: Array) -> Array:
        """Return E x: all unknowns that this rank owns (collective)."""
        few, all_of_them = self.matrix.createVecs()
        few.array[:] = unknowns
        self.matrix.mult(few, all_of_them)
        return np.array(all_of_them.array_r)
