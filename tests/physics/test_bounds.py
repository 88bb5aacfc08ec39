"""The free energy is a lower bound, whatever the mesh, the degree and the solver do."""

import numpy as np
import pytest
from dolfinx.mesh import entities_to_geometry

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    create_space,
    free_energy,
    interaction_tensor,
)
from pearlfem.analytic import infinite_film
from pearlfem.fem import film as film_forms
from pearlfem.solvers import multigrid


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("resolution", [0.5, 1.0])
@pytest.mark.parametrize("size", [0.02, 0.1, 0.5])
def test_self_energy_is_below_the_exact_one(degree, resolution, size):
    film, impurity = Film(Plane(), 1.0), Impurity((0.3, -0.2), size=size)
    space = create_space(film, [impurity], resolution=resolution, far=50.0)
    problem = MaxwellLondon(film, space, degree)
    tensor = interaction_tensor(problem.solve_each([impurity]))
    problem.destroy()
    # every direction of the moment: the largest eigenvalue is bounded as well
    bound = 2 * infinite_film.self_energy(size, 1.0)
    assert np.linalg.eigvalsh(tensor[0, 0]).max() < bound


def test_bound_holds_for_a_solver_that_stops_early(monkeypatch):
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), size=0.1)
    space = create_space(film, [impurity], far=50.0)
    energies = []
    for tolerance in (1e-1, 1e-9):
        monkeypatch.setattr(multigrid, "TOLERANCE", tolerance)
        problem = MaxwellLondon(film, space, degree=2)
        solution = problem.solve([impurity])
        energies.append(free_energy(solution))
        # ℓ(ψ) alone has no such property: perturb ψ away from the minimum, towards larger ℓ
        solution.unknowns[:] *= 1.01
        assert free_energy(solution) < energies[-1]
        problem.destroy()
    assert energies[0] < energies[1] < infinite_film.self_energy(0.1, 1.0)


def test_source_quadrature_is_exact_enough_for_the_bound(monkeypatch):
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), angle=30.0, size=0.1)
    space = create_space(film, [impurity], far=20.0)
    energies = []
    for degree in (film_forms.SOURCE_QUADRATURE_DEGREE, 20):
        monkeypatch.setattr(film_forms, "SOURCE_QUADRATURE_DEGREE", degree)
        problem = MaxwellLondon(film, space)
        energies.append(free_energy(problem.solve([impurity])))
        problem.destroy()
    # the discretisation error is 3e-6; quadrature has to be far below it
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


def test_disc_is_inscribed():
    film, impurity = Film(Disc(2.0, center=(1.0, 1.0)), 1.0), Impurity((1.0, 1.0), size=0.5)
    space = create_space(film, [impurity], resolution=0.5, far=5.0)
    space.mesh.topology.create_connectivity(2, 3)
    nodes = np.unique(entities_to_geometry(space.mesh, 2, space.facets("film")))
    corners = space.mesh.geometry.x[nodes]
    radii = np.hypot(corners[:, 0] - 1.0, corners[:, 1] - 1.0)
    assert radii.max() == pytest.approx(2.0, rel=1e-9)
    assert radii.max() <= 2.0 * (1 + 1e-12)
