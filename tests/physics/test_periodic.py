"""Lattices of impurities: exact sums over reciprocal vectors, bounds, symmetries."""

import math
from itertools import product

import numpy as np
import pytest

from pearlfem import (
    Film,
    Impurity,
    MaxwellLondon,
    Periodic,
    Plane,
    SolveOptions,
    StudyError,
    Vortex,
    create_mesh,
    current_through,
    free_energy,
    interaction_tensor,
    magnetic_field,
    magnetic_moment,
    refine,
    sheet_current,
    stream_function,
)
from pearlfem.analytic.lattice import Lattice, gaussian_interaction, rhombic_lattice

SIZE = 0.1


def exact_tensor(cell, impurities, pearl_length):
    """T (n, n, 2, 2) of impurities of strength 1: J* is r0/4π."""
    sites = Lattice(cell, [i.position for i in impurities])
    found = gaussian_interaction(sites, [i.size for i in impurities], pearl_length)
    return pearl_length / (4 * np.pi) * found.transpose(0, 2, 1, 3)


def as_matrix(tensor):
    n = len(tensor)
    return tensor.transpose(0, 2, 1, 3).reshape(2 * n, 2 * n)


def solve_tensor(film, mesh, impurities, degree, formulation="stream"):
    problem = MaxwellLondon(film, mesh, degree, formulation)
    solutions = problem.solve_each(impurities)
    tensor = interaction_tensor(solutions)
    problem.destroy()
    return tensor, max(solution.iterations for solution in solutions)


def as_cell(vectors):
    return tuple(tuple(row) for row in np.asarray(vectors).tolist())


# --- agreement at default settings


@pytest.mark.parametrize("pearl_length", [0.2, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("angle", [60.0, 75.0, 90.0])
def test_ferromagnet_at_default_settings(angle, pearl_length):
    cell = as_cell(rhombic_lattice(angle).vectors)
    one, film = [Impurity((0.0, 0.0), size=SIZE)], Film(Plane(), pearl_length)
    mesh = create_mesh(film, one, boundary=Periodic(cell))
    tensor, iterations = solve_tensor(film, mesh, one, 3)
    exact = exact_tensor(cell, one, pearl_length)
    gap = as_matrix(exact - tensor)
    assert np.abs(gap).max() < 3e-5 * np.abs(exact).max()
    assert np.linalg.eigvalsh(gap).min() > 0  # from below, whatever the moment
    assert iterations <= 15


@pytest.mark.parametrize("pearl_length", [0.2, 50.0])
@pytest.mark.parametrize("angle", [60.0, 90.0])
def test_layered_antiferromagnet_at_default_settings(angle, pearl_length):
    a, b = rhombic_lattice(angle).vectors
    cell, film = as_cell([a, 2 * b]), Film(Plane(), pearl_length)
    two = [Impurity((0.0, 0.0), size=SIZE), Impurity(tuple(b.tolist()), size=SIZE)]
    mesh = create_mesh(film, two, boundary=Periodic(cell))
    tensor, _ = solve_tensor(film, mesh, two, 3)
    found, exact = (as_matrix(T) for T in (tensor, exact_tensor(cell, two, pearl_length)))
    for axis in (0, 1):
        parallel, antiparallel = np.zeros((2, 4))
        parallel[[axis, 2 + axis]], antiparallel[[axis, 2 + axis]] = (1.0, 1.0), (1.0, -1.0)
        energies = [[m @ T @ m / 4 for m in (parallel, antiparallel)] for T in (found, exact)]
        np.testing.assert_allclose(energies[0], energies[1], rtol=3e-5)
        assert np.diff(energies[0]) == pytest.approx(np.diff(energies[1]), rel=1e-4)


# --- bounds


@pytest.mark.parametrize(
    ("pearl_length", "degrees", "resolution"),
    [(0.05, (1, 2), 0.5), (1.0, (1, 2), 0.5), (1.0, (3,), 0.35), (100.0, (1, 2), 0.5)],
)
def test_exact_tensor_lies_between_the_bounds(pearl_length, degrees, resolution):
    cell, film = ((1.1, 0.2), (-0.3, 0.9)), Film(Plane(), pearl_length)
    impurities = [Impurity((0.0, 0.0), size=0.15), Impurity((1.4, 0.45), size=0.2)]
    mesh = create_mesh(film, impurities, boundary=Periodic(cell), resolution=resolution)
    exact = as_matrix(exact_tensor(cell, impurities, pearl_length))
    for degree in degrees:
        lower, _ = solve_tensor(film, mesh, impurities, degree, "stream")
        upper, iterations = solve_tensor(film, mesh, impurities, degree, "vector")
        assert np.linalg.eigvalsh(exact - as_matrix(lower)).min() > 0
        assert np.linalg.eigvalsh(as_matrix(upper) - exact).min() > 0
        assert iterations <= {1: 15, 2: 20, 3: 30}[degree]
    # Cells of 0.8 ξ; where they are as large as r0 the gap is that of open space.
    assert (
        np.abs(as_matrix(upper - lower)).max() < (0.1 if pearl_length < 1 else 0.03) * exact.max()
    )


def test_tolerance_is_reached():
    film, cell = Film(Plane(), 1.0), ((1.0, 0.0), (0.0, 1.6))
    pair = [Impurity((0.0, 0.0), size=0.1), Impurity((0.5, 0.8), size=0.1, angle=180.0)]
    solve = SolveOptions(formulation="both", degree=2, tolerance=3e-3)
    assembly = refine(film, pair, boundary=Periodic(cell), solve=solve)
    assert assembly.shortfall is None
    assert len(assembly.rounds) > 1
    last, T = assembly.rounds[-1], as_matrix(exact_tensor(cell, pair, 1.0))
    m = np.array([1.0, 0.0, -1.0, 0.0])
    assert last.lower < m @ T @ m / 2 < last.upper
    assembly.destroy()


# --- symmetries


def test_energy_does_not_depend_on_the_cell_an_impurity_is_written_in():
    cell, film = ((1.0, 0.0), (0.25, 1.1)), Film(Plane(), 0.7)
    here = [Impurity((0.1, 0.2), size=0.15, angle=40.0), Impurity((0.6, 0.5), size=0.15)]
    x, y = np.array([0.6, 0.5]) + 3 * np.array(cell[0]) - 2 * np.array(cell[1])
    there = [here[0], Impurity((x, y), size=0.15)]
    mesh = create_mesh(film, here, boundary=Periodic(cell), resolution=0.5)
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 2, formulation)
        energies = [free_energy(problem.solve(each)) for each in (here, there)]
        problem.destroy()
        assert energies[0] == pytest.approx(energies[1], rel=1e-11)


def test_energy_does_not_depend_on_where_in_the_mesh_an_impurity_lies():
    # The mesh is as fine at all four places; one is on a wall, one in the corner of the cell.
    cell, film = as_cell(rhombic_lattice(60.0).vectors), Film(Plane(), 1.0)
    a, b = np.array(cell)
    places = [u * a + v * b for u, v in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.2, 0.3))]
    each = [Impurity(tuple(place.tolist()), size=0.15) for place in places]
    mesh = create_mesh(
        film, [*each, Impurity((-0.25 * a - 0.25 * b).tolist(), 0.15)], boundary=Periodic(cell)
    )
    fractions = (np.array(places) - mesh.cell.center) @ np.linalg.inv(mesh.cell.vectors)
    assert np.abs(fractions).max() > 0.3
    exact = exact_tensor(cell, each[:1], 1.0)[0, 0]
    problem = MaxwellLondon(film, mesh, 3)
    tensor = interaction_tensor(problem.solve_each(each))
    problem.destroy()
    for i in range(len(each)):
        np.testing.assert_allclose(tensor[i, i], exact, atol=3e-5 * exact[0, 0])


def test_repeated_cell_is_the_cell():
    # Two cells in a row: an impurity with its images and its neighbour's is one of the single cell.
    cell, film = ((1.0, 0.0), (0.3, 1.2)), Film(Plane(), 1.0)
    (ax, ay), b = cell
    one, two = (
        [Impurity((0.0, 0.0), size=SIZE)],
        [Impurity((k * ax, k * ay), size=SIZE) for k in (0, 1)],
    )
    meshes = (
        create_mesh(film, one, boundary=Periodic(cell)),
        create_mesh(film, two, boundary=Periodic(((2 * ax, 2 * ay), b))),
    )
    single, double = (
        solve_tensor(film, mesh, each, 3)[0] for mesh, each in zip(meshes, (one, two), strict=True)
    )
    np.testing.assert_allclose(double.sum(axis=1)[0], single[0, 0], atol=2e-5 * single[0, 0, 0, 0])
    np.testing.assert_allclose(double.sum(axis=1)[1], single[0, 0], atol=2e-5 * single[0, 0, 0, 0])


def test_impurities_at_one_place_add_up():
    cell, film = ((1.0, 0.0), (0.0, 1.0)), Film(Plane(), 1.0)
    two = [Impurity((0.0, 0.0), size=0.2), Impurity((1.0, -1.0), size=0.2)]
    mesh = create_mesh(film, two, boundary=Periodic(cell), resolution=0.5)
    tensor, _ = solve_tensor(film, mesh, two, 2)
    np.testing.assert_allclose(tensor[0, 1], tensor[0, 0], rtol=1e-8, atol=1e-10)


# --- fields


def fourier_fields(cell, impurity, pearl_length, points):
    """K at points (x, y, 0) and B, from ψ_G = (Γ r0/2) i m·Ĝ f_G/(1 + r0 G) e^{−Gz}, g = 2ψ."""
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    steps = np.array([s for s in product(range(-40, 41), repeat=2) if any(s)])
    G = steps @ reciprocal
    length = np.linalg.norm(G, axis=1)
    f = np.exp(-((length * impurity.size) ** 2) / 2) / abs(np.linalg.det(cell))
    m = np.array(impurity.moment)
    psi = (
        0.5j * pearl_length * impurity.strength * (G @ m) / length * f / (1 + pearl_length * length)
    )
    offsets = points[:, :2] - impurity.position
    waves = psi * np.exp(1j * offsets @ G.T - np.outer(points[:, 2], length))
    K = 2j * waves @ np.column_stack([G[:, 1], -G[:, 0]])
    B = np.column_stack([-1j * waves @ G, waves @ length])
    return K.real, B.real


@pytest.mark.parametrize(
    ("formulation", "degree", "error_of_K", "error_of_B"),
    [("stream", 3, 5e-4, 3e-3), ("vector", 2, 1e-2, 5e-2)],
)
def test_currents_and_fields_in_any_cell(formulation, degree, error_of_K, error_of_B):
    cell, film = ((1.0, 0.1), (-0.2, 0.9)), Film(Plane(), 0.8)
    impurity = Impurity((0.3, 0.2), size=0.2, angle=25.0, strength=1.5)
    mesh = create_mesh(film, [impurity], boundary=Periodic(cell), resolution=2.0)
    problem = MaxwellLondon(film, mesh, degree, formulation)
    solution = problem.solve([impurity])
    flat = np.random.default_rng(2).uniform(-3, 3, (40, 2))
    K, _ = fourier_fields(cell, impurity, 0.8, np.column_stack([flat, np.zeros(40)]))
    found = sheet_current(solution, flat)
    np.testing.assert_allclose(found, K, atol=error_of_K * np.abs(K).max())
    above = np.column_stack([flat, np.full(40, 0.2)])
    _, B = fourier_fields(cell, impurity, 0.8, above)
    found = magnetic_field(solution, above)
    np.testing.assert_allclose(found, B, atol=error_of_B * np.abs(B).max())
    below = magnetic_field(solution, above * [1, 1, -1])
    np.testing.assert_allclose(below, found * [-1, -1, 1], atol=1e-12)
    if formulation == "stream":
        g = stream_function(solution, flat)
        np.testing.assert_allclose(stream_function(solution, flat + cell[0]), g, atol=1e-9)
    problem.destroy()


def test_current_through_a_cut_over_several_cells():
    cell, film = ((1.0, 0.1), (-0.2, 0.9)), Film(Plane(), 0.8)
    impurity = Impurity((0.3, 0.2), size=0.2, angle=25.0)
    mesh = create_mesh(film, [impurity], boundary=Periodic(cell))
    currents = []
    for formulation, degree in (("stream", 3), ("vector", 2)):
        problem = MaxwellLondon(film, mesh, degree, formulation)
        solution = problem.solve([impurity])
        currents.append(current_through(solution, (0.3, 0.4), (1.65, -1.35)))
        through_a_cell = current_through(solution, (0.3, 0.4), (1.3, 0.5))
        assert abs(through_a_cell) < {"stream": 1e-12, "vector": 2e-3}[formulation]
        problem.destroy()
    assert abs(currents[0]) > 0.03
    assert currents[1] == pytest.approx(currents[0], abs=2e-3)


# --- refusals


def test_what_has_no_images_is_refused():
    cell, film = ((1.0, 0.0), (0.0, 1.0)), Film(Plane(), 1.0)
    one = [Impurity((0.0, 0.0), size=0.3)]
    mesh = create_mesh(film, one, boundary=Periodic(cell), resolution=0.3)
    problem = MaxwellLondon(film, mesh, 1)
    for sources in ([Vortex((0, 0), 0.3), Vortex((0.5, 0), 0.3, -1)], [Impurity((0, 0), size=0)]):
        with pytest.raises(StudyError, match="periodic"):
            problem.solve(sources)
    with pytest.raises(StudyError, match="periodic"):
        magnetic_moment(problem.solve(one))
    with pytest.raises(StudyError, match="too coarse"):
        problem.solve([Impurity((0.4, 0.4), size=1e-3)])
    problem.destroy()
    assert math.isfinite(mesh.cell.center[0])
