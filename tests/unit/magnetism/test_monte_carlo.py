"""Thermal averages, compared with integrals over all angles; error bars; refused input."""

from functools import partial

import numpy as np
import pytest
from scipy import special

from pearlfem import StudyError
from pearlfem.magnetism import energy, ground_state, metropolis, net_moment, vorticity

SEPARATION = np.array([1.0, 0.4])
POSITIONS = np.stack([np.zeros(2), SEPARATION])


def boltzmann(T, kT, points, *observables):
    """Exact ⟨F⟩, specific heat, |m| and more by the trapezium rule.

    It converges exponentially, except for |m|, which has a kink at 0.
    """
    grid = 2 * np.pi / points * np.arange(points)
    angles = np.stack(np.meshgrid(*len(T) * [grid]), axis=-1).reshape(-1, len(T))
    F = energy(T, angles)
    weights = np.exp(-(F - F.min()) / kT)
    weights /= weights.sum()
    mean = weights @ F
    heat = weights @ (F - mean) ** 2 / (len(T) * kT**2)
    return np.array([mean, heat, *(weights @ f(angles) for f in (net_moment, *observables))])


@pytest.fixture
def pair(film_tensor):
    """A pair whose larger coupling J∥ is 1."""
    T = film_tensor(POSITIONS)
    axis = SEPARATION / np.linalg.norm(SEPARATION)
    return T / abs(axis @ T[0, 1] @ axis)


@pytest.mark.parametrize("temperature", [0.03, 0.1, 0.3, 1.0, 3.0])
def test_pair_has_its_boltzmann_averages(pair, temperature):
    exact = boltzmann(pair, temperature, 200)
    np.testing.assert_allclose(boltzmann(pair, temperature, 300), exact, rtol=2e-5)
    deviations = []
    for seed in range(12):
        result = metropolis(pair, temperature, sweeps=400, seed=seed)
        got = (result.energy, result.specific_heat, result.net_moment)
        deviations.append([(x.mean - y) / x.error for x, y in zip(got, exact, strict=True)])
    assert np.abs(deviations).max() <= 4
    # The scatter between seeds agrees with each of the three error bars, to 1/√24 = 20 %
    scatter = np.sqrt(np.mean(np.square(deviations), axis=0))
    assert np.all((scatter > 0.4) & (scatter < 1.6))


def test_three_moments_with_anisotropic_self_energies(random_tensor):
    """Anisotropic self-energies, as near an edge; and an observable given by the user."""
    T = random_tensor(3, seed=2)
    positions = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    curl = partial(vorticity, positions=positions)
    exact = boltzmann(T, 1.5, 60, lambda angles: curl(angles) ** 2)
    np.testing.assert_allclose(net_moment(np.zeros(3)), 1.0)
    result = metropolis(
        T, 1.5, sweeps=1500, seed=3, observables={"square": lambda angles: curl(angles) ** 2}
    )
    got = (result.energy, result.specific_heat, result.net_moment, result.observables["square"])
    for x, y in zip(got, exact, strict=True):
        assert abs(x.mean - y) <= 4 * x.error < 0.2 * abs(y)


@pytest.mark.parametrize("chains", [1, 8, 40])
def test_single_moment_near_an_edge(chains):
    """F = ½(a cos² θ + b sin² θ): ⟨F⟩ = (a + b)/4 − (b − a)/4 I1(x)/I0(x), x = (b − a)/4kT."""
    a, b, kT = 1.0, 4.0, 0.5
    x = (b - a) / (4 * kT)
    exact = (a + b) / 4 - (b - a) / 4 * special.i1(x) / special.i0(x)
    result = metropolis(
        np.diag([a, b])[None, None], kT, sweeps=16000 // chains, chains=chains, seed=1
    )
    assert abs(result.energy.mean - exact) <= 4 * result.energy.error < 0.05
    np.testing.assert_allclose(result.net_moment[:2], [1.0, 0.0], atol=1e-15)
    assert result.angles.shape == (chains, 1)


def test_cold_moments_are_those_of_the_ground_state(film_tensor):
    """To first order each turn has the energy k_B T/2: F = F_0 + n k_B T/2, specific heat ½."""
    T = film_tensor(np.random.default_rng(3).uniform(size=(8, 2)) * 2)
    state = ground_state(T)
    kT = 0.01 * state.stiffness
    result = metropolis(T, kT, sweeps=1500, seed=2)
    excess = (result.energy.mean - state.energy) / (4 * kT)
    assert state.energy < result.energy.mean
    np.testing.assert_allclose(excess, 1.0, atol=0.05 + 4 * result.energy.error / (4 * kT))


def test_series_agrees_with_its_last_states(pair):
    """The energy is a sum over the changes of all moves."""
    last = []
    result = metropolis(
        pair,
        0.5,
        sweeps=32,
        observables={"energy": lambda angles: last.append(energy(pair, angles)) or last[-1]},
    )
    np.testing.assert_allclose(result.observables["energy"], result.energy, rtol=1e-10)
    np.testing.assert_allclose(energy(pair, result.angles), last[-1], rtol=1e-13)


def test_same_seed_gives_the_same_result(pair):
    first, again, other = (metropolis(pair, 0.5, sweeps=50, seed=seed) for seed in (4, 4, 5))
    assert (first.energy, first.net_moment) == (again.energy, again.net_moment)
    np.testing.assert_array_equal(first.angles, again.angles)
    assert first.energy != other.energy


def test_half_of_the_moves_are_accepted_when_moments_are_stiff(pair):
    assert 0.4 < metropolis(pair, 0.05, sweeps=100).acceptance < 0.6
    assert metropolis(pair, 100.0, sweeps=100).acceptance > 0.95


@pytest.mark.parametrize("temperature", [0.0, -1.5, np.nan, np.inf])
def test_temperature_must_be_positive(pair, temperature):
    with pytest.raises(StudyError, match=rf"temperature = {temperature}: must be a finite number"):
        metropolis(pair, temperature, sweeps=100)


@pytest.mark.parametrize(
    ("name", "value"), [("sweeps", 31), ("chains", 0), ("discarded", -1), ("seed", 0.5)]
)
def test_numbers_out_of_range_are_refused(pair, name, value):
    with pytest.raises(StudyError, match=f"{name} = {value}: must be an integer >="):
        metropolis(pair, 1.0, **{"sweeps": 100, name: value})


def test_observable_of_the_wrong_shape_is_refused(pair):
    with pytest.raises(StudyError, match=r"'pairs' has shape \(32, 2\) .*must be \(32,\)"):
        metropolis(pair, 1.0, sweeps=100, observables={"pairs": np.cos})
