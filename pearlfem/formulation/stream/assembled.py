"""The stream formulation, assembled: ψ in Lagrange elements, p-multigrid."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from pearlfem.formulation.base import Formulation, Load, create_function, values_at_dofs
from pearlfem.formulation.fields import Fields
from pearlfem.formulation.film import film_quadrature
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.levels import assemble_level, interpolation
from pearlfem.formulation.stream.point_loads import PointLoads
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import is_point
from pearlfem.quantities.arrays import Array
from pearlfem.solvers.multigrid import Multigrid


class StreamFormulation(Formulation):
    """Operator and loads of ``pearlfem.formulation.stream.forms`` (collective).

    The unknowns are the dofs of ψ in a mirror symmetric space, otherwise those of u, then of g. On
    each hole one of them stands for all.
    """

    def __init__(self, film: Film, mesh: TaggedMesh, degree: int) -> None:
        self._film, self._mesh, self._degree = film, mesh, degree
        self._fine = assemble_level(film, mesh, degree)
        self._quadrature = film_quadrature(mesh, film)
        self._load = FilmLoad(self._fine.V, mesh)
        super().__init__(int(self._fine.operator.getSize()[0]))

    def load(self, source: Source) -> Load:
        """Return ℓ of ``source`` (collective)."""
        if is_point(source):
            return self._points.load(source)
        near = self._quadrature.near(source)
        rule = self._quadrature.part(near)
        density = forms.load_density(rule.potential(source), self._mesh)
        values = self._load.assemble(density, rule, near).array
        fine = self._fine
        owned = fine.V.dofmap.index_map.size_local
        if self._mesh.mirrored:
            load = values[:owned].copy()
            load[fine.fixed[fine.fixed < owned]] = 0.0
        else:
            load = np.append(np.zeros(owned), values[fine.jumps])
        return Load(load if fine.shared is None else fine.shared.gather(load))

    @cached_property
    def _points(self) -> PointLoads:
        return PointLoads(self._film, self._mesh, self._fine)

    def create_solver(self) -> Multigrid:
        """Return the p-multigrid solver (collective)."""
        matrices = [self._fine.operator]
        if self._degree > 1:
            coarse = assemble_level(self._film, self._mesh, 1)
            matrices += [coarse.operator, interpolation(coarse, self._fine, self._mesh)]
        return Multigrid(*matrices)

    def fields(self, unknowns: Array) -> Fields:
        """Return ψ and g = 2ψ on the film in a mirror symmetric space, otherwise u and g."""
        V, jumps, shared = self._fine.V, self._fine.jumps, self._fine.shared
        owned = V.dofmap.index_map.size_local
        values = unknowns if shared is None else shared.spread(unknowns)
        potential = create_function(V, "potential", values[:owned])
        if self._mesh.mirrored:
            g = 2.0 * potential.x.array[:owned]
        else:
            g = np.zeros(owned)
            g[jumps] = values[owned:]
        return Fields(potential, create_function(V, "stream_function", g))

    def unknowns(self, fields: Fields) -> Array:
        """Return the dofs of ψ, or of u and g, with 0 where another one stands for them."""
        values = values_at_dofs(self._fine.V, fields.potential)
        if not self._mesh.mirrored:
            assert fields.stream_function is not None
            g = values_at_dofs(self._fine.V, fields.stream_function)
            values = np.append(values, g[self._fine.jumps])
        if self._fine.shared is not None:
            values[self._fine.shared.left_out] = 0.0
        return values

    def destroy(self) -> None:
        """Free the matrix for the loads of point impurities (collective)."""
        if "_points" in self.__dict__:
            self._points.destroy()
