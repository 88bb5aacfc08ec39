"""Short names for what many tests make."""

from pathlib import Path

from pearlfem import Film
from pearlfem.formulation.film import FilmMesh
from pearlfem.io.fields.nodal import NodalValues
from pearlfem.io.fields.vtu import write_films
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.layers import Layer


def in_mesh(film: Film, mesh: TaggedMesh) -> FilmMesh:
    """A film in z = 0 as the mesh has it."""
    return FilmMesh(Layer(film), mesh)


def write_film(folder: Path, values: NodalValues) -> Path:
    """Write the file of the only film."""
    (path,) = write_films(folder, values)
    return path
