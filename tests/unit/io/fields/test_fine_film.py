"""Facets near points: pieces that cover them, fit together and are small where they must be."""

import numpy as np
import pytest

from pearlfem.io.fields.fine_film import split_near

POINTS = np.array([[0.31, 0.27], [0.34, 0.27], [0.5, 0.5]])  # the last one is a corner


@pytest.fixture(scope="module")
def square():
    """Four triangles around the middle of a unit square: numbers of corners, and corners."""
    places = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]], dtype=float)
    vertices = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    return vertices, places[vertices]


@pytest.fixture(scope="module")
def pieces(square):
    return split_near(*square, POINTS, scale=0.1)


def corners_of(pieces, square):
    return pieces.corners @ square[1][pieces.facets]


def areas(corners):
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def test_pieces_cover_the_facets_upright(pieces, square):
    area = areas(corners_of(pieces, square))
    assert area.min() > 0
    np.testing.assert_allclose(np.bincount(pieces.facets, weights=area), 0.25, rtol=1e-13)


def test_pieces_are_small_near_points(pieces, square):
    corners = corners_of(pieces, square)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    distances = np.linalg.norm(corners.mean(axis=1)[:, None] - POINTS, axis=2)
    apart = np.array([0.03, 0.03, 0.1])  # to the neighbour, or the scale
    allowed = np.maximum(0.5 * distances, 0.1 * apart).min(axis=1)
    assert np.all(sides <= np.maximum(0.5 * distances.min(axis=1), 0.1 * 0.1) + 1e-12)
    assert sides[distances[:, :2].min(axis=1) < 0.003].max() <= 0.003 + 1e-12
    assert np.median(sides / allowed) > 0.3  # and no smaller than that


def test_number_of_pieces_grows_with_the_logarithm_of_their_size(square):
    counts = [len(split_near(*square, POINTS[:1], 10.0**-k).facets) for k in (1, 2, 3, 4)]
    steps = np.diff(counts)
    assert steps.min() > 0 and steps.max() < 1.5 * steps.min()


def test_pieces_share_whole_sides(pieces, square):
    """Every side inside the square belongs to two pieces, and those on its edge to one."""
    corners = corners_of(pieces, square).round(12)
    sides = np.stack([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 2, 2)
    order = np.lexsort((sides[..., 1], sides[..., 0]), axis=1)
    sides = np.take_along_axis(sides, order[..., None], axis=1)
    found, counts = np.unique(sides.reshape(-1, 4), axis=0, return_counts=True)
    middles = (found[:, :2] + found[:, 2:]) / 2
    on_edge = np.any((middles == 0) | (middles == 1), axis=1)
    np.testing.assert_array_equal(counts, np.where(on_edge, 1, 2))


def test_facets_far_from_points_stay_whole(square):
    pieces = split_near(*square, np.array([[9.0, 0.5]]), scale=1.0)
    np.testing.assert_array_equal(np.sort(pieces.facets), range(4))


def test_quadratic_functions_are_carried_over(pieces, square):
    def f(places):
        x, y = places[..., 0], places[..., 1]
        return np.stack([1 + x * y - 2 * y**2, x**2 - y], axis=-1)

    corners = square[1]
    middles = (corners + np.roll(corners, -1, axis=1)) / 2
    values = pieces.interpolated(f(np.concatenate([corners, middles], axis=1)))
    nodes = pieces.nodes() @ corners[pieces.facets]
    np.testing.assert_allclose(values, f(nodes), atol=1e-13)
