"""``pearlfem check`` passes, and would notice a wrong coupling."""

import pytest

from pearlfem.workflow.check import check_solver
from pearlfem.workflow.comparison import Comparison


def test_solver_agrees_with_exact_theory():
    rows = check_solver()
    assert len(rows) == 2 * 5 + 2 * 10 + 7 + 7  # self-energies, pairs, K, B
    worst = max(rows, key=lambda row: abs(row.difference) / row.tolerance)
    assert worst.passed, worst


@pytest.mark.parametrize(("computed", "passed"), [(1.00009, True), (1.00011, False), (0.5, False)])
def test_comparison_fails_beyond_its_tolerance(computed, passed):
    assert Comparison("T", computed, 1.0, 1.0, 1e-4).passed is passed
