"""Short names for what many tests make."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pearlfem import Film, Impurity
from pearlfem.formulation.film import FilmMesh
from pearlfem.io.fields.nodal import NodalValues
from pearlfem.io.fields.vtu import write_films
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Source


def in_mesh(film: Film, mesh: TaggedMesh) -> FilmMesh:
    """A film in z = 0 as the mesh has it."""
    return FilmMesh(Layer(film), mesh)


def write_film(folder: Path, values: NodalValues) -> Path:
    """Write the file of the only film."""
    (path,) = write_films(folder, values)
    return path


@dataclass(frozen=True)
class OnFilm(Source):
    """An impurity that lies on one of the films."""

    impurity: Impurity
    film: str

    @property
    def cores(self):
        return self.impurity.cores

    @property
    def reach(self):
        return self.impurity.reach

    @property
    def components(self):
        return [replace(self, impurity=part) for part in self.impurity.components]

    @property
    def weights(self):
        return self.impurity.weights

    def vector_potential(self, layer, points, superfluid_weight):
        if layer.name != self.film:
            return np.zeros_like(points)
        return self.impurity.vector_potential(layer, points, superfluid_weight)
