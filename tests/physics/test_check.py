"""``pearlfem check`` passes, and would notice a wrong coupling."""

import numpy as np
import pytest
from helpers import case

from pearlfem import Impurity
from pearlfem.workflow import check
from pearlfem.workflow.comparison import Comparison

FEW = (Impurity((0.0, 0.0), size=0.1), Impurity((0.6, 0.0), size=0.1))


@pytest.mark.parametrize(
    ("impurities", "line"), [case(FEW, (0.2, 0.5, 1.0), slow=False), case(None, None, slow=True)]
)
def test_solver_agrees_with_exact_theory(monkeypatch, impurities, line):
    if impurities:
        monkeypatch.setattr(check, "_IMPURITIES", impurities)
        monkeypatch.setattr(check, "_ALONG", np.array(line))
        monkeypatch.setattr(check, "_FINER", 1.7)
    rows = check.check_solver()
    n, places = len(check._IMPURITIES), len(check._ALONG)
    assert len(rows) == 2 * n + n * (n - 1) + 2 * places  # self-energies, pairs, K, B
    worst = max(rows, key=lambda row: abs(row.difference) / row.tolerance)
    assert worst.passed, worst


@pytest.mark.parametrize(("computed", "passed"), [(1.00009, True), (1.00011, False), (0.5, False)])
def test_comparison_fails_beyond_its_tolerance(computed, passed):
    assert Comparison("T", computed, 1.0, 1.0, 1e-4).passed is passed
