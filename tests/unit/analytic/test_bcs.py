"""BCS gap and superfluid weight: Matsubara sums, integrals over ξ, limits T → 0 and T → Tc."""

import numpy as np
import pytest
from scipy import integrate, special

from pearlfem.analytic import bcs

WEIGHTS = [bcs.clean_weight, bcs.dirty_weight]
FUNCTIONS = [bcs.gap, *WEIGHTS]
TEMPERATURES = np.array([0.2, 0.35, 0.5, 0.7, 0.9, 0.99])  # T/Tc


def matsubara(function, t, delta):
    """2πT Σ_{n≥0} function(ω_n, Δ) [k_B Tc = 1]; beyond N terms the sum becomes an integral.

    The error (midpoint rule) is (2πT)²/24 times the slope of the function at the end of the sum.
    The functions here fall like ω^-3, so it is 1e-5 × ω^-4 at ω ~ 1e4: below 1e-16.
    """
    count = 4000
    omega = (2 * np.arange(count) + 1) * np.pi * t
    cut = 2 * count * np.pi * t
    tail, _ = integrate.quad(lambda u: function(cut / u, delta) * cut / u**2, 0, 1, epsabs=1e-15)
    return 2 * np.pi * t * function(omega, delta).sum() + tail


def test_reference_table(read_table):
    # 12 digits. The gap of the table at T = 0.1 Tc is 1.5e-11 too high: to first order
    # 1 − Δ/Δ(0) = 2 K0(17.64).
    table = read_table("bcs_weight")
    for name, function in zip(("gap", "D_clean", "D_dirty"), FUNCTIONS, strict=True):
        np.testing.assert_allclose(function(table["T_over_Tc"]), table[name], rtol=0, atol=2e-11)


@pytest.mark.parametrize("t", TEMPERATURES)
def test_gap_solves_the_gap_equation_of_matsubara_frequencies(t):
    delta = bcs.GAP_RATIO * float(bcs.gap(t))
    # 1/√(ω²+Δ²) − 1/ω, written so that it does not cancel
    total = matsubara(lambda w, d: -(d**2) / (w * np.hypot(w, d) * (w + np.hypot(w, d))), t, delta)
    assert total == pytest.approx(np.log(t), abs=1e-13)


@pytest.mark.parametrize("t", TEMPERATURES)
def test_clean_weight_is_its_matsubara_sum(t):
    delta = bcs.GAP_RATIO * float(bcs.gap(t))
    expected = matsubara(lambda w, d: d**2 / (w**2 + d**2) ** 1.5, t, delta)
    assert float(bcs.clean_weight(t)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("t", TEMPERATURES)
def test_dirty_weight_is_its_matsubara_sum(t):
    # Mattis–Bardeen: D ∝ T Σ Δ²/(ω²+Δ²), divided by its value (π/2)Δ(0) at T = 0
    delta = bcs.GAP_RATIO * float(bcs.gap(t))
    expected = matsubara(lambda w, d: d**2 / (w**2 + d**2), t, delta)
    assert float(bcs.dirty_weight(t)) == pytest.approx(
        expected / (np.pi / 2 * bcs.GAP_RATIO), abs=1e-9
    )


@pytest.mark.parametrize("t", TEMPERATURES)
def test_clean_weight_is_yosidas_integral(t):
    delta = bcs.GAP_RATIO * float(bcs.gap(t))

    def occupied(xi):
        return 0.5 / t / np.cosh(0.5 * np.hypot(xi, delta) / t) ** 2  # 2 (−∂f/∂E)

    lost, _ = integrate.quad(occupied, 0, delta + 60 * t, epsabs=1e-14, epsrel=1e-13)
    assert float(bcs.clean_weight(t)) == pytest.approx(1 - lost, abs=1e-12)


def test_clean_weight_is_the_slope_of_the_gap_equation():
    # w = −d ln T/d ln(Δ/T) by a central difference; its error is 1e-4² times a third derivative
    t = np.linspace(0.2, 0.95, 16)
    step = 1e-4
    ratio = [np.log(bcs.gap(t * f) / (t * f)) for f in (np.exp(step), np.exp(-step))]
    np.testing.assert_allclose(bcs.clean_weight(t), -2 * step / (ratio[0] - ratio[1]), rtol=2e-6)


def test_all_are_one_at_zero_and_fall_from_there():
    t = np.linspace(0.0, 0.9999, 2000)
    for function in FUNCTIONS:
        value = function(t)
        assert value[0] == 1.0
        assert np.all(np.diff(value) <= 1e-15)  # where it hardly falls, rounding shows
        assert np.all((value > 0) & (value <= 1.0 + 1e-15))


def test_dirty_weight_is_above_the_clean_one():
    t = np.linspace(0.1, 0.999, 50)
    assert np.all(bcs.dirty_weight(t) > bcs.clean_weight(t))


def test_corrections_at_low_temperature_are_exponentially_small():
    # First order in f: 1 − Δ = 2 K0(x), 1 − w = 2x K1(x), x = Δ(0)/T; the next one is e^{−x} of it.
    for t in (0.06, 0.08, 0.1, 0.12):
        x = bcs.GAP_RATIO / t
        small = np.exp(-x)
        assert 1 - bcs.gap(t) == pytest.approx(2 * special.k0(x), rel=20 * x * small, abs=3e-16)
        lost = 2 * x * special.k1(x)
        assert 1 - bcs.clean_weight(t) == pytest.approx(lost, rel=20 * x * small, abs=2e-15)
    assert bcs.gap([1e-300, 0.01, 0.03, 0.0301]).tolist() == [1.0] * 4


def test_ginzburg_landau_laws_near_the_critical_temperature():
    # Ginzburg–Landau: Δ² = 8π²/7ζ(3) Tc² τ, clean w = 2τ, dirty w = (Δ/Δ(0)) Δ/2T, τ = 1 − T/Tc;
    # the next order is smaller by a factor of about τ.
    for tau in (1e-3, 1e-5, 1e-7):
        t = 1.0 - tau
        square = 8 * np.pi**2 / (7 * special.zeta(3)) * tau
        allowed = 2 * tau + 4e-16 / tau  # next order, and rounding of 1 − T/Tc
        assert (bcs.GAP_RATIO * bcs.gap(t)) ** 2 == pytest.approx(square, rel=allowed)
        assert bcs.clean_weight(t) == pytest.approx(2 * tau, rel=allowed)
        assert bcs.dirty_weight(t) == pytest.approx(square / 2 / bcs.GAP_RATIO, rel=allowed)


def test_largest_float_below_the_critical_temperature():
    value = [float(function(np.nextafter(1.0, 0.0))) for function in FUNCTIONS]
    assert 0 < value[1] < value[2] < value[0] < 1e-7


def test_series_and_integral_agree():
    # Both converge around the x where the code switches from one to the other.
    x = np.array([1.2, 1.5, 1.6])
    for one, other in zip(bcs._power_series(x), bcs._integral(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=3e-15)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_units_and_shape(function):
    t = np.linspace(0.0, 0.95, 24).reshape(2, 3, 4)
    assert function(t).shape == t.shape
    assert function(0.5).shape == ()
    assert function(np.empty(0)).shape == (0,)
    np.testing.assert_allclose(function(t * 9.2, 9.2), function(t), rtol=1e-13)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1,), "temperature = -0.1: every entry must be >= 0"),
        ((1.0,), "temperature = 1.0: every entry must be < critical = 1.0"),
        ((9.5, 9.2), "temperature = 9.5: every entry must be < critical = 9.2"),
        (([0.5, 2.0],), r"temperature = \[0.5, 2.0\]"),
        ((np.nan,), "temperature = nan"),
        ((0.0, 0.0), "critical = 0.0: must be a finite number > 0"),
        ((0.0, -1.0), "critical = -1.0"),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
