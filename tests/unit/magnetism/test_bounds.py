"""Lower bounds: below every state, and equal to the lowest energy where this is known."""

import numpy as np
import pytest

from pearlfem.magnetism import energy, lower_bound, luttinger_tisza_bound


@pytest.mark.parametrize("n", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("seed", range(5))
def test_no_state_is_below_a_bound(random_tensor, n, seed):
    T = random_tensor(n, seed)
    states = np.random.default_rng(seed).uniform(-np.pi, np.pi, (1000, n))
    lowest = energy(T, states).min()
    assert luttinger_tisza_bound(T) <= lower_bound(T) <= lowest


def test_luttinger_tisza_is_half_n_lowest_eigenvalue(random_tensor):
    T = random_tensor(5, seed=9)
    matrix = np.block([[T[i, j] for j in range(5)] for i in range(5)])
    exact = 5 / 2 * np.linalg.eigvalsh(matrix)[0]
    np.testing.assert_allclose(luttinger_tisza_bound(T), exact, rtol=1e-13)


def test_both_are_exact_if_all_impurities_are_equivalent():
    """A ring of moments with an isotropic coupling J between neighbours: each pair adds −|J|."""
    n, J = 12, -0.7
    near = np.roll(np.eye(n), 1, axis=0)
    T = J * (near + near.T)[:, :, None, None] * np.eye(2)
    for bound in (luttinger_tisza_bound(T), lower_bound(T)):
        np.testing.assert_allclose(bound, n * J, rtol=1e-13)
        assert bound <= energy(T, np.zeros(n))


def test_multipliers_compensate_isotropic_blocks(random_tensor):
    """An isotropic block shifts all states equally, so it shifts the best multipliers as well."""
    T = random_tensor(8, seed=3)
    shift = np.random.default_rng(4).uniform(-20, 20, 8)
    shifted = T.copy()
    shifted[np.diag_indices(8)] += shift[:, None, None] * np.eye(2)
    got, expected = lower_bound(shifted), lower_bound(T) + 0.5 * shift.sum()
    np.testing.assert_allclose(got, expected, rtol=1e-6)  # the accuracy of the relaxed minimum
    assert luttinger_tisza_bound(shifted) < expected - 10  # it has no multipliers


def test_bound_scales_with_the_tensor(random_tensor):
    T = random_tensor(6, seed=2)
    np.testing.assert_allclose(lower_bound(1e-20 * T), 1e-20 * lower_bound(T), rtol=1e-6)
    assert lower_bound(np.zeros((3, 3, 2, 2))) == 0
