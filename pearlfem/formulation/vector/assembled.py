"""The vector-potential formulation, assembled: A in Nédélec elements, auxiliary spaces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
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
from pearlfem.solvers.auxiliary_space import AuxiliarySpace


class VectorFormulation(Formulation):
    """Operator and loads of ``pearlfem.formulation.vector.forms`` (collective)."""

    def __init__(self, film: Film, space: TaggedMesh, degree: int) -> None:
        self._film, self._space, self._degree = film, space, degree
        self._V = forms.create_space(space, degree)
        self._fixed = forms.fixed_dofs(self._V, space)
        form = forms.energy_form(self._V, space, film)
        self._quadrature = film_quadrature(space, film)
        self._load = FilmLoad(self._V, space)
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
        potentials = forms.create_potential_space(self._space, self._degree)
        # Gradients off the film cost nothing and are not needed: only the film's potentials stay.
        left_out = forms.dofs_without_film(potentials, self._space)
        form = forms.potential_form(potentials, self._space, self._film)
        potential_operator = assemble_operator(form, potentials, left_out)
        constants = []
        for dofs in forms.free_islands(potentials, self._space, self._film):
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
        fields = forms.create_vector_space(self._space)
        interpolation = fem_petsc.interpolation_matrix(fields, self._V)
        interpolation.assemble()
        leave_out(interpolation, self._fixed, forms.fixed_dofs(fields, self._space))
        self._transfers = [gradient, potential_operator, interpolation]
        return AuxiliarySpace(self._operator, *self._transfers)

    def fields(self, unknowns: npt.NDArray[np.float64]) -> Fields:
        """Return A; there is no stream function."""
        return Fields(create_function(self._V, "potential", unknowns), None)

    def unknowns(self, fields: Fields) -> npt.NDArray[np.float64]:
        """Return the dofs of A."""
        return values_at_dofs(self._V, fields.potential)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self._operator, *self._transfers):
            matrix.destroy()
