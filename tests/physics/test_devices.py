"""Finite devices against a spectral disc and the integral equation of a ring, and their laws."""

import numpy as np
import pytest
from helpers import case, rows
from references import annulus, disc

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Rectangle,
    Region,
    UniformField,
    Vortex,
    create_mesh,
    free_energy,
    hole_states,
    interaction_tensor,
    magnetic_moment,
)
from pearlfem.analytic.narrow_ring import uniform_inductance
from pearlfem.analytic.weak_screening import ring_kinetic_inductance
from pearlfem.observables.energy import mutual_energies
from pearlfem.observables.holes import inductance_bracket, inverse_inductance

FIELD = UniformField((0.0, 0.0, 1.0))


@pytest.fixture
def solve():
    """Solve on a film at default settings; problems are freed after the test."""
    problems = []

    def solved(film, sources, mesh=None, **options):
        mesh = mesh or create_mesh(film, sources, **options)
        problems.append(MaxwellLondon(film, mesh))
        return problems[-1].solve(sources)

    yield solved
    for problem in problems:
        problem.destroy()


# Unless they are short, the mesh does not depend on Pearl lengths, and tests share it.


@pytest.fixture(scope="module")
def disc_mesh():
    return create_mesh(Film(Disc(1.0), 0.1), [FIELD])


@pytest.mark.parametrize(
    "row",
    [
        case(row, slow=row["r0_over_R"] != 0.1)
        for row in rows("disc_moment.csv")
        if row["r0_over_R"] > 0.05
    ],
    ids=str,
)
def test_moment_of_a_disc_in_a_field(solve, disc_mesh, row):
    moment = magnetic_moment(solve(Film(Disc(1.0), row["r0_over_R"]), [FIELD], disc_mesh))
    assert moment[:2].tolist() == [0.0, 0.0]
    assert -1e-4 < moment[2] / row["m_over_HaR3"] - 1 < 0


def test_moment_of_a_disc_of_another_size_and_pearl_length(solve):
    # m scales as H_a R³ at a given r0/R.
    exact = disc.magnetic_moments(0.4, [disc.Field()])[0]
    film = Film(Disc(5.0, (3.0, -2.0)), 2.0)
    moment = magnetic_moment(solve(film, [FIELD], resolution=0.7))
    assert -2e-4 < moment[2] / (5.0**3 * exact) - 1 < 0


def test_vortex_near_the_edge(solve):
    exact = disc.mutual_energies(2.0, [disc.Vortex((0.9, 0.0), 0.03)])[0, 0] / 2
    energy = free_energy(solve(Film(Disc(1.0), 2.0), [Vortex((0.9, 0.0), 0.03)], resolution=0.8))
    assert -2e-4 < energy / exact - 1 < 0


def test_impurities_at_any_place():
    places, size, r0 = [(0.6, 0.0), (0.0, -0.95)], 0.05, 0.3
    film, impurities = Film(Disc(1.0), r0), [Impurity(place, size) for place in places]
    problem = MaxwellLondon(film, create_mesh(film, impurities, resolution=0.7))
    tensor = interaction_tensor(problem.solve_each(impurities))
    problem.destroy()
    exact = disc.interaction_tensor(r0, places, [size, size])
    for i in (0, 1):
        own, expected = np.diag(tensor[i, i]), np.diag(exact[i, i])
        assert np.all(own < expected)
        assert own == pytest.approx(expected, rel=2e-4)
    assert tensor[0, 1] == pytest.approx(exact[0, 1], abs=2e-4 * np.abs(exact[0, 1]).max())


def ring_inductances(inner, outer, r0, degree=2, resolution=1.0):
    """L of a ring at most (stream) and at least (vector)."""
    film = Film(Disc(outer), r0, holes=(Hole(Disc(inner), "bore"),))
    mesh = create_mesh(film, [Fluxoid("bore")], resolution=resolution, far=20.0)
    found = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, degree, formulation)
        found.append(inverse_inductance(problem.solve_each([Fluxoid("bore")])))
        problem.destroy()
    return inductance_bracket(*found)


@pytest.mark.parametrize(
    ("r0", "resolution", "gap"),
    [
        case(1.0, 0.5, 4e-3, slow=False),
        case(1.0, 1.0, 1e-3, slow=True),
        case(2.0, 1.0, 1e-3, slow=True),
    ],
)
def test_inductance_of_a_ring_lies_between_its_bounds(r0, resolution, gap):
    exact = 1.0 / annulus.Ring(2.0, 5.0, r0).solve(fluxoid=1.0).current
    lower, upper = ring_inductances(2.0, 5.0, r0, resolution=resolution)
    assert lower[0, 0] < exact < upper[0, 0]
    assert upper[0, 0] / lower[0, 0] - 1 < gap  # h⁴


def disc_with_a_region(factor):
    return Film(Disc(1.0), 1e5, regions=(Region(Disc(0.5), factor * 1e5),))


@pytest.fixture(scope="module")
def region_mesh():
    return create_mesh(disc_with_a_region(0.1), [FIELD], resolution=0.5)


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_energy_with_a_round_region_lies_between_its_bounds(region_mesh, factor):
    # r0 ≫ R: K = −κ a with a = B ρ/2 φ̂, and F = ½ ∫ κ a² dS.
    film = disc_with_a_region(factor)
    exact = np.pi / 16 * (2 / film.pearl_length) * (0.5**4 / factor + 1 - 0.5**4)
    found = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, region_mesh, 2, formulation)
        found.append(free_energy(problem.solve([FIELD])) / exact - 1)
        problem.destroy()
    assert -3e-4 < found[0] < 0 < found[1] < 3e-4


def test_inductance_of_a_weakly_screening_ring_is_kinetic():
    lower, upper = ring_inductances(2.0, 5.0, 1e6, resolution=0.5)
    exact = ring_kinetic_inductance(2.0, 5.0, 1e6)
    assert lower[0, 0] < exact < upper[0, 0]
    assert (lower[0, 0] + upper[0, 0]) / 2 == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(
    ("r0", "resolution"), [case(1.0, 0.2, slow=False), case(0.03, 0.4, slow=True)]
)
def test_inductance_of_a_narrow_ring(solve, r0, resolution):
    inner, outer = 0.95, 1.05
    film = Film(Disc(outer), r0, holes=(Hole(Disc(inner), "bore"),))
    solution = solve(film, [Fluxoid("bore")], resolution=resolution, far=20.0)
    inductance = 1 / hole_states(solution)[0].current
    exact = 1.0 / annulus.Ring(inner, outer, r0).solve(fluxoid=1.0).current
    assert inductance == pytest.approx(exact, rel=5e-4)
    kinetic = ring_kinetic_inductance(inner, outer, r0)
    assert inductance - kinetic == pytest.approx(uniform_inductance(inner, outer), rel=0.02)


def test_holes_tell_what_was_asked_for(solve):
    film = Film(
        Rectangle((10.0, 8.0), angle=20.0),
        1.0,
        holes=(
            Hole(Disc(1.0, (2.0, 1.0)), "right"),
            Hole(Rectangle((1.0, 2.0), (-2.0, 0.0)), "left"),
        ),
    )
    sources = [Fluxoid("right", 2), UniformField((0.0, 0.0, 0.1)), Vortex((0.0, -2.0), 0.1)]
    states = {state.name: state for state in hole_states(solve(film, sources, resolution=0.85))}
    assert states["right"].fluxoid == pytest.approx(2.0, abs=3e-3)
    assert states["left"].fluxoid == pytest.approx(0.0, abs=3e-3)


def test_superposition_of_all_kinds_of_sources(solve):
    film = Film(Disc(2.0), 1.0, holes=(Hole(Disc(0.4, (0.5, 0.0)), "h"),))
    sources = [
        Impurity((-1.0, 0.3), 0.2, angle=30.0),
        Vortex((-0.5, -0.8), 0.2),
        Fluxoid("h"),
        UniformField((0.0, 0.0, 0.3)),
    ]
    mesh = create_mesh(film, sources, resolution=0.04)
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 2, formulation)
        each = [problem.solve([source]) for source in sources]
        together = free_energy(problem.solve(sources))
        # Energies are quadratic in the solvers' error of 1e-9 and 1e-8.
        assert mutual_energies(each).sum() == pytest.approx(together, rel=1e-9)
        problem.destroy()


def test_couplings_move_and_turn_with_the_film():
    tensors = []
    for angle, (x, y) in ((0.0, (0.0, 0.0)), (37.0, (5.0, -3.0))):
        turn = np.exp(1j * np.radians(angle))
        places = turn * np.array([1.0 + 0.5j, -1.5 - 0.2j]) + (x + 1j * y)
        film = Film(Rectangle((6.0, 3.0), (x, y), angle), 1.0)
        pair = [Impurity((z.real, z.imag), 0.2) for z in places]
        problem = MaxwellLondon(film, create_mesh(film, pair, resolution=0.7))
        R = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
        tensors.append(R.T @ interaction_tensor(problem.solve_each(pair)) @ R)
        problem.destroy()
    scale = np.abs(tensors[0][0, 1]).max()
    assert tensors[1][0, 1] == pytest.approx(tensors[0][0, 1], abs=1e-4 * scale)
    assert tensors[1][0, 0] == pytest.approx(tensors[0][0, 0], rel=1e-4, abs=1e-5)
