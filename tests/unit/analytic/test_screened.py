"""Screened potential above the film: identities, and agreement of its two algorithms."""

import numpy as np
import pytest

from pearlfem.analytic import _screened, keldysh_potential
from pearlfem.analytic._screened import screened_potential

HEIGHTS = np.array([0.0, 1e-3, 0.1, 1.0, 30.0])
RADII = np.array([1e-4, 0.01, 0.3, 2.0, 40.0])


def test_point_source_on_the_film_is_the_keldysh_potential():
    r = np.logspace(-6, 6, 61)
    v = screened_potential(r, 0.0, 1.0, 0.0)
    np.testing.assert_allclose(v.potential, keldysh_potential(r), rtol=1e-13)
    np.testing.assert_allclose(v.slope_over_r * r, keldysh_potential(r, derivative=1), rtol=1e-13)
    curvature = v.quadrupole + v.slope_over_r
    np.testing.assert_allclose(curvature, keldysh_potential(r, derivative=2), rtol=1e-13)


def test_london_condition_off_the_film():
    # ∂V/∂z = V/r0 − 1/R and the derivative of this by r, with R² = r² + z²; far away, terms cancel.
    r, z = np.meshgrid(RADII, HEIGHTS)
    v = screened_potential(r, z, 1.0, 0.0)
    distance = np.hypot(r, z)
    terms = v.potential + 1 / distance
    assert np.all(np.abs(v.normal - (v.potential - 1 / distance)) < 1e-14 * terms)
    terms = np.abs(v.slope_over_r) + 1 / distance**3
    residual = v.normal_slope_over_r - (v.slope_over_r + 1 / distance**3)
    assert np.all(np.abs(residual) < 1e-14 * terms)


@pytest.mark.parametrize("width", [0.0, 0.05, 2.0])
def test_harmonic_above_the_film(width, gradient):
    # V'' + V'/r + ∂²V/∂z² = 0; the last term by differences of ∂V/∂z (error of order h⁴).
    r, z = (a.ravel() for a in np.meshgrid([0.02, 0.4, 3.0], [0.5, 1.5]))
    v = screened_potential(r, z, 1.0, width)

    def normal(point):
        return screened_potential(r, point[..., 0], 1.0, width).normal

    second = gradient(normal, z[:, None], 1e-3)[..., 0]
    in_plane = v.quadrupole + 2 * v.slope_over_r
    np.testing.assert_allclose(in_plane, -second, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("width", [1e-3, 0.05, 1.0, 10.0])
def test_both_algorithms_agree_around_the_switch(width):
    angle = np.linspace(0.0, 0.5 * np.pi, 7)
    distance = np.array([11.8, 12.0, 12.5])[:, None]
    x, y = ((distance * f(angle) * width).ravel() for f in (np.cos, np.sin))
    s = np.full_like(x, width)
    near = _screened._hankel_integral(x, y, s)
    far = _screened._image_integral(x, y, s, *_screened._HERMITE)
    # Worst on the film: B_z of a source much wider than r0 is 1e-5 of the terms that cancel in it.
    np.testing.assert_allclose(near, far, rtol=1e-11)


def test_gaussian_source_tends_to_the_point_source():
    # The leading correction is (σ²/2)∇²V with ∇²V = V'' + V'/r: of relative order (σ/R)².
    r, z = np.meshgrid([0.2, 1.0, 5.0], [0.0, 0.5])
    point = np.array(screened_potential(r, z, 1.0, 0.0))
    for width in (1e-5, 1e-3):
        gaussian = np.array(screened_potential(r, z, 1.0, width))
        assert np.all(np.abs(gaussian / point - 1) < 20 * (width / np.hypot(r, z)) ** 2 + 1e-14)


def test_smooth_through_the_axis():
    # V is even in r, so quadrupole = V'''' r²/3 + O(r⁴), and all others are constant + O(r²).
    r = np.array([0.0, 1e-8, 1e-4])
    for z, width in ((0.0, 0.1), (0.5, 0.1), (0.5, 0.0)):
        v = screened_potential(r, z, 1.0, width)
        for name in ("potential", "normal", "slope_over_r", "normal_slope_over_r"):
            values = getattr(v, name)
            np.testing.assert_allclose(values[1:], values[0], rtol=1e-4)
        np.testing.assert_allclose(v.quadrupole[2] / v.quadrupole[1], 1e8, rtol=1e-4)
        assert v.quadrupole[0] < 1e-100


def test_widths_may_differ_from_point_to_point():
    r, widths = np.full(4, 0.7), np.array([0.0, 0.01, 0.1, 1.0])
    together = np.array(screened_potential(r, 0.0, 1.3, widths))
    alone = [np.array(screened_potential(np.array(0.7), 0.0, 1.3, w)) for w in widths]
    np.testing.assert_allclose(together, np.stack(alone, axis=-1), rtol=1e-13)
