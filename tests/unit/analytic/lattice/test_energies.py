"""Energies of ordered states: table, closed forms without screening, larger cells."""

import numpy as np
import pytest
from references.lattice_sums import unscreened_energies

from pearlfem.analytic.lattice import (
    Lattice,
    energy_per_impurity,
    ferromagnet,
    layered_antiferromagnet,
    rhombic_lattice,
)


def test_table(read_table):
    table = read_table("lattice_energies")  # unit J*/d², 12 digits
    for angle, r0, parallel, layered in zip(*table.values(), strict=True):
        lattice = rhombic_lattice(angle)
        assert ferromagnet(lattice, r0).energy == pytest.approx(parallel, abs=2e-12)
        assert layered_antiferromagnet(lattice, r0).energy == pytest.approx(layered, abs=2e-12)


@pytest.mark.parametrize("angle", [50.0, 60.0, 79.0, 90.0, 110.0])
def test_closed_forms_without_screening(angle):
    lattice = rhombic_lattice(angle)
    parallel, layered = unscreened_energies(angle)
    assert ferromagnet(lattice, np.inf).energy == pytest.approx(parallel, rel=1e-13)
    assert layered_antiferromagnet(lattice, np.inf).energy == pytest.approx(layered, rel=1e-13)


@pytest.mark.parametrize("pearl_length", [0.5, 50.0, np.inf])
def test_states_in_a_larger_cell(pearl_length):
    lattice = rhombic_lattice(72)
    a1, a2 = lattice.vectors
    doubled = Lattice([a1, 2 * a2], [0 * a1, a2])
    for state, sign in ((ferromagnet, 1.0), (layered_antiferromagnet, -1.0)):
        energy, moment = state(lattice, pearl_length)
        assert np.hypot(*moment) == pytest.approx(1.0, rel=1e-14)
        got = energy_per_impurity(doubled, [moment, sign * moment], pearl_length)
        assert got == pytest.approx(energy, rel=1e-12)
        turned = moment @ np.array([[0.0, 1.0], [-1.0, 0.0]])
        assert energy_per_impurity(doubled, [turned, sign * turned], pearl_length) > energy


def test_sites_at_any_height_of_a_cell_are_parallel_in_the_layered_state():
    a1, a2 = rhombic_lattice(72).vectors
    sites = np.array([[0.0, 0.0], [0.4, 0.3]])
    energy, moment = layered_antiferromagnet(Lattice([a1, a2], sites), 5.0)
    doubled = Lattice([a1, 2 * a2], [*sites, *(sites + a2)])
    moments = np.outer([1, 1, -1, -1], moment)
    assert energy_per_impurity(doubled, moments, 5.0) == pytest.approx(energy, rel=1e-12)


def test_triangular_and_square_ferromagnets_are_isotropic():
    for angle in (60.0, 90.0):
        energies = [
            energy_per_impurity(rhombic_lattice(angle), [[np.cos(t), np.sin(t)]], 2.0)
            for t in (0.0, 0.4, 1.1)
        ]
        np.testing.assert_allclose(energies, energies[0], rtol=1e-13)


def test_energy_is_a_quadratic_form_of_the_moments():
    lattice = Lattice([[1.0, 0.0], [0.2, 1.1]], [[0.0, 0.0], [0.5, 0.4]])
    first, second = np.random.default_rng(3).normal(size=(2, 2, 2))
    together, apart = (energy_per_impurity(lattice, first + s * second, 3.0) for s in (1, -1))
    each = energy_per_impurity(lattice, first, 3.0) + energy_per_impurity(lattice, second, 3.0)
    assert together + apart == pytest.approx(2 * each, rel=1e-12)


def test_refuses():
    with pytest.raises(ValueError, match=r"moments has shape \(2, 2\): must be \(1, 2\)"):
        energy_per_impurity(rhombic_lattice(60), np.eye(2), 1.0)
    for function in (ferromagnet, layered_antiferromagnet):
        with pytest.raises(ValueError, match="pearl_length = -1"):
            function(rhombic_lattice(60), -1.0)
