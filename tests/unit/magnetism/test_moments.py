"""Energy of moments and its derivatives, and refused input."""

import numpy as np
import pytest

from pearlfem import StudyError
from pearlfem.magnetism import energy, energy_gradient, energy_hessian, moments

STEP = 1e-4  # of finite differences


def test_energy_is_half_the_sum_over_all_pairs(random_tensor):
    T = random_tensor(4, seed=1)
    angles = np.random.default_rng(2).uniform(-3, 3, (5, 4))
    for theta, value in zip(angles, energy(T, angles), strict=True):
        m = [np.array([np.cos(t), np.sin(t)]) for t in theta]
        total = sum(m[i] @ T[i, j] @ m[j] for i in range(4) for j in range(4))
        np.testing.assert_allclose(value, 0.5 * total, rtol=1e-13)


def test_derivatives_are_those_of_the_energy(random_tensor):
    T = random_tensor(6, seed=3)
    theta = np.random.default_rng(4).uniform(-3, 3, 6)
    around = theta + STEP * np.stack([np.eye(6), -np.eye(6)])
    slopes = np.diff(energy(T, around[::-1]), axis=0)[0] / (2 * STEP)
    # Error: STEP²/6 times third derivatives, which are at most the sum of |T|, about 150
    np.testing.assert_allclose(energy_gradient(T, theta), slopes, atol=3e-7)
    gradients = np.array([[energy_gradient(T, x) for x in side] for side in around])
    np.testing.assert_allclose(
        energy_hessian(T, theta), (gradients[0] - gradients[1]) / (2 * STEP), atol=3e-7
    )


def test_isotropic_self_energy_only_shifts_the_energy(random_tensor):
    T = random_tensor(3, seed=5)
    theta = np.array([0.1, 1.2, -2.0])
    shifted = T.copy()
    shifted[np.diag_indices(3)] += np.array([1.0, 2.0, 4.0])[:, None, None] * np.eye(2)
    np.testing.assert_allclose(energy(shifted, theta), energy(T, theta) + 3.5, rtol=1e-14)
    np.testing.assert_allclose(energy_gradient(shifted, theta), energy_gradient(T, theta), 1e-12)


def test_moments_are_unit_vectors():
    np.testing.assert_allclose(moments([0.0, np.pi / 2]), np.eye(2), atol=1e-16)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 2, 2), (2, 2, 3, 3), (0, 0, 2, 2)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(StudyError, match=r"tensor has shape .*must be \(n, n, 2, 2\)"):
        energy(np.zeros(shape), np.zeros(2))


def test_self_energy_of_point_impurities_is_refused():
    T = np.zeros((2, 2, 2, 2))
    T[1, 1] = np.inf * np.eye(2)[0, 0]
    with pytest.raises(StudyError, match=r"tensor\[1, 1, 0, 0\] = inf: .*finite .*diagonal blocks"):
        energy(T, np.zeros(2))


def test_asymmetry_is_refused_if_it_is_larger_than_that_of_solvers(random_tensor):
    T = random_tensor(3, seed=6)
    largest = np.abs(T).max()
    T[0, 2, 0, 1] += 1e-7 * largest
    theta = np.array([0.1, 0.2, 0.3])
    other = T.transpose(1, 0, 3, 2)
    np.testing.assert_array_equal(energy_gradient(T, theta), energy_gradient(other, theta))
    T[0, 2, 0, 1] += 1e-3 * largest
    with pytest.raises(StudyError, match=r"tensor\[0, 2\] differs .*transpose of tensor\[2, 0\]"):
        energy(T, np.zeros(3))


def test_angles_that_do_not_fit_are_refused(random_tensor):
    T = random_tensor(3, seed=7)
    with pytest.raises(StudyError, match=r"angles has shape \(2,\): the last axis must be 3 long"):
        energy(T, np.zeros(2))
    with pytest.raises(StudyError, match=r"angles = .*finite"):
        energy(T, [0.0, np.nan, 0.0])
