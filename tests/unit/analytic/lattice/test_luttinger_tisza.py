"""The lower bound: lattices that reach it, lattices that cannot, and searches in larger cells."""

import numpy as np
import pytest
from scipy.optimize import minimize

from pearlfem.analytic.lattice import (
    Lattice,
    critical_angle,
    energy_per_impurity,
    ferromagnet,
    interaction_at,
    layered_antiferromagnet,
    luttinger_tisza,
    rhombic_lattice,
)

TRIANGLE = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
HONEYCOMB = Lattice(TRIANGLE, [[0.0, 0.0], [0.5, np.sqrt(1 / 12)]])
KAGOME = Lattice(TRIANGLE, [[0.0, 0.0], [0.5, 0.0], [0.25, np.sqrt(3 / 16)]])


def enlarged(lattice, count):
    """The same lattice, described by a cell of count × count of its cells."""
    cells = np.stack(np.meshgrid(*[np.arange(count)] * 2), -1).reshape(-1, 2) @ lattice.vectors
    sites = (cells[:, None, :] + lattice.sites).reshape(-1, 2)
    return Lattice(count * lattice.vectors, sites)


def best_found(lattice, pearl_length, starts):
    """Lowest energy of unit vectors that are the same in every cell, from random starts."""
    n = len(lattice.sites)
    matrix = interaction_at(lattice, [0.0, 0.0], pearl_length).real.reshape(2 * n, 2 * n)

    def energy_and_slope(angles):
        m = np.column_stack([np.cos(angles), np.sin(angles)])
        force = (matrix @ m.ravel()).reshape(n, 2)
        slope = (force[:, 1] * m[:, 0] - force[:, 0] * m[:, 1]) / n
        return 0.5 * np.sum(m * force) / n, slope

    rng = np.random.default_rng(5)
    results = [
        minimize(energy_and_slope, rng.uniform(0, 2 * np.pi, n), jac=True, method="BFGS")
        for _ in range(starts)
    ]
    best = min(results, key=lambda result: result.fun)
    moments = np.column_stack([np.cos(best.x), np.sin(best.x)])
    assert energy_per_impurity(lattice, moments, pearl_length) == pytest.approx(best.fun, rel=1e-12)
    return best.fun


@pytest.mark.parametrize("pearl_length", [1.0, 50.0, np.inf])
@pytest.mark.parametrize("angle", [60.0, 70.0, 79.0, 79.3, 85.0, 90.0])
def test_rhombic_lattices_have_one_of_two_ground_states(angle, pearl_length):
    lattice = rhombic_lattice(angle)
    result = luttinger_tisza(lattice, pearl_length)
    assert result.attained
    fractions = lattice.vectors @ result.wavevector / (2 * np.pi)
    if angle < critical_angle(pearl_length):
        energy, expected = ferromagnet(lattice, pearl_length).energy, [[0, 0]]
    else:
        # Layers along a2, or along a1: the rhombus has a mirror symmetry.
        energy, expected = (
            layered_antiferromagnet(lattice, pearl_length).energy,
            [[0.5, 0], [0, 0.5]],
        )
    assert result.bound == pytest.approx(energy, rel=1e-12)
    assert min(np.abs(fractions - e).max() for e in np.array(expected)) < 1e-7


def test_honeycomb_lattice_reaches_its_bound_at_the_corner_of_the_zone():
    # Order at K repeats after 3 cells, so the minimiser finds it in a cell of 3 × 3 cells.
    result = luttinger_tisza(HONEYCOMB, 5.0)
    fractions = HONEYCOMB.vectors @ result.wavevector / (2 * np.pi)
    np.testing.assert_allclose(np.sort(np.abs(fractions)), [1 / 3, 1 / 3], atol=1e-6)
    assert result.attained
    assert best_found(enlarged(HONEYCOMB, 3), 5.0, 12) == pytest.approx(result.bound, rel=1e-9)


def test_order_at_the_edge_of_the_zone_with_sites_inside_the_cell():
    # k = b1/2 and s · k = 0.04 · 2π/2: with its phase, the moment of the second site is real.
    cell = np.array([[1.0, 0.0], [-0.08, 1.73]])
    lattice = Lattice(cell, [[0.0, 0.0], np.array([0.08, 0.65]) @ cell])
    result = luttinger_tisza(lattice, 5.0)
    np.testing.assert_allclose(cell @ result.wavevector / (2 * np.pi), [0.5, 0.0], atol=1e-7)
    assert result.attained
    assert best_found(enlarged(lattice, 2), 5.0, 12) == pytest.approx(result.bound, rel=1e-9)


def test_order_between_the_points_of_the_grid():
    cell = np.array([[1.0, 0.0], [0.31, 1.36]])
    lattice = Lattice(cell, [[0.0, 0.0], np.array([0.07, 0.83]) @ cell])
    result = luttinger_tisza(lattice, 5.0)
    steps = 1e-4 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1]])
    k = result.wavevector + steps
    lowest = np.linalg.eigvalsh(interaction_at(lattice, k, 5.0).reshape(-1, 4, 4))[:, 0]
    assert 0.5 * lowest[0] == pytest.approx(result.bound, rel=1e-13)
    assert np.all(lowest[1:] > lowest[0])
    assert not result.attained  # on both sites the moments follow an ellipse, not a circle


def test_kagome_lattice_does_not_reach_its_bound():
    result = luttinger_tisza(KAGOME, 5.0)
    assert not result.attained
    for count in (1, 2):
        assert best_found(enlarged(KAGOME, count), 5.0, 6) > result.bound + 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_no_state_lies_below_the_bound(seed):
    rng = np.random.default_rng(seed)
    lattice = Lattice([[1.0, 0.0], rng.uniform([-0.4, 0.8], [0.4, 1.4])], [[0, 0], [0.45, 0.5]])
    bound = luttinger_tisza(lattice, 2.0).bound
    assert best_found(enlarged(lattice, 2), 2.0, 5) >= bound - 1e-12
    # The bound is not far below: it is an eigenvalue for some k.
    k = rng.normal(0, 3, (200, 2))
    lowest = np.linalg.eigvalsh(interaction_at(lattice, k, 2.0).reshape(-1, 4, 4))[:, 0]
    assert np.all(0.5 * lowest >= bound - 1e-12)


def test_bound_of_a_larger_cell_is_the_same():
    lattice = rhombic_lattice(82)
    large = luttinger_tisza(enlarged(lattice, 2), 4.0)
    assert large.bound == pytest.approx(luttinger_tisza(lattice, 4.0).bound, rel=1e-9)
    assert large.attained


def test_signs_of_sites_within_a_cell():
    # Layers alternate along a2, so after three layers all signs are reversed: k = b2/2.
    a1, a2 = rhombic_lattice(85).vectors
    result = luttinger_tisza(Lattice([a1, 3 * a2], [0 * a2, a2, 2 * a2]), 50.0)
    energy = layered_antiferromagnet(rhombic_lattice(85), 50.0).energy
    assert result.bound == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(np.abs([a1, 3 * a2] @ result.wavevector), [0, np.pi], atol=1e-7)
    assert result.attained


def test_refuses():
    with pytest.raises(ValueError, match="pearl_length = 0"):
        luttinger_tisza(KAGOME, 0.0)
