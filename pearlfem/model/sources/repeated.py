"""An impurity with all its images in a periodic space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pearlfem.model.layers import Layer
from pearlfem.model.periodic import lattice_points
from pearlfem.model.sources.base import Core, Source
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array

_Vectors = tuple[Point, Point]


@dataclass(frozen=True)
class Repeated(Source):
    """An impurity and all its images; see ``Source``.

    Args:
        impurity: The impurity in one of the cells.
        vectors: The shortest vectors of the lattice, see ``Periodic.vectors`` [length].
    """

    impurity: Impurity
    vectors: _Vectors

    @property
    def cores(self) -> Sequence[Core]:
        """The impurity itself, which stands for all its images."""
        return self.impurity.cores

    @property
    def components(self) -> tuple[Repeated, ...]:
        """The components of the impurity, with their images."""
        return tuple(Repeated(part, self.vectors) for part in self.impurity.components)

    @property
    def weights(self) -> tuple[float, float]:
        """The weights of the impurity."""
        return self.impurity.weights

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return a, summed over all images; see ``Source``."""
        vectors, center = np.array(self.vectors), np.array(self.impurity.position)
        steps = np.round((points - center) @ np.linalg.inv(vectors))
        near = points - steps @ vectors  # in the cell around the impurity
        farthest = np.linalg.norm(vectors, axis=1).sum() / 2
        total = np.zeros_like(points)
        for shift in lattice_points(vectors, self.impurity.reach + farthest):
            total += self.impurity.vector_potential(layer, near - shift, superfluid_weight)
        return total


def repeated(source: Source, vectors: _Vectors) -> Repeated:
    """Return an impurity with its images along ``vectors``; see ``check_repeatable``."""
    assert isinstance(source, Impurity)
    return Repeated(source, vectors)
