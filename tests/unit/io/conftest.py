"""A solution whose potential is a polynomial, so that every number in a file is known."""

import dataclasses

import pytest
from dolfinx import fem


@pytest.fixture(scope="session")
def stated(solution):
    """ψ = x y − z²/2 + 3 z + x: then B = −(y + 1, x, 3 − z)."""
    psi = fem.Function(solution.potential.function_space)
    psi.interpolate(lambda x: x[0] * x[1] - 0.5 * x[2] ** 2 + 3.0 * x[2] + x[0])
    return dataclasses.replace(solution, potential=psi)
