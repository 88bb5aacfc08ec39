"""The weak forms of the stream formulation on polynomials, where every integral is known."""

import dataclasses
import math

import dolfinx
import numpy as np
import pytest
from dolfinx import fem
from helpers import in_mesh

from pearlfem.formulation.stream import forms


@pytest.fixture(scope="module")
def V(mesh):
    return forms.create_function_space(mesh, 2)


def polynomial(V, expression):
    function = fem.Function(V)
    function.interpolate(expression)
    return function


def one(x):
    return np.ones(x.shape[1])


def energy(V, mesh, film, u, v):
    matrix = fem.assemble_matrix(forms.energy_form(V, in_mesh(film, mesh))).to_scipy()
    return float(u.x.array @ (matrix @ v.x.array))


def volume(mesh):
    points = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
    return float(np.abs(np.linalg.det(points[:, 1:] - points[:, :1])).sum() / 6)


def test_constants_have_no_energy(V, mesh, film):
    # Rounding of entries of order one, n = 1000 of them.
    assert abs(energy(V, mesh, film, polynomial(V, one), polynomial(V, one))) < 1e-10


def test_gradient_along_z_has_the_energy_of_space_alone(V, mesh, film):
    z = polynomial(V, lambda x: x[2])
    assert energy(V, mesh, film, z, z) == pytest.approx(volume(mesh), rel=1e-12)


@pytest.mark.parametrize("kappa", [0.5, 4.0])
def test_film_adds_two_over_kappa_for_gradients_along_it(V, mesh, film, kappa):
    film = dataclasses.replace(film, pearl_length=2 / kappa)
    x, xy = polynomial(V, lambda p: p[0]), polynomial(V, lambda p: p[0] + p[1])
    area = in_mesh(film, mesh).integral(polynomial(V, one))
    assert energy(V, mesh, film, x, xy) == pytest.approx(volume(mesh) + 2 / kappa * area, rel=1e-12)


def test_energy_is_symmetric(V, mesh, film):
    u, v = polynomial(V, lambda p: p[0] * p[2]), polynomial(V, lambda p: p[1] ** 2 - p[0])
    assert energy(V, mesh, film, u, v) == pytest.approx(energy(V, mesh, film, v, u), rel=1e-12)


def test_film_integral_is_over_the_film_alone(V, mesh, film):
    # The film is a polygon inscribed in the disc, its edges h < 0.15 R: smaller by h²/6R² < 4e-3.
    R, (x0, y0) = film.shape.radius, film.shape.center
    area = in_mesh(film, mesh).integral(polynomial(V, one))
    assert area == pytest.approx(math.pi * R**2, rel=4e-3)
    offset = polynomial(V, lambda p: (p[0] - x0) ** 2 + (p[1] - y0) ** 2)
    assert in_mesh(film, mesh).integral(offset) == pytest.approx(math.pi * R**4 / 2, rel=8e-3)
    assert in_mesh(film, mesh).integral(polynomial(V, lambda p: p[0])) == pytest.approx(
        x0 * area, rel=2e-3
    )


def test_potential_is_fixed_where_there_is_no_film(V, mesh, film):
    fixed = np.zeros(V.dofmap.index_map.size_local, dtype=bool)
    fixed[forms.fixed_dofs(V, [in_mesh(film, mesh)])] = True
    x = V.tabulate_dof_coordinates()
    in_plane = np.abs(x[:, 2]) < 1e-12  # rounding of mid-points
    radius = np.linalg.norm(x - [*film.shape.center, 0.0], axis=1)
    off_film = in_plane & (radius > film.shape.radius * (1 - 1e-9))
    corners = (mesh.domain.geometry.x[:, None] == x).all(axis=2).any(axis=0)
    far = corners & (radius > 5 * film.shape.radius * (1 - 1e-9))
    assert np.all(fixed[off_film | far])
    on_film = in_plane & (radius < 0.98 * film.shape.radius)  # not the edge of the polygon
    inside = ~in_plane & (radius < 3 * film.shape.radius)  # not on a flat facet of the far sphere
    assert np.any(on_film)
    assert np.any(inside)
    assert not np.any(fixed[on_film | inside])


def test_another_film_compiles_nothing_new(mesh, film, monkeypatch):
    V = forms.create_function_space(mesh, 2)

    def compile_forms(*arguments, **options):
        raise AssertionError("a form is compiled again")

    forms.energy_form(V, in_mesh(film, mesh))
    monkeypatch.setattr(dolfinx.jit.ffcx.codegeneration.jit, "_compile_objects", compile_forms)
    length = np.random.default_rng().uniform(1, 2)  # in no cache of an earlier run
    forms.energy_form(V, in_mesh(dataclasses.replace(film, pearl_length=length), mesh))
