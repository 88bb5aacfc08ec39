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
from pearlfem.formulation.stream.point_lifts import prescribed_dofs, prescribed_values
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array, Int32Array


class PointLoads:
    """Lifts and loads of point impurities; see ``pearlfem.formulation.stream.point_lifts``.

    Args:
        films: One film with a uniform Pearl length, in the half of a mirror symmetric open space.
        level: The operator and its function space.

    Note:
        Collective, as are all methods.
    """

    def __init__(self, films: Sequence[FilmMesh], level: Level) -> None:
        (self._film,) = films
        self._level = level
        self._dofs = prescribed_dofs(level.V, self._film, level.fixed)
        # Unlike the operator of the level, this matrix has the rows and columns of fixed dofs.
        matrix = fem_petsc.assemble_matrix(forms.energy_form(level.V, self._film))
        matrix.assemble()
        self._columns = _columns(matrix, self._dofs)
        matrix.destroy()

    def loads(self, impurities: Sequence[Impurity]) -> Iterator[Load]:
        """Yield b, zero at fixed unknowns, and the lift of each impurity.

        Successive impurities at the same position (for example its two moments) share most of the
        work.
        """
        for _, group in groupby(impurities, key=_position_and_strength):
            first, *others = group
            lifts = prescribed_values(self._level.V, self._film.film, first, self._dofs)
            images = np.column_stack([self._image(values) for values in lifts.T])
            for impurity in (first, *others):
                yield self._load(lifts @ impurity.moment, images @ impurity.moment)

    def destroy(self) -> None:
        """Free the matrix."""
        self._columns.destroy()

    def _load(self, values: Array, image: Array) -> Load:
        """Return the load and the lift of an impurity.

        Args:
            values: l at the prescribed dofs.
            image: B(l, v) for the basis functions v of all owned dofs.
        """
        level, vector = self._level, -image
        vector[level.fixed[level.fixed < len(vector)]] = 0.0
        return Load(
            vector if level.shared is None else level.shared.gather(vector),
            Lift(self._dofs, values, image[self._dofs]),
        )

    def _image(self, values: Array) -> Array:
        """Return B(l, v) for the basis functions v of all owned dofs; l = ``values``."""
        lift, image = self._columns.createVecs()
        lift.array[:] = values
        self._columns.mult(lift, image)
        return np.array(image.array_r)


def _position_and_strength(impurity: Impurity) -> tuple[Point, float]:
    """Return the parameters that impurities with the same ``prescribed_values`` share."""
    return impurity.position, impurity.strength


def _columns(matrix: PETSc.Mat, dofs: Int32Array) -> PETSc.Mat:
    """Return all rows and the columns of the owned ``dofs`` of ``matrix`` (collective)."""
    first, last = matrix.getOwnershipRange()
    rows = PETSc.IS().createStride(last - first, first, 1, comm=matrix.comm)
    columns = PETSc.IS().createGeneral(first + dofs, comm=matrix.comm)
    return matrix.createSubMatrix(rows, columns)
