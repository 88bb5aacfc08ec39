"""Loads of point impurities in the stream formulation: b = −B(l, ·) of their lifts l."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import Load
from pearlfem.formulation.fields import Lift
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.levels import Level
from pearlfem.formulation.stream.point_lifts import given_dofs, given_values
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array, Int32Array


class PointLoads:
    """Lifts and loads of point impurities; see ``pearlfem.formulation.stream.point_lifts``.

    Args:
        films: A single film, of one Pearl length, in the half of a mirror symmetric open space.
        level: The operator for which the loads are.

    Note:
        Collective, as are all methods. The matrix is assembled for the first load.
    """

    def __init__(self, films: Sequence[FilmMesh], level: Level) -> None:
        (self._film,) = films
        self._level = level
        self._dofs = given_dofs(level.V, self._film, level.fixed)
        whole = fem_petsc.assemble_matrix(forms.energy_form(level.V, self._film))
        whole.assemble()
        self._columns = _columns(whole, self._dofs)
        whole.destroy()

    def loads(self, impurities: Sequence[Impurity]) -> Iterator[Load]:
        """Yield b, zero at fixed unknowns, and the lift of each impurity.

        Those at one place, one after the other, share most of the work.
        """
        for _, here in groupby(impurities, key=_place):
            first, *others = here
            lifts = given_values(self._level.V, self._film.film, first, self._dofs)
            images = np.column_stack([self._image(values) for values in lifts.T])
            for impurity in (first, *others):
                yield self._load(lifts @ impurity.moment, images @ impurity.moment)

    def destroy(self) -> None:
        """Free the matrix."""
        self._columns.destroy()

    def _load(self, values: Array, image: Array) -> Load:
        """Return the load of a lift with ``values`` at the given dofs, from its B(l, ·)."""
        level, vector = self._level, -image
        vector[level.fixed[level.fixed < len(vector)]] = 0.0
        return Load(
            vector if level.shared is None else level.shared.gather(vector),
            Lift(self._dofs, values, image[self._dofs]),
        )

    def _image(self, values: Array) -> Array:
        """Return B(l, ·) at all owned dofs, l with ``values`` at the given ones."""
        lift, image = self._columns.createVecs()
        lift.array[:] = values
        self._columns.mult(lift, image)
        return np.array(image.array_r)


def _place(impurity: Impurity) -> tuple[Point, float]:
    """Return what the lifts for both moments of an impurity depend on."""
    return impurity.position, impurity.strength


def _columns(matrix: PETSc.Mat, dofs: Int32Array) -> PETSc.Mat:
    """Return those columns of ``matrix`` that belong to this rank's own ``dofs``, all rows."""
    first, last = matrix.getOwnershipRange()
    rows = PETSc.IS().createStride(last - first, first, 1, comm=matrix.comm)
    columns = PETSc.IS().createGeneral(first + dofs, comm=matrix.comm)
    return matrix.createSubMatrix(rows, columns)
