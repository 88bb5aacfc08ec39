"""Loads of given fields against the forms that DOLFINx assembles."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from helpers import in_mesh

from pearlfem import Film, Hole, Rectangle, Walls, create_mesh
from pearlfem.formulation.film import (
    SOURCE_QUADRATURE_DEGREE,
    FilmQuadrature,
    surface_gradient,
)
from pearlfem.formulation.load import FilmLoad
from pearlfem.model.layers import Layer
from pearlfem.model.sources.applied import UniformField

FILM = Film(Rectangle((2.0, 1.5), (0.3, -0.1)), 1.0, (Hole(Rectangle((0.6, 0.5)), "hole"),))
FIELD = [UniformField((0.0, 0.0, 1.0))]
DEGREE = {"quadrature_degree": SOURCE_QUADRATURE_DEGREE}
SPACES = [(family, degree) for family in ("Lagrange", "N1curl") for degree in (1, 2, 3)]


@pytest.fixture(scope="module", params=["half", "whole"])
def mesh(request):
    """The half of a mirror symmetric space, and one meshed as a whole."""
    if request.param == "half":
        return create_mesh(FILM, FIELD, resolution=0.1, far=3.0)
    walls = Walls("shield", (4.0, 4.0, 2.0), (0.3, -0.1, 0.2))
    return create_mesh(FILM, FIELD, boundary=walls, resolution=0.1)


def given(x, y):
    """A field (t_x, t_y) that is no polynomial."""
    return np.stack([np.sin(2 * x + y), np.exp(-(x**2)) * np.cos(3 * y)], axis=-1)


def as_ufl(mesh):
    x = ufl.SpatialCoordinate(mesh.domain)
    return ufl.as_vector([ufl.sin(2 * x[0] + x[1]), ufl.exp(-(x[0] ** 2)) * ufl.cos(3 * x[1])])


@pytest.mark.parametrize(("family", "degree"), SPACES)
def test_load_is_that_of_the_form(mesh, family, degree):
    V = fem.functionspace(mesh.domain, (family, degree))
    rule = in_mesh(FILM, mesh).quadrature
    values = (
        FilmLoad(V, in_mesh(FILM, mesh))
        .assemble(given(*np.moveaxis(rule.points, -1, 0)), rule)
        .array
    )
    v = ufl.TestFunction(V)
    test = surface_gradient(v) if family == "Lagrange" else ufl.as_vector([v[0], v[1]])
    form = ufl.inner(as_ufl(mesh), test) * in_mesh(FILM, mesh).measure()(metadata=DEGREE)
    expected = fem.assemble_vector(fem.form(form)).array
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_load_of_a_gradient_is_that_of_the_potential(mesh):
    # ∇ of the Lagrange space lies in the Nédélec space: ∫ t·∇v dS either way.
    V, N = (fem.functionspace(mesh.domain, (family, 2)) for family in ("Lagrange", "N1curl"))
    rule = in_mesh(FILM, mesh).quadrature
    field = given(*np.moveaxis(rule.points, -1, 0))
    v, A = fem.Function(V), fem.Function(N)
    v.interpolate(lambda x: x[0] * x[1] - x[1] ** 2)
    A.interpolate(lambda x: np.stack([x[1], x[0] - 2 * x[1], 0 * x[0]]))
    loads = [
        FilmLoad(W, in_mesh(FILM, mesh)).assemble(field, rule).array @ f.x.array
        for W, f in ((V, v), (N, A))
    ]
    x, y = np.moveaxis(rule.points, -1, 0)
    direct = np.sum(rule.weights * (field[..., 0] * y + field[..., 1] * (x - 2 * y)))
    assert loads == pytest.approx([direct, direct], rel=1e-12)


def test_load_is_linear_and_zero_without_a_field(mesh):
    V = fem.functionspace(mesh.domain, ("Lagrange", 2))
    rule = in_mesh(FILM, mesh).quadrature
    load = FilmLoad(V, in_mesh(FILM, mesh))
    one, other = given(*np.moveaxis(rule.points, -1, 0)), np.ones_like(rule.points)
    parts = [load.assemble(field, rule).array.copy() for field in (one, other, 2 * one - other)]
    np.testing.assert_allclose(parts[2], 2 * parts[0] - parts[1], atol=1e-13)
    assert np.all(load.assemble(0 * one, rule).array == 0)


def test_load_reaches_no_further_than_the_cells_of_the_film(mesh):
    V = fem.functionspace(mesh.domain, ("Lagrange", 1))
    rule = in_mesh(FILM, mesh).quadrature
    values = FilmLoad(V, in_mesh(FILM, mesh)).assemble(np.ones_like(rule.points), rule).array
    reached = np.unique(V.dofmap.list[mesh.sides("film")[:, 0]])
    others = np.setdiff1d(np.arange(len(values)), reached)
    assert np.all(values[others] == 0)
    assert len(others) > 0


def test_mesh_without_a_film_on_this_rank_has_no_load(mesh):
    V = fem.functionspace(mesh.domain, ("N1curl", 2))
    load = FilmLoad(V, in_mesh(FILM, mesh))
    load._cells, load._facets = load._cells[:0], load._facets[:0]
    load._inverse = load._inverse[:0]
    q = in_mesh(FILM, mesh).quadrature.weights.shape[1]
    empty = FilmQuadrature(Layer(FILM), np.empty((0, q, 2)), np.empty((0, q)), np.empty((0, q)))
    assert np.all(load.assemble(np.empty((0, q, 2)), empty).array == 0)
