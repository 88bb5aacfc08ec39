"""The assembled problem: what it solves, what stays fixed, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from dolfinx import fem
from petsc4py import PETSc

from pearlfem import Impurity, MaxwellLondon, create_mesh, free_energy, superpose
from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.formulation.stream.levels import assemble_level
from pearlfem.solvers import multigrid


@pytest.fixture(scope="module", params=[1, 2, 3])
def answer(request, film, mesh, impurities):
    """Degree, problem and solution for each degree."""
    problem = MaxwellLondon(film, mesh, degree=request.param)
    yield request.param, problem, problem.solve(impurities)
    problem.destroy()


def test_potential_is_that_of_a_direct_solver(answer):
    degree, problem, solution = answer
    level = assemble_level(problem.films, degree)
    rows, columns, values = level.operator.getValuesCSR()
    level.operator.destroy()
    B = level.unit * scipy.sparse.csr_matrix((values, columns, rows)).tocsc()
    exact = scipy.sparse.linalg.spsolve(B, solution.load)
    error = solution.potential.x.array - exact
    # The solver stops at 1e-9 in the energy norm, up to the condition of its preconditioner.
    assert error @ B @ error < (5 * multigrid.TOLERANCE) ** 2 * (exact @ B @ exact)


def test_potential_vanishes_off_the_film_and_far_away(answer, mesh):
    _, _, solution = answer
    V = solution.potential.function_space
    fixed = fem.locate_dofs_topological(V, 2, mesh.facets("far", "plane"))
    assert len(fixed) > 100
    assert np.all(solution.potential.x.array[fixed] == 0.0)
    assert np.all(solution.load[fixed] == 0.0)


def test_dofs_count_every_node_of_the_elements(answer, mesh):
    degree, problem, _ = answer
    topology = mesh.domain.topology
    for dimension in (1, 2):
        topology.create_entities(dimension)
    vertices, edges, facets = (topology.index_map(d).size_global for d in range(3))
    # Nodes on a tetrahedron: one per vertex, degree − 1 per edge, (d−1)(d−2)/2 per facet.
    d = degree
    assert problem.dofs == vertices + (d - 1) * edges + (d - 1) * (d - 2) // 2 * facets


def test_times_are_told(answer):
    _, problem, _ = answer
    assert set(problem.seconds) == {"assemble", "setup"}
    assert all(seconds > 0 for seconds in problem.seconds.values())


def test_higher_degree_raises_the_lower_bound(film, mesh, impurities):
    # Spaces of higher degree contain those of lower degree, so the maximum over them is larger.
    energies = []
    for degree in (1, 2, 3):
        problem = MaxwellLondon(film, mesh, degree=degree)
        energies.append(free_energy(problem.solve(impurities)))
        problem.destroy()
    assert energies[0] < energies[1] < energies[2]


def test_degree_is_three_unless_told(film, mesh, impurities):
    problem = MaxwellLondon(film, mesh)
    assert problem.solve(impurities).potential.function_space.element.basix_element.degree == 3
    problem.destroy()


def test_solutions_come_as_x_and_y_of_each_impurity(problem, solutions, impurities):
    assert len(solutions) == 2 * len(impurities)
    for k, impurity in enumerate(impurities):
        for angle, solution in zip((0.0, 90.0), solutions[2 * k :], strict=False):
            alone = Impurity(impurity.position, impurity.size, angle, impurity.strength)
            psi = problem.solve([alone]).potential.x.array
            # Equal loads but for the rounding of cos 90°.
            np.testing.assert_allclose(
                psi, solution.potential.x.array, atol=1e-12 * np.abs(psi).max()
            )


def test_superposition_is_the_solution_for_all(solution, solutions, impurities):
    weights = [component for impurity in impurities for component in impurity.moment]
    sum_ = superpose(solutions, weights)
    psi, load = solution.potential.x.array, solution.load
    np.testing.assert_allclose(sum_.load, load, atol=1e-14 * np.abs(load).max())
    # Each part carries the solver's error, 1e-9 of its energy norm.
    np.testing.assert_allclose(sum_.potential.x.array, psi, atol=1e-8 * np.abs(psi).max())
    assert sum_.iterations == max(part.iterations for part in solutions)


def test_superposition_leaves_its_parts_alone(solutions):
    before = solutions[0].potential.x.array.copy(), solutions[0].load.copy()
    superpose(solutions[:1], [17.0])
    np.testing.assert_array_equal(solutions[0].potential.x.array, before[0])
    np.testing.assert_array_equal(solutions[0].load, before[1])


def test_superposition_needs_a_weight_for_each(solutions):
    with pytest.raises(ValueError, match="argument 2"):
        superpose(solutions, [1.0])


def test_strength_scales_the_potential(problem):
    once, twice = (
        problem.solve([Impurity((0.5, 0.0), size=0.3, strength=s)]).potential.x.array
        for s in (1.0, -2.0)
    )
    np.testing.assert_allclose(twice, -2 * once, rtol=0, atol=1e-13 * np.abs(twice).max())


@pytest.mark.parametrize("degree", [0, 4, -1, 2.5, "3", None])
def test_degree_out_of_range_is_refused(film, mesh, degree):
    with pytest.raises(StudyError, match=rf"degree = {degree}.*allowed: 1, 2, 3"):
        MaxwellLondon(film, mesh, degree=degree)


@pytest.mark.parametrize("method", ["solve", "solve_each"])
def test_impurities_have_to_be_on_the_film(problem, method):
    with pytest.raises(StudyError, match="outside"):
        getattr(problem, method)([Impurity((5.0, 0.0), size=0.3)])
    with pytest.raises(StudyError, match="none"):
        getattr(problem, method)([])


def test_solver_that_does_not_converge_gives_no_solution(film, mesh, impurities, monkeypatch):
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    problem = MaxwellLondon(film, mesh, degree=2)
    with pytest.raises(ConvergenceError, match="residual"):
        problem.solve(impurities)
    problem.destroy()


def test_options_database_stays_clean(film, mesh, impurities):
    before = PETSc.Options().getAll()
    problem = MaxwellLondon(film, mesh, degree=2)
    problem.solve(impurities)
    problem.destroy()
    assert PETSc.Options().getAll() == before


FAR = 1e9


@pytest.mark.parametrize(
    ("made_for", "asked", "words"),
    [
        (Impurity((0.0, 0.0), 0.3), Impurity((0.0, 0.0), 0.3), "a higher resolution makes them"),
        (Impurity((0.0, 0.0), 2.0), Impurity((0.0, 0.0), 0.3), "was made for it .give all sources"),
        (None, Impurity((0.0, 0.0), 0.3), "allowed: a mesh with smaller cells there"),
        (
            Impurity((FAR, 0.0), 0.3),
            Impurity((FAR, 0.0), 0.3),
            r"size = 0\.3: it lies 3e\+09 times this from the origin.*allowed: an origin near",
        ),
    ],
)
def test_advice_fits_the_cause_of_inaccurate_integrals(plane_film, made_for, asked, words):
    given = [made_for or asked]
    mesh = create_mesh(plane_film, given, resolution=0.05, far=3.0)
    problem = MaxwellLondon(plane_film, mesh if made_for else replace(mesh, cores=None), degree=1)
    with pytest.raises(StudyError, match=words):
        problem.solve([asked])
    problem.destroy()
