"""Extreme numbers: weak screening, any unit of length, any strength, energies near round-off."""

import math

import numpy as np
import pytest
from helpers import case
from random_problems import random_problem, solve

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Periodic,
    Plane,
    Polygon,
    UniformField,
    create_mesh,
    free_energy,
    interaction_tensor,
)
from pearlfem.analytic.lattice import Lattice, gaussian_interaction
from pearlfem.observables.energy import tensor_bracket

FIELD = UniformField((0.0, 0.0, 1.0))


def bounds(film, sources, mesh, degree):
    """F of both formulations."""
    energies = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, degree, formulation)
        energies.append(free_energy(problem.solve(sources)))
        problem.destroy()
    return energies


def turned_rectangle(width, height, angle):
    turn = np.exp(1j * angle) / 2
    ends = turn * np.array([-width - 1j * height, width - 1j * height])
    return Polygon(tuple((float(c.real), float(c.imag)) for c in (*ends, *-ends)))


@pytest.mark.parametrize(
    ("width", "angle", "pearl_length"),
    [
        case(10.0, 0.0, 1e6, slow=False),
        case(30.0, 1.1, 1e10, slow=False),
        case(10.0, 0.0, 1e10, slow=True),
        case(30.0, 1.1, 1e4, slow=True),
    ],
)
def test_bounds_of_a_rectangle_that_hardly_screens(width, angle, pearl_length):
    # ∇²g = κB: F = ½ B ∫ g dS = (κB²/2) J/4, J is Saint-Venant's torsion constant of the rectangle.
    odd = np.arange(1, 99, 2)
    series = np.sum(np.tanh(odd * np.pi * width / 2) / odd**5)
    torsion = width / 3 * (1 - 192 / (np.pi**5 * width) * series)
    exact = (2 / pearl_length) / 2 * torsion / 4
    film = Film(turned_rectangle(width, 1.0, angle), pearl_length)
    mesh = create_mesh(film, [FIELD], resolution=0.2, far=10.0)
    lower, upper = bounds(film, [FIELD], mesh, 2)
    # Screening lowers F by a part of about 1/pearl_length: bounds of F times this part.
    assert lower < exact
    assert upper > exact * (1 - 2 / pearl_length)
    assert upper - lower < 2e-3 * exact


@pytest.mark.parametrize("pearl_length", [case(1e6, slow=True), case(1e9, slow=False)])
def test_bounds_of_a_flux_quantum_off_centre_in_weak_screening(pearl_length):
    # Conformal to a ring: ln(b/a) becomes the arcosh of (R² + a² − d²)/2aR.
    a, d = 0.15, 0.5
    modulus = math.acosh((1 + a**2 - d**2) / (2 * a))
    exact = modulus / (2 * math.pi * pearl_length)
    film = Film(Disc(1.0), pearl_length, holes=(Hole(Disc(a, (d, 0.0)), "hole"),))
    mesh = create_mesh(film, [Fluxoid("hole")], resolution=0.25, far=6.0)
    lower, upper = bounds(film, [Fluxoid("hole")], mesh, 1)
    assert lower < exact < upper * (1 + 2 / pearl_length)
    assert upper - lower < 0.1 * exact


@pytest.mark.parametrize("exponent", [-120, 40])
def test_the_unit_of_length_does_not_matter(exponent):
    # 2^−120 is 7e-37. A power of two keeps all digits of all lengths.
    energies = []
    for unit in (1.0, 2.0**exponent):
        film = Film(Disc(unit), 3.0 * unit, holes=(Hole(Disc(0.3 * unit), "hole"),))
        mesh = create_mesh(film, [Fluxoid("hole")], resolution=0.15, far=5.0)
        energies.append(np.array(bounds(film, [Fluxoid("hole")], mesh, 1)) * unit)
    np.testing.assert_allclose(energies[1], energies[0], rtol=1e-12)


@pytest.mark.parametrize(("strength", "formulation"), [(1e-150, "stream"), (1e150, "vector")])
def test_tensor_grows_with_the_square_of_any_strength(strength, formulation):
    film = Film(Disc(1.0), 1.0)
    tensors = []
    for gamma in (1.0, strength):
        pair = [Impurity((x, 0.0), size=0.2, strength=gamma) for x in (-0.3, 0.3)]
        mesh = create_mesh(film, pair, resolution=0.2, far=5.0)
        problem = MaxwellLondon(film, mesh, 1, formulation)
        tensors.append(interaction_tensor(problem.solve_each(pair)) / gamma / gamma)
        problem.destroy()
    np.testing.assert_allclose(tensors[1], tensors[0], rtol=1e-12, atol=1e-12 * tensors[0].max())


@pytest.mark.parametrize("size", [case(0.7, slow=True), case(1.0, slow=False)])
def test_bounds_hold_where_the_energy_is_lost_in_round_off(size):
    # F ~ exp(−G²ξ²) of ∫ κ a²/2, for ξ = 1.0 less than its round-off.
    cell, one = ((1.0, 0.0), (0.0, 1.0)), [Impurity((0.0, 0.0), size=size)]
    film = Film(Plane(), 1.0)
    sites = Lattice(cell, [(0.0, 0.0)])
    exact = gaussian_interaction(sites, [size], 1.0)[0, :, 0] / (4 * np.pi)
    mesh = create_mesh(film, one, boundary=Periodic(cell), resolution=0.5)
    tensors = []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 2, formulation)
        tensors.append(interaction_tensor(problem.solve_each(one)))
        problem.destroy()
    lower, upper = tensor_bracket(*tensors)
    for axis in range(2):
        assert lower[0, 0, axis, axis] <= exact[axis, axis] <= upper[0, 0, axis, axis]


def check(numbers):
    """No bound is violated, none cross, and every solver converges."""
    faults = {}
    for number in numbers:
        problem = random_problem(number)
        found = solve(problem).faults
        if found:
            faults[number] = problem.name, found
    assert not faults


def test_some_random_problems():
    check(range(3))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 2000, 100))
def test_random_problems(first):
    check(range(first, first + 100))
