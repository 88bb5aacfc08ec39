"""The stream formulation, assembled: ψ in Lagrange elements, p-multigrid."""

from __future__ import annotations

from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.fem import stream
from pearlfem.formulation.discrete import assemble_operator, leave_out, vector_on
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources import Impurity
from pearlfem.solvers.multigrid import Multigrid


class StreamFormulation:
    """Operator and loads of ``pearlfem.fem.stream`` (collective)."""

    def __init__(self, film: Film, space: TaggedMesh, degree: int) -> None:
        self._film, self._space, self._degree = film, space, degree
        self.V = stream.create_space(space, degree)
        self._fixed = stream.fixed_dofs(self.V, space)
        form = stream.energy_form(self.V, space, film.superfluid_weight)
        self.operator = assemble_operator(form, self.V, self._fixed)
        self._impurity = stream.impurity_load(self.V, space, film.superfluid_weight)
        self._levels: list[PETSc.Mat] = []

    def create_solver(self) -> Multigrid:
        """Return the p-multigrid solver (collective)."""
        if self._degree > 1:
            V1 = stream.create_space(self._space, 1)
            fixed = stream.fixed_dofs(V1, self._space)
            form = stream.energy_form(V1, self._space, self._film.superfluid_weight)
            interpolation = fem_petsc.interpolation_matrix(V1, self.V)
            interpolation.assemble()
            leave_out(interpolation, self._fixed, fixed)
            self._levels = [assemble_operator(form, V1, fixed), interpolation]
        return Multigrid(self.operator, *self._levels)

    def load(self, impurity: Impurity, moment: tuple[float, float]) -> PETSc.Vec:
        """Return ℓ of ``impurity`` with its moment along ``moment`` (collective)."""
        values = self._impurity.assemble(impurity, moment).array
        return vector_on(self.operator, values, self._fixed)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self.operator, *self._levels):
            matrix.destroy()
