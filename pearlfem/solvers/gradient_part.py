"""The part of a load that gradients answer, found before the rest is solved for.

Let A = S + M with S zero on gradients. For a weak M, the answer to a load is nearly a gradient G χ,
larger than the rest by 1/M, and S times its round-off would drown the rest. So the gradient is
split off: with GᵀMG χ = Gᵀ b the load b' = b − M G χ does no work on gradients, and the answer
x' = x − G χ to it is small.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.quantities.arrays import Array
from pearlfem.solvers.options import GAMG, configure

_TOLERANCE = 1e-11  # relative, in the natural norm; the solver of the rest finds what is left
_MAX_ITERATIONS = 200


class GradientPart:
    """Splits loads; the matrices are as in ``AuxiliarySpace``, with entries near one.

    Args:
        mass: M.
        gradient: G.
        product: GᵀMG, with the diagonal alone in empty rows; with its null space attached.
        definite: Close to ``product``, and positive definite.

    Note:
        Collective, as are all methods. The caller keeps and destroys the matrices.
    """

    def __init__(
        self, mass: PETSc.Mat, gradient: PETSc.Mat, product: PETSc.Mat, definite: PETSc.Mat
    ) -> None:
        self._mass, self._gradient, self._null_space = mass, gradient, product.getNullSpace()
        self._scalars, self._work = product.createVecs()
        self._load, self._change = mass.createVecs()
        self._solver = PETSc.KSP().create(product.comm)
        self._solver.setOperators(product, definite)
        self._solver.setType("cg")
        self._solver.setNormType(PETSc.KSP.NormType.NATURAL)
        self._solver.setTolerances(_TOLERANCE, 0.0, 1e100, _MAX_ITERATIONS)
        configure(self._solver.getPC(), GAMG)
        self._solver.setUp()

    def split(self, load: Array) -> tuple[Array, Array]:
        """Return b' and G χ for this rank's rows of the load b, ``(n,)`` each.

        A χ that is not accurate is no error: b' is exact for any χ.
        """
        largest = float(np.abs(load).max(initial=0.0))
        scale = self._mass.comm.tompi4py().allreduce(largest, op=MPI.MAX)
        if scale == 0.0:
            return load, np.zeros_like(load)
        self._load.array[:] = load / scale
        self._gradient.multTranspose(self._load, self._work)
        if self._null_space:
            self._null_space.remove(self._work)
        self._solver.solve(self._work, self._scalars)
        self._gradient.mult(self._scalars, self._change)
        self._mass.mult(self._change, self._load)
        return load - scale * self._load.array_r, scale * self._change.array_r

    def destroy(self) -> None:
        """Free the multigrid hierarchy."""
        self._solver.destroy()
