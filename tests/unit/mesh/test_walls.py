"""Boxes and slabs around the film, meshed by half or as a whole: groups, sizes, grading."""

import math

import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.mesh.generate import create_mesh, write_mesh
from pearlfem.mesh.tagged import read_mesh
from pearlfem.model.boundary import Walls
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity

FILMS = {"plane": Film(Plane(), 1.0), "disc": Film(Disc(1.0, center=(0.25, 0.5)), 1.0)}
IMPURITIES = [Impurity((0.5, 0.25), size=0.3)]
COARSE = {"resolution": 0.3, "far": 4.0}
BOXES = {
    "half box": Walls("shield", (4.0, 5.0, 2.0), (0.25, 0.0, 0.0)),
    "box": Walls("magnetic-wall", (4.0, 5.0, 2.0), (0.25, 0.0, 0.5)),
    "half slab": Walls("magnetic-wall", (math.inf, math.inf, 2.0)),
    "slab": Walls("shield", (math.inf, math.inf, 2.0), (0.0, 0.0, -0.5)),
}


@pytest.fixture(scope="module", params=FILMS)
def shape(request):
    return request.param


@pytest.fixture(scope="module", params=BOXES)
def walls(request):
    return BOXES[request.param]


@pytest.fixture(scope="module")
def mesh(shape, walls):
    return create_mesh(FILMS[shape], IMPURITIES, boundary=walls, **COARSE)


def test_groups(mesh, shape, walls):
    expected = {"film", walls.kind} | ({"far"} if walls.infinite else set())
    assert set(mesh.groups) == expected | ({"plane"} if shape == "disc" else set())
    assert mesh.mirrored == walls.mirrored


def test_every_outer_facet_and_every_facet_in_the_plane_is_in_one_group(mesh, corners):
    topology = mesh.domain.topology
    topology.create_connectivity(2, 3)
    outer = np.flatnonzero(np.diff(topology.connectivity(2, 3).offsets) == 1)
    named = np.concatenate([mesh.facets(group) for group in mesh.groups])
    assert len(named) == len(set(named))
    in_plane = set(mesh.facets("film", "plane"))
    assert set(named) == set(outer) | in_plane
    assert mesh.mirrored == (in_plane <= set(outer))
    assert np.all(corners(mesh, "film", "plane")[..., 2] == 0.0)


def test_walls_are_where_they_should_be(mesh, walls, corners):
    z = corners(mesh, walls.kind)[..., 2]
    assert mesh.domain.geometry.x[:, 2].max() == pytest.approx(walls.heights[1], rel=1e-9)
    if not mesh.mirrored:
        assert z.min() == pytest.approx(walls.heights[0], rel=1e-9)
    if walls.infinite:
        assert np.abs(z).min() > 0.4
        assert np.all(np.ptp(z, axis=1) < 1e-9)
    else:
        sides = corners(mesh, walls.kind)[..., :2]
        np.testing.assert_allclose(np.ptp(sides, axis=(0, 1)), walls.box[:2], rtol=1e-9)
        np.testing.assert_allclose(sides.min(axis=(0, 1)), (-1.75, -2.5), rtol=1e-9)


def test_space_has_its_volume(mesh, walls, corners, measure):
    height = walls.box[2] / (2 if mesh.mirrored else 1)
    # Bottom and top of a slab are different polygons in the same circle, which is coarse.
    base = measure(corners(mesh, "film", "plane"))
    assert measure(corners(mesh)) == pytest.approx(
        base * height, rel=0.05 if walls.infinite else 1e-9
    )
    if not walls.infinite:
        assert base == pytest.approx(4.0 * 5.0, rel=1e-9)


def test_no_cell_crosses_the_plane(mesh, walls):
    z = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0], 2]
    assert np.all((z.min(axis=1) >= 0) | (z.max(axis=1) <= 0))
    above, below = mesh.cells_above(), mesh.cells_below()
    assert len(above) + len(below) == mesh.cells
    assert (len(below) == 0) == walls.mirrored
    assert np.all(z[above].max(axis=1) > 0)


def test_sides_have_each_facet_of_the_film_once(mesh):
    sides = mesh.sides("film")
    facets = mesh.domain.topology.connectivity(3, 2).array.reshape(-1, 4)[sides[:, 0], sides[:, 1]]
    assert sorted(facets) == sorted(mesh.facets("film"))
    assert set(sides[:, 0]) <= set(mesh.cells_above())


def test_mesh_survives_a_file(tmp_path, shape, walls, mesh):
    path = tmp_path / "walls.msh"
    assert write_mesh(path, FILMS[shape], IMPURITIES, boundary=walls, **COARSE) == mesh.cells
    read = read_mesh(path)
    assert (read.groups.keys(), read.mirrored) == (mesh.groups.keys(), mesh.mirrored)
    assert all(len(read.facets(group)) == len(mesh.facets(group)) for group in mesh.groups)


def test_cells_between_near_walls_are_not_too_flat(corners):
    near = Walls("shield", (math.inf, math.inf, 0.1))
    film = corners(create_mesh(FILMS["disc"], IMPURITIES, boundary=near, **COARSE), "film")
    # The largest size is 4 × 0.05, the wall's distance; gmsh's edges are up to 1.5 times as long.
    assert np.linalg.norm(film - np.roll(film, 1, axis=1), axis=-1).max() < 0.3


def test_walls_that_cut_the_film_are_refused():
    with pytest.raises(StudyError, match="cuts the disc"):
        create_mesh(FILMS["disc"], IMPURITIES, boundary=Walls("shield", (2.0, 5.0, 1.0)))
