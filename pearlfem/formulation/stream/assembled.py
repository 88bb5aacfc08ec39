"""The assembled stream formulation: ψ in Lagrange elements, p-multigrid solver."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pearlfem.formulation.base import Formulation, Load, create_function, values_at_dofs
from pearlfem.formulation.fields import Fields
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.levels import assemble_level, interpolation
from pearlfem.formulation.stream.point_loads import PointLoads
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import is_point
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.solvers.multigrid import Multigrid


class StreamFormulation(Formulation):
    """Operator and loads of the weak form in ``pearlfem.formulation.stream.forms``.

    In a mirror symmetric space the unknowns are the dofs of ψ; otherwise they are the dofs of u,
    followed by those of g of each film. All dofs of a hole are one unknown.

    Args:
        films: The films in their mesh.
        degree: Degree of the Lagrange elements.

    Note:
        Collective, as are all methods.
    """

    def __init__(self, films: Sequence[FilmMesh], degree: int) -> None:
        self._films, self._degree = films, degree
        self._fine = assemble_level(films, degree)
        self._assemblers = [FilmLoad(self._fine.V, film) for film in films]
        super().__init__(int(self._fine.operator.getSize()[0]))

    def loads(self, sources: Sequence[Source]) -> list[Load]:
        """Return the load of each source, and the lifts of point impurities (collective)."""
        points = [source for source in sources if is_point(source)]
        point_loads = self._points.loads(points) if points else iter(())
        return [next(point_loads) if is_point(source) else self._load(source) for source in sources]

    def _load(self, source: Source) -> Load:
        """Return the load of a source that is not a point impurity."""
        fine, mesh = self._fine, self._films[0].mesh
        owned = fine.V.dofmap.index_map.size_local
        load = np.zeros(owned)
        for k, (film, assembler) in enumerate(zip(self._films, self._assemblers, strict=True)):
            near = film.quadrature.facets_near(source)
            rule = film.quadrature.restricted_to(near)
            density = forms.load_density(rule.background(source), mesh)
            values = assembler.assemble(density, rule, near).array
            if mesh.mirrored:
                load += values[:owned]
                load[fine.fixed[fine.fixed < owned]] = 0.0
            else:
                load = np.append(load, values[fine.jumps[k]])
        return Load(load if fine.shared is None else fine.shared.gather(load))

    @cached_property
    def _points(self) -> PointLoads:
        """The loads of point impurities; made when the first of them is needed (collective)."""
        return PointLoads(self._films, self._fine)

    def create_solver(self, tolerance: float | None = None) -> Multigrid:
        """Create the p-multigrid solver (collective)."""
        coarse, transfer = None, None
        if self._degree > 1:
            level = assemble_level(self._films, 1)
            coarse, transfer = level.operator, interpolation(level, self._fine, self._films)
        return Multigrid(self._fine.operator, coarse, transfer, tolerance, self._fine.unit)

    @property
    def hole_unknowns(self) -> dict[str, Int32Array]:
        """See ``Formulation``: all unknowns of a hole are one."""
        if self._fine.shared is None:
            return {}
        groups = [group for film in self._films for group in film.holes.values()]
        return dict(zip(groups, self._fine.shared.active, strict=True))

    def fields(self, unknowns: Array) -> Fields:
        """Return ψ and g = 2ψ in a mirror symmetric space, otherwise u and all g (collective)."""
        V, jumps, shared = self._fine.V, self._fine.jumps, self._fine.shared
        owned = V.dofmap.index_map.size_local
        values = unknowns if shared is None else shared.spread(unknowns)
        potential = create_function(V, "potential", values[:owned])
        if not jumps:
            g = create_function(V, "stream_function", 2.0 * potential.x.array[:owned])
            return Fields(potential, (g,))
        stream_functions, start = [], owned
        for dofs in jumps:
            g_values = np.zeros(owned)
            g_values[dofs] = values[start : start + len(dofs)]
            stream_functions.append(create_function(V, "stream_function", g_values))
            start += len(dofs)
        return Fields(potential, tuple(stream_functions))

    def unknowns(self, fields: Fields) -> Array:
        """Return the dofs of ψ, or of u and all g, ``(n,)``; 0 for inactive unknowns of holes."""
        values = values_at_dofs(self._fine.V, fields.potential)
        for dofs, g in zip(self._fine.jumps, fields.stream_functions, strict=False):
            values = np.append(values, values_at_dofs(self._fine.V, g)[dofs])
        if self._fine.shared is not None:
            values[self._fine.shared.inactive] = 0.0
        return values

    def destroy(self) -> None:
        """Free the matrix for the loads of point impurities; the solver owns the operator."""
        if "_points" in self.__dict__:
            self._points.destroy()
