"""A mesh belongs to its films: others are refused, except those with other Pearl lengths."""

import dataclasses

import pytest
from mpi4py import MPI

from pearlfem import (
    Difference,
    Disc,
    Film,
    Hole,
    Impurity,
    MaxwellLondon,
    Periodic,
    Plane,
    Polygon,
    Rectangle,
    Region,
    Union,
    create_mesh,
    interaction_tensor,
    read_mesh,
    superpose,
)
from pearlfem.errors import StudyError
from pearlfem.mesh.arrays import mesh_arrays, mesh_from_arrays
from pearlfem.mesh.generate import write_mesh
from pearlfem.mesh.refined import refined
from pearlfem.mesh.round_edges import fit_round_edges
from pearlfem.mesh.whose_films import mesh_of
from pearlfem.model.layers import Layer

SOURCE = (Impurity((0.0, 0.0), size=0.5),)
STRIP = Film(Rectangle((4.0, 2.0)), 1.0)
LOOP = Hole(Disc(0.3, (-0.8, 0.0)), "loop")
PATCH = Region(Rectangle((0.4, 0.4), (0.8, 0.0)), 2.0)
DEVICE = Film(STRIP.shape, 1.0, (LOOP,), (PATCH,))
TWO = (Layer(STRIP, 0.0, "low"), Layer(Film(Disc(1.0), 1.0), 0.5, "high"))


def coarse(films, **options):
    return create_mesh(films, SOURCE, resolution=0.15, far=2.0, comm=MPI.COMM_SELF, **options)


@pytest.fixture(scope="module")
def strip():
    return coarse(STRIP)


@pytest.fixture(scope="module")
def device():
    return coarse(DEVICE)


OTHERS = {
    "disc": (Film(Disc(1.0), 1.0), r"the rectangle of size \[4.0, 2.0\].*, not the disc of radius"),
    "larger disc": (Film(Disc(20.0), 1.0), "not the disc of radius 20"),
    "larger": (Film(Rectangle((4.0, 2.000001)), 1.0), "not the rectangle"),
    "turned": (Film(Rectangle((4.0, 2.0), angle=90.0), 1.0), "not the rectangle"),
    "hole": (Film(STRIP.shape, 1.0, (LOOP,)), r"the holes none, not \['loop'\]"),
    "hole of the shape": (
        Film(Difference(STRIP.shape, (Disc(0.3),)), 1.0),
        r"the holes none, not \['hole 1'\]",
    ),
    "island": (Film(Union((STRIP.shape, Disc(0.5, (3.0, 0.0)))), 1.0), "not the union"),
    "region": (Film(STRIP.shape, 1.0, (), (PATCH,)), "the regions none; region 1 is the rectangle"),
    "plane": (Film(Plane(), 1.0), "not the whole plane"),
    "height": ((Layer(STRIP, 0.2),), "the film at z = 0, not at 0.2"),
    "films": (TWO, "made for the film, not for film 'low', film 'high'"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_film_is_refused(strip, name):
    films, words = OTHERS[name]
    with pytest.raises(StudyError, match=f"mesh: .*{words}"):
        MaxwellLondon(films, strip, degree=1)


OTHER_PARTS = {
    "no hole": (Film(STRIP.shape, 1.0, (), (PATCH,)), r"the holes \['loop'\], not none"),
    "name": (dataclasses.replace(DEVICE, holes=(Hole(LOOP.shape, "x"),)), "the holes"),
    "moved hole": (
        dataclasses.replace(DEVICE, holes=(Hole(Disc(0.3, (-0.81, 0.0)), "loop"),)),
        "another hole 'loop'",
    ),
    "larger region": (
        dataclasses.replace(DEVICE, regions=(Region(Rectangle((0.5, 0.4), (0.8, 0.0)), 2.0),)),
        "the regions the rectangle of size .0.4, 0.4. .*; region 1 is the rectangle",
    ),
}


@pytest.mark.parametrize("name", OTHER_PARTS)
def test_other_hole_or_region_is_refused(device, name):
    film, words = OTHER_PARTS[name]
    with pytest.raises(StudyError, match=words):
        mesh_of(device, film)


SAME = {
    "Pearl length": dataclasses.replace(DEVICE, pearl_length=7.0),
    "profile": dataclasses.replace(DEVICE, pearl_length=lambda x, y: 1.0 + x**2),
    "of the region": dataclasses.replace(DEVICE, regions=(Region(PATCH.shape, 0.3),)),
    "no region": dataclasses.replace(DEVICE, regions=()),  # whose edge is meshed, and does no harm
    "corners in another order": dataclasses.replace(
        DEVICE, shape=Polygon(((2.0, -1.0), (2.0, 1.0), (-2.0, 1.0), (-2.0, -1.0)))
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_film_that_differs_in_pearl_lengths_shares_the_mesh(device, name):
    assert mesh_of(device, SAME[name]) is device


def test_polygon_in_place_of_a_circle_is_another_film():
    # The mesh of a circle gets other sides for each of the bounds, that of a polygon does not.
    disc = Disc(1.0)
    corners = tuple(disc.outline().exterior.coords[:-1])
    with pytest.raises(StudyError, match="not the polygon with 2048 corners"):
        mesh_of(coarse(Film(disc, 1.0)), Film(Polygon(corners), 1.0))


def test_meshes_made_of_a_mesh_have_its_film(device):
    arrays, _ = mesh_arrays(device)
    made = {
        "refined": refined(device, DEVICE),
        "moved": fit_round_edges(device, DEVICE, covering=True),
        "stored": mesh_from_arrays(arrays, DEVICE, MPI.COMM_SELF),
    }
    for name, mesh in made.items():
        assert mesh_of(mesh, DEVICE) is mesh, name
        with pytest.raises(StudyError, match="holes"):
            mesh_of(mesh, STRIP)
    with pytest.raises(StudyError, match="holes"):
        refined(device, STRIP)


def test_periodic_mesh_has_its_film():
    cell = Periodic(((2.0, 0.0), (0.0, 2.0)))
    plane, hole = Film(Plane(), 1.0), Film(Plane(), 1.0, (Hole(Disc(0.3, (0.5, 0.5)), "loop"),))
    with pytest.raises(StudyError, match="holes none, not"):
        MaxwellLondon(hole, coarse(plane, boundary=cell), degree=1)


def test_films_at_heights_are_told_apart():
    mesh = coarse(TWO)
    assert mesh_of(mesh, TWO[::-1]) is mesh
    for films, words in (
        ((TWO[0], dataclasses.replace(TWO[1], height=0.6)), "film 'high' at z = 0.5, not at 0.6"),
        ((TWO[0], Layer(Film(Disc(1.1), 1.0), 0.5, "high")), "film 'high' differs"),
        (TWO[:1], "made for film 'low', film 'high', not for film 'low'"),
        ((TWO[0], dataclasses.replace(TWO[1], name="top")), "not for film 'low', film 'top'"),
    ):
        with pytest.raises(StudyError, match=words):
            mesh_of(mesh, films)


def test_file_must_fit_the_film(tmp_path):
    path = tmp_path / "device.msh"
    write_mesh(path, DEVICE, SOURCE, resolution=0.15, far=2.0)
    mesh = read_mesh(path, MPI.COMM_SELF)
    assert mesh.films is None
    for other, words in ((STRIP, "mesh: has the holes"), (OTHERS["disc"][0], "mesh: has the hole")):
        with pytest.raises(StudyError, match=words):
            MaxwellLondon(other, mesh, degree=1)
    for film, words in (
        (dataclasses.replace(DEVICE, shape=Rectangle((4.1, 2.0))), "has 'plane' at"),
        (dataclasses.replace(DEVICE, shape=Rectangle((3.9, 2.0))), "has 'film' at"),
        (OTHER_PARTS["larger region"][0], "has 'film' at"),
    ):
        with pytest.raises(StudyError, match=f"mesh: {words}.*does not fit the film"):
            MaxwellLondon(film, mesh, degree=1)
    problem = MaxwellLondon(DEVICE, mesh, degree=1, formulation="vector")
    assert mesh_of(problem.mesh, DEVICE) is problem.mesh  # whose round edges have moved
    problem.destroy()


def test_facets_must_fit_films_at_heights():
    mesh = dataclasses.replace(coarse(TWO), films=None)
    assert len(mesh_of(mesh, TWO).films) == 2
    for films, words in (
        ((TWO[0], Layer(Film(Disc(1.1), 1.0), 0.5, "high")), "film 'high' asked for"),
        ((TWO[0], dataclasses.replace(TWO[1], height=0.6)), "no film 'high: film' in z = 0.6"),
        ((TWO[0], dataclasses.replace(TWO[1], name="top")), "no film 'top: film'"),
        ((Layer(STRIP),), "no film 'film' in z = 0"),
    ):
        with pytest.raises(StudyError, match=words):
            mesh_of(mesh, films)


def test_solutions_of_several_problems_are_not_mixed(strip):
    problems = [MaxwellLondon(Film(STRIP.shape, r0), strip, degree=1) for r0 in (1.0, 2.0)]
    each = [problem.solve(SOURCE) for problem in problems]
    for mix in (lambda: superpose(each, [1.0, 1.0]), lambda: interaction_tensor(each)):
        with pytest.raises(StudyError, match="several problems; allowed: those of one"):
            mix()
    for problem in problems:
        problem.destroy()
