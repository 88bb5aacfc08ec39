"""Currents and fields of a solution obey the laws that define them."""

import dataclasses

import numpy as np
import pytest
from dolfinx import fem

from pearlfem import magnetic_moment, sheet_current, stream_function
from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields
from pearlfem.observables.fields import magnetic_field_of_mesh


def lift(points, z):
    return np.column_stack([points, np.full(len(points), z)])


def largest(values):
    return float(np.abs(values).max())


@pytest.fixture(scope="module")
def above(film_points):
    """Points of the half space at various heights."""
    return np.column_stack([film_points, np.linspace(0.05, 2.0, len(film_points))])


def test_field_below_the_film_is_the_mirror_image(cubic, above):
    top, bottom = (
        magnetic_field_of_mesh(cubic, above),
        magnetic_field_of_mesh(cubic, above * [1, 1, -1]),
    )
    np.testing.assert_array_equal(bottom[:, 2], top[:, 2])  # B_z is even
    np.testing.assert_array_equal(bottom[:, :2], -top[:, :2])  # along the film B is odd
    assert min(largest(column) for column in top.T) > 0


def test_points_asked_for_are_not_changed(cubic, above):
    points = above * [1, 1, -1]
    magnetic_field_of_mesh(cubic, points)
    np.testing.assert_array_equal(points, above * [1, 1, -1])


def test_jump_of_the_field_across_the_film_is_the_sheet_current(cubic, film_points):
    # K = ẑ × (H⁺ − H⁻), at 1e-9 above and below: H is linear or quadratic in each cell.
    top, bottom = (magnetic_field_of_mesh(cubic, lift(film_points, z)) for z in (1e-9, -1e-9))
    K = np.cross([0.0, 0.0, 1.0], top - bottom)[:, :2]
    current = sheet_current(cubic, film_points)
    np.testing.assert_allclose(current, K, atol=1e-7 * largest(K))


def test_normal_field_is_continuous_across_the_film(cubic, film_points):
    top, bottom = (
        magnetic_field_of_mesh(cubic, lift(film_points, z))[:, 2] for z in (1e-12, -1e-12)
    )
    np.testing.assert_array_equal(top, bottom)


def test_film_is_seen_from_above(cubic, film_points):
    at = magnetic_field_of_mesh(cubic, lift(film_points, 0.0))
    np.testing.assert_array_equal(magnetic_field_of_mesh(cubic, lift(film_points, -0.0)), at)
    near = magnetic_field_of_mesh(cubic, lift(film_points, 1e-9))
    np.testing.assert_allclose(near, at, atol=1e-7 * largest(at))


def test_current_is_the_rotated_gradient_of_the_stream_function(cubic, film_points):
    # g is cubic in each facet, and differences of fourth order are exact for it but for rounding:
    # 1e-16 / h = 1e-13, times the largest slope of the basis.
    h = 1e-3
    gradient = []
    for step in ([h, 0.0], [0.0, h]):
        g = {k: stream_function(cubic, film_points + k * np.array(step)) for k in (-2, -1, 1, 2)}
        gradient.append((8 * (g[1] - g[-1]) - (g[2] - g[-2])) / (12 * h))
    K = sheet_current(cubic, film_points)
    expected = np.column_stack([gradient[1], -np.array(gradient[0])])  # ∇g × ẑ = (∂y g, −∂x g)
    np.testing.assert_allclose(K, expected, atol=1e-9 * largest(K))


def test_field_is_minus_the_gradient_of_the_potential(mesh, solution):
    # ψ = a quadratic polynomial, which elements of degree 2 hold exactly.
    psi = fem.Function(solution.potential.function_space)
    psi.interpolate(lambda x: x[0] * x[1] - 0.5 * x[2] ** 2 + 3.0 * x[2])
    g = fem.Function(psi.function_space)
    g.x.array[:] = 2 * psi.x.array
    stated = dataclasses.replace(solution, expand=lambda _: Fields(psi, (g,)))
    points = np.array([[0.4, 0.1, 0.3], [0.9, -0.5, 1.0], [2.0, 1.0, 0.01]])
    x, y, z = points.T
    B = np.column_stack([-y, -x, z - 3.0])
    np.testing.assert_allclose(magnetic_field_of_mesh(stated, points), B, atol=1e-11)
    np.testing.assert_allclose(
        sheet_current(stated, points[:2, :2]), 2 * np.column_stack([x, -y])[:2], atol=1e-11
    )
    np.testing.assert_allclose(stream_function(stated, points[:, :2]), 2 * x * y, atol=1e-11)


def test_no_current_flows_off_the_film(cubic, film):
    angle = np.linspace(0.0, 6.0, 20)
    around = film.shape.center + 1.5 * np.column_stack([np.cos(angle), np.sin(angle)])
    assert largest(stream_function(cubic, around)) < 1e-12
    assert largest(sheet_current(cubic, around)) < 1e-12


def test_no_current_crosses_the_edge(cubic, film, film_triangles):
    # g = 0 along the polygon's rim, so K is parallel to it.
    radii = np.linalg.norm(film_triangles - film.shape.center, axis=2)
    rim = np.isclose(radii, film.shape.radius, rtol=1e-9)
    cells = film_triangles[rim.sum(axis=1) == 2]
    ends = cells[rim[rim.sum(axis=1) == 2]].reshape(-1, 2, 2)
    middles, along = ends.mean(axis=1), ends[:, 1] - ends[:, 0]
    inward = cells.mean(axis=1) - middles
    K = sheet_current(cubic, middles + 1e-9 * inward)
    assert len(K) > 20
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    assert largest(np.sum(K * normal, axis=1)) < 1e-7 * largest(K)


def test_moment_is_that_of_the_currents(cubic, film_triangles):
    # ½ ∫ r × K dS by the rule of degree 4 with six points: exact for r × K of degree 3.
    a, b = 0.445948490915965, 0.091576213509771
    wa, wb = 0.223381589678011, 0.109951743655322
    nodes = [[a, a, 1 - 2 * a], [a, 1 - 2 * a, a], [1 - 2 * a, a, a]]
    nodes += [[b, b, 1 - 2 * b], [b, 1 - 2 * b, b], [1 - 2 * b, b, b]]
    sides = film_triangles[:, 1:] - film_triangles[:, :1]
    areas = np.abs(np.linalg.det(sides)) / 2
    moment = 0.0
    for weights, w in zip(nodes, [wa] * 3 + [wb] * 3, strict=True):
        points = np.einsum("c,ncx->nx", weights, film_triangles)
        K = sheet_current(cubic, points)
        moment += w * areas @ (points[:, 0] * K[:, 1] - points[:, 1] * K[:, 0]) / 2
    x, y, z = magnetic_moment(cubic)
    assert (x, y) == (0.0, 0.0)
    # 15 digits of the rule; the parts cancel to a hundredth.
    assert z == pytest.approx(moment, rel=1e-9)


@pytest.mark.parametrize("observable", [sheet_current, stream_function])
def test_shapes_of_observables_on_the_film(cubic, observable):
    columns = () if observable is stream_function else (2,)
    assert observable(cubic, [(0.5, 0.0), (0.6, 0.0), (0.7, 0.1)]).shape == (3, *columns)
    assert observable(cubic, (0.5, 0.0)).shape == (1, *columns)
    assert observable(cubic, []).shape == (0, *columns)


@pytest.mark.parametrize("observable", [sheet_current, stream_function, magnetic_field_of_mesh])
def test_point_beyond_the_far_boundary_is_refused(cubic, observable):
    point = (50.0, 0.0, 0.0)[: 3 if observable is magnetic_field_of_mesh else 2]
    with pytest.raises(StudyError, match="50"):
        observable(cubic, [point])
