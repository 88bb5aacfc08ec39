"""The energy converges as h^(2p): the Galerkin error of an energy is the square of that of ψ."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from helpers import case

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
from pearlfem.mesh.tagged import TaggedMesh

FILM = Film(Plane(), pearl_length=1.0)
PAIR = (Impurity((-0.25, 0.0), size=0.1), Impurity((0.25, 0.0), size=0.1))
POSITIONS = [impurity.position for impurity in PAIR]


def exact_energy() -> float:
    """Both moments along x: F = ½ Σ T_ij,xx."""
    return infinite_film.interaction_tensor(POSITIONS, 1.0, 1.0, 0.1)[:, :, 0, 0].sum() / 2


class Answer(NamedTuple):
    """Of a mesh and a degree."""

    cells: int
    energy: float
    iterations: int


@pytest.fixture(scope="module")
def mesh_of():
    """Meshes, which serve all degrees."""
    return cache(lambda resolution: create_mesh(FILM, PAIR, resolution=resolution, far=100.0))


def solve(mesh: TaggedMesh, degree: int) -> Answer:
    problem = MaxwellLondon(FILM, mesh, degree)
    solution = problem.solve(PAIR)
    answer = Answer(mesh.cells, free_energy(solution), solution.iterations)
    problem.destroy()
    return answer


@pytest.mark.parametrize(
    ("degree", "resolutions", "finest_error"),
    [
        case(1, (0.5, 0.7, 1.0, 1.4), 2e-2, slow=False),  # h² of what 1e-2 is at resolution 2
        case(1, (0.7, 1.0, 1.4, 2.0), 1e-2, slow=True),
        case(2, (0.7, 1.0, 1.4), 2e-4, slow=False),
        case(3, (0.5, 0.7, 1.0), 5e-6, slow=False),
    ],
)
def test_energy_error_falls_with_twice_the_degree(mesh_of, degree, resolutions, finest_error):
    # Unstructured meshes: h is the cube root of the volume per cell, not what gmsh was asked for.
    answers = [solve(mesh_of(resolution), degree) for resolution in resolutions]
    cells, energies, iterations = np.array(answers).T
    errors = 1 - energies / exact_energy()
    assert np.all(errors > 0), "the stream formulation bounds from below"
    slope = -3 * np.polyfit(np.log(cells), np.log(errors), 1)[0]
    assert slope == pytest.approx(2 * degree, abs=0.3)
    assert errors[-1] < finest_error
    # Iterations do not grow with the number of dofs.
    assert max(iterations) <= 20
    assert max(iterations) <= iterations[0] + 3


def test_cutting_space_off_costs_the_cube_of_the_radius():
    # The field of two parallel moments is a dipole's beyond r0; its energy outside R falls as R⁻³.
    # Near the impurities the meshes differ a little: the error of that resolution (4e-6) is added.
    fars = np.array([6.0, 12.0, 24.0])
    energies = [solve(create_mesh(FILM, PAIR, far=far), 3).energy for far in fars]
    errors = 1 - energies / exact_energy()
    slope = np.polyfit(np.log(fars), np.log(errors), 1)[0]
    assert slope == pytest.approx(-3, abs=0.5)


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
