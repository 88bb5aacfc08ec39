"""The mesh of a half ball over the film: its groups, size and grading, and refused input."""

import math

import gmsh
import meshio
import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.mesh.generate import create_mesh, write_mesh
from pearlfem.mesh.tagged import read_mesh
from pearlfem.model.boundary import Walls
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity

FAR = 5.0
COARSE = {"resolution": 0.05, "far": FAR}  # like the fixture ``mesh``


@pytest.fixture(scope="module")
def plane_space(plane_film):
    return create_mesh(plane_film, [Impurity((0.5, 0.0), size=0.3)], resolution=0.4, far=FAR)


def exterior_facets(mesh) -> set[int]:
    """Facets that belong to a single cell."""
    topology = mesh.domain.topology
    topology.create_connectivity(2, 3)
    cells = topology.connectivity(2, 3)
    return set(np.flatnonzero(np.diff(cells.offsets) == 1).tolist())


def test_plane_has_a_film_and_a_far_boundary(plane_space):
    assert set(plane_space.groups) == {"film", "far"}


def test_disc_has_a_plane_around_it_as_well(mesh):
    assert set(mesh.groups) == {"film", "plane", "far"}


@pytest.mark.parametrize("which", ["mesh", "plane_space"])
def test_every_outer_facet_is_in_one_group(which, request):
    mesh = request.getfixturevalue(which)
    named = [facet for group in mesh.groups for facet in mesh.facets(group).tolist()]
    assert len(named) == len(set(named))
    assert set(named) == exterior_facets(mesh)


def test_missing_group_has_no_facets(plane_space):
    assert plane_space.facets("plane").size == 0
    assert set(plane_space.facets("plane", "film")) == set(plane_space.facets("film"))


def test_film_and_plane_lie_in_the_plane_exactly(mesh, corners):
    assert np.all(corners(mesh, "film", "plane")[..., 2] == 0.0)
    assert mesh.domain.geometry.x[:, 2].min() == 0.0


def test_disc_is_inscribed(mesh, film, corners, measure):
    parts = corners(mesh, "film")
    radius = np.linalg.norm(parts[..., :2] - film.shape.center, axis=-1).max()
    assert radius <= film.shape.radius * (1 + 1e-12)  # rounding in gmsh
    # The area of a polygon with sides h is smaller by h²/6R² of the circle's; here h < 0.2 R.
    assert 0.99 * math.pi * film.shape.radius**2 < measure(parts) < math.pi * film.shape.radius**2


def test_plane_surrounds_the_disc(mesh, film, corners):
    middles = corners(mesh, "plane").mean(axis=1)[:, :2]
    assert np.linalg.norm(middles - film.shape.center, axis=1).min() > 0.99 * film.shape.radius


def test_far_boundary_of_a_disc_is_a_half_sphere_around_it(mesh, film, corners):
    center = np.array([*film.shape.center, 0.0])
    radii = np.linalg.norm(corners(mesh, "far") - center, axis=-1)
    np.testing.assert_allclose(radii, FAR * film.shape.radius, rtol=1e-9)  # rounding in gmsh


@pytest.mark.parametrize("size", [0.3, 2.0])  # less and more than a Pearl length
def test_far_boundary_of_the_plane_is_in_units_of_impurities_or_pearl_lengths(
    size, plane_film, corners
):
    pair = [Impurity((x, 1.0), size=size) for x in (0.0, 1.0)]
    mesh = create_mesh(plane_film, pair, **COARSE)
    device = max(0.5 + size, plane_film.pearl_length)
    radii = np.linalg.norm(corners(mesh, "far") - (0.5, 1.0, 0.0), axis=-1)
    np.testing.assert_allclose(radii, FAR * device, rtol=1e-9)


def test_cells_fill_the_half_ball(plane_space, corners, measure):
    # A polyhedron inside the half ball of radius 5: its far facets of 0.6 R cut 8 % off.
    ball = 2 / 3 * math.pi * FAR**3
    assert 0.85 * ball < measure(corners(plane_space)) < ball


def test_cells_at_an_impurity_resolve_its_size(plane_film, corners):
    small, large = Impurity((-1.0, 0.0), size=0.05), Impurity((1.0, 0.0), size=0.4)
    film = corners(create_mesh(plane_film, [small, large], far=FAR), "film")
    for impurity in (small, large):
        offsets = np.linalg.norm(film[..., :2] - impurity.position, axis=-1)
        near = film[offsets.max(axis=1) < 2 * impurity.size]
        assert len(near) >= 10
        # The size at 1.5 ξ is h = 0.5 ξ; some of gmsh's edges are up to 1.5 times as long.
        assert np.linalg.norm(near - np.roll(near, 1, axis=1), axis=-1).max() < impurity.size


def test_cells_at_the_edge_of_a_disc_are_finer_than_far_away(mesh, film, corners):
    def edges(triangles):
        return np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=-1)

    triangles = corners(mesh, "film")
    radii = np.linalg.norm(triangles[..., :2] - film.shape.center, axis=-1)
    on_circle = np.isclose(radii, film.shape.radius, rtol=1e-9)
    rim = edges(triangles)[on_circle & np.roll(on_circle, 1, axis=1)]
    # Sizes are hundredths of the radius at the edge, and twice the radius at the far boundary.
    assert rim.size > 40
    assert rim.max() < 0.2 * edges(corners(mesh, "far")).min()


def test_twice_the_resolution_has_about_eight_times_the_cells(plane_film):
    source = [Impurity((0.5, 0.0), size=0.3)]
    coarse, fine = (
        create_mesh(plane_film, source, resolution=resolution, far=FAR).cells
        for resolution in (0.4, 0.8)
    )
    # Eight times if cells are small compared with the ball; here they are not, so it is less.
    assert 4 * coarse < fine < 10 * coarse


def test_far_boundary_sixteen_times_as_far_needs_few_more_cells(plane_film):
    source = [Impurity((0.0, 0.0), size=0.3)]
    near, far = (
        create_mesh(plane_film, source, resolution=0.5, far=far).cells for far in (8.0, 128.0)
    )
    # Each of four doublings adds the same number of cells, about 0.3 of those within 8: together
    # 2.2 times as many. With cells of one size in the outer space it would be 16³ times as many.
    assert near < far < 3 * near


@pytest.mark.parametrize("shape", ["plane", "disc"])
@pytest.mark.parametrize(
    ("unit", "origin"), [(1e-6, (0.0, 0.0)), (1e6, (0.0, 0.0)), (1.0, (3.0, -40.0))]
)
def test_mesh_depends_neither_on_the_unit_of_length_nor_on_the_origin(shape, unit, origin):
    def create(unit, origin):
        def place(x, y):
            return (origin[0] + unit * x, origin[1] + unit * y)

        disc = Disc(radius=unit, center=place(0.0, 0.0))
        film = Film(disc if shape == "disc" else Plane(), pearl_length=unit)
        impurities = [Impurity(place(0.25, 0.5), size=0.3 * unit)]
        return create_mesh(film, impurities, **COARSE)

    there, here = create(unit, origin), create(1.0, (0.0, 0.0))
    assert there.cells == here.cells
    x = (there.domain.geometry.x - (*origin, 0.0)) / unit
    # All nodes have the same positions, up to rounding of origin + unit x, which is up to 40.
    np.testing.assert_allclose(x, here.domain.geometry.x, atol=1e-13)


def test_mesh_is_the_same_every_time(film, impurities, mesh):
    again = create_mesh(film, impurities, **COARSE)
    np.testing.assert_array_equal(again.domain.geometry.x, mesh.domain.geometry.x)


def test_all_nodes_of_a_mesh_belong_to_cells(mesh):
    vertices = mesh.domain.topology.index_map(0).size_global
    assert mesh.domain.geometry.index_map().size_global == vertices


# --- refusals


@pytest.mark.parametrize("resolution", [0.0, -1.0, math.nan, math.inf])
def test_resolution_must_be_positive_and_finite(plane_film, resolution):
    with pytest.raises(StudyError, match=rf"resolution = {resolution}.*positive"):
        create_mesh(plane_film, [Impurity((0.0, 0.0), size=0.3)], resolution=resolution)


@pytest.mark.parametrize("far", [0.0, 1.0, -5.0, math.nan, math.inf])
def test_far_boundary_must_be_beyond_the_device(plane_film, far):
    with pytest.raises(StudyError, match=rf"far = {far}.*at least 2"):
        create_mesh(plane_film, [Impurity((0.0, 0.0), size=0.3)], far=far)


def test_mesh_needs_an_impurity_on_the_film(plane_film, film):
    with pytest.raises(StudyError, match="impurity"):
        create_mesh(plane_film, [])
    with pytest.raises(StudyError, match="outside"):
        create_mesh(film, [Impurity((9.0, 0.0), size=0.3)])


def test_gmsh_is_closed_afterwards_even_if_it_fails(plane_film, tmp_path):
    source = [Impurity((0.0, 0.0), size=0.3)]
    create_mesh(plane_film, source, **COARSE)
    assert not gmsh.isInitialized()
    with pytest.raises(StudyError, match=r"x\.msh"):
        write_mesh(tmp_path / "no" / "such" / "x.msh", plane_film, source, **COARSE)
    assert not gmsh.isInitialized()


# --- the .msh file


def test_written_mesh_has_all_groups(tmp_path, film, impurities):
    path = tmp_path / "disc.msh"
    write_mesh(path, film, impurities, **COARSE)
    groups = {name: dimension for name, (_, dimension) in meshio.read(path).field_data.items()}
    assert groups == {"space": 3, "film": 2, "plane": 2, "far": 2}


def test_mesh_survives_a_file(tmp_path, film, impurities, mesh, corners, measure):
    path = tmp_path / "disc.msh"
    cells = write_mesh(path, film, impurities, **COARSE)
    read = read_mesh(path)
    assert cells == read.cells == mesh.cells
    assert set(read.groups) == set(mesh.groups)
    for group in mesh.groups:
        assert len(read.facets(group)) == len(mesh.facets(group))
        there, here = (measure(corners(s, group)) for s in (read, mesh))
        assert there == pytest.approx(here, rel=1e-12)  # the file has 16 digits


@pytest.mark.parametrize("resolution", [0.398, 0.3987, 0.3988, 0.399, 0.3995])
def test_no_core_is_missed_where_sizes_grow_fast(resolution):
    # At 0.3987 gmsh finds the cores from the rim of the plane; at the others it does not, and
    # leaves 228 cells.
    walls = Walls("shield", (np.inf, np.inf, 20.9973))
    sources = (Impurity((0.0, 0.0), 0.40465), Impurity((1.62813, 7.20184), 0.56408))
    film = Film(Plane(), 2.1477)
    mesh = create_mesh(film, sources, boundary=walls, resolution=resolution, far=10.87)
    assert 1000 < mesh.cells < 1200
