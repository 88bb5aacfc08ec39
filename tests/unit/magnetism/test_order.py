"""Order parameters: 1 in the perfect state, known values in others, and invariances."""

import numpy as np
import pytest

from pearlfem import StudyError
from pearlfem.magnetism import layer_wavevectors, layered_order, mean_moment, net_moment, vorticity

OBLIQUE = np.array([[1.3, 0.2], [0.4, 0.9]])


@pytest.fixture
def random_angles():
    return np.random.default_rng(1).uniform(-np.pi, np.pi, (500, 100))


@pytest.fixture
def oblique_lattice():
    """Indices and positions of 6 × 6 sites, away from the origin."""
    index = np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=-1).reshape(-1, 2)
    return index, index @ OBLIQUE + [0.3, -2.0]


def test_net_moment_of_parallel_moments_is_1():
    angles = np.full(7, 0.4)
    np.testing.assert_allclose(net_moment(angles), 1.0, rtol=1e-15)
    np.testing.assert_allclose(mean_moment(angles), [np.cos(0.4), np.sin(0.4)], rtol=1e-15)
    np.testing.assert_allclose(net_moment([0.0, np.pi / 2]), np.sqrt(0.5), rtol=1e-15)
    np.testing.assert_allclose(net_moment([0.1, 0.1 + np.pi]), 0.0, atol=1e-15)


def test_net_moment_of_random_moments_is_that_of_a_random_walk(random_angles):
    # Rayleigh distribution of |Σ m|: mean √(πn)/2, standard deviation √((4 − π)n)/2
    error = np.sqrt((4 - np.pi) / 400 / len(random_angles))
    assert abs(net_moment(random_angles).mean() - np.sqrt(np.pi / 400)) < 4 * error


@pytest.mark.parametrize(("which", "signs"), [(0, (1, 0)), (1, (0, 1)), (2, (1, 1))])
def test_order_of_a_layered_state_at_its_wavevector_is_1(oblique_lattice, which, signs):
    index, positions = oblique_lattice
    angles = 0.7 + np.pi * (index @ signs)
    order = layered_order(angles, positions, layer_wavevectors(OBLIQUE))
    np.testing.assert_allclose(order, np.eye(3)[which], atol=1e-13)
    assert net_moment(angles) < 1e-13


def test_layered_order_without_a_wave_is_the_net_moment(random_angles):
    positions = np.random.default_rng(2).normal(size=(100, 2))
    order = layered_order(random_angles, positions, [0.0, 0.0])
    np.testing.assert_allclose(order, net_moment(random_angles), rtol=1e-12)


def test_vortices_of_four_sites_share_their_order():
    index = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    sign = (-1) ** index
    mix = 0.6  # m_x alternates along y, m_y along x
    angles = np.arctan2(np.sin(mix) * sign[:, 0], np.cos(mix) * sign[:, 1])
    order = layered_order(angles, index, layer_wavevectors(np.eye(2)))
    np.testing.assert_allclose(order, [np.sin(mix), np.cos(mix), 0.0], atol=1e-14)


def test_squared_order_of_a_spiral_is_a_half():
    x = np.arange(8.0)
    positions = np.stack([x, np.zeros(8)], axis=-1)
    order = layered_order(np.pi / 4 * x, positions, [np.pi / 4, 0.0])
    np.testing.assert_allclose(order, np.sqrt(0.5), rtol=1e-14)


def test_vorticity_of_a_vortex_is_1():
    r = np.random.default_rng(3).normal([4.0, -1.0], size=(30, 2))
    center = r.mean(axis=0)
    azimuth = np.arctan2(*(r - center).T[::-1])
    np.testing.assert_allclose(vorticity(azimuth + np.pi / 2, r), 1.0, rtol=1e-14)
    np.testing.assert_allclose(vorticity(azimuth - np.pi / 2, r), -1.0, rtol=1e-14)
    np.testing.assert_allclose(vorticity(azimuth, r), 0.0, atol=1e-14)
    np.testing.assert_allclose(vorticity(np.full(30, 0.3), r), 0.0, atol=1e-14)
    at_origin = np.arctan2(*r.T[::-1]) + np.pi / 2
    np.testing.assert_allclose(vorticity(at_origin, r, center=[0.0, 0.0]), 1.0, rtol=1e-14)
    assert vorticity(at_origin, r) < 0.9


def test_every_order_is_in_its_range(random_angles):
    r = np.random.default_rng(4).normal(size=(100, 2))
    k = np.random.default_rng(5).normal(size=(5, 2))
    order = layered_order(random_angles, r, k)
    assert order.shape == (500, 5)
    assert np.all((order >= 0) & (order <= 1))
    assert np.all(np.abs(vorticity(random_angles, r)) <= 1)


def test_wavevectors_are_half_of_the_reciprocal_lattice():
    half = layer_wavevectors(OBLIQUE)
    expected = np.pi * np.array([[1, 0], [0, 1], [1, 1]])
    np.testing.assert_allclose(half @ OBLIQUE.T, expected, atol=1e-14)


def test_unusable_input_is_refused():
    with pytest.raises(StudyError, match=r"cell = .*must not be parallel"):
        layer_wavevectors([[1.0, 2.0], [-2.0, -4.0]])
    with pytest.raises(StudyError, match=r"positions has shape \(2, 2\): must be \(3, 2\)"):
        vorticity(np.zeros(3), np.zeros((2, 2)))
    with pytest.raises(StudyError, match=r"wavevectors has shape \(3,\)"):
        layered_order(np.zeros(1), np.zeros((1, 2)), np.zeros(3))
    with pytest.raises(StudyError, match="all are at the center"):
        vorticity(np.zeros(1), [[1.0, 2.0]])
    with pytest.raises(StudyError, match=r"angles has shape \(0,\)"):
        net_moment([])
