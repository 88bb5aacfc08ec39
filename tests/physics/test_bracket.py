"""lower ≤ exact ≤ upper, for every entry that has an exact value, on coarse meshes and fine."""

import json
from functools import cache

import numpy as np
import pytest
from helpers import case, rows
from mpi4py import MPI

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
    run_study,
    sheet_current,
)
from pearlfem.analytic import infinite_film
from pearlfem.errors import CrossingError, StudyError
from pearlfem.observables.energy import tensor_bracket
from pearlfem.solvers import auxiliary_space
from pearlfem.study.study import parse_study

PAIR = (Impurity((-0.3, 0.0), size=0.1), Impurity((0.3, 0.1), size=0.15, angle=30.0))


def bracket(film, impurities, degree, mesh):
    """Bounds of the tensor, and the iterations of the vector formulation."""
    tensors = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, degree, formulation)
        solutions = problem.solve_each(impurities)
        tensors.append(interaction_tensor(solutions))
        problem.destroy()
    return tensor_bracket(*tensors), max(s.iterations for s in solutions)


@pytest.mark.parametrize(
    ("degree", "resolution", "pearl_length"),
    [
        # Few cells have short and long Pearl lengths as well.
        case(degree, resolution, r0, slow=r0 != 1 and (resolution > 0.5 or degree * r0 > 200))
        for degree, resolution in ((1, 0.5), (1, 1.0), (2, 0.4), (2, 0.7), (3, 0.25))
        for r0 in (0.01, 1.0, 100.0)
    ],
)
def test_every_entry_on_the_infinite_film(degree, resolution, pearl_length):
    film = Film(Plane(), pearl_length)
    mesh = create_mesh(film, PAIR, resolution=resolution, far=20.0)
    bounds, iterations = bracket(film, PAIR, degree, mesh)
    positions, sizes = zip(*((i.position, i.size) for i in PAIR), strict=True)
    exact = infinite_film.interaction_tensor(positions, pearl_length, 1.0, sizes)
    assert np.all(bounds.lower <= exact)
    assert np.all(exact <= bounds.upper)
    # effectivity of the self-energies: the gap is at most 5 times the larger of the two errors
    for i in (0, 1):
        gap = bounds.upper[i, i, 0, 0] - bounds.lower[i, i, 0, 0]
        error = max(
            bounds.upper[i, i, 0, 0] - exact[i, i, 0, 0],
            exact[i, i, 0, 0] - bounds.lower[i, i, 0, 0],
        )
        assert 1 <= gap / error <= 5
    assert iterations <= {1: 15, 2: 25, 3: 40}[degree]


@pytest.fixture(scope="module")
def disc_mesh():
    """A coarse mesh of the disc, which does not depend on the Pearl length."""
    return cache(lambda *pair: create_mesh(Film(Disc(1.0), 0.1), pair, resolution=0.25, far=20.0))


@pytest.mark.parametrize(
    ("row", "degree"),
    [
        case(row, degree, slow=degree == 2 and (row["xi_over_R"] < 0.1) == (row["r0_over_R"] == 1))
        for row in rows("disc_impurity_centre.csv")
        for degree in (1, 2)
    ],
    ids=str,
)
def test_self_energy_at_the_centre_of_a_disc(disc_mesh, row, degree):
    r0, impurity = row["r0_over_R"], Impurity((0.0, 0.0), row["xi_over_R"])
    bounds, iterations = bracket(Film(Disc(1.0), r0), [impurity], degree, disc_mesh(impurity))
    exact = 2 * row["F_self"] * r0 / (4 * np.pi)  # J* = r0/4π in reduced units
    for a in (0, 1):
        assert bounds.lower[0, 0, a, a] <= exact <= bounds.upper[0, 0, a, a]
    assert iterations <= {1: 15, 2: 25}[degree]


@pytest.mark.parametrize(
    ("row", "degree"),
    [
        case(row, degree, slow=degree == 2 and (row["s_over_R"] < 0.5) == (row["r0_over_R"] == 1))
        for row in rows("disc_pairs.csv")
        for degree in (1, 2)
    ],
    ids=str,
)
def test_pairs_on_a_disc(disc_mesh, row, degree):
    s, r0 = row["s_over_R"], row["r0_over_R"]
    pair = [Impurity((x, 0.0), row["xi_over_R"]) for x in (-s, s)]
    bounds, _ = bracket(Film(Disc(1.0), r0), pair, degree, disc_mesh(*pair))
    unit = r0 / (4 * np.pi)
    for j, a, key, factor in (
        (1, 0, "F12_xx", 1),
        (1, 1, "F12_yy", 1),
        (0, 0, "Fself_x", 2),
        (0, 1, "Fself_y", 2),
    ):
        exact = factor * row[key] * unit
        assert bounds.lower[0, j, a, a] <= exact <= bounds.upper[0, j, a, a], key


def test_upper_bound_holds_for_a_solver_that_stops_early(monkeypatch):
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), size=0.1)
    mesh = create_mesh(film, [impurity], far=50.0)
    energies = []
    for tolerance in (1e-1, 1e-8):
        monkeypatch.setattr(auxiliary_space, "TOLERANCE", tolerance)
        problem = MaxwellLondon(film, mesh, 1, "vector")
        energies.append(free_energy(problem.solve([impurity])))
        problem.destroy()
    assert energies[0] > energies[1] > infinite_film.self_energy(0.1, 1.0)


def test_both_formulations_give_the_same_currents_and_fields():
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), size=0.3, angle=40.0)
    mesh = create_mesh(film, [impurity])
    radii, angles = np.random.default_rng(0).uniform((0.1, 0.0), (2.0, 2 * np.pi), (200, 2)).T
    points = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    above = np.column_stack([points, np.full(200, 0.4)])
    exact_K = infinite_film.sheet_current(points, angle=40.0, size=0.3, pearl_length=1.0)
    exact_B = infinite_film.magnetic_field(above, angle=40.0, size=0.3, pearl_length=1.0)
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 2, formulation)
        solution = problem.solve([impurity])
        # Fields converge as h² at degree 2 and h = 0.4 ξ: of the largest value some per cent at
        # worst, where a point lies in the wrong corner of a cell, and one or two in the mean.
        for computed, exact, allowed in (
            (sheet_current(solution, points), exact_K, 0.01),
            (magnetic_field(solution, above), exact_B, 0.025),
        ):
            errors = np.linalg.norm(computed - exact, axis=1)
            assert np.sqrt(np.mean(errors**2)) < allowed * np.abs(exact).max()
            assert errors.max() < 0.1 * np.abs(exact).max()
        problem.destroy()


def test_vector_formulation_has_no_stream_function():
    film, impurity = Film(Plane(), 1.0), Impurity((0.0, 0.0), size=0.3)
    problem = MaxwellLondon(film, create_mesh(film, [impurity], far=5.0), 1, "vector")
    with pytest.raises(StudyError, match="formulation = 'vector'"):
        magnetic_moment(problem.solve([impurity]))
    problem.destroy()


def test_crossing_bounds_are_refused():
    one = np.ones((1, 1, 2, 2))
    with pytest.raises(CrossingError, match="please report it"):
        tensor_bracket(1.1 * one, one)


@pytest.mark.parametrize("shape", ['"plane"', '"disc"\nradius = 2.0'])
def test_run_with_both_formulations_tells_the_bracket(tmp_path, shape):
    study = parse_study(f"""
        [film]
        shape = {shape}
        pearl_length = 1.0
        [[impurity]]
        position = [-0.3, 0.0]
        size = 0.3
        [[impurity]]
        position = [0.9, 0.0]
        size = 0.3
        angle = 90.0
        [mesh]
        resolution = 0.5
        far = 10.0
        [solve]
        formulation = "both"
        degree = 1
        [output]
        picture = false
        """)
    run_study(study, tmp_path / "out", comm=MPI.COMM_SELF)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    energy, interaction = summary["free_energy"], summary["interaction"]
    assert energy["lower"] < energy["value"] < energy["upper"]
    lower, value, upper = (np.array(interaction[key]) for key in ("lower", "tensor", "upper"))
    assert np.all(lower < value)
    assert np.all(value < upper)
    m = np.array([impurity.moment for impurity in study.impurities])
    # on the diagonal the bounds are the two tensors; off it they are wider
    assert np.einsum("ia,ijab,jb", m, value, m) / 2 == pytest.approx(energy["value"], rel=1e-12)
