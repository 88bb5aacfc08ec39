"""Error bars of correlated samples have the right size for any number of chains."""

import numpy as np
import pytest
from scipy import signal

from pearlfem.magnetism.averages import average

MEMORY = 0.8  # x_k = MEMORY x_(k−1) + noise


def autoregressive(chains, length, seed):
    """Samples of mean 0 and autocorrelation MEMORY^k."""
    noise = np.random.default_rng(seed).normal(size=(chains, length + 100))
    return signal.lfilter([1.0], [1.0, -MEMORY], noise, axis=1)[:, 100:]


@pytest.mark.parametrize("chains", [1, 5, 32, 50])
def test_error_and_autocorrelation_time_of_a_known_process(chains):
    length = 64000 // chains
    results = [average(autoregressive(chains, length, seed)) for seed in range(40)]
    mean, error, time = (np.array(column) for column in zip(*results, strict=True))
    # τ = ½ + Σ MEMORY^k; the correlation between blocks, τ/1280 here, is neglected
    exact = 0.5 * (1 + MEMORY) / (1 - MEMORY)
    # 32 blocks give error² to √(2/31) = 25 %, and 40 such results give its mean to 4 %
    np.testing.assert_allclose(time.mean(), exact, rtol=0.12)
    np.testing.assert_allclose(np.sqrt(np.mean((mean / error) ** 2)), 1.0, atol=0.35)
    assert np.all(np.abs(mean) <= 4 * error)


def test_mean_of_independent_samples():
    samples = np.random.default_rng(5).normal(3.0, 2.0, (32, 500))
    result = average(samples)
    np.testing.assert_allclose(result.mean, samples.mean(), rtol=1e-13)
    np.testing.assert_allclose(result.error, 2.0 / np.sqrt(16000), rtol=0.4)
    np.testing.assert_allclose(result.autocorrelation_time, 0.5, rtol=0.8)


def test_chains_that_are_stuck_have_a_large_error():
    stuck = np.repeat(np.random.default_rng(6).normal(size=(32, 1)), 1000, axis=1)
    result = average(stuck)
    np.testing.assert_allclose(result.error, stuck[:, 0].std(ddof=1) / np.sqrt(32), rtol=1e-12)
    assert result.autocorrelation_time > 400


def test_constant_has_no_error():
    assert average(np.full((4, 100), 2.5)) == (2.5, 0.0, 0.5)
