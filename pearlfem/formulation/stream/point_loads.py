"""Loads of point impurities in the stream formulation: b = −B(l, ·) of their lifts l."""

from __future__ import annotations

import numpy as np
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import Load
from pearlfem.formulation.fields import Lift
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.levels import Level
from pearlfem.formulation.stream.point_lifts import given_dofs, given_values
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array, Int32Array


class PointLoads:
    """Lifts and loads of point impurities; see ``pearlfem.formulation.stream.point_lifts``.

    Args:
        film: The film, of one Pearl length.
        mesh: The half of a mirror symmetric open space.
        level: The operator for which the loads are.

    Note:
        Collective, as are all methods.
    """

    def __init__(self, film: Film, mesh: TaggedMesh, level: Level) -> None:
        self._film, self._level = film, level
        self._dofs = given_dofs(level.V, mesh, level.fixed)
        whole = fem_petsc.assemble_matrix(forms.energy_form(level.V, mesh, film))
        whole.assemble()
        self._columns = _columns(whole, self._dofs)
        whole.destroy()
        # Both moments of an impurity come one after the other and share most of the work.
        self._last: tuple[tuple[Point, float], Array, list[Array]] | None = None

    def load(self, impurity: Impurity) -> Load:
        """Return b, zero at fixed unknowns, and the lift."""
        values, image = self._along(impurity)
        level, vector = self._level, -image
        vector[level.fixed[level.fixed < len(vector)]] = 0.0
        return Load(
            vector if level.shared is None else level.shared.gather(vector),
            Lift(self._dofs, values, image[self._dofs]),
        )

    def destroy(self) -> None:
        """Free the matrix."""
        self._columns.destroy()

    def _along(self, impurity: Impurity) -> tuple[Array, Array]:
        """Return l at the given dofs and B(l, ·) at all owned ones."""
        key = impurity.position, impurity.strength
        if self._last is None or self._last[0] != key:
            both = given_values(self._level.V, self._film, impurity, self._dofs)
            self._last = key, both, [self._image(values) for values in both.T]
        _, both, images = self._last
        mx, my = impurity.moment
        return both @ [mx, my], mx * images[0] + my * images[1]

    def _image(self, values: Array) -> Array:
        lift, image = self._columns.createVecs()
        lift.array[:] = values
        self._columns.mult(lift, image)
        return np.array(image.array_r)


def _columns(matrix: PETSc.Mat, dofs: Int32Array) -> PETSc.Mat:
    """Return those columns of ``matrix`` that belong to this rank's own ``dofs``, all rows."""
    first, last = matrix.getOwnershipRange()
    rows = PETSc.IS().createStride(last - first, first, 1, comm=matrix.comm)
    columns = PETSc.IS().createGeneral(first + dofs, comm=matrix.comm)
    return matrix.createSubMatrix(rows, columns)
