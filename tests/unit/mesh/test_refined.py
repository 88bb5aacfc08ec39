"""Meshes whose cells are cut into eight: shapes, groups, round edges, areas."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Hole, Impurity, Plane, Rectangle, Region, Walls, create_mesh
from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Difference, Union, ring
from pearlfem.mesh.refined import refined
from pearlfem.model.periodic import Periodic

COARSE = {"resolution": 0.1, "far": 3.0, "comm": MPI.COMM_SELF}
SOURCE = (Impurity((0.0, 0.0), size=0.5),)
DISC = Film(Disc(1.0), 1.0)
POINT = (Impurity((0.0, 0.0), size=0.0),)


@pytest.fixture(scope="module")
def disc():
    return create_mesh(DISC, SOURCE, **COARSE)


@pytest.fixture(scope="module")
def finer(disc):
    return refined(disc, DISC)


def cells(mesh):
    """Corners of all cells, shape (n, 4, 3)."""
    return mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]


def volumes(mesh):
    corners = cells(mesh)
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6


def qualities(mesh):
    """12 (3 V)^(2/3) / Σ edge², which is 1 for regular cells and 0 for flat ones."""
    corners = cells(mesh)
    edges = corners[:, :, None] - corners[:, None]
    return 12 * (3 * volumes(mesh)) ** (2 / 3) / (np.sum(edges**2, axis=(1, 2, 3)) / 2)


def areas(mesh, name):
    triangles = mesh.corners(name)
    return np.abs(np.linalg.det(triangles[:, 1:] - triangles[:, :1])) / 2


def rim(mesh, name):
    """Ends of the edges that belong to a single facet of a group, shape (n, 2, 2)."""
    vertices, numbers = np.unique(mesh.corners(name).reshape(-1, 2), axis=0, return_inverse=True)
    edges = numbers.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    different, count = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return vertices[different[count == 1]]


def test_each_cell_gives_eight(disc, finer):
    assert finer.cells == 8 * disc.cells
    for name in disc.groups:
        assert len(finer.facets(name)) == 4 * len(disc.facets(name))


def test_zero_refinements_return_the_same_mesh(disc):
    assert refined(disc, DISC, 0) is disc


def test_two_refinements_are_one_after_another():
    film = Film(Plane(), 1.0)
    mesh = create_mesh(film, SOURCE, **COARSE)
    twice, more = refined(mesh, film, 2), refined(refined(mesh, film), film)
    np.testing.assert_array_equal(np.sort(volumes(twice)), np.sort(volumes(more)))
    assert volumes(twice).sum() == pytest.approx(volumes(mesh).sum(), rel=1e-12)


def test_cells_fill_the_same_space(disc, finer):
    assert volumes(finer).sum() == pytest.approx(volumes(disc).sum(), rel=1e-12)


def test_cells_remain_well_shaped(disc, finer):
    # Half of the cells have the shape of their parent, the others depend on the diagonal. The
    # bounds are that of the octahedron in a regular tetrahedron (0.84), times a factor for a bad
    # parent.
    assert qualities(finer).mean() > 0.95 * qualities(disc).mean()
    assert qualities(finer).min() > 0.5 * qualities(disc).min()


def test_neighbours_share_whole_facets(finer):
    topology = finer.domain.topology
    topology.create_connectivity(2, 3)
    alone = np.flatnonzero(np.diff(topology.connectivity(2, 3).offsets) == 1)
    named = finer.facets("film", "plane", "far")
    np.testing.assert_array_equal(alone, np.sort(named))


def test_cells_come_in_the_order_of_their_parents(disc, finer):
    middles = [
        cells(mesh)[np.argsort(mesh.domain.topology.original_cell_index)].mean(axis=1)
        for mesh in (disc, finer)
    ]
    np.testing.assert_allclose(middles[1].reshape(-1, 8, 3).mean(axis=1), middles[0], atol=0.02)


def test_vertices_of_round_edges_lie_on_their_circles(disc, finer):
    before, after = rim(disc, "film"), rim(finer, "film")
    assert len(after) == 2 * len(before)
    np.testing.assert_allclose(np.linalg.norm(after, axis=2), 1.0, rtol=1e-9)  # rounding in gmsh


SHAPES = {
    "flat": (Difference(Disc(1.0), (Rectangle((1.0, 1.0), center=(1.3, 0.0)),)), {"plane"}),
    "two": (Union((Disc(1.0), Disc(0.8, center=(0.9, 0.1)))), {"plane"}),
    "ring": (ring(0.4, 1.0), {"plane", "hole hole 1"}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_area_converges_to_that_of_the_film(name):
    shape, others = SHAPES[name]
    film = Film(shape, 1.0)
    coarse = create_mesh(film, (Impurity((0.0, 0.7), size=0.3),), **COARSE)
    finer = refined(coarse, film)
    assert set(finer.groups) == {"film", "far", *others}
    true = film.outline().area  # polygons of 2048 sides: 1.6e-6 smaller than circles
    errors = [abs(areas(mesh, "film").sum() - true) / true for mesh in (coarse, finer)]
    assert errors[1] < errors[0] / 3.9 + 2e-6  # ∝ the square of the sides' length
    whole = [sum(areas(s, name).sum() for name in ("film", *others)) for s in (coarse, finer)]
    assert whole[0] == pytest.approx(whole[1], rel=1e-12)


def gaps_and_area(mesh, radius):
    """Angles between vertices on a circle around 0, and the area of the film's facets inside."""
    inside = np.linalg.norm(mesh.corners("film").mean(axis=1), axis=1) < radius
    vertices = mesh.corners("film")[inside].reshape(-1, 2)
    on_edge = np.abs(np.linalg.norm(vertices, axis=1) / radius - 1) < 1e-9
    angles = np.unique(np.arctan2(*vertices[on_edge].T).round(9))
    return np.diff(angles, append=angles[0] + 2 * math.pi), areas(mesh, "film")[inside].sum()


def test_edges_of_regions_become_rounder():
    film = Film(Plane(), 1.0, (Hole(Disc(0.3, (1.5, 0.0)), "loop"),), (Region(Disc(0.5), 2.0),))
    coarse = create_mesh(film, (Impurity((-1.0, 0.0), size=0.5),), **COARSE)
    finer = refined(coarse, film)
    (before, _), (after, area) = (gaps_and_area(mesh, 0.5) for mesh in (coarse, finer))
    np.testing.assert_allclose(np.sort(after)[::2], np.sort(before) / 2, atol=3e-9)  # rounded
    np.testing.assert_allclose(area, 0.25 / 2 * np.sin(after).sum(), rtol=1e-7)
    edge = np.linalg.norm(rim(finer, "hole loop") - (1.5, 0.0), axis=2)
    np.testing.assert_allclose(edge, 0.3, rtol=1e-9)


@pytest.mark.parametrize("times", [0, 1])
def test_polygon_keeps_the_area_of_its_circle_for_points(times):
    mesh = refined(create_mesh(DISC, POINT, **COARSE), DISC, times, same_area=True)
    # The factor of each vertex is a mean over its two sides, so an error of fourth order is left.
    longest = np.linalg.norm(np.diff(rim(mesh, "film"), axis=1), axis=2).max()
    assert areas(mesh, "film").sum() == pytest.approx(math.pi, rel=0.1 * longest**4 + 1e-9)
    assert np.linalg.norm(rim(mesh, "film"), axis=2).min() > 1


def test_both_halves_of_a_space_are_refined():
    walls = Walls("shield", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))
    coarse = create_mesh(DISC, SOURCE, boundary=walls, **COARSE)
    finer = refined(coarse, DISC)
    assert not finer.mirrored
    assert len(finer.cells_above()) == 8 * len(coarse.cells_above())
    assert len(finer.cells_below()) == 8 * len(coarse.cells_below())
    assert volumes(finer).sum() == pytest.approx(40.0, rel=1e-9)


def test_periodic_space_is_refused():
    film = Film(Plane(), 1.0)
    cell = Periodic(((1.0, 0.0), (0.0, 1.0)))
    mesh = create_mesh(film, SOURCE, boundary=cell, resolution=0.3, comm=MPI.COMM_SELF)
    with pytest.raises(StudyError, match="periodic"):
        refined(mesh, film)
