"""The weak forms of the stream formulation on polynomials, where every integral is known."""

import math

import dolfinx
import numpy as np
import pytest
from dolfinx import fem

from pearlfem import create_space
from pearlfem.fem import stream
from pearlfem.model.sources import Impurity


@pytest.fixture(scope="module")
def fine_space(film):
    """Fine enough for the quadrature of an impurity that lies well inside the disc."""
    return create_space(film, [Impurity(film.shape.center, size=0.15)], resolution=0.7, far=2)


@pytest.fixture(scope="module")
def V(space):
    return stream.create_space(space, 2)


def polynomial(V, expression):
    function = fem.Function(V)
    function.interpolate(expression)
    return function


def one(x):
    return np.ones(x.shape[1])


def energy(V, space, kappa, u, v):
    matrix = fem.assemble_matrix(stream.energy_form(V, space, kappa)).to_scipy()
    return float(u.x.array @ (matrix @ v.x.array))


def volume(space):
    points = space.mesh.geometry.x[space.mesh.geometry.dofmaps[0]]
    return float(np.abs(np.linalg.det(points[:, 1:] - points[:, :1])).sum() / 6)


def test_constants_have_no_energy(V, space):
    # Rounding of entries of order one, n = 1000 of them.
    assert abs(energy(V, space, 2.0, polynomial(V, one), polynomial(V, one))) < 1e-10


def test_gradient_along_z_has_the_energy_of_space_alone(V, space):
    z = polynomial(V, lambda x: x[2])
    assert energy(V, space, 2.0, z, z) == pytest.approx(volume(space), rel=1e-12)


@pytest.mark.parametrize("kappa", [0.5, 4.0])
def test_film_adds_two_over_kappa_for_gradients_along_it(V, space, kappa):
    x, xy = polynomial(V, lambda p: p[0]), polynomial(V, lambda p: p[0] + p[1])
    area = stream.film_integral(polynomial(V, one), space)
    assert energy(V, space, kappa, x, xy) == pytest.approx(
        volume(space) + 2 / kappa * area, rel=1e-12
    )


def test_energy_is_symmetric(V, space):
    u, v = polynomial(V, lambda p: p[0] * p[2]), polynomial(V, lambda p: p[1] ** 2 - p[0])
    assert energy(V, space, 2.0, u, v) == pytest.approx(energy(V, space, 2.0, v, u), rel=1e-12)


def test_film_integral_is_over_the_film_alone(V, space, film):
    # The film is a polygon inscribed in the disc, its edges h < 0.1 R: smaller by h²/6R² < 2e-3.
    R, (x0, y0) = film.shape.radius, film.shape.center
    area = stream.film_integral(polynomial(V, one), space)
    assert area == pytest.approx(math.pi * R**2, rel=2e-3)
    offset = polynomial(V, lambda p: (p[0] - x0) ** 2 + (p[1] - y0) ** 2)
    assert stream.film_integral(offset, space) == pytest.approx(math.pi * R**4 / 2, rel=4e-3)
    assert stream.film_integral(polynomial(V, lambda p: p[0]), space) == pytest.approx(
        x0 * area, rel=2e-3
    )


def test_potential_is_fixed_where_there_is_no_film(V, space, film):
    fixed = np.zeros(V.dofmap.index_map.size_local, dtype=bool)
    fixed[stream.fixed_dofs(V, space)] = True
    x = V.tabulate_dof_coordinates()
    in_plane = np.abs(x[:, 2]) < 1e-12  # rounding of mid-points
    radius = np.linalg.norm(x - [*film.shape.center, 0.0], axis=1)
    off_film = in_plane & (radius > film.shape.radius * (1 - 1e-9))
    corners = (space.mesh.geometry.x[:, None] == x).all(axis=2).any(axis=0)
    far = corners & (radius > 5 * film.shape.radius * (1 - 1e-9))
    assert np.all(fixed[off_film | far])
    on_film = in_plane & (radius < 0.98 * film.shape.radius)  # not the edge of the polygon
    inside = ~in_plane & (radius < 3 * film.shape.radius)  # not on a flat facet of the far sphere
    assert np.any(on_film)
    assert np.any(inside)
    assert not np.any(fixed[on_film | inside])


@pytest.mark.parametrize("moment", [(1.0, 0.0), (0.0, 1.0), (0.6, -0.8)])
def test_load_is_the_moment_on_the_mean_gradient(fine_space, film, moment):
    # ℓ(v) = −(Γ/κ) ∫ f m·∇v: 1 for v = x, and the mean of a Gaussian for v = xy; it reaches the
    # edge at 6.7 ξ, where it is exp(−22). Quadrature of degree 12 on cells of 0.6 ξ: 1e-7.
    V = stream.create_space(fine_space, 2)
    impurity = Impurity(film.shape.center, size=0.15, strength=3.0)
    kappa = 5.0
    load = stream.impurity_load(V, fine_space, kappa).assemble(impurity, moment).array
    mx, my = moment
    (x, y), factor = impurity.position, -impurity.strength / kappa
    for function, gradient in [
        (lambda p: p[0], (1.0, 0.0)),
        (lambda p: p[1] + p[2], (0.0, 1.0)),
        (lambda p: p[0] * p[1], (y, x)),
        (one, (0.0, 0.0)),
    ]:
        expected = factor * (mx * gradient[0] + my * gradient[1])
        value = load @ polynomial(V, function).x.array
        assert value == pytest.approx(expected, abs=1e-6 * abs(factor))


def test_one_load_serves_all_impurities(fine_space, film):
    V = stream.create_space(fine_space, 1)
    load = stream.impurity_load(V, fine_space, 2.0)
    first, second = Impurity(film.shape.center, size=0.15), Impurity((0.7, -0.2), size=0.3)
    before = load.assemble(first, (1.0, 0.0)).array.copy()
    load.assemble(second, (0.0, 1.0))
    np.testing.assert_array_equal(load.assemble(first, (1.0, 0.0)).array, before)


def test_another_film_compiles_nothing_new(space, monkeypatch):
    V = stream.create_space(space, 2)

    def create_forms(kappa):
        stream.energy_form(V, space, kappa)
        stream.impurity_load(V, space, kappa)

    def compile_forms(*arguments, **options):
        raise AssertionError("a form is compiled again")

    create_forms(1.0)
    monkeypatch.setattr(dolfinx.jit.ffcx.codegeneration.jit, "_compile_objects", compile_forms)
    create_forms(np.random.default_rng().uniform(1, 2))  # in no cache of an earlier run
