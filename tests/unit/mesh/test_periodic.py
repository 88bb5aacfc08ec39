"""Periodic cells: topology without sides, geometry with sides; written and read."""

import math

import numpy as np
import pytest

from pearlfem import Film, Impurity, Periodic, Plane, create_mesh, read_mesh
from pearlfem.errors import StudyError
from pearlfem.mesh import periodic as periodic_mesh
from pearlfem.mesh.generate import write_mesh
from pearlfem.mesh.sizes import grading
from pearlfem.mesh.sizes.grading import all_cores

FILM = Film(Plane(), 1.0)
CELLS = {
    "square": Periodic(((1.0, 0.0), (0.0, 1.0))),
    "triangular": Periodic(((1.0, 0.0), (0.5, math.sqrt(0.75)))),
    "oblique": Periodic(((0.9, 0.2), (-0.2, 1.3))),
    "small": Periodic(((3e-6, 0.0), (4e-6, 5e-6))),
}
COARSE = {"resolution": 0.3}


def impurities(periodic):
    """Two impurities; the position of the second one is in another cell."""
    a, b = np.array(periodic.cell)
    size = 0.1 * periodic.width
    return [
        Impurity((0.0, 0.0), size=size),
        Impurity(tuple((1.7 * a + 0.4 * b).tolist()), size=size),
    ]


@pytest.fixture(scope="module", params=CELLS)
def periodic(request):
    return CELLS[request.param]


@pytest.fixture(scope="module")
def mesh(periodic):
    return create_mesh(FILM, impurities(periodic), boundary=periodic, **COARSE)


def counts(topology, cells, dimension):
    """Numbers of vertices, edges, … of the entities ``cells`` of a dimension."""
    numbers = [len(cells)]
    for d in range(dimension):
        topology.create_connectivity(dimension, d)
        links = topology.connectivity(dimension, d)
        numbers.append(len(np.unique(np.concatenate([links.links(c) for c in cells]))))
    return [*numbers[1:], numbers[0]]


def test_groups(mesh):
    assert set(mesh.groups) == {"film", "magnetic-wall"}
    assert mesh.mirrored


def test_there_are_no_sides(mesh):
    topology = mesh.domain.topology
    topology.create_connectivity(2, 3)
    outer = np.flatnonzero(np.diff(topology.connectivity(2, 3).offsets) == 1)
    assert set(outer) == set(mesh.facets("film", "magnetic-wall"))
    assert len(outer) == len(mesh.facet_tags.indices)


def test_space_is_a_torus_times_an_interval(mesh):
    topology = mesh.domain.topology
    vertices, edges, facets, cells = counts(topology, range(mesh.cells), 3)
    assert vertices - edges + facets - cells == 0
    for name in ("film", "magnetic-wall"):
        vertices, edges, facets = counts(topology, mesh.facets(name), 2)
        assert vertices - edges + facets == 0
        assert 2 * edges == 3 * facets


def test_each_cell_has_its_true_corners(mesh, periodic, corners, measure):
    area = abs(np.linalg.det(periodic.cell))
    scale = math.sqrt(area)
    assert measure(corners(mesh, "film") / scale) == pytest.approx(1.0, rel=1e-9)
    volume = measure(corners(mesh) / scale) * scale
    assert volume == pytest.approx(periodic.height, rel=1e-9)
    assert mesh.domain.geometry.x[:, 2].max() == pytest.approx(periodic.height, rel=1e-9)


def test_nodes_of_a_vertex_differ_by_lattice_vectors(mesh, periodic):
    domain = mesh.domain
    domain.topology.create_connectivity(3, 0)
    vertices = domain.topology.connectivity(3, 0).array
    nodes = domain.geometry.dofmaps[0].ravel()
    first = np.zeros(vertices.max() + 1, dtype=int)
    first[vertices] = nodes
    differences = domain.geometry.x[nodes] - domain.geometry.x[first[vertices]]
    steps = differences[:, :2] @ np.linalg.inv(periodic.vectors)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert np.abs(differences[:, 2]).max() <= 1e-9 * periodic.height
    pairs = np.unique(np.column_stack([vertices, nodes]), axis=0)
    numbers = np.bincount(pairs[:, 0])
    assert set(numbers) == {1, 2, 4}  # inside, on a side, on a vertical edge
    # Vertical edges go from the film to the top; each of their vertices has four nodes.
    heights = domain.geometry.x[first[numbers == 4], 2]
    assert heights.min() == 0.0
    assert heights.max() == pytest.approx(periodic.height)


def test_cells_are_as_small_at_copies_as_at_impurities(mesh, periodic, corners):
    film = corners(mesh, "film")[..., :2]
    sides = np.linalg.norm(film - np.roll(film, 1, axis=1), axis=-1).max(axis=1)
    middles = film.mean(axis=1)
    for impurity in impurities(periodic):
        offsets = (middles - impurity.position) @ np.linalg.inv(periodic.vectors)
        near = np.linalg.norm((offsets - np.round(offsets)) @ periodic.vectors, axis=1)
        # The size here is √(1.33² + 1.05²) ξ; some of gmsh's edges are up to 1.5 times as long.
        assert sides[near < 1.5 * impurity.size].max() < 2.6 * impurity.size


def test_copies_of_an_impurity_in_the_corner_surround_the_cell():
    square, corner = (
        CELLS["square"],
        [Impurity((0.0, 0.0), size=0.1), Impurity((1.0, 1.0), size=0.1)],
    )
    positions = {core.position for core in all_cores(corner, square)}
    assert {(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)} <= positions


def test_points_are_moved_into_the_cell(mesh, periodic):
    assert mesh.cell is not None
    rng = np.random.default_rng(0)
    points = 10 * periodic.height * rng.uniform(-1, 1, (50, 3))
    moved = mesh.inside(points)
    fractions = (moved[:, :2] - mesh.cell.center) @ np.linalg.inv(periodic.vectors)
    assert np.abs(fractions).max() <= 0.5 + 1e-9
    steps = (points - moved)[:, :2] @ np.linalg.inv(periodic.vectors)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-7)
    assert np.array_equal(moved[:, 2], points[:, 2])


def test_mesh_survives_a_file(tmp_path, periodic, mesh):
    path = tmp_path / "cell.msh"
    assert write_mesh(path, FILM, impurities(periodic), boundary=periodic, **COARSE) == mesh.cells
    read = read_mesh(path)
    assert read.groups.keys() == mesh.groups.keys()
    assert all(len(read.facets(group)) == len(mesh.facets(group)) for group in mesh.groups)
    assert (
        read.domain.topology.index_map(0).size_global
        == mesh.domain.topology.index_map(0).size_global
    )
    np.testing.assert_allclose(read.cell.vectors, mesh.cell.vectors, atol=1e-9 * periodic.width)


def test_cells_as_large_as_the_periods_are_refused(monkeypatch):
    square = CELLS["square"]
    monkeypatch.setattr(grading, "_FEWEST", 0.5)
    with pytest.raises(StudyError, match="as large as the periods"):
        create_mesh(FILM, [Impurity((0.0, 0.0), size=0.9)], boundary=square, resolution=0.1)


def test_large_impurities_do_not_make_cells_too_large():
    mesh = create_mesh(FILM, [Impurity((0.0, 0.0), size=0.9)], boundary=CELLS["square"])
    assert mesh.cells > 500


def test_errors_of_the_copied_side_are_removed():
    rng = np.random.default_rng(3)
    # a vertical edge, and its three copies
    heights = np.column_stack([np.zeros((5, 2)), np.arange(5.0)])
    shifts = np.array([(0.0, 0.0, 0.0), (2.0, 0.1, 0.0), (-0.3, 1.5, 0.0), (1.7, 1.6, 0.0)])
    exact = (shifts[:, None] + heights).reshape(-1, 3)
    noise = 1e-8 * rng.uniform(-1, 1, exact.shape)
    noise[:5] = 0.0
    points, vertices = periodic_mesh._merged(exact + noise, ((2.0, 0.1), (-0.3, 1.5)))
    np.testing.assert_allclose(points, exact, atol=1e-14)
    assert np.array_equal(vertices, np.tile(np.arange(5), 4))


def test_sides_that_do_not_match_are_refused(monkeypatch):
    monkeypatch.setattr(periodic_mesh, "_SAME", 1e-20)
    with pytest.raises(StudyError, match="opposite sides"):
        create_mesh(FILM, impurities(CELLS["oblique"]), boundary=CELLS["oblique"])
