"""The assembled vector formulation: A in Nédélec elements, auxiliary-space solver."""

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
    clear_rows_and_columns,
    create_function,
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
    """Operator and loads of the weak form in ``pearlfem.formulation.vector.forms``.

    Args:
        films: The films in their mesh.
        degree: Degree of the Nédélec elements.

    Note:
        Collective, as are all methods.
    """

    def __init__(self, films: Sequence[FilmMesh], degree: int) -> None:
        self._films, self._mesh, self._degree = films, films[0].mesh, degree
        self._V = forms.create_function_space(self._mesh, degree)
        self._fixed = forms.fixed_dofs(self._V, self._mesh)
        self._assemblers = [FilmLoad(self._V, film) for film in films]
        form = forms.energy_form(self._V, films)
        self._operator = assemble_operator(form, self._V, self._fixed)
        super().__init__(int(self._operator.getSize()[0]))
        self._transfers: list[PETSc.Mat] = []

    def loads(self, sources: Sequence[Source]) -> list[Load]:
        """Return the load of each source (collective)."""
        return [self._load(source) for source in sources]

    def _load(self, source: Source) -> Load:
        """Return the load of one source (collective)."""
        owned = self._operator.getLocalSize()[0]
        load = np.zeros(owned)
        for film, assembler in zip(self._films, self._assemblers, strict=True):
            near = film.quadrature.facets_near(source)
            rule = film.quadrature.restricted_to(near)
            density = forms.load_density(rule.background(source), film.weight_above(near))
            load += assembler.assemble(density, rule, near).array[:owned]
        load[self._fixed[self._fixed < owned]] = 0.0
        return Load(load)

    def create_solver(self, tolerance: float | None = None) -> AuxiliarySpace:
        """Create the auxiliary-space solver (collective)."""
        potentials = forms.create_potential_space(self._mesh, self._degree)
        # Gradients that vanish on the films have no energy: B is zero for them and the solver does
        # not need them. So only the potentials' dofs on films stay.
        fixed = forms.dofs_without_film(potentials, self._films)
        form = forms.potential_form(potentials, self._films)
        potential_operator = assemble_operator(form, potentials, fixed)
        self._set_null_space(potential_operator, potentials)
        gradient = fem_petsc.discrete_gradient(potentials, self._V)
        gradient.assemble()
        clear_rows_and_columns(gradient, self._fixed, fixed)
        vectors = forms.create_vector_space(self._mesh)
        interpolation = fem_petsc.interpolation_matrix(vectors, self._V)
        interpolation.assemble()
        clear_rows_and_columns(interpolation, self._fixed, forms.fixed_dofs(vectors, self._mesh))
        self._transfers = [gradient, potential_operator, interpolation]
        return AuxiliarySpace(
            self._operator, gradient, potential_operator, interpolation, tolerance
        )

    def _set_null_space(self, potential_operator: PETSc.Mat, potentials: fem.FunctionSpace) -> None:
        """Give the operator its null space: the constants on free islands (collective)."""
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
        """Return the function A; there is no stream function (collective)."""
        return Fields(create_function(self._V, "potential", unknowns))

    def unknowns(self, fields: Fields) -> Array:
        """Return the owned dofs of A, ``(n,)`` (collective)."""
        return values_at_dofs(self._V, fields.potential)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self._operator, *self._transfers):
            matrix.destroy()
