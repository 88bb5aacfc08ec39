"""Ground states of pairs, lattices and random tensors, and the results about them."""

import numpy as np
import pytest

from pearlfem import ConvergenceError, StudyError
from pearlfem.magnetism import (
    energy,
    energy_gradient,
    energy_hessian,
    ground_state,
    layer_wavevectors,
    layered_order,
    lower_bound,
    mean_moment,
    moments,
    net_moment,
    vorticity,
)
from pearlfem.magnetism import minimiser as minimiser_module

TILT = 0.3  # angle of the line that joins a pair


@pytest.mark.parametrize("pearl_length", [0.01, 0.1, 1.0, 10.0, 1e2, 1e3, 1e4])
def test_pair_is_ferromagnetic_along_its_axis(film_tensor, pearl_length):
    T = film_tensor([[0.0, 0.0], [np.cos(TILT), np.sin(TILT)]], pearl_length)
    state = ground_state(T)
    np.testing.assert_allclose(state.angles, TILT, atol=1e-9)
    axis = np.array([np.cos(TILT), np.sin(TILT)])
    np.testing.assert_allclose(state.energy, axis @ T[0, 1] @ axis, rtol=1e-13)  # −J∥
    assert 0 <= state.gap <= 1e-13 * abs(state.energy)
    assert not state.degenerate and len(state.states) == 1
    assert state.reached == state.starts
    # The softest turn is θ1 = −θ2, with the stiffness J∥ − J⊥
    stiffness = -np.trace(T[0, 1])
    np.testing.assert_allclose(state.stiffness, stiffness, rtol=1e-8)


def test_pair_without_screening_is_degenerate():
    axis = np.array([np.cos(TILT), np.sin(TILT)])
    T = np.zeros((2, 2, 2, 2))
    T[0, 1] = T[1, 0] = np.eye(2) - 2 * np.outer(axis, axis)  # J⊥ = J∥ = 1
    state = ground_state(T)
    assert state.degenerate and len(state.states) > 5
    np.testing.assert_allclose(energy(T, state.states), -1.0, rtol=1e-12)
    sums = np.exp(1j * (state.states - TILT).sum(axis=1))  # θ1 = −θ2, or both reversed
    np.testing.assert_allclose(sums, 1.0, atol=1e-6)
    assert np.std(mean_moment(state.states)[:, 0]) > 0.1  # the states differ
    np.testing.assert_allclose(state.stiffness, 0.0, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_brute_force_finds_nothing_lower(random_tensor, n, seed):
    T = random_tensor(n, seed)
    step = 2 * np.pi / 90
    grid = np.stack(np.meshgrid(*n * [step * np.arange(90)]), axis=-1)
    lowest = energy(T, grid).min()
    state = ground_state(T)
    # Each angle is at most step/2 away from the nearest grid point
    error = 0.5 * np.linalg.eigvalsh(energy_hessian(T, state.angles))[-1] * n * (step / 2) ** 2
    assert state.lower_bound <= state.energy <= lowest <= state.energy + 1.1 * error
    np.testing.assert_allclose(state.energy, energy(T, state.angles), rtol=1e-13)


@pytest.mark.parametrize("n", [5, 12, 40])
@pytest.mark.parametrize("seed", range(6))
def test_energy_is_never_below_the_bound(random_tensor, n, seed):
    T = random_tensor(n, seed)
    state = ground_state(T, starts=4, kicks=1)
    assert max(lower_bound(T), state.lower_bound) <= state.energy
    assert state.gap <= 0.1 * abs(state.energy)
    assert np.abs(energy_gradient(T, state.angles)).max() <= 1e-10 * np.abs(T).max()
    assert state.stiffness >= 0
    assert 1 <= state.reached <= state.starts


def test_planted_state_is_found_and_proved():
    rng = np.random.default_rng(8)
    planted = rng.uniform(-np.pi, np.pi, 40)
    m = np.stack([np.cos(planted), np.sin(planted)], axis=-1)
    weights = rng.uniform(size=(40, 40))
    weights += weights.T
    # F = −½ Σ w_ij (m_i·p_i)(m_j·p_j): lowest, and −½ Σ w_ij, if every m_i is p_i
    T = -weights[:, :, None, None] * m[:, None, :, None] * m[None, :, None, :]
    state = ground_state(T)
    np.testing.assert_allclose(state.energy, -0.5 * weights.sum(), rtol=1e-12)
    assert 0 <= state.gap <= 1e-11 * abs(state.energy)
    overlap = np.cos(state.angles - planted)
    np.testing.assert_allclose(overlap * overlap[0], 1.0, rtol=1e-12)


def test_edge_turns_a_single_moment():
    """A single impurity has only the self-energy matrix; its moment takes the lower axis."""
    T = np.array([[[[3.0, 1.0], [1.0, 3.0]]]])
    state = ground_state(T)
    np.testing.assert_allclose(state.angles, -np.pi / 4, rtol=1e-12)
    np.testing.assert_allclose([state.energy, state.stiffness], [1.0, 2.0], rtol=1e-12)


def test_no_interaction_is_degenerate():
    state = ground_state(np.zeros((3, 3, 2, 2)))
    assert state.degenerate
    assert (state.energy, state.lower_bound, state.gap) == (0, 0, 0)


def test_same_seed_gives_the_same_result(film_tensor):
    T = film_tensor(np.random.default_rng(3).uniform(size=(20, 2)))
    first, again, other = (ground_state(T, starts=4, kicks=8, seed=k) for k in (0, 0, 1))
    np.testing.assert_array_equal(first.angles, again.angles)
    np.testing.assert_allclose(first.energy, other.energy, rtol=1e-12)


def test_close_pairs_do_not_hide_the_others(film_tensor):
    """Couplings of 2e6 and of 0.1: also the weakly coupled moments are opposite to their fields."""
    positions = np.random.default_rng(1).uniform(size=(30, 2)) * np.sqrt(30)
    positions[1] = positions[0] + [1e-3, 0.0]
    positions[3] = positions[2] + [0.0, 2e-4]
    T = film_tensor(positions)
    state = ground_state(T, kicks=3)
    m = moments(state.angles)
    fields = np.einsum("ijab,jb->ia", T, m)
    sizes = np.abs(T).sum(axis=(1, 3)).max(axis=1)
    assert np.all(np.sum(m * fields, axis=1) < 0)
    assert np.all(np.abs(energy_gradient(T, state.angles)) <= 1e-9 * sizes)
    assert state.stiffness > 0
    assert state.gap < 0.1 * 30  # a part of the couplings to the others


def test_isotropic_self_energy_only_shifts_the_result(film_tensor):
    T = film_tensor(np.random.default_rng(6).uniform(size=(9, 2)) * 3)
    state = ground_state(T)
    T[np.diag_indices(9)] += 1e6 * np.eye(2)
    shifted = ground_state(T)
    np.testing.assert_allclose(shifted.angles, state.angles, atol=1e-7)
    np.testing.assert_allclose(shifted.energy, state.energy + 4.5e6, rtol=1e-15)
    np.testing.assert_allclose(shifted.gap, state.gap, atol=1e-8)
    assert shifted.lower_bound <= shifted.energy


def test_minimiser_leaves_a_saddle(film_tensor):
    """Antiparallel moments across the axis of a pair feel no torque, but it is a saddle."""
    T = film_tensor([[0.0, 0.0], [1.0, 0.0]])
    saddle = np.array([np.pi / 2, -np.pi / 2])
    np.testing.assert_allclose(energy_gradient(T, saddle), 0.0, atol=1e-16)
    matrix = T.transpose(0, 2, 1, 3).reshape(4, 4)
    theta = minimiser_module._polish(matrix / np.abs(matrix).max(), saddle)
    np.testing.assert_allclose(energy(T, theta), ground_state(T).energy, rtol=1e-13)


def test_unit_of_energy_does_not_matter(random_tensor):
    T = random_tensor(12, seed=4)
    state, tiny = ground_state(T), ground_state(1e-25 * T)  # couplings in joules are this small
    np.testing.assert_allclose(tiny.angles, state.angles, atol=1e-9)
    for name in ("energy", "lower_bound", "stiffness"):
        np.testing.assert_allclose(getattr(tiny, name), 1e-25 * getattr(state, name), rtol=1e-6)


@pytest.mark.parametrize("pearl_length", [0.1, 50.0])
def test_open_square_lattice_is_layered_and_proved(film_tensor, square_lattice, pearl_length):
    """The edges prefer a mixture of layers along x and along y: vortices of four sites."""
    state = ground_state(film_tensor(square_lattice, pearl_length))
    assert 0 <= state.gap <= 1e-11 * abs(state.energy)
    along_x, along_y, both = layered_order(
        state.angles, square_lattice, layer_wavevectors(np.eye(2))
    )
    np.testing.assert_allclose(along_x, along_y, rtol=1e-6)
    assert np.hypot(along_x, along_y) > 0.9
    assert max(both, net_moment(state.angles)) < 1e-6


def test_open_triangular_lattice_forms_a_vortex(film_tensor):
    """The ferromagnet of the infinite lattice closes around the center of a small one."""
    sites = np.arange(-4, 5)
    lattice = np.stack(np.meshgrid(sites, sites), -1).reshape(-1, 2) @ [[1, 0], [0.5, 0.75**0.5]]
    patch = lattice[np.hypot(*lattice.T) < 3.6]
    assert len(patch) == 43
    T = film_tensor(patch)
    state = ground_state(T)
    assert abs(vorticity(state.angles, patch)) > 0.98
    assert net_moment(state.angles) < 0.11
    assert state.degenerate  # a rotation by 60° gives another state of the same energy
    uniform = np.broadcast_to(np.linspace(0, np.pi, 13)[:, None], (13, 43))
    assert state.energy < energy(T, uniform).min() < 0
    assert state.gap < 0.01 * abs(state.energy)


def test_state_that_has_not_converged_is_an_error(random_tensor, monkeypatch):
    monkeypatch.setattr(minimiser_module, "_NEWTON_STEPS", 1)
    monkeypatch.setattr(minimiser_module, "_EXACT", 0.0)
    monkeypatch.setattr(minimiser_module, "_FINE", 1e-3)  # so that Newton's method needs a step
    with pytest.raises(ConvergenceError, match=r"no minimum .* 1 Newton steps: the largest torque"):
        ground_state(random_tensor(10, seed=0))


@pytest.mark.parametrize(
    ("name", "value"), [("starts", 0), ("kicks", -1), ("seed", -2), ("starts", 2.5)]
)
def test_numbers_out_of_range_are_refused(random_tensor, name, value):
    with pytest.raises(StudyError, match=f"{name} = {value}: must be an integer >="):
        ground_state(random_tensor(2, seed=0), **{name: value})
