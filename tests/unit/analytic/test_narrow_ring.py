"""Inductance of narrow rings, compared with sums over coaxial current loops."""

import numpy as np
import pytest
from scipy import special

from pearlfem.analytic.narrow_ring import meissner_inductance, uniform_inductance
from pearlfem.analytic.weak_screening import ring_kinetic_inductance


def mutual_inductance(first, second):
    """Maxwell's formula for coaxial loops in one plane, √(rr') [(2/k − k) K − (2/k) E]."""
    complement = ((first - second) / (first + second)) ** 2
    k = np.sqrt(1 - complement)
    integrals = (2 / k - k) * special.ellipkm1(complement) - 2 / k * special.ellipe(k * k)
    return np.sqrt(first * second) * integrals


def inductance_of(density, inner, outer):
    """Average mutual inductance ∫∫ M K K' dr dr' / (∫ K dr)² of a smooth current density."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    t, dt = 0.5 * (nodes + 1), 0.5 * weights
    width = outer - inner
    distance = width * t**4  # makes the integrand smooth at distance 0, where M has a logarithm
    r = inner + (width - distance[:, None]) * t
    pairs = (
        mutual_inductance(r, r + distance[:, None]) * density(r) * density(r + distance[:, None])
    )
    total = 2 * (dt * 4 * width * t**3 * (width - distance)) @ (pairs @ dt)
    current = density(inner + width * t) @ dt * width
    return total / current**2


def ring_solution(inner, outer, pearl_length, count=200):
    """Inductance of a ring and its kinetic part from ∫ M K dr' + 2πr K/κ = 1.

    With x = (w/2) cos θ and j = (w/2) sin θ K, M = S − √(rr') ln|x − x'|. The logarithm is
    diagonal in cosines: ln|cos θ − cos θ'| = −ln 2 − Σ (2/n) cos nθ cos nθ'.
    """
    radius, width = 0.5 * (inner + outer), outer - inner
    theta = np.pi * (np.arange(count) + 0.5) / count
    x = 0.5 * width * np.cos(theta)
    r = radius + x
    distance = np.abs(x[:, None] - x) + np.eye(count)
    roots = np.sqrt(r[:, None] * r)
    # any value will do on the diagonal, which is set below
    other = np.where(np.eye(count), 2 * r, r)
    smooth = mutual_inductance(r[:, None], other) + roots * np.log(distance)
    np.fill_diagonal(smooth, r * (np.log(8 * r) - 2))
    n = np.arange(1, count)
    cosines = np.cos(theta[:, None] * n)
    logarithm = (np.log(width / 4) - 2 * cosines / n @ cosines.T) / count * np.pi
    flux = smooth * np.pi / count - roots * logarithm
    kinetic = np.diag(2 * np.pi * r * pearl_length / 2 / (0.5 * width * np.sin(theta)))
    j = np.linalg.solve(flux + kinetic, np.ones(count))
    current = j.sum() * np.pi / count
    return 1 / current, j @ kinetic @ j * np.pi / count / current**2


def test_sum_gives_the_tabulated_ring():
    # a = 2, b = 5, r0 = 1: six digits from a spectral Galerkin method. The error of the sum falls
    # as count⁻²; at 400 it is a third of the change of 7e-5 from 200 to 400.
    inductance, kinetic = ring_solution(2.0, 5.0, 1.0, count=400)
    assert inductance == pytest.approx(8.792446, abs=4e-5)
    assert kinetic == pytest.approx(3.570592, abs=2e-5)
    # The distribution K ∝ 1/r has the smallest kinetic energy.
    assert ring_kinetic_inductance(2.0, 5.0, 1.0) < 3.570592


@pytest.mark.parametrize(
    ("width", "error"), [(1e-3, 2e-8), (1e-2, 2e-6), (0.1, 2.2e-4), (0.4, 5e-3)]
)
def test_uniform_current(width, error):
    inner, outer = 1 - width / 2, 1 + width / 2
    exact = inductance_of(np.ones_like, inner, outer)
    assert 0 < 1 - uniform_inductance(inner, outer) / exact < error


@pytest.mark.parametrize(
    ("width", "error"), [(1e-3, 4e-7), (1e-2, 3.2e-5), (0.1, 2.5e-3), (0.4, 3.6e-2)]
)
def test_meissner_state(width, error):
    inner, outer = 1 - width / 2, 1 + width / 2
    exact = ring_solution(inner, outer, 0.0)[0]
    assert 0 < meissner_inductance(inner, outer) / exact - 1 < error


@pytest.mark.parametrize(
    ("pearl_length", "least", "most"), [(1e-4, 0.0, 0.0), (0.1, 0.4, 0.7), (10.0, 1.0, 1.0)]
)
def test_which_distribution_at_which_pearl_length(pearl_length, least, most):
    # Pearl lengths in units of w: L minus its kinetic part rises from the Meissner value to the
    # uniform one.
    inner, outer = 0.99, 1.01
    inductance, _ = ring_solution(inner, outer, 0.02 * pearl_length, count=400)
    magnetic = inductance - ring_kinetic_inductance(inner, outer, 0.02 * pearl_length)
    screened, uniform = meissner_inductance(inner, outer), uniform_inductance(inner, outer)
    fraction = (magnetic - screened) / (uniform - screened)
    # Errors of both formulas at w = 0.02 R: 1e-4 of L, or 6e-3 of their difference.
    assert least - 0.02 < fraction < most + 0.02


@pytest.mark.parametrize("function", [uniform_inductance, meissner_inductance])
def test_scales_with_the_ring(function):
    assert function(3.6, 4.4) == pytest.approx(4 * function(0.9, 1.1), rel=1e-13)


@pytest.mark.parametrize("function", [uniform_inductance, meissner_inductance])
@pytest.mark.parametrize(
    ("inner", "outer", "message"),
    [
        (1.0, 1.0, "outer = 1.0: must be larger than inner = 1.0"),
        (0.0, 1.0, "inner = 0.0"),
        (1.0, np.inf, "outer = inf"),
    ],
)
def test_refuses(function, inner, outer, message):
    with pytest.raises(ValueError, match=message):
        function(inner, outer)
