"""The assembled vector formulation: A in Nédélec elements, auxiliary-space solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.formulation.base import (
    Formulation,
    Load,
    assemble_operator,
    clear_rows_and_columns,
    create_function,
    values_at_dofs,
)
from pearlfem.formulation.fields import Fields, Gauge
from pearlfem.formulation.film import FilmMesh, unit_length
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.vector import forms
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array
from pearlfem.solvers.auxiliary_space import AuxiliarySpace
from pearlfem.solvers.conjugate_gradients import ConjugateGradients
from pearlfem.solvers.gradient_part import GradientPart


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
        self._unit = 1.0 / unit_length(films)  # B is numbers divided by a length
        form = forms.energy_form(self._V, films)
        self._operator = assemble_operator(form, self._V, self._fixed, self._unit)
        self._film_operator = assemble_operator(
            forms.film_form(self._V, films), self._V, self._fixed, self._unit, diagonal=0.0
        )
        super().__init__(int(self._operator.getSize()[0]))
        owned = self._operator.getLocalSize()[0]
        facets = self._mesh.facets(*(film.group for film in films))
        on_film = fem.locate_dofs_topological(self._V, 2, facets)
        self._on_film = np.asarray(on_film[on_film < owned], dtype=np.int32)
        self._create_potentials()

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
        rest, gradient = self._gradients.split(load / self._unit)
        return Load(self._unit * rest, gauge=Gauge(self._on_film, gradient[self._on_film]))

    def energy_products(self, solver: ConjugateGradients, vectors: Sequence[Array]) -> list[Array]:
        """Return the products with ½ ∫ curl A·curl v dV, without the film's part (collective)."""
        products = solver.apply_operator(vectors)
        x, image = self._film_operator.createVecs()
        for vector, product in zip(vectors, products, strict=True):
            x.array[:] = vector
            self._film_operator.mult(x, image)
            product -= self._unit * image.array_r
        return products

    def _create_potentials(self) -> None:
        """Create the space of potentials, its operators, and the splitting of loads."""
        potentials = forms.create_potential_space(self._mesh, self._degree)
        # Gradients that vanish on the films have no energy: B is zero for them and the solver does
        # not need them. So only the potentials' dofs on films stay.
        fixed = forms.dofs_without_film(potentials, self._films)
        # Off the films, entries as large as those of the films: κ.
        weights = [film.quadrature.superfluid_weight.max(initial=0.0) for film in self._films]
        diagonal = self._mesh.comm.allreduce(float(max(weights)), op=MPI.MAX) / self._unit
        product, self._potential_operator = (
            assemble_operator(
                forms.potential_form(potentials, self._films, definite=definite),
                potentials,
                fixed,
                self._unit,
                diagonal,
            )
            for definite in (False, True)
        )
        constants = self._constants(product, potentials)
        for matrix in (product, self._potential_operator) if constants else ():
            matrix.setNullSpace(PETSc.NullSpace().create(vectors=constants, comm=matrix.comm))
        self._gradient = fem_petsc.discrete_gradient(potentials, self._V)
        self._gradient.assemble()
        clear_rows_and_columns(self._gradient, self._fixed, fixed)
        self._gradients = GradientPart(
            self._film_operator, self._gradient, product, self._potential_operator
        )
        self._matrices = [
            self._operator,
            self._film_operator,
            self._gradient,
            product,
            self._potential_operator,
        ]

    def create_solver(self, tolerance: float | None = None) -> AuxiliarySpace:
        """Create the auxiliary-space solver (collective)."""
        vectors = forms.create_vector_space(self._mesh)
        interpolation = fem_petsc.interpolation_matrix(vectors, self._V)
        interpolation.assemble()
        clear_rows_and_columns(interpolation, self._fixed, forms.fixed_dofs(vectors, self._mesh))
        self._matrices.append(interpolation)
        return AuxiliarySpace(
            self._operator,
            self._gradient,
            self._potential_operator,
            interpolation,
            tolerance,
            self._unit,
        )

    def _constants(self, operator: PETSc.Mat, potentials: fem.FunctionSpace) -> list[PETSc.Vec]:
        """Return the null space of potentials: the constants on free islands (collective)."""
        constants = []
        for dofs in forms.free_islands(potentials, self._films):
            constant = operator.createVecRight()
            constant.set(0.0)
            constant.array[dofs] = 1.0
            constant.normalize()
            constants.append(constant)
        return constants

    def fields(self, unknowns: Array) -> Fields:
        """Return the function A; there is no stream function (collective)."""
        return Fields(create_function(self._V, "potential", unknowns))

    def unknowns(self, fields: Fields) -> Array:
        """Return the owned dofs of A without its gauge, ``(n,)`` (collective)."""
        return values_at_dofs(self._V, fields.potential)

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        self._gradients.destroy()
        for matrix in self._matrices:
            matrix.destroy()
