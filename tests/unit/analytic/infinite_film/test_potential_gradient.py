"""Scalar potential of an impurity per moment, and its gradient: 40-digit values, fields, limits."""

import numpy as np
import pytest

from pearlfem.analytic import infinite_film
from pearlfem.analytic.infinite_film import (
    potential_gradient_per_moment,
    potential_per_moment,
    scalar_potential_gradient,
)

SOURCE = {"position": (0.2, -0.1), "strength": 1.7, "pearl_length": 0.8}
ANGLE = 35.0
MOMENT = np.array([np.cos(np.deg2rad(ANGLE)), np.sin(np.deg2rad(ANGLE))])
FILM = np.array([[0.5, 0.3], [-0.4, 0.6], [1.5, -1.0], [0.25, -0.5]])
SPACE = np.array([[0.5, 0.3, 0.4], [-0.4, 0.6, 0.7], [1.5, -1.0, -0.3], [0.2, -0.5, -1.5]])
SIZES = pytest.mark.parametrize("size", [0.0, 0.25])

# r, z, −V'/r, V'' − V'/r, (∂V'/∂z)/r at r0 = 1: integrals over images at 40 digits (mpmath).
EXACT = np.array(
    [
        (1e-8, 0, 9999999900000009.5183, 19999999900000000.5, 9.999999900000001e23),
        (1e-8, 5e-9, 5527863983197030.8554, 7478019291837099.2411, 7.1554174727206871965e23),
        (1e-8, 0.01, 4952.039255717990651, 7.4751238009689179809e-9, 995047.96074278200935),
        (1e-5, 1e-5, 2928890772.1949826235, 2322318338.3877412687, 353550461702501.56722),
        (0.01, 0, 9902.613846842715139, 19900.496735121464938, 990097.38615315728486),
        (0.01, 10.0, 0.00078166594905804574936, 2.0416697334060370329e-9, 2.1833255094382925e-4),
        (1.0, 0, 0.53886228487508561076, 1.3231145439791990528, 0.46113771512491438924),
        (1.0, 0.5, 0.30024962484449741384, 0.52024893673005027912, 0.41529212795543528901),
        (1.0, 1e3, 9.9701044781467445971e-10, 2.9850819270918393e-15, 2.9880521872005381e-12),
        (30.0, 15.0, 2.5448117460210774065e-5, 5.9501871131359386452e-5, 1.0534289397867334e-6),
        (1e4, 1e-4, 9.9999996999700435045e-13, 2.9999998499850307531e-12, 3.0002995499551553e-20),
        (1e6, 0, 9.99999999997e-19, 2.999999999985e-18, 2.999999999955e-30),
        (1e6, 1e6, 3.5355286026398336676e-19, 5.303287600680104746e-19, 5.3032929039544472e-25),
        (1e6, 1e12, 9.999999999955e-37, 2.9999999999775e-48, 2.9999999999805e-48),
    ]
)


@pytest.mark.parametrize("pearl_length", [1.0, 2.0**20])
def test_forty_digit_values(pearl_length):
    # At φ = 30° no component of r̂ r̂ is 0. Only ∂p_x/∂x is a sum of two terms.
    r, z, slope, quadrupole, normal = EXACT.T
    x, y = r * np.cos(np.pi / 6), r * np.sin(np.pi / 6)
    points = pearl_length * np.stack([x, y, z], axis=-1)
    unit = 4 * np.pi * pearl_length
    potential = unit * potential_per_moment(points, pearl_length=pearl_length)
    np.testing.assert_allclose(
        potential, -slope[:, None] * points[:, :2] / pearl_length, rtol=1e-14
    )
    gradient = (
        unit * pearl_length * potential_gradient_per_moment(points, pearl_length=pearl_length)
    )
    cross = np.sqrt(3) / 4 * quadrupole
    np.testing.assert_allclose(gradient[:, 0, 1], cross, rtol=1e-14)
    np.testing.assert_allclose(gradient[:, 1, 0], cross, rtol=1e-14)
    np.testing.assert_allclose(
        gradient[:, :, 2], np.stack([normal * x, normal * y], -1), rtol=1e-14
    )
    for component, fraction in ((0, 0.75), (1, 0.25)):
        error = gradient[:, component, component] + slope - fraction * quadrupole
        assert np.all(np.abs(error) < 1e-14 * (slope + quadrupole))


def test_without_screening():
    # r ≪ r0: V = −ln r + a constant, so p = −(Γ/4π) r/r² and ∇p = −(Γ/4π) (1 − 2 r̂r̂)/r², with
    # relative corrections of order r/r0.
    points = FILM
    r2 = (points**2).sum(axis=1)[:, None]
    options = {"strength": 4 * np.pi, "pearl_length": 1e14}
    np.testing.assert_allclose(potential_per_moment(points, **options), -points / r2, rtol=1e-13)
    expected = 2 * points[:, :, None] * points[:, None, :] / r2[..., None] - np.eye(2)
    gradient = potential_gradient_per_moment(points, **options)
    np.testing.assert_allclose(gradient, expected / r2[..., None], rtol=1e-12)


@SIZES
def test_any_moment_by_projection(size):
    potential = potential_per_moment(SPACE, size=size, **SOURCE)
    expected = infinite_film.scalar_potential(SPACE, angle=ANGLE, size=size, **SOURCE)
    np.testing.assert_allclose(potential @ MOMENT, expected, rtol=1e-13)
    field = infinite_film.magnetic_field(SPACE, angle=ANGLE, size=size, **SOURCE)
    gradient = scalar_potential_gradient(SPACE, angle=ANGLE, size=size, **SOURCE)
    np.testing.assert_allclose(gradient, -field, rtol=1e-12)


@SIZES
def test_film_is_the_limit_from_above(size):
    above = np.pad(FILM, ((0, 0), (0, 1)))
    np.testing.assert_array_equal(
        potential_per_moment(FILM, size=size, **SOURCE),
        potential_per_moment(above, size=size, **SOURCE),
    )
    gradient = scalar_potential_gradient(FILM, angle=ANGLE, size=size, **SOURCE)
    in_space = scalar_potential_gradient(above, angle=ANGLE, size=size, **SOURCE)
    np.testing.assert_array_equal(gradient, in_space[:, :2])
    # K = ∇g × ẑ with g = 2ψ
    current = infinite_film.sheet_current(FILM, angle=ANGLE, size=size, **SOURCE)
    np.testing.assert_allclose(current, 2 * gradient[:, ::-1] * [1, -1], rtol=1e-12)


@SIZES
@pytest.mark.parametrize("points", [FILM, SPACE], ids=["film", "space"])
def test_gradient_by_differences(size, points, gradient):
    expected = gradient(lambda p: potential_per_moment(p, size=size, **SOURCE), points, 1e-3)
    got = potential_gradient_per_moment(points, size=size, **SOURCE)
    scale = np.abs(got).max(axis=(1, 2), keepdims=True)
    assert np.all(np.abs(got - expected) < 1e-8 * scale)  # error: (h/r)⁴ = 1e-11, times 5!


@SIZES
def test_gradient_gives_the_interaction_tensor(size):
    # T_ij = −∫ K_j·a_i dS = (2Γ_i/κ) × −∂p/∂r at a point impurity i.
    tensor = infinite_film.interaction_tensor(
        [FILM[0], SOURCE["position"]], SOURCE["pearl_length"], (0.6, SOURCE["strength"]), (0, size)
    )
    gradient = potential_gradient_per_moment(FILM[0], size=size, **SOURCE)
    expected = -2 * 0.6 * SOURCE["pearl_length"] / 2 * gradient
    np.testing.assert_allclose(tensor[0, 1], expected, rtol=1e-12)


def test_point_impurity_itself_is_nan_without_warning():
    here = SOURCE["position"]
    assert np.all(np.isnan(potential_per_moment(here, **SOURCE)))
    assert np.all(np.isnan(potential_gradient_per_moment(here, **SOURCE)))
    assert np.all(np.isnan(scalar_potential_gradient([*here, 0.0], **SOURCE)))


def test_shapes():
    for dimension in (2, 3):
        points = np.ones((4, 5, dimension))
        assert potential_per_moment(points).shape == (4, 5, 2)
        assert potential_gradient_per_moment(points).shape == (4, 5, 2, dimension)
        assert scalar_potential_gradient(points).shape == (4, 5, dimension)
    assert potential_gradient_per_moment(np.empty((0, 2))).shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (potential_per_moment, {"points": [1.0]}, r"points has shape \(1,\): .*2 or 3 long"),
        (potential_gradient_per_moment, {"points": 1.0}, r"points has shape \(\)"),
        (potential_per_moment, {"points": [1.0, 2.0], "size": -1.0}, "size = -1.0"),
        (scalar_potential_gradient, {"points": [1.0, 2.0], "angle": np.inf}, "angle = inf"),
        (scalar_potential_gradient, {"points": [1.0, 2.0], "pearl_length": 0}, "pearl_length = 0"),
        (potential_gradient_per_moment, {"points": [1.0, np.nan]}, "points = .*finite"),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)
