"""Flux through loops and current through cuts against exact theory, in both formulations.

The references do not come from fields at points: fluxes are Hankel integrals, currents differences
of exact stream functions. With g = G(r) cos φ and Ĝ(q) = ∫ G(r) J1(qr) r dr the flux through a loop
of radius R around (ρ, φ) at height z is

    Φ = πR cos φ ∫ q Ĝ(q) J1(qρ) J1(qR) e^{−qz} dq.

On the infinite film Ĝ = −(Γ r0/2π) e^{−q²ξ²/2}/(1 + q r0). On a disc of radius a without screening
(r0 → ∞) Δg = −Γ m·∇f with g = 0 at its edge, for an impurity at the centre: G(r) = −Γ (U(r) −
U(a) r/a) with U(r) = (1 − e^{−r²/2ξ²})/(2πr).
"""

import numpy as np
import pytest
from scipy.special import j1

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_mesh
from pearlfem.analytic import infinite_film
from pearlfem.observables.magnetic_field import magnetic_field
from pearlfem.observables.probes import current_through, disc_rule, flux_through_loops, loop_flux

IMPURITY = Impurity((0.0, 0.0), size=0.2, angle=30.0)
M = np.array(IMPURITY.moment)
PLANE = Film(Plane(), 1.0)
# Screening changes g by a/r0: 1e-6 of it.
DISC = Film(Disc(1.0), 1e6)
DEGREES, RESOLUTIONS = {"stream": 3, "vector": 2}, {"stream": 1.0, "vector": 0.7}


@pytest.fixture(scope="module", params=DEGREES)
def plane(request):
    yield from solved(PLANE, request.param)


@pytest.fixture(scope="module", params=DEGREES)
def disc(request):
    yield from solved(DISC, request.param)


def solved(film, formulation):
    mesh = create_mesh(film, [IMPURITY], resolution=RESOLUTIONS[formulation], far=20.0)
    problem = MaxwellLondon(film, mesh, DEGREES[formulation], formulation)
    yield problem.solve([IMPURITY])
    problem.destroy()


def gauss(stop, count):
    """Gauss's rule on [0, stop]."""
    roots, weights = np.polynomial.legendre.leggauss(count)
    return stop / 2 * (1 + roots), stop / 2 * weights


def on_plane(q):
    return -np.exp(-((q * IMPURITY.size) ** 2) / 2) / (2 * np.pi * (1 + q))


def on_disc(q):
    # A profile of width 0.2 and 30 waves: smooth for 200 points.
    r, weights = gauss(1.0, 200)
    return -(j1(np.outer(q, r)) @ (weights * disc_profile(r) * r))


def disc_profile(r):
    """G(r) on the disc of radius 1, but for its sign."""

    def U(r):
        return -np.expm1(-((r / IMPURITY.size) ** 2) / 2) / (2 * np.pi * r)

    return U(r) - U(1.0) * r


def exact_flux(transform, centers, radius):
    # e^{−qz} leaves 1e-13 beyond 30/z ≤ 150: up to 60 waves.
    x, y, z = centers.T
    rho = np.hypot(x, y)
    q, weights = gauss(30 / z.min(), 600)
    waves = j1(np.outer(rho, q)) * np.exp(-np.outer(z, q))
    integrals = waves @ (weights * q * transform(q) * j1(q * radius))
    return np.pi * radius * (centers[:, :2] @ M) / rho * integrals


def exact_field(points):
    return infinite_film.magnetic_field(points, angle=IMPURITY.angle, size=IMPURITY.size)


def loops(height, count=12):
    places = np.random.default_rng(0).uniform(-0.8, 0.8, (count, 2))
    return np.column_stack([places, np.full(count, height)])


@pytest.mark.parametrize(("height", "radius"), [(0.2, 0.2), (0.5, 0.2), (0.3, 1.0)])
def test_sum_over_points_of_the_exact_field(height, radius):
    centers = loops(height)
    exact = exact_flux(on_plane, centers, radius)
    found = flux_through_loops(exact_field, centers, radius)
    assert np.abs(found - exact).max() < 1e-7 * np.abs(exact).max()


@pytest.mark.parametrize(("height", "radius"), [(0.2, 0.2), (0.5, 0.2), (0.3, 1.0)])
def test_flux_above_the_plane(plane, height, radius):
    centers = loops(height)
    exact = exact_flux(on_plane, centers, radius)
    error = np.abs(loop_flux(plane, centers, radius) - exact).max()
    # About the area times the error of B on the discs. The flux is that of the currents of each
    # facet, B that of currents averaged at nodes, which are more accurate.
    steps, _ = disc_rule(radius, height)
    points = (centers[:, None] + 0.99 * steps).reshape(-1, 3)
    wrong = (magnetic_field(plane, points) - exact_field(points))[:, 2]
    # measured: up to 1.6
    assert error < 2 * np.pi * radius**2 * np.abs(wrong).max()
    # measured: up to 1.2e-3 and 7.5e-3
    assert error < {"stream": 3e-3, "vector": 2e-2}[plane.formulation] * np.abs(exact).max()


@pytest.mark.parametrize(("height", "radius"), [(0.2, 0.2), (0.4, 0.8)])
def test_flux_above_a_disc(disc, height, radius):
    centers = loops(height)
    exact = exact_flux(on_disc, centers, radius)
    error = np.abs(loop_flux(disc, centers, radius) - exact).max()
    # measured: up to 7e-4 and 8e-3
    assert error < {"stream": 3e-3, "vector": 2e-2}[disc.formulation] * np.abs(exact).max()


CUTS = np.random.default_rng(1).uniform(-0.7, 0.7, (20, 2, 2))


def test_current_on_the_plane(plane):
    source = {"angle": IMPURITY.angle, "size": IMPURITY.size}
    first, last = (infinite_film.stream_function(CUTS[:, end], **source) for end in (0, 1))
    check_currents(plane, last - first)


def test_current_on_a_disc(disc):
    r = np.linalg.norm(CUTS, axis=2)
    g = -disc_profile(r) * (CUTS @ M) / r
    check_currents(disc, g[:, 1] - g[:, 0])


def check_currents(solution, exact):
    found = np.array([current_through(solution, *cut) for cut in CUTS])
    error = np.abs(found - exact).max() / np.abs(exact).max()
    # measured: 8e-5 (g, of degree 3) and 2e-2 (K, of degree 2 and an order less)
    assert error < {"stream": 2e-4, "vector": 5e-2}[solution.formulation]


def test_half_of_the_current_of_a_disc(disc):
    # From outside to the impurity's flank; off the film nothing is added.
    start, end = -1.7 * M, -IMPURITY.size * M
    exact = disc_profile(IMPURITY.size)  # g there, and g = 0 outside
    found = current_through(disc, start, end)
    # measured: 6e-5 and 1.6e-2
    assert found == pytest.approx(exact, rel={"stream": 2e-4, "vector": 5e-2}[disc.formulation])
