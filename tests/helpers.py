"""Short names for what many tests make."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

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


def rows(*names: str) -> list[dict[str, float]]:
    """Rows of tables of ``tests/data``, side by side."""
    tables = []
    for name in names:
        with (Path(__file__).parent / "data" / name).open() as table:
            tables.append([{k: float(v) for k, v in row.items()} for row in csv.DictReader(table)])
    return [{k: v for row in side for k, v in row.items()} for side in zip(*tables, strict=True)]


def case(*values: object, slow: bool):
    """Parameters of a test; slow ones lie between others, which `make test` runs."""
    return pytest.param(*values, marks=[pytest.mark.slow] * slow)


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
