"""The energy converges as h^(2p): the Galerkin error of an energy is the square of that of ψ."""

import numpy as np
import pytest

from pearlfem import (
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    create_mesh,
    free_energy,
    interaction_tensor,
)
from pearlfem.analytic import infinite_film

FILM = Film(Plane(), pearl_length=1.0)
PAIR = (Impurity((-0.25, 0.0), size=0.1), Impurity((0.25, 0.0), size=0.1))
POSITIONS = [impurity.position for impurity in PAIR]


def exact_energy() -> float:
    """Both moments along x: F = ½ Σ T_ij,xx."""
    return infinite_film.interaction_tensor(POSITIONS, 1.0, 1.0, 0.1)[:, :, 0, 0].sum() / 2


def solve(resolution: float, degree: int, far: float = 200.0) -> tuple[int, float]:
    mesh = create_mesh(FILM, PAIR, resolution=resolution, far=far)
    problem = MaxwellLondon(FILM, mesh, degree)
    energy = free_energy(problem.solve(PAIR))
    problem.destroy()
    return mesh.cells, energy


@pytest.mark.parametrize(
    ("degree", "resolutions", "finest_error"),
    [
        (1, (0.7, 1.0, 1.4, 2.0), 1e-2),
        (2, (0.7, 1.0, 1.4), 2e-4),
        (3, (0.5, 0.7, 1.0), 5e-6),
    ],
)
def test_energy_error_falls_with_twice_the_degree(degree, resolutions, finest_error):
    # Unstructured meshes: h is the cube root of the volume per cell, not what gmsh was asked for.
    cells, energies = np.array([solve(resolution, degree) for resolution in resolutions]).T
    errors = 1 - energies / exact_energy()
    assert np.all(errors > 0), "the stream formulation bounds from below"
    slope = -3 * np.polyfit(np.log(cells), np.log(errors), 1)[0]
    assert slope == pytest.approx(2 * degree, abs=0.3)
    assert errors[-1] < finest_error


def test_cutting_space_off_costs_the_cube_of_the_radius():
    # The field of two parallel moments is a dipole's beyond r0; its energy outside R falls as R⁻³.
    # Near the impurities the meshes differ a little: the error of that resolution (4e-6) is added.
    fars = np.array([6.0, 12.0, 24.0])
    energies = np.array([solve(1.0, 3, far)[1] for far in fars])
    errors = 1 - energies / exact_energy()
    slope = np.polyfit(np.log(fars), np.log(errors), 1)[0]
    assert slope == pytest.approx(-3, abs=0.5)


@pytest.mark.parametrize("degree", [2, 3])
def test_iterations_do_not_grow_with_the_number_of_dofs(degree):
    iterations = []
    for resolution in (0.5, 1.0) if degree == 3 else (0.7, 1.4):
        mesh = create_mesh(FILM, PAIR, resolution=resolution)
        problem = MaxwellLondon(FILM, mesh, degree)
        iterations.append(problem.solve(PAIR).iterations)
        problem.destroy()
    assert max(iterations) <= 20
    assert iterations[-1] <= iterations[0] + 3


def test_pair_study_at_default_settings_is_as_accurate_as_the_readme_says():
    mesh = create_mesh(FILM, PAIR)
    problem = MaxwellLondon(FILM, mesh)
    tensor = interaction_tensor(problem.solve_each(PAIR))
    problem.destroy()
    exact = infinite_film.interaction_tensor(POSITIONS, 1.0, 1.0, 0.1)
    for a in (0, 1):
        assert tensor[0, 1, a, a] == pytest.approx(exact[0, 1, a, a], rel=1e-5)
        self_error = tensor[0, 0, a, a] / exact[0, 0, a, a] - 1
        assert -5e-6 < self_error < 0
