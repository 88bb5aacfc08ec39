"""What both formulations need of the film: κ, quadrature, and products of sources."""

import math

import numpy as np
import pytest
import ufl
from dolfinx import fem
from helpers import in_mesh

from pearlfem import (
    Disc,
    Expression,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    Rectangle,
    Region,
    UniformField,
    Vortex,
    Walls,
    create_mesh,
)
from pearlfem.formulation.film import (
    ALLOWED_QUADRATURE_ERROR,
    background_norms,
    facet_rule,
    quadrature_errors,
)
from pearlfem.model.layers import Layer

SHAPE, HOLE = Rectangle((2.0, 1.5), (0.3, -0.1)), Hole(Rectangle((0.6, 0.5)), "hole")
REGIONS = (Region(Rectangle((1.0, 1.5), (0.8, -0.1)), 0.5), Region(Rectangle((0.2, 0.2)), 9.0))
FIELD = UniformField((0.0, 0.0, 1.0))
SOURCES = (
    Impurity((-0.5, 0.3), size=0.15, angle=20.0),
    Impurity((1.0, -0.5), size=0.2, strength=-1.5),
    Vortex((-0.4, -0.6), size=0.15),
    Fluxoid("hole"),
    FIELD,
)


def quadratic(x, y):
    """1/κ is a quarter of it plus a half: quadratic."""
    return 1.0 + 0.5 * (x - 0.3) ** 2 + 0.2 * x * y


FILMS = {
    "uniform": Film(SHAPE, 0.8, (HOLE,)),
    "regions": Film(SHAPE, 0.8, (HOLE,), REGIONS),
    "profile": Film(SHAPE, quadratic, (HOLE,)),
    "profile in a region": Film(SHAPE, 0.8, (HOLE,), (Region(REGIONS[0].shape, quadratic),)),
}
MESHES = {
    "half": {},
    "whole": {"boundary": Walls("shield", (4.0, 4.0, 2.0), (0.3, -0.1, 0.2))},
}


@pytest.fixture(scope="module", params=FILMS)
def film(request):
    return FILMS[request.param]


@pytest.fixture(scope="module", params=MESHES)
def mesh(request, film):
    return create_mesh(film, [FIELD], resolution=0.1, far=3.0, **MESHES[request.param])


@pytest.fixture(scope="module")
def fine_space():
    """Fine enough for all of ``SOURCES``."""
    return create_mesh(FILMS["regions"], SOURCES, resolution=0.3, far=3.0)


def integral(function, film):
    return fem.assemble_scalar(fem.form(function * film.measure()))


# --- κ as a function


def test_function_has_the_values_of_the_film(film, mesh):
    x = ufl.SpatialCoordinate(mesh.domain)
    corners_and_middles = np.array([[0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]])
    regions = film.regions_at(mesh.corners("film").mean(axis=1))
    for inverse in (False, True):
        function = in_mesh(film, mesh).superfluid_weight(inverse)
        there = ufl.as_vector([x[0], x[1], function])
        found = fem.Expression(there, corners_and_middles).eval(mesh.domain, mesh.sides("film"))
        *places, values = np.moveaxis(np.reshape(found, (-1, 6, 3)), -1, 0)
        points = np.stack(places, axis=-1)
        expected = film.superfluid_weight(points, np.broadcast_to(regions[:, None], values.shape))
        if inverse:  # constant or quadratic
            np.testing.assert_allclose(values, 1 / expected, rtol=1e-12)
        else:  # interpolated: exact at corners
            np.testing.assert_allclose(values[:, :3], expected[:, :3], rtol=1e-12)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("text", ["0.3*exp(2*(x + 0.2)**2)", "1 + abs(y - x)", "hypot(x, y) + 0.1"])
def test_weight_of_an_expression_is_nowhere_smaller(text, inverse):
    # Interpolated, it was up to some per cent smaller.
    film = Film(Disc(1.0), Expression(text))
    there = in_mesh(film, create_mesh(film, [FIELD], resolution=0.3, far=3.0))
    assert there.is_guaranteed(inverse)
    kappa = there.quadrature.superfluid_weight
    exact = 1 / kappa if inverse else kappa
    found = there.weight_above(inverse=inverse)
    assert np.all(found >= exact)
    assert np.median(found / exact) < 1.001
    # the function in the operator is that polynomial
    total = np.sum(found * there.quadrature.weights)
    assert integral(there.superfluid_weight(inverse), there) == pytest.approx(total, rel=1e-12)


def test_weight_of_a_facet_that_reaches_over_a_circle_is_the_largest_of_both_sides():
    # Sides of facets outside the circle are chords: κ there is also that of the region.
    region = Region(Disc(0.5), Expression("1 + x"))
    film = Film(Disc(1.0), 1.0, regions=(region,))
    there = in_mesh(film, create_mesh(film, [FIELD], resolution=0.3, far=3.0))
    random = np.random.default_rng(5)
    shares = random.dirichlet([0.5] * 3, 100)
    points = np.einsum("pk,nkd->npd", shares, there.corners)
    inside = np.linalg.norm(points, axis=2) < 0.5
    exact = 2 / np.where(inside, 1 + points[..., 0], 1.0)
    for inverse in (False, True):
        found = there._weights_above(inverse).at(points)
        assert np.all(found >= (1 / exact if inverse else exact) * (1 - 1e-12))


def exact_inverse(film):
    """∫_Γ 1/κ dS = ∫_Γ r0/2 dS."""

    def box(x0, x1, y0, y1, length):
        if not callable(length):
            return (x1 - x0) * (y1 - y0) * length / 2
        nodes, weights = np.polynomial.legendre.leggauss(3)  # exact to degree 5
        x, y = ((a + b) / 2 + (b - a) / 2 * nodes for a, b in ((x0, x1), (y0, y1)))
        values = length(*np.meshgrid(x, y, indexing="ij"))
        return (x1 - x0) * (y1 - y0) / 4 * weights @ values @ weights / 2

    # x from −0.7 to 1.3, y from −0.85 to 0.65, the hole from −0.3 to 0.3 and −0.25 to 0.25
    length = film.pearl_length
    total = box(-0.7, 1.3, -0.85, 0.65, length) - box(-0.3, 0.3, -0.25, 0.25, length)
    if film.regions:  # from x = 0.3 on; the second one is all in the hole
        here = (0.3, 1.3, -0.85, 0.65)
        total += box(*here, film.regions[0].pearl_length) - box(*here, length)
    return total


def test_integral_of_the_inverse_is_exact(film, mesh):
    # Constant or quadratic in each cell: the function is exact, and so is the quadrature.
    there = in_mesh(film, mesh)
    assert integral(there.superfluid_weight(inverse=True), there) == pytest.approx(
        exact_inverse(film), rel=1e-10
    )


def test_integral_of_the_weight_is_that_of_the_profile():
    # κ = 2/r0 is no polynomial: the interpolation's error goes as h³ or better.
    film = FILMS["profile"]
    nodes, weights = np.polynomial.legendre.leggauss(40)

    def box(x0, x1, y0, y1):
        x, y = ((a + b) / 2 + (b - a) / 2 * nodes for a, b in ((x0, x1), (y0, y1)))
        values = 2 / quadratic(*np.meshgrid(x, y, indexing="ij"))
        return (x1 - x0) * (y1 - y0) / 4 * weights @ values @ weights

    exact = box(-0.7, 1.3, -0.85, 0.65) - box(-0.3, 0.3, -0.25, 0.25)
    mesh = create_mesh(film, [FIELD], resolution=0.1, far=3.0)
    there = in_mesh(film, mesh)
    assert integral(there.superfluid_weight(), there) == pytest.approx(exact, rel=1e-5)


def test_regions_without_a_jump_are_no_regions(mesh):
    film = Film(SHAPE, 0.8, (HOLE,), tuple(Region(r.shape, 0.8) for r in REGIONS))
    plain = in_mesh(FILMS["uniform"], mesh).superfluid_weight().x.array
    np.testing.assert_array_equal(in_mesh(film, mesh).superfluid_weight().x.array, plain)


# --- quadrature


def test_quadrature_has_the_area_of_the_film(film, mesh):
    rule = in_mesh(film, mesh).quadrature
    assert rule.weights.sum() == pytest.approx(2.0 * 1.5 - 0.6 * 0.5, rel=1e-9)  # gmsh's rounding
    assert np.all(rule.weights > 0)
    assert film.covers(rule.points).all()
    assert rule.weights.shape == rule.superfluid_weight.shape == rule.points.shape[:2]
    assert np.sum(rule.weights / rule.superfluid_weight) == pytest.approx(
        exact_inverse(film), rel=1e-9
    )


@pytest.mark.parametrize("degree", [1, 5, 20])
def test_quadrature_is_exact_for_polynomials_of_its_degree(degree):
    mesh = create_mesh(FILMS["uniform"], [FIELD], resolution=0.1, far=3.0)
    rule = in_mesh(FILMS["uniform"], mesh).quadrature_of_degree(degree)

    def monomial(a, b, power):
        return (b ** (power + 1) - a ** (power + 1)) / (power + 1)

    x, y = np.moveaxis(rule.points, -1, 0)
    for i in {0, degree // 2, degree}:
        j = degree - i
        exact = monomial(-0.7, 1.3, i) * monomial(-0.85, 0.65, j) - monomial(
            -0.3, 0.3, i
        ) * monomial(-0.25, 0.25, j)
        scale = np.sum(rule.weights * np.abs(x**i * y**j))
        assert np.sum(rule.weights * x**i * y**j) == pytest.approx(exact, abs=1e-9 * scale)


def test_reference_rule_is_that_of_a_triangle():
    points, weights = facet_rule(4)
    assert weights.sum() == pytest.approx(0.5, rel=1e-14)
    x, y = points.T
    # ∫ x^i y^j = i! j!/(i + j + 2)!
    assert np.sum(weights * x**3 * y) == pytest.approx(6 / math.factorial(6), rel=1e-12)


def test_potential_beyond_the_reach_of_a_source_is_left_out(fine_space):
    rule = in_mesh(FILMS["regions"], fine_space).quadrature
    for source in SOURCES:
        everywhere = source.vector_potential(
            Layer(FILMS["regions"]), rule.points, rule.superfluid_weight
        )
        found = rule.background(source)
        np.testing.assert_allclose(found, everywhere, atol=1e-15 * np.abs(everywhere).max())


# --- energies of sources


def test_norms_are_energies_by_direct_quadrature(fine_space):
    film = FILMS["regions"]
    norms = background_norms([in_mesh(film, fine_space)], SOURCES)
    # With another rule, another κ, and all points at once.
    rule = in_mesh(film, fine_space).quadrature_of_degree(24)
    kappa = film.superfluid_weight(rule.points)
    a = [source.vector_potential(Layer(film), rule.points, kappa) for source in SOURCES]
    expected = [np.sum(rule.weights * 0.5 * kappa * np.sum(v**2, axis=2)) for v in a]
    # The sources are integrated to 1e-10 at most where MaxwellLondon accepts them.
    assert all(
        quadrature_errors([in_mesh(film, fine_space)], [s])[0] < ALLOWED_QUADRATURE_ERROR
        for s in SOURCES
    )
    np.testing.assert_allclose(norms**2, expected, rtol=ALLOWED_QUADRATURE_ERROR)


@pytest.mark.parametrize("strength", [1e-150, 1e150])
def test_squares_of_extreme_strengths_keep_their_digits(fine_space, strength):
    film = in_mesh(FILMS["uniform"], fine_space)
    usual, extreme = Impurity((-0.5, 0.3), size=0.2), Impurity((-0.5, 0.3), 0.2, 0.0, strength)
    norms = background_norms([film], [usual, extreme])
    assert norms[1] == pytest.approx(strength * norms[0], rel=1e-14)
    errors = quadrature_errors([film], [usual, extreme])
    assert errors[1] == pytest.approx(errors[0], rel=0.1, abs=1e-15)


def test_energy_of_a_field_in_weak_screening_is_exact():
    # ½ κ ∫ a² with a = ½ B × (r − center): polynomials, on rectangles.
    film = Film(SHAPE, 0.8)
    mesh = create_mesh(film, [FIELD], resolution=0.1, far=3.0)
    w, h = SHAPE.size
    exact = 0.5 * (2 / 0.8) * 0.25 * (w**3 * h + w * h**3) / 12
    norm = background_norms([in_mesh(film, mesh)], [FIELD])[0]
    assert norm**2 == pytest.approx(exact, rel=1e-9)


def test_energy_of_an_impurity_is_that_of_its_profile():
    # ½ κ (Γ/κ)² ∫ f² dS = Γ²/(2κ) · 1/(4πξ²) far from all edges.
    film = Film(Disc(4.0), 0.8)
    impurity = Impurity((0.3, 0.2), size=0.3, strength=2.0)
    mesh = create_mesh(film, [impurity], resolution=0.3, far=3.0)
    exact = 2.0**2 / (2 * 2 / 0.8) / (4 * math.pi * 0.3**2)
    norm = background_norms([in_mesh(film, mesh)], [impurity])[0]
    assert norm**2 == pytest.approx(exact, rel=ALLOWED_QUADRATURE_ERROR)


def test_source_between_all_points_is_told():
    film = FILMS["uniform"]
    mesh = create_mesh(film, [FIELD], resolution=0.1, far=3.0)
    narrow = Impurity((-0.5, 0.3), size=1e-5)
    assert quadrature_errors([in_mesh(film, mesh)], [narrow])[0] > ALLOWED_QUADRATURE_ERROR
