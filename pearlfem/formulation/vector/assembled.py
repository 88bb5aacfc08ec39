"""The vector-potential formulation, assembled: A in Nédélec elements, auxiliary spaces."""

from __future__ import annotations

from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import (
    Formulation,
    Load,
    assemble_operator,
    create_function,
    leave_out,
    values_at_dofs,
)
from pearlfem.formulation.fields import Fields
from pearlfem.formulation.film import film_quadrature
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.vector import forms
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array
from pearlfem.solvers.auxiliary_space import AuxiliarySpace


class VectorFormulation(Formulation):
    """Operator and loads of ``pearlfem.formulation.vector.forms`` (collective)."""

    def __init__(self, film: Film, mesh: TaggedMesh, degree: int) -> None:
        self._film, self._mesh, self._degree = film, mesh, degree
        self._V = forms.create_function_space(mesh, degree)
        self._fixed = forms.fixed_dofs(self._V, mesh)
        form = forms.energy_form(self._V, mesh, film)
        self._quadrature = film_quadrature(mesh, film)
        self._load = FilmLoad(self._V, mesh)
        self._operator = assemble_operator(form, self._V, self._fixed)
        super().__init__(int(self._operator.getSize()[0]))
        self._transfers: list[PETSc.Mat] = []

    def load(self, source: Source) -> Load:
        """Return ℓ of ``source`` (collective)."""
        near = self._quadrature.near(source)
        rule = self._quadrature.part(near)
        density = forms.load_density(rule.potential(source), rule.superfluid_weight)
        owned = self._operator.getLocalSize()[0]
        load = self._load.assemble(density, rule, near).array[:owned].copy()
        load[self._fixed[self._fixed < owned]] = 0.0
        return Load(load)

    def create_solver(self) -> AuxiliarySpace:
        """Return the auxiliary-space solver (collective)."""
        potentials = forms.create_potential_space(self._mesh, self._degree)
        # Gradients off the film cost nothing and are not needed: only the film's potentials stay.
        left_out = forms.dofs_without_film(potentials, self._mesh)
        form = forms.potential_form(potentials, self._mesh, self._film)
        potential_operator = assemble_operator(form, potentials, left_out)
        constants = []
        for dofs in forms.free_islands(potentials, self._mesh, self._film):
            constant = potential_operator.createVecRight()
            constant.set(0.0)
            constant.array[dofs] = 1.0
            constant.normalize()
            constants.append(constant)
        if constants:
            potential_operator.setNullSpace(PETSc.NullSpace().create(vectors=constants))
        gradient = fem_petsc.discrete_gradient(potentials, self._V)
        gradient.assemble()
        leave_out(gradient, self._fixed, left_out)
        fields = forms.create_vector_space(self._mesh)
        interpolation = fem_petsc.interpolation_matrix(fields, self._V)
        interpolation.assemble()
        leave_out(interpolation, self._fixed, forms.fixed_dofs(fields, self._mesh))
        self._transfers = [gradient, potential_operator, interpolation]
        return AuxiliarySpace(self._operator, *self._transfers)

    def fields(self, unknowns: Array) -> Fields:
        """Return A; there is no stream function."""
        return Fields(create_function(self._V, "potential", unknowns), None)

    def unknowns(self, fields: Fields) -> Array:
        """Return the dofs of A."""
        return values_at_dofs(self._V, fields.potential)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self._operator, *self._transfers):
            matrix.destroy()
