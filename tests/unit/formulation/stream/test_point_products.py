"""Integrals of the exact fields of point impurities against finer rules and other formulas."""

import numpy as np
import pytest
from helpers import in_mesh

from pearlfem import Disc, Film, Impurity, Plane, create_mesh
from pearlfem.analytic import infinite_film, keldysh
from pearlfem.formulation.stream import point_products
from pearlfem.geometry.shapes import Rectangle
from pearlfem.model.film import Hole

POSITIONS = ((0.3, 0.1), (-0.75, 0.2), (0.0, 0.0))
RECTANGLE = Rectangle((2.0, 1.4))


@pytest.fixture(scope="module", params=[0.1, 1.0, 1e4])
def film(request):
    return Film(RECTANGLE, request.param, holes=(Hole(Disc(0.2, (0.6, -0.3)), "h"),))


@pytest.fixture(scope="module")
def mesh(film):
    return create_mesh(film, [Impurity(p, size=0.0) for p in POSITIONS], resolution=0.15, far=8)


@pytest.fixture(scope="module")
def plane():
    """A film without edges, and a Gaussian impurity on it."""
    film, impurity = Film(Plane(), 1.0), Impurity((0.2, 0.1), size=0.15, angle=25.0, strength=2.0)
    return film, impurity, create_mesh(film, [impurity], resolution=0.8, far=10)


def test_rules_are_fine_enough(film, mesh, monkeypatch):
    energies = point_products.energies_off_film(in_mesh(film, mesh), POSITIONS)
    integrals = point_products.potential_integrals(in_mesh(film, mesh), POSITIONS)
    monkeypatch.setattr(point_products, "_DEGREE", 20)
    monkeypatch.setattr(point_products, "_SMALL", 0.2)
    monkeypatch.setattr(point_products, "_NEAR", 0.25)
    monkeypatch.setattr(point_products, "_RADIAL", 40)
    monkeypatch.setattr(point_products, "_ALONG", 80)
    finer = point_products.energies_off_film(in_mesh(film, mesh), POSITIONS)
    np.testing.assert_allclose(energies, finer, rtol=0, atol=1e-9 * np.diag(finer).min())
    finer = point_products.potential_integrals(in_mesh(film, mesh), POSITIONS)
    np.testing.assert_allclose(integrals, finer, rtol=0, atol=1e-9 * np.abs(finer).max())


def test_coarse_facets_near_an_impurity_are_cut(film, mesh):
    # An impurity so near to the edge that no facet is small against the distance.
    near = ((0.999, 0.1),)
    energies = point_products.energies_off_film(in_mesh(film, mesh), near)
    # At d = 0.001 ≪ r0 the edge is straight and ∇ψ_∞ = 1/4πr²: r0 ∫∫ (4πr²)⁻² dx dy = r0/(64π d²).
    straight = film.pearl_length / (64 * np.pi * 0.001**2)
    np.testing.assert_allclose(np.diag(energies), straight, rtol=0.05)  # d/r0 = 0.01


def test_energies_are_a_positive_form(film, mesh):
    energies = point_products.energies_off_film(in_mesh(film, mesh), POSITIONS)
    np.testing.assert_array_equal(energies, energies.T)
    assert np.linalg.eigvalsh(energies).min() > 0


def test_energy_beyond_the_far_boundary_is_that_of_a_dipole(plane):
    # ψ_∞ = c x/ρ³ there, c = r0/4π: 4πc²/3R³ of space and 2πc² r0/R⁴ of the film. The mesh ends
    # at a polyhedron within the sphere of radius R.
    film, impurity, _ = plane
    mesh = create_mesh(film, [impurity], resolution=0.8, far=100)
    energies = point_products.energies_off_film(in_mesh(film, mesh), [(0.0, 0.0)])
    c, R = 1 / (4 * np.pi), 100.0
    exact = 4 * np.pi * c**2 / (3 * R**3) + 2 * np.pi * c**2 / R**4
    np.testing.assert_allclose(energies, exact * np.eye(2), rtol=0.05, atol=1e-2 * exact)


def test_integral_of_a_potential_is_one_along_the_edge():
    # p = ∇V/4π, so ∫ p dS = ∮ V ν dl/4π.
    film = Film(RECTANGLE, 0.7)
    mesh = create_mesh(film, [Impurity(POSITIONS[0], size=0.0)], resolution=0.15, far=8)
    x, w = np.polynomial.legendre.leggauss(200)
    corners = np.array([(-1.0, -0.7), (1.0, -0.7), (1.0, 0.7), (-1.0, 0.7)])
    for position, integral in zip(
        POSITIONS, point_products.potential_integrals(in_mesh(film, mesh), POSITIONS), strict=True
    ):
        exact = np.zeros(2)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            points = start + (1 + x[:, None]) / 2 * (end - start)
            V = keldysh.keldysh_potential(np.linalg.norm(points - position, axis=1), 0.7)
            normal = np.array([end[1] - start[1], start[0] - end[0]])
            exact += w @ V / 2 * normal / (4 * np.pi)
        np.testing.assert_allclose(integral, exact, rtol=1e-9, atol=1e-12)


def test_integral_of_a_potential_is_that_over_all_facets(film, mesh):
    corners = mesh.corners("film", *mesh.holes.values())
    for position, integral in zip(
        POSITIONS, point_products.potential_integrals(in_mesh(film, mesh), POSITIONS), strict=True
    ):
        near = point_products._near(corners, position)
        over_area = np.zeros(2)
        for points, weights in (
            point_products._flat_rule(corners[~near], 20),
            point_products._polar_rule(corners[near], position),
        ):
            p = infinite_film.potential_per_moment(points, position, pearl_length=film.pearl_length)
            over_area += weights @ p
        np.testing.assert_allclose(integral, over_area, rtol=1e-8, atol=1e-10)


def places_on(mesh):
    """Near the Gaussian at (0.2, 0.1), on it, far from it, and at a vertex and a side of facets."""
    corners = mesh.corners("film")
    nearest = np.linalg.norm(corners.mean(axis=1) - (0.5, 0.2), axis=1).argmin()
    a, b, _ = corners[nearest]
    return [(0.2, 0.1), (0.21, 0.13), (0.5, 0.4), (3.0, -2.0), tuple(a), tuple((a + b) / 2)]


def test_pairings_with_a_gaussian_on_the_infinite_film(plane):
    film, impurity, mesh = plane
    places = places_on(mesh)
    pairings = point_products.film_pairings(in_mesh(film, mesh), places, [impurity])
    for k, place in enumerate(places):
        if place == impurity.position:
            J = infinite_film.couplings(0.0, 1.0, sizes=(0.0, impurity.size))
            T = float(J.perpendicular) * np.eye(2)
        else:
            positions, sizes = [place, impurity.position], [0.0, impurity.size]
            T = infinite_film.interaction_tensor(positions, 1.0, 1.0, sizes)[0, 1]
        exact = 0.5 * impurity.strength * T @ impurity.moment
        found = pairings[2 * k : 2 * k + 2, 0]
        # The Gaussian itself is integrated to 1e-10.
        assert found == pytest.approx(exact, rel=1e-10)
