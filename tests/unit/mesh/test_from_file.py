"""Stored meshes: accepted for the film and the space of the study, refused for any other."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Hole, Impurity, Plane, Region, Walls
from pearlfem.errors import StudyError
from pearlfem.mesh.from_file import mesh_from_file
from pearlfem.mesh.generate import write_mesh
from pearlfem.model.boundary import Open
from pearlfem.model.periodic import Periodic

SOURCE = (Impurity((0.5, 0.0), size=0.5),)
DISC = Film(Disc(1.0), 1.0, (Hole(Disc(0.2, (-0.5, 0.0)), "loop"),), (Region(Disc(0.2), 2.0),))
PLANE = Film(Plane(), 1.0, (Hole(Disc(0.3, (-0.5, 0.0)), "loop"),))
WALLS = Walls("shield", (4.0, 4.0, 2.0), (0.0, 0.0, 0.2))
CELL = Periodic(((1.0, 0.0), (0.3, 1.2)))
CASES = {
    "disc": (DISC, Open()),
    "plane": (PLANE, Open()),
    "walls": (Film(Disc(1.0), 1.0), WALLS),
    "infinite": (Film(Plane(), 1.0), Walls("magnetic-wall", (np.inf, np.inf, 2.0))),
    "periodic": (Film(Plane(), 1.0), CELL),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("meshes"), {}

    def path(name):
        film, boundary = CASES[name]
        if name not in made:
            made[name] = folder / f"{name}.msh"
            write_mesh(made[name], film, SOURCE, boundary=boundary, resolution=0.15, far=3.0)
        return made[name]

    return path


def read(path, film, boundary=CASES["disc"][1]):
    return mesh_from_file(path, film, boundary, comm=MPI.COMM_SELF)


@pytest.mark.parametrize("name", CASES)
def test_mesh_of_the_study_is_accepted(stored, name):
    film, boundary = CASES[name]
    mesh = read(stored(name), film, boundary)
    assert (mesh.cell is not None) == isinstance(boundary, Periodic)
    assert mesh.mirrored == boundary.mirrored


def test_mesh_for_points_has_vertices_outside_circles(tmp_path):
    film, path = Film(Disc(1.0), 1.0), tmp_path / "x.msh"
    write_mesh(path, film, (Impurity((0.0, 0.0), size=0.0),), resolution=0.15, far=3)
    mesh_from_file(path, film, Open(), same_area=True, comm=MPI.COMM_SELF)
    with pytest.raises(StudyError, match="asked for"):  # energies would not be bounds
        read(path, film)


OTHERS = {
    "radius": (Film(Disc(1.001), 1.0, DISC.holes, DISC.regions), "asked for"),
    "larger": (Film(Disc(1.5), 1.0, DISC.holes, DISC.regions), "asked for"),
    "center": (Film(Disc(1.0, (0.002, 0.0)), 1.0, DISC.holes, DISC.regions), "asked for"),
    "no hole": (Film(Disc(1.0), 1.0, (), DISC.regions), "holes"),
    "name": (Film(Disc(1.0), 1.0, (Hole(DISC.holes[0].shape, "x"),), DISC.regions), "holes"),
    "hole": (
        Film(Disc(1.0), 1.0, (Hole(Disc(0.201, (-0.5, 0.0)), "loop"),), DISC.regions),
        "asked for",
    ),
    "region": (Film(Disc(1.0), 1.0, DISC.holes, (Region(Disc(0.25), 2.0),)), "asked for"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_mesh_of_another_film_is_refused(stored, name):
    film, words = OTHERS[name]
    with pytest.raises(StudyError, match=words):
        read(stored("disc"), film)


def test_other_pearl_length_is_accepted(stored):
    read(stored("disc"), Film(Disc(1.0), 7.0, DISC.holes, (Region(Disc(0.2), 0.1),)))


def test_hole_elsewhere_in_a_plane_is_refused(stored):
    with pytest.raises(StudyError, match="asked for"):
        read(stored("plane"), Film(Plane(), 1.0, (Hole(Disc(0.3, (-0.501, 0.0)), "loop"),)))


@pytest.mark.parametrize(
    ("name", "boundary"),
    [
        ("walls", Open()),
        ("walls", Walls("magnetic-wall", WALLS.box, WALLS.center)),
        ("walls", Walls("shield", (4.0, 4.0, 2.0))),
        ("walls", Walls("shield", (4.0, 4.1, 2.0), (0.0, 0.0, 0.2))),
        ("disc", WALLS),
        ("infinite", Walls("magnetic-wall", (np.inf, np.inf, 2.5))),
        ("infinite", CELL),
        ("periodic", Periodic(((1.0, 0.0), (0.31, 1.2)))),
        ("periodic", Walls("magnetic-wall", (1.0, 1.2, 2.0))),
    ],
)
def test_mesh_of_another_space_is_refused(stored, name, boundary):
    with pytest.raises(StudyError):
        read(stored(name), CASES[name][0], boundary)


# --- damaged files


def changed(path: Path, folder: Path, change) -> Path:
    """Write a copy of the file with another line for the first node."""
    lines = path.read_text().splitlines()
    at = lines.index("$Nodes") + 4  # sizes, first entity, number of its node, coordinates
    lines[at] = change(lines[at])
    new = folder / "changed.msh"
    new.write_text("\n".join(lines) + "\n")
    return new


@pytest.mark.parametrize("place", ["0 0 900", "nan 0 0", "inf 0 0"])
def test_inverted_cells_are_refused(stored, tmp_path, place):
    path = changed(stored("disc"), tmp_path, lambda line: place)
    with pytest.raises(StudyError, match=r"changed\.msh: not a valid mesh"):
        read(path, DISC)


def test_folder_or_pipe_is_refused(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        read(tmp_path, DISC)
