"""Sizes of cells along edges that are close to cores of sources."""

import numpy as np
import pytest

from pearlfem.geometry.shapes import Disc, Plane, Rectangle
from pearlfem.mesh.sizes.core_edges import edge_sizes_of_cores
from pearlfem.mesh.sizes.grading import seeds, sizes_at
from pearlfem.model.boundary import Open
from pearlfem.model.film import Film, Hole
from pearlfem.model.sources.base import Core
from pearlfem.model.sources.impurity import Impurity


@pytest.mark.parametrize("distance", [0.5, 0.01, 1e-4])
def test_size_on_a_straight_edge_is_proportional_to_the_distance(distance):
    film = Film(Rectangle((2.0, 2.0)), 1.0)
    places, sizes = edge_sizes_of_cores(film, [Core((1.0 - distance, 0.3), 0.0)])
    distances = np.linalg.norm(places - (1.0 - distance, 0.3), axis=1)
    np.testing.assert_allclose(sizes, 0.1 * distances, rtol=1e-12)
    # Points are no farther apart than the sizes there.
    right = np.sort(places[places[:, 0] > 1 - 1e-9, 1])
    middles = np.column_stack([np.ones(len(right) - 1), (right[1:] + right[:-1]) / 2])
    allowed = 0.1 * np.linalg.norm(middles - (1.0 - distance, 0.3), axis=1)
    assert np.all(np.diff(right) < 1.1 * allowed)
    assert distances.min() == pytest.approx(distance, rel=0.1)


def test_sides_of_a_round_edge_are_short_near_a_wide_source():
    film, near, wide = Film(Disc(1.0), 1.0), Core((0.95, 0.0), 0.05), 0.05
    places, sizes = edge_sizes_of_cores(film, [near, Core((-0.5, 0.0), wide)])
    assert 2 / wide * sizes.min() ** 2 / 12 < 2.5e-5
    assert np.all(places[sizes < 0.005, 0] > 0.9)
    nothing = edge_sizes_of_cores(film, [Core((0.0, 0.0), wide)])
    assert len(nothing.sizes) == 0
    straight = edge_sizes_of_cores(Film(Rectangle((2.0, 2.0)), 1.0), [near])
    assert len(straight.sizes) == 0


def test_the_nearest_impurity_counts():
    film = Film(Plane(), 1.0, holes=(Hole(Disc(1.0), "hole"),))
    positions = [(1.2, 0.0), (0.0, -3.0)]
    places, sizes = edge_sizes_of_cores(film, [Core(position, 0.0) for position in positions])
    for position in positions:
        _, alone = edge_sizes_of_cores(film, [Core(position, 0.0)])
        assert sizes.min() <= alone.min() * 1.01
    distances = np.min([np.linalg.norm(places - p, axis=1) for p in positions], axis=0)
    assert np.all(sizes <= 0.1 * distances * (1 + 1e-12))


def test_film_without_edges_needs_no_sizes():
    points, sizes = edge_sizes_of_cores(Film(Plane(), 1.0), [Core((0.0, 0.0), 0.0)])
    assert points.shape == (0, 2)
    assert sizes.shape == (0,)


def test_film_without_edges_still_has_a_mesh():
    impurity = Impurity((0.0, 0.0), size=0.0)
    all_seeds = seeds(Film(Plane(), 2.0), [impurity], Open(), 1.0)
    sizes = sizes_at(all_seeds, np.array([(0.0, 0.0, 0.0), (20.0, 0.0, 0.0)]))
    assert sizes[0] == pytest.approx(0.8)  # 0.4 of the Pearl length
    assert sizes[1] > 4


def test_cells_are_not_small_at_a_point_impurity():
    impurity = Impurity((0.0, 0.0), size=0.0)
    all_seeds = seeds(Film(Disc(1.0), 1.0), [impurity], Open(), 1.0)
    assert sizes_at(all_seeds, np.zeros((1, 3)))[0] > 0.3
