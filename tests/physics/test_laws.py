"""Laws that hold for every film and every layout of impurities."""

import numpy as np
import pytest

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    create_mesh,
    free_energy,
    interaction_tensor,
    magnetic_field,
    magnetic_moment,
    sheet_current,
    superpose,
)

FILM = Film(Disc(1.0), pearl_length=0.5)
THREE = (
    Impurity((0.3, 0.1), size=0.15, angle=20.0),
    Impurity((-0.2, 0.4), size=0.1, angle=110.0, strength=-0.7),
    Impurity((0.0, -0.5), size=0.15, angle=250.0, strength=2.0),
)


@pytest.fixture(scope="module")
def disc():
    mesh = create_mesh(FILM, THREE, resolution=0.6, far=20.0)
    problem = MaxwellLondon(FILM, mesh, degree=2)
    yield problem
    problem.destroy()


@pytest.fixture(scope="module")
def responses(disc):
    return disc.solve_each(THREE)


def test_tensor_is_symmetric(responses):
    tensor = interaction_tensor(responses)
    np.testing.assert_allclose(tensor, tensor.transpose(1, 0, 3, 2), rtol=1e-12, atol=1e-14)


def test_energy_is_half_the_quadratic_form_of_the_tensor(disc, responses):
    tensor = interaction_tensor(responses)
    m = np.array([impurity.moment for impurity in THREE])
    expected = 0.5 * np.einsum("ia,ijab,jb->", m, tensor, m)
    # solved at once, not superposed: differs by the square of the solver's tolerance
    assert free_energy(disc.solve(THREE)) == pytest.approx(expected, rel=1e-12)


def test_superposition_equals_the_solution_of_all_sources_at_once(disc, responses):
    weights = [component for impurity in THREE for component in impurity.moment]
    together, summed = disc.solve(THREE), superpose(responses, weights)
    scale = np.abs(together.potential.x.array).max()
    difference = together.potential.x.array - summed.potential.x.array
    assert np.abs(difference).max() < 1e-7 * scale  # the solver's tolerance is 1e-9 in energy


def test_tensor_is_positive_definite(responses):
    # F is the energy of currents and fields, for any moments: all eigenvalues are positive.
    matrix = interaction_tensor(responses).transpose(0, 2, 1, 3).reshape(6, 6)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_strengths_scale_the_tensor(disc):
    one = interaction_tensor(disc.solve_each([Impurity((0.1, 0.2), size=0.2)]))
    three = interaction_tensor(disc.solve_each([Impurity((0.1, 0.2), size=0.2, strength=-3.0)]))
    np.testing.assert_allclose(three, 9 * one, rtol=1e-11)


def test_no_current_leaves_the_disc(disc):
    # K·n = 0 on the edge: weakly imposed through ψ = 0 there, so exact on the inscribed polygon.
    solution = disc.solve(THREE)
    angles = np.linspace(0.05, 2 * np.pi, 40)
    outside = 1.02 * np.column_stack([np.cos(angles), np.sin(angles)])
    largest = np.abs(sheet_current(solution, [(0.3, 0.1)])).max()
    assert np.abs(sheet_current(solution, outside)).max() < 1e-10 * largest


def test_far_field_of_a_disc_is_that_of_its_moment(disc):
    solution = disc.solve(THREE)
    m = magnetic_moment(solution)[2]
    height = 8.0  # octupoles and the far boundary at 20 stay: (1/8)² and (8/20)³
    Bz = magnetic_field(solution, [(0.0, 0.0, height)])[0, 2]
    assert Bz == pytest.approx(2 * m / (4 * np.pi * height**3), rel=0.15)


def test_flux_through_the_whole_plane_vanishes(disc):
    # ∫ B_z dS over z = h: all flux returns within the far boundary up to (h/far)³.
    solution = disc.solve(THREE)
    edges = np.geomspace(0.05, 19.0, 60)
    radii, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    angles = 2 * np.pi * (np.arange(24) + 0.5) / 24
    points = np.array([(r * np.cos(a), r * np.sin(a), 0.3) for r in radii for a in angles])
    Bz = magnetic_field(solution, points)[:, 2].reshape(len(radii), -1).mean(axis=1)
    rings = 2 * np.pi * radii * widths * Bz
    assert abs(rings.sum()) < 0.1 * np.abs(rings).sum()


def test_moving_and_turning_everything_changes_nothing():
    pair = np.array([(-0.25, 0.0), (0.25, 0.0)])
    reference = None
    for shift, degrees in (((0.0, 0.0), 0.0), ((100.0, -40.0), 37.0)):
        t = np.radians(degrees)
        R = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
        impurities = [Impurity(tuple(R @ p + shift), size=0.1) for p in pair]
        film = Film(Plane(), 1.0)
        problem = MaxwellLondon(film, create_mesh(film, impurities))
        tensor = interaction_tensor(problem.solve_each(impurities))
        problem.destroy()
        turned_back = np.einsum("ca,ijcd,db->ijab", R, tensor, R)
        reference = turned_back if reference is None else reference
        # another mesh, so equal up to the discretisation error (3e-6 of the self-energy)
        np.testing.assert_allclose(
            turned_back, reference, rtol=1e-5, atol=1e-5 * reference[0, 0, 0, 0]
        )
