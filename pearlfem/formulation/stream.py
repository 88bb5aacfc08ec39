"""The stream formulation, assembled: ψ in Lagrange elements, p-multigrid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from pearlfem.fem import stream
from pearlfem.formulation.discrete import Fields, Formulation, create_function, free_places
from pearlfem.formulation.stream_levels import assemble_level, interpolation
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.solvers.multigrid import Multigrid


class StreamFormulation(Formulation):
    """Operator and loads of ``pearlfem.fem.stream`` (collective).

    The unknowns are the dofs of ψ in a mirror symmetric space, otherwise those of u, then of g.
    """

    def __init__(self, film: Film, space: TaggedMesh, degree: int) -> None:
        self._film, self._space, self._degree = film, space, degree
        self._fine = assemble_level(film, space, degree)
        V, fixed, jumps, operator = self._fine
        places = free_places(V, fixed)
        if not space.mirrored:
            places = np.concatenate([np.full_like(places, -1), jumps])
        super().__init__(operator, stream.impurity_load(V, space, film.superfluid_weight), places)
        self._levels: list[PETSc.Mat] = []

    def create_solver(self) -> Multigrid:
        """Return the p-multigrid solver (collective)."""
        if self._degree > 1:
            coarse = assemble_level(self._film, self._space, 1)
            self._levels = [coarse.operator, interpolation(coarse, self._fine, self._space)]
        return Multigrid(self.operator, *self._levels)

    def fields(self, unknowns: npt.NDArray[np.float64]) -> Fields:
        """Return ψ and g = 2ψ on the film in a mirror symmetric space, otherwise u and g."""
        V, jumps = self._fine.V, self._fine.jumps
        owned = V.dofmap.index_map.size_local
        potential = create_function(V, "potential", unknowns[:owned])
        if self._space.mirrored:
            g = 2.0 * potential.x.array[:owned]
        else:
            g = np.zeros(owned)
            g[jumps] = unknowns[owned:]
        return Fields(potential, create_function(V, "stream_function", g))

    def destroy(self) -> None:
        """Free the matrices (collective)."""
        for matrix in (self.operator, *self._levels):
            matrix.destroy()
