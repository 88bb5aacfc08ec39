"""The mesh of a disc moved outward: no side of its polygon cuts the disc."""

import math

import numpy as np
import pytest

from pearlfem import Disc, Film, Impurity, Open, Plane, Walls, create_space
from pearlfem.mesh.circumscribed import circumscribe, round_edge

DISC = Disc(1.5, center=(2.0, -0.75))
IMPURITY = Impurity((2.5, -0.5), size=0.3)
BOUNDARIES = {"open": Open(), "walls": Walls("shield", (4.0, 4.0, 2.0), (2.0, -0.75, 0.4))}


@pytest.fixture(scope="module", params=BOUNDARIES)
def inscribed(request):
    film, boundary = Film(DISC, 1.0), BOUNDARIES[request.param]
    return create_space(film, [IMPURITY], boundary=boundary, resolution=0.2, far=5.0)


@pytest.fixture(scope="module")
def moved(inscribed):
    return circumscribe(inscribed, DISC)


def edge_of(space):
    """The sides of the film's edge: those of one facet of the film only, pairs of nodes."""
    nodes = space.mesh.geometry.dofmaps[0]
    cells, local = space.sides("film").T
    keep = np.arange(4) != local[:, None]  # facet i is opposite to vertex i
    triangles = np.sort(nodes[cells][keep].reshape(-1, 3), axis=1)
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [0, 2]], triangles[:, [1, 2]]])
    unique, counts = np.unique(sides, axis=0, return_counts=True)
    return unique[counts == 1]


def nearest_points(a, b, center):
    """The distances of the segments from a to b, ``(n, 2)``, to the centre."""
    along = b - a
    part = np.clip(np.sum((center - a) * along, axis=1) / np.sum(along**2, axis=1), 0, 1)
    return np.linalg.norm(a + part[:, None] * along - center, axis=1)


def test_no_side_cuts_the_disc(inscribed, moved):
    ends = edge_of(inscribed)
    assert len(ends) > 20
    for space, inside in ((inscribed, True), (moved, False)):
        a, b = space.mesh.geometry.x[ends, :2].transpose(1, 0, 2)
        distances = nearest_points(a, b, DISC.center)
        if inside:
            assert distances.max() < DISC.radius * (1 - 1e-4)
        else:
            assert distances.min() >= DISC.radius * (1 - 1e-12)


def test_polygon_is_hardly_larger_than_needed(inscribed, moved):
    ends = edge_of(inscribed)
    radii = np.linalg.norm(moved.mesh.geometry.x[ends, :2] - DISC.center, axis=-1)
    # R/cos α with α half the angle of the longest side: 1 + α²/2, and a bit
    longest = np.linalg.norm(np.diff(inscribed.mesh.geometry.x[ends], axis=1), axis=-1).max()
    assert radii.max() <= DISC.radius / math.cos(math.asin(longest / 2 / DISC.radius)) * (1 + 1e-9)
    assert radii.min() > DISC.radius


def test_vertices_off_the_edge_stay(inscribed, moved):
    before, after = inscribed.mesh.geometry.x, moved.mesh.geometry.x
    edge = np.unique(edge_of(inscribed))
    np.testing.assert_array_equal(np.sort(round_edge(before, DISC)), edge)
    off = np.setdiff1d(np.arange(len(before)), edge)
    np.testing.assert_array_equal(after[off], before[off])
    assert np.all(np.linalg.norm(after[edge] - before[edge], axis=1) > 0)
    np.testing.assert_array_equal(after[edge, 2], 0.0)


def test_original_mesh_stays(inscribed, moved):
    radii = np.linalg.norm(inscribed.mesh.geometry.x[edge_of(inscribed), :2] - DISC.center, axis=-1)
    np.testing.assert_allclose(radii, DISC.radius, rtol=1e-9)  # rounding in gmsh
    assert moved is not inscribed


def test_cells_tags_and_groups_are_kept(inscribed, moved):
    assert moved.cells == inscribed.cells
    assert (moved.groups, moved.mirrored) == (inscribed.groups, inscribed.mirrored)
    for attribute in ("indices", "values"):
        before, after = (getattr(space.facet_tags, attribute) for space in (inscribed, moved))
        np.testing.assert_array_equal(after, before)
    nodes = [space.mesh.geometry.dofmaps[0] for space in (inscribed, moved)]
    np.testing.assert_array_equal(*nodes)
    np.testing.assert_array_equal(inscribed.sides("film"), moved.sides("film"))


def test_no_cell_is_turned_inside_out(inscribed, moved):
    before, after = (
        np.linalg.det(corners[:, 1:] - corners[:, :1])
        for space in (inscribed, moved)
        for corners in [space.mesh.geometry.x[space.mesh.geometry.dofmaps[0]]]
    )
    assert np.all(after / before > 0.3)
    assert np.abs(after / before - 1).max() > 1e-4


def test_round_edge_has_no_points_of_other_heights():
    ring = [(0.0, 1.0, 0.0), (0.0, 1.0, 0.5), (1.0, 0.0, 0.0), (0.5, 0.0, 0.0), (2.0, 0.0, 0.0)]
    assert round_edge(np.array(ring), Disc(1.0)).tolist() == [0, 2]


def test_plane_is_returned_as_it_is():
    film = Film(Plane(), 1.0)
    space = create_space(film, [IMPURITY], resolution=0.3, far=5.0)
    assert circumscribe(space, film.shape) is space
