"""Intervals contain all values of their operands, and infinite ones do not spoil zeros."""

import numpy as np
import pytest

from pearlfem.enclosures import intervals
from pearlfem.enclosures.intervals import Interval, exactly

FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
}


def random_intervals(low, high, n=200):
    ends = np.sort(np.random.default_rng(3).uniform(low, high, (2, n)), axis=0)
    return Interval(*ends), np.linspace(*ends, 40)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_contain_all_values_and_are_sharp(name):
    x, points = random_intervals(0.01 if name == "log" else -7.0, 7.0)
    found, values = getattr(intervals, name)(x), FUNCTIONS[name](points)
    assert np.all(found.low <= values.min(axis=0))
    assert np.all(values.max(axis=0) <= found.high)
    # 40 points miss an extremum by at most (Δx/2)²/2 times the second derivative
    slack = 0.01 * np.abs(values).max(axis=0) + 0.01
    assert np.all(found.high <= values.max(axis=0) + slack)
    assert np.all(values.min(axis=0) - slack <= found.low)


@pytest.mark.parametrize("exponent", [2.0, 3.0, -1.0, -2.0, 0.5, 2.5, -1.5, 0.0])
def test_powers_contain_all_values(exponent):
    x, points = random_intervals(-2.0 if exponent % 1 == 0 and exponent >= 0 else 0.1, 2.0)
    found = intervals.power(x, exponent)
    values = np.float_power(points, exponent)
    assert np.all((found.low <= values) & (values <= found.high))
    assert np.all(found.low >= min(values.min(), 0.0) - 1e-12)


def test_an_unknown_number_times_zero_is_zero():
    unknown = Interval(np.array([-np.inf]), np.array([np.inf]))
    assert unknown.times(exactly([0.0])) == (0.0, 0.0)
    assert exactly([0.0]).inverse() == unknown


def test_tangent_is_unknown_across_its_pole():
    found = intervals.tan(Interval(np.array([1.0, 1.6]), np.array([1.6, 4.0])))
    assert np.isinf(found.low[0])
    assert np.isfinite(found.high[1])
