"""Sizes for the next mesh from the errors of this one."""

import math

import numpy as np
import pytest
from dolfinx import mesh as dmesh
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, Plane, create_mesh
from pearlfem.mesh.sizes.adapted import (
    Contributions,
    SizeField,
    adapted_sizes,
    affordable_sizes,
    gather,
)
from pearlfem.mesh.sizes.edges import on_circle

PLANE = Film(Plane(), 1.0)
DISC = Film(Disc(1.0, center=(0.5, -0.25)), 0.8)
FAR_AWAY = [Impurity((1e3, 0.0), size=1.0)]  # has no effect here
SIDES = [(a, b) for a in range(4) for b in range(a)]


@pytest.fixture(scope="module")
def box():
    """384 equal cells with the same error; the top z = 0 is the film."""
    box = dmesh.create_box(MPI.COMM_SELF, [[0, 0, 0], [1, 1, 1]], [4, 4, 4])
    cells = box.geometry.dofmaps[0].astype(np.int64)
    return Contributions(box.geometry.x, cells, np.ones(len(cells)), np.zeros(len(cells)))


@pytest.fixture(scope="module")
def disc_space():
    impurity = Impurity((0.5, -0.25), size=0.3)
    return create_mesh(DISC, [impurity], resolution=0.2, far=5.0)


@pytest.fixture(scope="module")
def disc(disc_space):
    """The mesh of a disc; all cells have the same error, and all film facets the same energy."""
    cells = disc_space.cells
    on_film = np.zeros(cells)
    on_film[disc_space.sides("film")[:, 0]] = 1.0
    return gather(disc_space, np.ones(cells), on_film)


def round_edge(points):
    flat = np.flatnonzero(points[:, 2] == 0)
    return flat[on_circle(points[flat, :2], DISC.shape)]


def volumes(now):
    corners = now.vertices[now.cells]
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6


def adapt(now, degree=2, film=PLANE, impurities=FAR_AWAY, *, total=None):
    """Sizes for a ``total`` error, by default that of the present mesh."""
    target = now.errors.sum() if total is None else total
    return adapted_sizes(now, film, impurities, degree=degree, target=target)


# --- sizes from errors


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_good_mesh_does_not_change(box, degree):
    sizes = adapt(box, degree)
    assert np.ptp(sizes.sizes) < 1e-12
    assert sizes.sizes[0] == pytest.approx(math.cbrt(volumes(box)[0] / 0.144), rel=1e-3)
    assert sizes.count == pytest.approx(len(box.cells), rel=1e-2)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_error_falls_with_the_size_to_the_power_of_the_order(box, degree):
    # Errors of energies are of order 2p
    before, after = adapt(box, degree), adapt(box, degree, total=384 / 2 ** (2 * degree))
    np.testing.assert_allclose(after.sizes / before.sizes, 0.5, rtol=1e-3)
    assert after.count == pytest.approx(8 * before.count, rel=1e-2)


def test_share_of_the_error_is_aimed_at_if_its_cells_are_few_enough(box):
    sizes, share = affordable_sizes(box, PLANE, FAR_AWAY, degree=2, share=0.1, most=10**6)
    assert share == 0.1
    assert np.array_equal(sizes.sizes, adapt(box, total=0.1 * box.errors.sum()).sizes)


def test_share_is_raised_until_its_cells_are_few_enough(box):
    # N cells leave a share s of the error with N = 384 s^(−3/4): 1200 of them leave 22 %.
    sizes, share = affordable_sizes(box, PLANE, FAR_AWAY, degree=2, share=0.1, most=1200)
    assert sizes.count <= 1200
    assert share == pytest.approx(0.1 * 1.5**2)
    assert adapt(box, total=0.1 * 1.5 * box.errors.sum()).count > 1200


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_half_of_the_error_is_aimed_at_whatever_it_costs(box, share):
    sizes, left = affordable_sizes(box, PLANE, FAR_AWAY, degree=2, share=share, most=1)
    assert left == max(share, 0.5)
    assert sizes.count > 1


def test_unit_of_the_error_does_not_matter(box):
    errors = np.random.default_rng(1).uniform(0.1, 10.0, len(box.cells))
    small, large = (adapt(box._replace(errors=unit * errors)) for unit in (1e-9, 1e9))
    np.testing.assert_allclose(small.sizes, large.sizes, rtol=1e-3)


def test_cells_with_larger_errors_become_smaller(box):
    middles = box.vertices[box.cells].mean(axis=1)
    at_left = middles[:, 0] < 0.5
    now = box._replace(errors=np.where(at_left, 20.0, 1.0))
    sizes = adapt(now)
    left, right = box.vertices[:, 0] < 0.4, box.vertices[:, 0] > 0.6
    # Equal errors in one step: h_left/h_right = 20^(-1/(2p+3)) at degree p = 2
    ratio = sizes.sizes[left].mean() / sizes.sizes[right].mean()
    assert ratio == pytest.approx(20 ** (-1 / 7), rel=1e-2)
    # By the power law, these sizes have the requested error
    grown = np.where(at_left, sizes.sizes[left].mean(), sizes.sizes[right].mean())
    predicted = np.sum(now.errors * (grown / math.cbrt(volumes(box)[0] / 0.144)) ** 4)
    assert 0.6 < predicted / now.errors.sum() <= 1


def test_changes_of_sizes_are_limited_in_one_step(box):
    present = math.cbrt(volumes(box)[0] / 0.144)
    assert adapt(box, total=1e-12).sizes.min() >= present / 3 * (1 - 1e-9)
    assert adapt(box, total=1e12).sizes.max() <= present * 1.5 * (1 + 1e-9)
    errors = np.where(np.arange(len(box.cells)) == 7, 1e9, 0.0)  # only one cell has an error
    sizes = adapt(box._replace(errors=errors)).sizes
    assert np.all(np.isfinite(sizes))
    assert present / 3 * (1 - 1e-9) <= sizes.min() < sizes.max() <= present * 1.5 * (1 + 1e-9)


def steepest(sizes):
    """The largest difference of sizes along an edge, in units of its length."""
    ends = np.concatenate([sizes.cells[:, [a, b]] for a, b in SIDES])
    lengths = np.linalg.norm(np.diff(sizes.vertices[ends], axis=1)[:, 0], axis=1)
    return np.max(np.abs(np.diff(sizes.sizes[ends], axis=1)[:, 0]) / lengths)


@pytest.mark.parametrize("thickness", [0.3, 0.6])
def test_sizes_grow_no_faster_than_half_the_distance(box, thickness):
    # One layer has all the error, the next none: sizes would change by 3 × 1.5 within a cell.
    now = box._replace(
        errors=np.where(box.vertices[box.cells].mean(axis=1)[:, 2] < thickness, 1e3, 1e-9)
    )
    sizes = adapt(now, total=0.03 * now.errors.sum())
    assert sizes.sizes.max() > 3 * sizes.sizes.min()
    # The growth reaches this limit, up to the accuracy 1e-3 of the iteration
    assert 0.49 < steepest(sizes) < 0.502


def test_steep_sizes_are_reduced_and_not_increased(box):
    impurity = [Impurity((0.0, 0.0), size=0.01)]
    with_impurity, without = (
        adapt(box, impurities=sources, total=1e9).sizes for sources in (impurity, FAR_AWAY)
    )
    assert np.all(with_impurity <= without * (1 + 1e-12))
    corner = np.linalg.norm(box.vertices, axis=1) == 0
    assert with_impurity[corner] == pytest.approx(0.02, rel=1e-9)


@pytest.mark.parametrize("size", [0.01, 0.05])
def test_cells_at_an_impurity_stay_small_enough_for_its_profile(size):
    impurity = Impurity((0.3, -0.1), size=size)
    mesh = create_mesh(PLANE, [impurity], resolution=0.4, far=5.0)
    now = gather(mesh, np.ones(mesh.cells), np.zeros(mesh.cells))
    sizes = adapt(now, impurities=[impurity], total=1e12)  # nothing else limits the sizes
    distances = np.linalg.norm(now.vertices - [0.3, -0.1, 0.0], axis=1)
    near = distances < 4 * size
    assert near.sum() > 10
    assert sizes.sizes[near].max() <= 2 * size
    assert sizes.sizes[~near].max() > 10 * size


# --- meshes with these sizes


@pytest.mark.parametrize("factor", [0.3, 1.0])
@pytest.mark.parametrize("shape", ["plane", "disc"])
def test_mesh_has_about_as_many_cells_as_estimated(shape, factor):
    film = PLANE if shape == "plane" else DISC
    impurities = [Impurity((0.3, -0.1), size=0.2)]
    options = {"resolution": 0.3, "far": 5.0}
    mesh = create_mesh(film, impurities, **options)
    middles = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]].mean(axis=1)
    errors = np.exp(-np.linalg.norm(middles - [0.3, -0.1, 0.0], axis=1))
    now = gather(mesh, errors, np.full(mesh.cells, 1e-9))
    sizes = adapt(now, film=film, impurities=impurities, total=factor * errors.sum())
    made = create_mesh(film, impurities, sizes=sizes, **options)
    assert 1 / 1.7 < made.cells / sizes.count < 1.7
    assert made.groups == mesh.groups


def test_mesh_is_fine_where_its_sizes_are():
    place = np.array([2.0, 1.0, 0.5])  # where nothing else needs small cells
    block = dmesh.create_box(MPI.COMM_SELF, [[-5.1, -5.1, -0.1], [5.1, 5.1, 5.1]], [34, 34, 17])
    points, cells = block.geometry.x, block.geometry.dofmaps[0].astype(np.int64)
    sizes = 0.2 + 0.4 * np.linalg.norm(points - place, axis=1)
    made = create_mesh(
        PLANE, [Impurity((0.0, 0.0), size=0.3)], far=5.0, sizes=SizeField(points, cells, sizes)
    )
    corners = made.domain.geometry.x[made.domain.geometry.dofmaps[0]]
    distances = np.linalg.norm(corners.mean(axis=1) - place, axis=1)
    edges = np.mean([np.linalg.norm(corners[:, a] - corners[:, b], axis=1) for a, b in SIDES], 0)
    for inner, outer in ((0.0, 0.7), (0.7, 1.5), (1.5, 3.0)):
        here = (distances >= inner) & (distances < outer)
        assert here.sum() > 30
        # gmsh's edges are 1.1 h long; h also grows over a cell, and has a kink (1.6 h inside)
        assert 0.8 < np.mean(edges[here] / (0.2 + 0.4 * distances[here])) < 2


def polygon_strip(lengths, radius):
    """Area between the inscribed and the circumscribed polygon with such sides."""
    angles = 2 * np.arcsin(lengths / (2 * radius))
    return radius**2 * np.sum(np.tan(angles / 2) - np.sin(angles) / 2)


def edge_lengths(mesh):
    points = mesh.domain.geometry.x[round_edge(mesh.domain.geometry.x), :2]
    points = points[np.argsort(np.arctan2(*(points - DISC.shape.center).T))]
    return np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)


def test_sides_of_a_round_edge_follow_from_its_error(disc, disc_space):
    impurity, radius = Impurity((0.5, -0.25), size=0.3), DISC.shape.radius
    strip = polygon_strip(edge_lengths(disc_space), radius)
    errors = np.full(len(disc.cells), 1e-6 * strip / len(disc.cells))  # cells have almost no error
    for part in (0.95, 0.8):  # one step can reach the polygon's share of these
        target = part * strip  # the film has the energy 1 per area
        now = disc._replace(errors=errors)
        sizes = adapt(now, film=DISC, impurities=[impurity], total=target)
        edge = round_edge(sizes.vertices)
        assert np.ptp(sizes.sizes[edge]) < 0.2 * sizes.sizes[edge].mean()
        made = create_mesh(DISC, [impurity], resolution=0.2, far=5.0, sizes=sizes)
        lengths = edge_lengths(made)
        # All sides are equal; their number is the edge's length divided by the size
        count = 2 * math.pi * radius / sizes.sizes[edge].mean()
        assert len(lengths) == pytest.approx(count, rel=0.15)
        # The polygon's error is a part of the target, and not a tiny one
        assert 0.2 < polygon_strip(lengths, radius) / target < 0.4


def test_edge_without_current_needs_few_sides(disc):
    impurity = Impurity((0.5, -0.25), size=0.3)
    idle, busy = (
        adapt(
            disc._replace(film_energies=energy * disc.film_energies),
            film=DISC,
            impurities=[impurity],
            total=1e9,  # all other sizes grow as much as allowed
        )
        for energy in (1e-9, 1e15)
    )
    edge = round_edge(disc.vertices)
    assert idle.sizes[edge].mean() > 2 * busy.sizes[edge].mean()


def test_gather_on_one_rank_has_all_cells(disc_space, disc):
    np.testing.assert_array_equal(disc.vertices, disc_space.domain.geometry.x)
    np.testing.assert_array_equal(disc.cells, disc_space.domain.geometry.dofmaps[0])
