"""Round edges, moved so that the meshed film covers the true one, or lies inside it."""

import math

import numpy as np
import pytest

from pearlfem import (
    Disc,
    Film,
    Hole,
    Impurity,
    Open,
    Plane,
    Rectangle,
    Region,
    Walls,
    create_mesh,
    ring,
)
from pearlfem.mesh.round_edges import fit_round_edges
from pearlfem.mesh.sizes.edges import on_circle

DISC, HOLE = Disc(1.5, center=(2.0, -0.75)), Disc(0.5, center=(1.5, -0.75))
SHAPES = {"disc": Film(DISC, 1.0), "disc with a hole": Film(DISC, 1.0, (Hole(HOLE, "eye"),))}
IMPURITY = Impurity((2.5, -0.5), size=0.3)
BOUNDARIES = {"open": Open(), "walls": Walls("shield", (4.0, 4.0, 2.0), (2.0, -0.75, 0.4))}


@pytest.fixture(scope="module", params=SHAPES)
def film(request):
    return SHAPES[request.param]


@pytest.fixture(scope="module", params=BOUNDARIES)
def given(request, film):
    boundary = BOUNDARIES[request.param]
    return create_mesh(film, [IMPURITY], boundary=boundary, resolution=0.2, far=5.0)


@pytest.fixture(scope="module")
def covering(given, film):
    return fit_round_edges(given, film, covering=True)


@pytest.fixture(scope="module")
def within(given, film):
    return fit_round_edges(given, film, covering=False)


def edge_of(mesh):
    """The sides of the film's edge as pairs of nodes: edges of a single facet of the film."""
    nodes = mesh.domain.geometry.dofmaps[0]
    cells, local = mesh.sides("film").T
    keep = np.arange(4) != local[:, None]  # facet i is opposite to vertex i
    triangles = np.sort(nodes[cells][keep].reshape(-1, 3), axis=1)
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [0, 2]], triangles[:, [1, 2]]])
    unique, counts = np.unique(sides, axis=0, return_counts=True)
    return unique[counts == 1]


def edge_on(given, disc):
    """The sides of the film's edge on one circle, in the mesh before vertices move."""
    sides = edge_of(given)
    return sides[on_circle(given.domain.geometry.x[:, :2], disc)[sides].all(axis=1)]


def distances(mesh, ends, center):
    """The distances of sides from a centre, ``(n,)``, and those of their ends, ``(n, 2)``."""
    a, b = mesh.domain.geometry.x[ends, :2].transpose(1, 0, 2)
    along = b - a
    part = np.clip(np.sum((center - a) * along, axis=1) / np.sum(along**2, axis=1), 0, 1)
    nearest = np.linalg.norm(a + part[:, None] * along - center, axis=1)
    return nearest, np.linalg.norm(np.stack([a, b], axis=1) - center, axis=-1)


def area(mesh):
    corners = mesh.corners("film")
    return float(np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).sum() / 2)


def test_film_within_its_edges_is_smaller_and_one_that_covers_it_is_larger(
    film, given, covering, within
):
    exact = math.pi * (DISC.radius**2 - sum(hole.shape.radius**2 for hole in film.holes))
    # Strips of the width h²/8R between polygon and circle, h < 0.1 R: at most 2e-3 of the area
    assert exact * (1 - 5e-3) < area(within) < exact * (1 - 1e-5)
    assert exact * (1 + 1e-5) < area(covering) < exact * (1 + 5e-3)


@pytest.mark.parametrize("disc", [DISC, HOLE], ids=["edge", "hole"])
def test_no_side_cuts_the_circle(film, given, covering, within, disc):
    if disc not in film.discs:
        return
    ends = edge_on(given, disc)
    assert len(ends) > 20
    outer, inner = (covering, within) if disc == DISC else (within, covering)
    assert distances(outer, ends, disc.center)[0].min() >= disc.radius * (
        1 - 1e-11
    )  # coordinates are rounded
    # rounding in gmsh's file
    assert distances(inner, ends, disc.center)[1].max() <= disc.radius * (1 + 1e-9)
    assert distances(inner, ends, disc.center)[0].max() < disc.radius * (1 - 1e-5)


@pytest.mark.parametrize("disc", [DISC, HOLE], ids=["edge", "hole"])
def test_polygon_is_hardly_larger_than_needed(film, given, covering, within, disc):
    if disc not in film.discs:
        return
    ends = edge_on(given, disc)
    outer = covering if disc == DISC else within
    radii = distances(outer, ends, disc.center)[1]
    # R/cos α, where α is half the angle of the longest side
    longest = np.linalg.norm(np.diff(given.domain.geometry.x[ends], axis=1), axis=-1).max()
    allowed = disc.radius / math.cos(math.asin(longest / 2 / disc.radius))
    assert disc.radius < radii.min() <= radii.max() <= allowed * (1 + 1e-9)


def test_vertices_off_the_edge_stay(film, given, covering, within):
    before = given.domain.geometry.x
    for disc, mesh in ((DISC, covering), (HOLE, within)):
        if disc not in film.discs:
            continue
        after = mesh.domain.geometry.x
        edge = np.unique(edge_on(given, disc))
        off = np.setdiff1d(np.arange(len(before)), edge)
        np.testing.assert_array_equal(after[off], before[off])
        assert np.all(np.linalg.norm(after[edge] - before[edge], axis=1) > 0)
        np.testing.assert_array_equal(after[edge, 2], 0.0)


def test_original_mesh_does_not_change(film, given, covering, within):
    assert covering is not given
    for disc in film.discs:
        radii = distances(given, edge_on(given, disc), disc.center)[1]
        np.testing.assert_allclose(radii, disc.radius, rtol=1e-9)  # rounding in gmsh


def test_cells_tags_and_groups_are_kept(given, covering):
    assert covering.cells == given.cells
    assert (covering.groups, covering.mirrored) == (given.groups, given.mirrored)
    for attribute in ("indices", "values"):
        before, after = (getattr(mesh.facet_tags, attribute) for mesh in (given, covering))
        np.testing.assert_array_equal(after, before)
    nodes = [mesh.domain.geometry.dofmaps[0] for mesh in (given, covering)]
    np.testing.assert_array_equal(*nodes)
    np.testing.assert_array_equal(given.sides("film"), covering.sides("film"))


def test_no_cell_is_inverted(given, covering, within):
    def volumes(mesh):
        corners = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
        return np.linalg.det(corners[:, 1:] - corners[:, :1])

    for mesh in (covering, within):
        assert np.all(volumes(mesh) / volumes(given) > 0.3)
    assert np.abs(volumes(covering) / volumes(given) - 1).max() > 1e-4


def test_mesh_that_needs_no_change_is_returned_itself():
    for film, covering in (
        (Film(Plane(), 1.0), True),
        (Film(Rectangle((2.0, 2.0), (2.5, -0.5)), 1.0), True),
        (Film(DISC, 1.0), False),
        (Film(Plane(), 1.0, (Hole(HOLE, "eye"),)), True),  # a polygon inscribed in a hole
    ):
        mesh = create_mesh(film, [IMPURITY], resolution=0.2, far=5.0)
        assert fit_round_edges(mesh, film, covering=covering) is mesh


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_edge_of_a_region_moves_according_to_the_side_that_screens_more(factor):
    region = Region(Disc(1.0), factor)
    film = Film(Rectangle((4.0, 4.0)), 1.0, regions=(region,))
    mesh = create_mesh(film, [Impurity((1.5, 1.5), size=0.3)], resolution=0.2, far=5.0)
    for covering in (True, False):
        fitted = fit_round_edges(mesh, film, covering=covering)
        if factor == 1.0:
            assert fitted is mesh
            continue
        corners = fitted.corners("film")
        inside = film.regions_at(corners.mean(axis=1)) == 0
        sides = corners[inside, 1:] - corners[inside, :1]
        excess = np.abs(np.linalg.det(sides)).sum() / 2 / math.pi - 1
        larger = (factor < 1) == covering  # a smaller Pearl length screens more
        assert (1e-5 < excess < 5e-3) if larger else (-5e-3 < excess < -1e-5)


def test_edges_of_a_ring_both_make_it_wider_or_narrower():
    film = Film(ring(1.0, 2.0), 1.0)
    mesh = create_mesh(film, [Impurity((1.5, 0.0), size=0.3)], resolution=0.2, far=5.0)
    exact = math.pi * 3
    larger, smaller = (fit_round_edges(mesh, film, covering=c) for c in (True, False))
    assert exact * (1 + 1e-5) < area(larger) < exact * (1 + 5e-3)
    assert exact * (1 - 5e-3) < area(smaller) < exact * (1 - 1e-5)
