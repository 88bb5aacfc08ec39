"""The free energy is a lower bound, whatever the mesh, the degree and the solver do."""

import numpy as np
import pytest
from dolfinx.mesh import create_box, entities_to_geometry
from helpers import in_mesh
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    StudyError,
    create_mesh,
    free_energy,
    interaction_tensor,
)
from pearlfem.analytic import infinite_film
from pearlfem.formulation import film as film_forms
from pearlfem.mesh.sizes.adapted import Contributions, adapted_sizes
from pearlfem.solvers import multigrid


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("resolution", [0.4, 0.7])
@pytest.mark.parametrize("size", [0.02, 0.1, 0.5])
def test_self_energy_is_below_the_exact_one(degree, resolution, size):
    film, impurity = Film(Plane(), 1.0), Impurity((0.3, -0.2), size=size)
    mesh = create_mesh(film, [impurity], resolution=resolution, far=20.0)
    problem = MaxwellLondon(film, mesh, degree)
    tensor = interaction_tensor(problem.solve_each([impurity]))
    problem.destroy()
    # every direction of the moment: the largest eigenvalue is bounded as well
    bound = 2 * infinite_film.self_energy(size, 1.0)
    assert np.linalg.eigvalsh(tensor[0, 0]).max() < bound


def test_bound_holds_for_a_solver_that_stops_early(monkeypatch):
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), size=0.1)
    mesh = create_mesh(film, [impurity], far=50.0)
    energies = []
    for tolerance in (1e-1, 1e-9):
        monkeypatch.setattr(multigrid, "TOLERANCE", tolerance)
        problem = MaxwellLondon(film, mesh, degree=2)
        solution = problem.solve([impurity])
        energies.append(free_energy(solution))
        # ℓ(ψ) alone has no such property: perturb ψ away from the minimum, towards larger ℓ
        solution.unknowns[:] *= 1.01
        assert free_energy(solution) < energies[-1]
        problem.destroy()
    assert energies[0] < energies[1] < infinite_film.self_energy(0.1, 1.0)


def test_source_quadrature_is_exact_enough_for_the_bound(monkeypatch):
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), angle=30.0, size=0.1)
    mesh = create_mesh(film, [impurity], resolution=0.4, far=20.0)
    energies = []
    for degree in (film_forms.SOURCE_QUADRATURE_DEGREE, 28):
        monkeypatch.setattr(film_forms, "SOURCE_QUADRATURE_DEGREE", degree)
        monkeypatch.setattr(film_forms.facet_rule, "__defaults__", (degree,))
        assert in_mesh(film, mesh).quadrature.points.shape[1] > degree**2 / 6
        problem = MaxwellLondon(film, mesh, 2)
        energies.append(free_energy(problem.solve([impurity])))
        problem.destroy()
    # the discretisation error is 1e-2; no gap worth computing is below 1e-9
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


def allowed_sizes(impurity, reach=6.0):
    """The coarsest sizes that ``adapted_sizes`` allows around ``impurity``: 2 ξ, and no less."""
    block = create_box(MPI.COMM_SELF, [[-reach, -reach, -0.1], [reach, reach, reach]], [40, 40, 20])
    cells = block.geometry.dofmaps[0].astype(np.int64)
    present = Contributions(block.geometry.x, cells, np.ones(len(cells)), np.zeros(len(cells)))
    return adapted_sizes(present, Film(Plane(), 1.0), [impurity], degree=1, target=1e30)


@pytest.mark.parametrize("position", [(0.0, 0.0), (0.13, -0.37), (0.71, 0.2)])
def test_source_quadrature_is_exact_on_the_coarsest_cells_allowed(position):
    film, impurity = Film(Plane(), 1.0), Impurity(position, size=0.2)
    sizes = allowed_sizes(impurity)
    assert sizes.sizes.min() == pytest.approx(0.4, rel=0.2)  # the block's own are 0.45 and more
    mesh = create_mesh(film, [impurity], far=5.0, sizes=sizes)
    assert film_forms.quadrature_errors([in_mesh(film, mesh)], [impurity])[0] <= 1e-10
    # κ a²/2 = f²/2κ, κ = 2; the integral of f² is 1/4πξ², but for what lies beyond the far boundary
    norm = film_forms.background_norms([in_mesh(film, mesh)], [impurity])[0]
    assert norm**2 == pytest.approx(1 / (16 * np.pi * 0.2**2), rel=1e-10)


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_cells_too_coarse_for_an_impurity_are_refused_by_its_number(formulation):
    film = Film(Plane(), 1.0)
    wide, narrow = Impurity((0.0, 0.0), size=1.0), Impurity((0.4, 0.0), size=0.03)
    mesh = create_mesh(film, [wide, narrow], resolution=0.05, far=5.0)
    problem = MaxwellLondon(film, mesh, 1, formulation)
    with pytest.raises(StudyError, match=r"impurity 1: size = 0\.03: .* too coarse .* 1e-10"):
        problem.solve([narrow])
    with pytest.raises(StudyError, match=r"impurity [12]: size = .* too coarse"):
        problem.solve_each([wide, narrow])
    problem.destroy()
    fine = create_mesh(film, [narrow], resolution=0.5, far=5.0)
    assert film_forms.quadrature_errors([in_mesh(film, fine)], [narrow])[0] <= 1e-10
    assert film_forms.quadrature_errors([in_mesh(film, fine)], [wide])[0] <= 1e-10
    assert film_forms.quadrature_errors([in_mesh(film, mesh)], [narrow])[0] > 1e-3


def test_disc_is_inscribed():
    film, impurity = Film(Disc(2.0, center=(1.0, 1.0)), 1.0), Impurity((1.0, 1.0), size=0.5)
    mesh = create_mesh(film, [impurity], resolution=0.5, far=5.0)
    mesh.domain.topology.create_connectivity(2, 3)
    nodes = np.unique(entities_to_geometry(mesh.domain, 2, mesh.facets("film")))
    corners = mesh.domain.geometry.x[nodes]
    radii = np.hypot(corners[:, 0] - 1.0, corners[:, 1] - 1.0)
    assert radii.max() == pytest.approx(2.0, rel=1e-9)
    assert radii.max() <= 2.0 * (1 + 1e-12)


def film_area(mesh):
    mesh.domain.topology.create_connectivity(2, 3)
    nodes = entities_to_geometry(mesh.domain, 2, mesh.facets("film"))
    corners = mesh.domain.geometry.x[nodes][..., :2]
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).sum() / 2


def test_film_is_too_small_for_the_lower_bound_and_too_large_for_the_upper():
    film, impurity = Film(Disc(2.0, center=(1.0, 1.0)), 1.0), Impurity((1.0, 1.0), size=0.5)
    mesh = create_mesh(film, [impurity], resolution=0.3, far=5.0)
    areas = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 1, formulation)
        solution = problem.solve([impurity])
        assert solution.mesh is problem.mesh
        areas.append(film_area(solution.mesh) / (np.pi * 2.0**2))
        # where A and a live has to be where the loads and the operator are
        assert solution.potential.function_space.mesh is solution.mesh.domain
        problem.destroy()
    inscribed, circumscribed = areas
    assert 0.99 < inscribed < 1 < circumscribed < 1.01
