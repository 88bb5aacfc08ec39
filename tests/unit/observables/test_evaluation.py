"""Point evaluation: the right cell, the right value, at every scale."""

import numpy as np
import pytest
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.observables import evaluation as point_values


@pytest.fixture(scope="module")
def quadratic(mesh):
    function = fem.Function(fem.functionspace(mesh.domain, ("Lagrange", 2)))
    function.interpolate(polynomial)
    return function


def evaluate(function, points):
    """As it is in any cell."""
    count = function.function_space.mesh.topology.index_map(3).size_local
    return point_values.evaluate(function, points, np.arange(count, dtype=np.int32))


def polynomial(x):
    return 1.0 + x[0] * x[1] - 2.0 * x[2] ** 2 + x[1]


def corners(domain):
    return domain.geometry.x[domain.geometry.dofmaps[0]]


def middles(domain):
    return corners(domain).mean(axis=1)


def points_inside(domain, count=300):
    """Random points of random cells."""
    random = np.random.default_rng(1)
    cells = random.integers(len(corners(domain)), size=count)
    return np.einsum("nc,ncx->nx", random.dirichlet(np.ones(4), size=count), corners(domain)[cells])


@pytest.mark.parametrize("where", ["inside", "nodes", "edges", "facets"])
def test_polynomial_of_the_elements_degree_comes_back(mesh, quadratic, where):
    cells = corners(mesh.domain)
    points = {
        "inside": points_inside(mesh.domain),
        "nodes": mesh.domain.geometry.x,
        "edges": cells[:, :2].mean(axis=1),
        "facets": cells[:, :3].mean(axis=1),
    }[where]
    values = evaluate(quadratic, points)
    assert values.shape == (len(points), 1)
    # Rounding of the inverse map to cells at a distance of 5: some hundred epsilon.
    np.testing.assert_allclose(values[:, 0], polynomial(points.T), atol=1e-11)


def test_vector_has_one_column_per_component(mesh):
    function = fem.Function(fem.functionspace(mesh.domain, ("Lagrange", 1, (3,))))
    function.interpolate(lambda x: np.stack([x[1], x[2], x[0]]))
    points = points_inside(mesh.domain)
    np.testing.assert_allclose(evaluate(function, points), points[:, [1, 2, 0]], atol=1e-11)


def test_one_point_and_none_keep_their_shape(quadratic):
    assert evaluate(quadratic, np.array([[0.5, 0.0, 0.1]])).shape == (1, 1)
    assert evaluate(quadratic, np.empty((0, 3))).shape == (0, 1)


def test_between_cells_the_value_is_that_of_one_of_them(mesh):
    # Each cell holds its own number in the file; a facet's value is the lower of its two.
    function = fem.Function(fem.functionspace(mesh.domain, ("Discontinuous Lagrange", 0)))
    numbers = mesh.domain.topology.original_cell_index
    function.x.array[:] = numbers
    topology = mesh.domain.topology
    topology.create_connectivity(2, 3)
    inner = [f for f in range(500) if len(topology.connectivity(2, 3).links(f)) == 2]
    facets = dmesh.entities_to_geometry(mesh.domain, 2, np.array(inner, dtype=np.int32))
    points = mesh.domain.geometry.x[facets].mean(axis=1)
    expected = [numbers[topology.connectivity(2, 3).links(facet)].min() for facet in inner]
    np.testing.assert_array_equal(evaluate(function, points)[:, 0], expected)


def test_only_the_given_cells_are_asked(mesh):
    # Each cell holds its own number in the file.
    function = fem.Function(fem.functionspace(mesh.domain, ("Discontinuous Lagrange", 0)))
    numbers = mesh.domain.topology.original_cell_index
    function.x.array[:] = numbers
    node = mesh.domain.geometry.dofmaps[0][7, 0]
    around = np.flatnonzero((mesh.domain.geometry.dofmaps[0] == node).any(axis=1)).astype(np.int32)
    last = around[np.argmax(numbers[around])]
    point = mesh.domain.geometry.x[[node]]
    assert point_values.evaluate(function, point, np.array([last]))[0, 0] == numbers[last]
    with pytest.raises(StudyError, match="outside"):
        point_values.evaluate(function, point, np.setdiff1d(np.arange(300), around))


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e-3, 1.0, 1e6])
def test_point_belongs_to_the_cell_around_it_in_any_unit_of_length(unit):
    # Micrometres in metres: cells as small as 1e-7. Each cell holds its number.
    cube = dmesh.create_unit_cube(MPI.COMM_SELF, 5, 5, 5)
    cube.geometry.x[:] *= unit
    function = fem.Function(fem.functionspace(cube, ("Discontinuous Lagrange", 0)))
    function.x.array[:] = np.arange(len(function.x.array))
    values = evaluate(function, middles(cube))[:, 0]
    np.testing.assert_array_equal(values, function.x.array)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_point_outside_is_refused_in_any_unit_of_length(unit):
    ball = dmesh.create_unit_cube(MPI.COMM_SELF, 2, 2, 2)
    ball.geometry.x[:] = unit * (ball.geometry.x @ [[1, 0, 0], [0.5, 1, 0], [0, 0.5, 1]])  # oblique
    function = fem.Function(fem.functionspace(ball, ("Lagrange", 1)))
    for outside in ([0.0, 0.25, 0.0], [-0.1, 0.0, 0.0], [0.5, 0.5, -0.01]):
        with pytest.raises(StudyError, match="outside the mesh"):
            evaluate(function, unit * np.array([[0.5, 0.5, 0.25], outside]))


@pytest.mark.parametrize("point", [[99.0, 0.0, 0.0], [0.0, 0.0, -0.1], [np.nan, 0.0, 0.0]])
def test_first_point_outside_is_named(quadratic, point):
    with pytest.raises(StudyError) as caught:
        evaluate(quadratic, np.array([[0.5, 0.0, 0.1], point, [0.0, 77.0, 0.0]]))
    assert str(point) in str(caught.value)
