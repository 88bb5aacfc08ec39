"""The vector-potential formulation, assembled: A in Nédélec elements, auxiliary spaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dolfinx import fem
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
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.vector import forms
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array
from pearlfem.solvers.auxiliary_space import AuxiliarySpace


class VectorFormulation(Formulation):
    """Operator and loads of ``pearlfem.formulation.vector.forms`` (collective)."""

    def __init__(self, films: Sequence[FilmMesh], degree: int) -> None:
        self._films, self._mesh, self._degree = films, films[0].mesh, degree
        self._V = forms.create_function_space(self._mesh, degree)
        self._fixed = forms.fixed_dofs(self._V, self._mesh)
        self._loads = [FilmLoad(self._V, film) for film in films]
        form = forms.energy_form(self._V, films)
        self._operator = assemble_operator(form, self._V, self._fixed)
        super().__init__(int(self._operator.getSize()[0]))
        self._transfers: list[PETSc.Mat] = []

    def loads(self, sources: Sequence[Source]) -> list[Load]:
        """Return ℓ of each of the ``sources`` (collective)."""
        return [self._load(source) for source in sources]

    def _load(self, source: Source) -> Load:
        owned = self._operator.getLocalSize()[0]
        load = np.zeros(owned)
        for film, assembler in zip(self._films, self._loads, strict=True):
            near = film.quadrature.near(source)
            rule = film.quadrature.part(near)
            density = forms.load_density(rule.background(source), rule.superfluid_weight)
            load += assembler.assemble(density, rule, near).array[:owned]
        load[self._fixed[self._fixed < owned]] = 0.0
        return Load(load)

    def create_solver(self, tolerance: float | None = None) -> AuxiliarySpace:
        """Return the auxiliary-space solver (collective)."""
        potentials = forms.create_potential_space(self._mesh, self._degree)
        # Gradients off the films cost nothing and are not needed: only the films' potentials stay.
        left_out = forms.dofs_without_film(potentials, self._films)
        form = forms.potential_form(potentials, self._films)
        potential_operator = assemble_operator(form, potentials, left_out)
        self._set_null_space(potential_operator, potentials)
        gradient = fem_petsc.discrete_gradient(potentials, self._V)
        gradient.assemble()
        leave_out(gradient, self._fixed, left_out)
        fields = forms.create_vector_space(self._mesh)
        interpolation = fem_petsc.interpolation_matrix(fields, self._V)
        interpolation.assemble()
        leave_out(interpolation, self._fixed, forms.fixed_dofs(fields, self._mesh))
        self._transfers = [gradient, potential_operator, interpolation]
        return AuxiliarySpace(
            self._operator, gradient, potential_operator, interpolation, tolerance
        )

    def _set_null_space(self, potential_operator: PETSc.Mat, potentials: fem.FunctionSpace) -> None:
        """Tell the operator of the constants on islands that nothing fixes (collective)."""
        constants = []
        for dofs in forms.free_islands(potentials, self._films):
            constant = potential_operator.createVecRight()
            constant.set(0.0)
            constant.array[dofs] = 1.0
            constant.normalize()
            constants.append(constant)
        if constants:
            potential_operator.setNullSpace(PETSc.NullSpace().create(vectors=constants))

    def fields(self, unknowns: Array) -> Fields:
        """Return A; there is no stream function."""
        return Fields(create_function(self._V, "potential", unknowns))

    def unknowns(self, fields: Fields) -> Array:
        """Return the dofs of A."""
        return values_at_dofs(self._V, fields.potential)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self._operator, *self._transfers):
            matrix.destroy()
