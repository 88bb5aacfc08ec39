"""The Maxwell–London problem of a film in open space: assembled once, solved for many sources."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.errors import StudyError
from pearlfem.fem import stream
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources import Impurity, check_impurities
from pearlfem.solution import Solution
from pearlfem.solvers.multigrid import Multigrid


class MaxwellLondon:
    """A film and the space above it, in the stream formulation.

    Args:
        film: The film.
        space: The meshed half space over it.
        degree: Degree of the elements, 1 to 3.

    Raises:
        StudyError: ``degree`` is out of range.

    Note:
        Collective. ``seconds`` holds the time that assembly and set-up of the solver took.
    """

    def __init__(self, film: Film, space: TaggedMesh, degree: int = 3) -> None:
        if degree not in (1, 2, 3):
            raise StudyError(f"degree = {degree}: not allowed; allowed: 1, 2, 3")
        self.film, self.space = film, space
        start = time.perf_counter()
        self._V = stream.create_space(space, degree)
        self._fixed = stream.fixed_dofs(self._V, space)
        self._load = stream.impurity_load(self._V, space, film.superfluid_weight)
        self._operator = self._assemble(self._V, self._fixed)
        assembled = time.perf_counter()
        self._coarse: PETSc.Mat | None = None
        self._interpolation: PETSc.Mat | None = None
        if degree > 1:
            self._create_coarse_level()
        self._solver = Multigrid(self._operator, self._coarse, self._interpolation)
        done = time.perf_counter()
        self.seconds = {"assemble": assembled - start, "setup": done - assembled}

    @property
    def dofs(self) -> int:
        """Number of unknowns on all ranks, fixed ones included."""
        return int(self._V.dofmap.index_map.size_global)

    def solve(self, impurities: Sequence[Impurity]) -> Solution:
        """Solve for all ``impurities`` together, with the moments they have.

        Raises:
            StudyError: No impurity, or one lies outside the film.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        check_impurities(self.film, impurities)
        loads = [self._assemble_load(impurity, impurity.moment) for impurity in impurities]
        for load in loads[1:]:
            loads[0].axpy(1.0, load)
        return self._solve(loads[0])

    def solve_each(self, impurities: Sequence[Impurity]) -> list[Solution]:
        """Solve for each impurity alone, with its moment along x and along y.

        Returns:
            2n solutions for n impurities: x and y of the first, x and y of the second, …

        Raises:
            StudyError: No impurity, or one lies outside the film.
            ConvergenceError: The solver stopped before its tolerance.

        Note:
            Collective.
        """
        check_impurities(self.film, impurities)
        axes = ((1.0, 0.0), (0.0, 1.0))
        return [self._solve(self._assemble_load(i, axis)) for i in impurities for axis in axes]

    def destroy(self) -> None:
        """Free the operator and the solver; solutions lose their operator (collective)."""
        self._solver.destroy()
        for matrix in (self._operator, self._coarse, self._interpolation):
            if matrix is not None:
                matrix.destroy()

    def _assemble(self, V: fem.FunctionSpace, fixed: npt.NDArray[np.int32]) -> PETSc.Mat:
        form = stream.energy_form(V, self.space, self.film.superfluid_weight)
        matrix = fem_petsc.assemble_matrix(form, bcs=[fem.dirichletbc(0.0, fixed, V)])
        matrix.assemble()
        matrix.setOption(PETSc.Mat.Option.SPD, True)
        return matrix

    def _create_coarse_level(self) -> None:
        V1 = stream.create_space(self.space, 1)
        fixed = stream.fixed_dofs(V1, self.space)
        self._coarse = self._assemble(V1, fixed)
        self._interpolation = fem_petsc.interpolation_matrix(V1, self._V)
        self._interpolation.assemble()
        # Fixed dofs of both levels have to be left out, or the coarse level would move them.
        rows, columns = self._operator.createVecLeft(), self._coarse.createVecLeft()
        for free, dofs in ((rows, self._fixed), (columns, fixed)):
            free.set(1.0)
            _zero(free, dofs)
        self._interpolation.diagonalScale(rows, columns)

    def _assemble_load(self, impurity: Impurity, moment: tuple[float, float]) -> PETSc.Vec:
        assembled = self._load.assemble(impurity, moment)
        load = self._operator.createVecRight()
        load.array[:] = assembled.array[: load.local_size]
        _zero(load, self._fixed)
        return load

    def _solve(self, load: PETSc.Vec) -> Solution:
        solution = self._operator.createVecRight()
        iterations = self._solver.solve(load, solution)
        potential = fem.Function(self._V, name="psi")
        potential.x.array[: solution.local_size] = solution.array
        potential.x.scatter_forward()
        return Solution(self.film, self.space, potential, load, self._operator, iterations)


def _zero(vector: PETSc.Vec, dofs: npt.NDArray[np.int32]) -> None:
    """Set the owned ones among ``dofs`` to zero."""
    vector.array[dofs[dofs < vector.local_size]] = 0.0
