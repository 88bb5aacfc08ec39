"""Keldysh potential: independent values, the ordinary differential equation, limits."""

import numpy as np
import pytest
from scipy import special

from pearlfem.analytic import keldysh_potential

# x, V, V', V'', V''' at r0 = 1, from Struve and Bessel functions at 60 digits (mpmath), the last
# two rows from their asymptotic series.
EXACT = np.array(
    [
        (1.0e-6, 13.931443073618954, -999999.00000721572, 999999999993.28428, -1.9999999999995e18),
        (0.001, 7.0246847886078729, -999.00376217621353, 999996.73749142492, -1999999500.6638763),
        (0.5, 1.1844976873496509, -1.3933377551975213, 3.6021778230453918, -15.384368911683347),
        (3.0, 0.31016337753266913, -0.09238697033919536, 0.05396561258039599, -0.04697789722529168),
        (30.0, 0.03329665689406625, -0.0011074668872432, 7.359200217518857e-5, -7.327809370676e-6),
        (
            1e3,
            0.000999999000009,
            -9.9999700004499843e-7,
            1.9999880002699874e-9,
            -5.999940001889e-12,
        ),
        (1e6, 9.99999999999e-7, -9.99999999997e-13, 1.999999999988e-18, -5.99999999994e-24),
    ]
)
DECADES = np.logspace(-6, 6, 121)


@pytest.mark.parametrize("derivative", range(4))
def test_sixty_digit_values(derivative):
    got = keldysh_potential(EXACT[:, 0], derivative=derivative)
    np.testing.assert_allclose(got, EXACT[:, 1 + derivative], rtol=1e-12)


def test_difference_of_struve_and_bessel_functions_where_it_does_not_cancel():
    x = np.logspace(-6, 0, 50)
    value = 0.5 * np.pi * (special.struve(0, x) - special.y0(x))
    slope = 1.0 - 0.5 * np.pi * (special.struve(1, x) - special.y1(x))
    np.testing.assert_allclose(keldysh_potential(x), value, rtol=1e-13)
    np.testing.assert_allclose(keldysh_potential(x, derivative=1), slope, rtol=1e-13)


def test_point_kernels_table(read_table):
    table = read_table("point_kernels")  # 15 digits
    np.testing.assert_allclose(keldysh_potential(table["r_over_r0"]), table["V"], rtol=1e-13)


@pytest.mark.parametrize("pearl_length", [1.0, 0.37])
def test_differential_equation(pearl_length):
    # V'' + V'/r + V/r0² = 1/(r r0) for r > 0. Terms cancel, so errors are relative to their size.
    r = DECADES * pearl_length
    v, slope, curvature, third = (keldysh_potential(r, pearl_length, n) for n in range(4))
    source = 1.0 / (r * pearl_length)
    terms = np.abs([curvature, slope / r, v / pearl_length**2, source])
    residual = curvature + slope / r + v / pearl_length**2 - source
    assert np.all(np.abs(residual) < 4e-15 * terms.sum(axis=0))
    terms = np.abs([third, curvature / r, slope / r**2, slope / pearl_length**2, source / r])
    residual = third + curvature / r - slope / r**2 + slope / pearl_length**2 + source / r
    assert np.all(np.abs(residual) < 4e-15 * terms.sum(axis=0))


def test_logarithm_at_short_distance_and_coulomb_at_long():
    x = np.array([1e-6, 1e-5])
    # Next term: x. 0.5772… is Euler's constant.
    np.testing.assert_allclose(keldysh_potential(x), np.log(2 / x) - np.euler_gamma, atol=2e-5)
    x = np.array([1e5, 1e6])
    np.testing.assert_allclose(keldysh_potential(x), 1 / x, rtol=2e-10)  # next term: −1/x³


def test_units_and_shape():
    r = np.linspace(0.1, 3.0, 24).reshape(2, 3, 4)
    for derivative in range(4):
        scaled = keldysh_potential(r, 2.5, derivative)
        np.testing.assert_allclose(
            scaled, keldysh_potential(r / 2.5, 1.0, derivative) / 2.5**derivative, rtol=1e-14
        )
        assert scaled.shape == r.shape
    assert keldysh_potential(1.0).shape == ()
    assert keldysh_potential(np.empty(0)).shape == (0,)


def test_more_points_than_one_block():
    r = np.linspace(0.01, 5.0, 5000)
    few = [keldysh_potential(r[i]) for i in (0, 1234, 4999)]
    np.testing.assert_allclose(keldysh_potential(r)[[0, 1234, 4999]], few, rtol=1e-14)


def test_diverges_at_the_origin():
    at_origin = [float(keldysh_potential(0.0, derivative=n)) for n in range(4)]
    assert at_origin == [np.inf, -np.inf, np.inf, -np.inf]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"r": -1.0}, "r = -1.0"),
        ({"r": np.nan}, "r = nan"),
        ({"r": 1.0, "pearl_length": 0.0}, "pearl_length = 0.0"),
        ({"r": 1.0, "derivative": 4}, "derivative = 4: must be 0, 1, 2 or 3"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        keldysh_potential(**arguments)
