"""Applied fields: 60-digit values, Biot–Savart, Maxwell's equations, limits."""

import numpy as np
import pytest

from pearlfem.analytic import applied_fields
from pearlfem.analytic.applied_fields import (
    dipole_magnetic_field,
    dipole_vector_potential,
    loop_magnetic_field,
    loop_vector_potential,
    uniform_magnetic_field,
    uniform_vector_potential,
)

CENTER, RADIUS, CURRENT = np.array([0.3, -0.2, 0.5]), 0.8, 1.7
MOMENT = np.array([0.4, -1.1, 0.7])
# On both sides of the plane of the loop, at least 0.25 from the wire; the first two are on and near
# the axis.
POINTS = CENTER + np.array(
    [
        [0.0, 0.0, 0.6],
        [1e-5, 2e-5, -0.3],
        [0.3, 0.2, 0.0],
        [0.8, 0.3, 0.25],
        [-1.5, 0.4, -0.7],
        [0.1, 2.5, 3.0],
    ]
)

# ρ, z, A_φ, B_ρ, B_z of a loop of radius 1 and current 1, from Jackson's Eq. (5.37) and its curl
# at 60 digits (mpmath): next to the axis, off it, above the wire, next to the wire, far away.
EXACT_LOOP = np.array(
    [
        (1e-9, 0.5, 1.7888543819998318e-10, 2.1466252583997981e-10, 0.35777087639996635),
        (0.25, 0.5, 0.044695114491454668, 0.056366727536950496, 0.35713218478342419),
        (1, 0.75, 0.091650542498803366, 0.14737512263460663, 0.10109094223737917),
        (1, 1e-6, 2.2114503106839343, 159154.94309099641, 1.1853026268874654),
        (1 + 2**-30, 0, 3.3221775148620635, 0.0, -170891317.0738642),
        (1 - 2**-10, -(2**-10), 1.0611035825862748, -81.526691699357326, 82.137455849878861),
        (3, -2, 0.015722689815689782, -0.0076557490334995857, 6.8531958115101749e-5),
        (1e-3, 1e5, 2.4999999996249996e-19, 7.4999999981249981e-24, 4.9999999992499985e-16),
        (1e6, 3e5, 2.1968492780306075e-13, 1.8139122479173332e-19, -1.6526756036562951e-19),
        (0.5, 0, 0.13896654948167026, 0.0, 0.62281030511179608),
        (2, 0, 0.069483274740835129, 0.0, -0.043109650768556945),
        (1e8, 0, 2.5e-17, 0.0, -2.5e-25),
    ]
)


def biot_savart(points, segments=400):
    """A and B of the loop by the trapezoidal rule over the wire.

    Its error is e^{−n δ/a} at a distance δ from the wire: e^{−100} at 0.2 a.
    """
    phi = 2 * np.pi * np.arange(segments) / segments
    zero = np.zeros_like(phi)
    wire = CENTER + RADIUS * np.stack([np.cos(phi), np.sin(phi), zero], axis=-1)
    element = RADIUS * np.stack([-np.sin(phi), np.cos(phi), zero], axis=-1) * 2 * np.pi / segments
    away = points[:, None, :] - wire
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    scale = CURRENT / (4 * np.pi)
    potential = scale * (element / distance).sum(axis=1)
    return potential, scale * (np.cross(element, away) / distance**3).sum(axis=1)


def loop(function):
    return lambda points: function(points, CENTER, RADIUS, CURRENT)


def dipole(function):
    return lambda points: function(points, CENTER, MOMENT)


def uniform(function):
    return lambda points: function(points, MOMENT)


PAIRS = pytest.mark.parametrize(
    ("potential", "field"),
    [
        (uniform(uniform_vector_potential), uniform(uniform_magnetic_field)),
        (dipole(dipole_vector_potential), dipole(dipole_magnetic_field)),
        (loop(loop_vector_potential), loop(loop_magnetic_field)),
    ],
    ids=["uniform", "dipole", "loop"],
)


@PAIRS
def test_field_is_the_curl_of_the_potential(potential, field, gradient):
    # Error of the differences: h⁴/30 times a fifth derivative, below 120/δ⁵ of A (δ >= 0.25).
    jacobian = gradient(potential, POINTS, 2e-4)
    curl = np.stack([jacobian[:, (i + 2) % 3, (i + 1) % 3] for i in range(3)], axis=-1)
    curl -= np.stack([jacobian[:, (i + 1) % 3, (i + 2) % 3] for i in range(3)], axis=-1)
    scale = np.abs(jacobian).max(axis=(1, 2))[:, None]
    assert np.all(np.abs(curl - field(POINTS)) < 1e-10 * scale)


@PAIRS
def test_no_divergence(potential, field, gradient):
    for function in (potential, field):
        jacobian = gradient(function, POINTS, 2e-4)
        divergence = np.trace(jacobian, axis1=1, axis2=2)
        assert np.all(np.abs(divergence) <= 1e-10 * np.abs(jacobian).max(axis=(1, 2)))


def test_uniform_field_anywhere():
    np.testing.assert_array_equal(uniform_magnetic_field(np.ones((4, 3)), MOMENT), [MOMENT] * 4)
    along_y = uniform_vector_potential([2.0, 0.0, 5.0], [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(along_y, [0.0, 3.0, 0.0])  # ½ B × r


def test_dipole_on_its_axis_and_on_its_equator():
    # B = 2m/4πr³ on the axis and −m/4πr³ on the equator.
    ahead, beside = dipole_magnetic_field([[0, 0, 2.0], [0, 2.0, 0]], np.zeros(3), [0, 0, 3.0])
    np.testing.assert_allclose(ahead, [0, 0, 3 / (16 * np.pi)], rtol=1e-15)
    np.testing.assert_allclose(beside, [0, 0, -3 / (32 * np.pi)], rtol=1e-15)


@pytest.mark.parametrize("scale", [1.0, 2.0**-20, 2.0**30])  # powers of two: no rounding
def test_loop_at_sixty_digits(scale):
    rho, z, potential, radial, normal = EXACT_LOOP.T
    points = scale * np.stack([rho, np.zeros_like(rho), z], axis=-1)
    got = loop_vector_potential(points, np.zeros(3), scale, 1.0)
    np.testing.assert_allclose(got[:, 1], potential, rtol=3e-15)
    field = scale * loop_magnetic_field(points, np.zeros(3), scale, 1.0)
    error = np.hypot(field[:, 0] - radial, field[:, 2] - normal)
    assert np.all(error < 3e-15 * np.hypot(radial, normal))


def test_loop_by_biot_savart():
    potential, field = biot_savart(POINTS)
    got = loop(loop_vector_potential)(POINTS)
    np.testing.assert_allclose(got, potential, rtol=1e-13, atol=1e-15 * CURRENT)
    np.testing.assert_allclose(loop(loop_magnetic_field)(POINTS), field, rtol=1e-13, atol=1e-15)


def test_loop_on_its_axis():
    # B_z = μ0 I a²/2(a² + z²)^{3/2}
    z = np.array([0.0, 0.1, -0.9, 5.0, 1e4])
    field = loop(loop_magnetic_field)(CENTER + np.stack([0 * z, 0 * z, z], axis=-1))
    expected = CURRENT * RADIUS**2 / (2 * (RADIUS**2 + z**2) ** 1.5)
    # z = 1e4 minus the centre is rounded
    np.testing.assert_allclose(field[:, 2], expected, rtol=1e-12)
    np.testing.assert_array_equal(field[:, :2], 0.0)


def test_loop_far_away_is_a_dipole():
    # Moment πa²I ẑ; the next multipole is of relative order (a/r)² = 1e-14 at r = 1e7 a.
    direction = np.random.default_rng(3).normal(size=(20, 3))
    far = CENTER + 1e7 * RADIUS * direction
    moment = [0.0, 0.0, np.pi * RADIUS**2 * CURRENT]
    for of_loop, of_dipole in (
        (loop_vector_potential, dipole_vector_potential),
        (loop_magnetic_field, dipole_magnetic_field),
    ):
        expected = of_dipole(far, CENTER, moment)
        error = np.linalg.norm(loop(of_loop)(far) - expected, axis=1)
        assert np.all(error < 1e-12 * np.linalg.norm(expected, axis=1))


def test_flux_through_a_circle_is_the_circulation():
    # 2πρ A_φ = ∫ B_z dS for the circle ρ = 0.7 a in the plane z = 0.3, by Gauss's rule.
    nodes, weights = np.polynomial.legendre.leggauss(30)
    edge = 0.7 * RADIUS
    rho = 0.5 * edge * (nodes + 1)
    disc = CENTER + np.stack([rho, 0 * rho, np.full_like(rho, 0.3)], axis=-1)
    flux = 2 * np.pi * rho * loop(loop_magnetic_field)(disc)[:, 2] @ weights * 0.5 * edge
    circulation = (
        2 * np.pi * edge * loop(loop_vector_potential)(CENTER + np.array([edge, 0, 0.3]))[1]
    )
    assert flux == pytest.approx(circulation, rel=1e-13)


def test_shapes():
    points = np.ones((4, 5, 3))
    for function in (uniform, dipole, loop):
        for kind in ("vector_potential", "magnetic_field"):
            of = function(getattr(applied_fields, f"{function.__name__}_{kind}"))
            assert of(points).shape == (4, 5, 3)
            assert of(points[0, 0]).shape == (3,)
            assert of(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (uniform_vector_potential, ([1.0, 2.0], MOMENT), r"points has shape \(2,\).*3 long"),
        (uniform_magnetic_field, ([1.0, 2.0, 3.0], [1.0]), r"field has shape \(1,\)"),
        (
            dipole_vector_potential,
            ([[1, 1, 1], CENTER], CENTER, MOMENT),
            r"1 of them are at the dipole.*index \(1,\)",
        ),
        (dipole_magnetic_field, (CENTER, CENTER, MOMENT), "1 of them are at the dipole"),
        (dipole_magnetic_field, (POINTS, CENTER, [np.nan, 0, 0]), "moment = .*finite"),
        (loop_vector_potential, (POINTS, CENTER, 0.0, 1.0), "radius = 0.0"),
        (loop_magnetic_field, (POINTS, CENTER, 1.0, np.inf), "current = inf"),
        (loop_magnetic_field, ([[0, 0, 0], [0, 2, 0]], [0, 0, 0], 2.0, 1.0), r"on the.*\(1,\)"),
        (loop_vector_potential, ([-2.0, 0, 1], [0, 0, 1], 2.0, 1.0), "1 of them are on the wire"),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
