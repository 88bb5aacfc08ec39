"""Bounds that cross are an error of the program, except by round-off or if they are estimates."""

import numpy as np
import pytest

from pearlfem.errors import CrossingError
from pearlfem.observables.crossing import ROUND_OFF, checked_gaps, gaps_of


def test_gaps_of_bounds_in_order():
    np.testing.assert_array_equal(checked_gaps([1.0, -2.0], [1.5, -2.0], "x"), [0.5, 0.0])


def test_round_off_is_no_gap():
    assert checked_gaps(1.0 + ROUND_OFF / 2, 1.0, "x") == 0.0


@pytest.mark.parametrize("upper", [[2.0, 1.0 - 2 * ROUND_OFF], [2.0, np.nan]])
def test_crossing_bounds_are_an_error_that_asks_for_a_report(upper):
    with pytest.raises(CrossingError, match=r"energies: the lower bound 1 is .* please report it"):
        checked_gaps([1.0, 1.0], upper, "energies")


def test_estimates_may_cross():
    assert gaps_of(1.5, 1.0, "x", guaranteed=False) == 0.5
