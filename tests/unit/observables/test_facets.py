"""Sheet currents on the facets of a film, and the largest of them."""

import dataclasses

import numpy as np
import pytest
from dolfinx import fem

from pearlfem import (
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    create_mesh,
    largest_sheet_current,
    sheet_current,
)
from pearlfem.formulation.fields import Fields
from pearlfem.observables.facets import facet_currents


def with_stream_function(solution, function):
    """The solution with another g, of which only the value on the film counts."""
    g = fem.Function(solution.stream_functions[0].function_space)
    g.interpolate(function)
    return dataclasses.replace(solution, expand=lambda _: Fields(g, (g,)))


def nodes_of(triangles):
    """Corners and middles of sides, ``(m, 2)``."""
    return np.concatenate([triangles, (triangles + np.roll(triangles, 1, axis=1)) / 2]).reshape(
        -1, 2
    )


def test_largest_current_of_a_polynomial(cubic, film_triangles):
    # g = 3xy: K = ∇g × ẑ = 3 (x, −y), |K| = 3r. The disc's centre is not the origin.
    (found,) = largest_sheet_current(with_stream_function(cubic, lambda x: 3 * x[0] * x[1]))
    nodes = nodes_of(film_triangles)
    farthest = nodes[np.linalg.norm(nodes, axis=1).argmax()]
    assert found.name == "film"
    assert found.value == pytest.approx(3 * np.linalg.norm(farthest), rel=1e-12)
    np.testing.assert_allclose([found.x, found.y], farthest, rtol=1e-12)


def test_of_equal_currents_the_first_place_counts(cubic, film_triangles):
    # g = r²/2 around the centre of the disc: |K| is the same at all corners on its edge.
    center = np.array([0.5, -0.25])
    radial = with_stream_function(
        cubic, lambda x: ((x[0] - center[0]) ** 2 + (x[1] - center[1]) ** 2) / 2
    )
    (found,) = largest_sheet_current(radial)
    radii = np.linalg.norm(nodes_of(film_triangles) - center, axis=1)
    edge = nodes_of(film_triangles)[radii > radii.max() - 1e-9]
    assert len(edge) > 10
    np.testing.assert_allclose([found.x, found.y], min(edge.tolist()), rtol=1e-12)


def test_largest_current_of_the_vector_formulation(film, mesh, impurities):
    problem = MaxwellLondon(film, mesh, degree=2, formulation="vector")
    vector = problem.solve(impurities)
    A = fem.Function(vector.potential.function_space)
    A.interpolate(lambda x: np.vstack([-x[1], 2 * x[0], 0 * x[2]]))
    alone = dataclasses.replace(vector, expand=lambda _: Fields(A), drives=())
    (found,) = largest_sheet_current(alone)
    # K = −κA, κ = 2/r0 = 2.5
    size = 2.5 * np.hypot(found.y, 2 * found.x)
    assert found.value == pytest.approx(size, rel=1e-12)
    corners = mesh.corners("film").reshape(-1, 2)
    assert found.value >= 2.5 * np.hypot(corners[:, 1], 2 * corners[:, 0]).max() * (1 - 1e-12)
    problem.destroy()


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_currents_are_those_at_the_same_points(film, mesh, impurities, formulation):
    problem = MaxwellLondon(film, mesh, degree=2, formulation=formulation)
    solution = problem.solve(impurities)
    inner = np.array([[0.2, 0.3], [0.5, 0.1]])  # different distances from all corners
    (on_film,) = solution.films
    found = facet_currents(solution, on_film, inner)
    expected = sheet_current(solution, found.points.reshape(-1, 2)).reshape(found.K.shape)
    np.testing.assert_allclose(found.K, expected, atol=1e-12 * np.abs(expected).max())
    problem.destroy()


def test_no_point_of_the_film_has_a_larger_current(film_points, cubic):
    # Between the nodes |K| of a coarse mesh may be larger than at all of them, but not by much.
    (found,) = largest_sheet_current(cubic)
    inside = np.linalg.norm(sheet_current(cubic, film_points), axis=1).max()
    assert 0.2 * found.value < inside < 1.02 * found.value


def test_both_formulations_find_the_same_largest_current():
    # A Gaussian impurity on the infinite film: largest at its centre, in the far field ∝ 1/r³.
    film, impurity = Film(Plane(), 1.0), Impurity((0.2, -0.1), size=0.3)
    mesh = create_mesh(film, [impurity], resolution=0.4, far=5.0)
    values = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 3, formulation)
        (found,) = largest_sheet_current(problem.solve([impurity]))
        problem.destroy()
        assert np.hypot(found.x - 0.2, found.y + 0.1) < 0.15
        values.append(found.value)
    assert values[0] == pytest.approx(values[1], rel=0.02)


def test_current_at_a_point_impurity_has_no_largest_value():
    film, point = Film(Plane(), 1.0), Impurity((0.1, 0.2), size=0.0)
    problem = MaxwellLondon(film, create_mesh(film, [point], resolution=0.3, far=5.0), 2)
    assert largest_sheet_current(problem.solve([point])) == [("film", None, None, None)]
    problem.destroy()
