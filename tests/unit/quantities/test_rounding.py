"""Displayed bounds are rounded outward, away from the truth."""

from decimal import Decimal

import numpy as np
import pytest

from pearlfem.quantities.rounding import rounded

rng = np.random.default_rng(5)


def test_bounds_with_a_gap_stay_bounds_and_show_three_digits_of_it():
    for _ in range(2000):
        scale = 10.0 ** rng.integers(-25, 8)
        center = scale * rng.uniform(-10, 10)
        gap = abs(center) * 10.0 ** rng.uniform(-9, 1)
        lower, upper = center - gap / 2, center + gap / 2
        low, high = Decimal(rounded(lower, gap, "lower")), Decimal(rounded(upper, gap, "upper"))
        assert low <= Decimal(repr(float(lower)))
        assert high >= Decimal(repr(float(upper)))
        assert high - low <= Decimal(1.05 * gap)


@pytest.mark.parametrize("digits", [3, 9])
def test_bound_without_a_gap_stays_a_bound(digits):
    for _ in range(2000):
        value = float(10.0 ** rng.integers(-25, 8) * rng.uniform(-10, 10))
        exact = Decimal(repr(value))
        low, high = (Decimal(rounded(value, None, s, digits=digits)) for s in ("lower", "upper"))
        assert low <= exact <= high
        assert high - low <= abs(exact) * Decimal(10) ** (1 - digits)


def test_number_that_is_no_bound_is_rounded_to_the_nearest():
    assert rounded(1.23456789049) == "1.23456789"
    assert rounded(1.23456789051) == "1.23456789"
    assert rounded(1.2345678951) == "1.2345679"
    assert rounded(1112.8907134, 0.5994) == "1112.891"


def test_short_numbers_stay_short():
    assert rounded(1.25, None, "lower") == rounded(1.25, 0.0, "upper") == "1.25"
    assert rounded(0.0, 1.0, "lower") == "0"
    assert rounded(float("nan")) == "nan"
