"""Sums cut off at a radius: a few sites by hand, the tail, convergence, the lowest state."""

import numpy as np
import pytest
from scipy.integrate import quad

from pearlfem.analytic.infinite_film import couplings, interaction_tensor
from pearlfem.analytic.lattice import (
    Lattice,
    continuum_tail,
    ferromagnet,
    interaction_at,
    layered_antiferromagnet,
    rhombic_lattice,
    truncated_ferromagnet,
    truncated_interaction,
    truncated_layered_antiferromagnet,
)

J_STAR = 1 / (4 * np.pi)  # Γ² r0/4π at Γ = r0 = 1


def mean_over_cutoffs(function, lattice, largest, pearl_length):
    """Mean of a sum over cut-offs from 0.8 to 1 times the largest, with weights sin²."""
    cutoffs = np.linspace(0.8, 1.0, 1001) * largest
    weights = np.sin(np.pi * np.arange(1001) / 1000) ** 2
    energies = function(lattice, cutoffs, pearl_length)
    if function is truncated_ferromagnet:
        energies = energies + continuum_tail(lattice, cutoffs, pearl_length)
    return weights @ energies / weights.sum()


@pytest.mark.parametrize("k", [(0.0, 0.0), (1.3, -0.4)])
def test_pairs_of_a_patch(k):
    r0, k = 0.6, np.array(k)
    lattice = Lattice([[1.0, 0.1], [0.3, 1.2]], [[0.0, 0.0], [0.45, 0.6]])
    cells = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 2), -1).reshape(-1, 2) @ lattice.vectors
    cutoffs = np.array([2.3, 0.2, 1.1, 3.1])  # not in order, one below all distances
    got = truncated_interaction(lattice, k, cutoffs, r0)
    assert got.shape == (4, 2, 2, 2, 2)
    for a, b in np.ndindex(2, 2):
        separations = cells + lattice.sites[b] - lattice.sites[a]
        for m, cutoff in enumerate(cutoffs):
            expected = np.zeros((2, 2), complex)
            for separation in separations:
                if 0 < np.hypot(*separation) <= cutoff:
                    pair = interaction_tensor([[0.0, 0.0], separation], r0)[0, 1] / (J_STAR * r0)
                    expected += pair * np.exp(1j * separation @ k)
            np.testing.assert_allclose(got[m, a, :, b], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("pearl_length", [0.4, 50.0])
def test_tail_is_an_integral_over_the_interaction(pearl_length):
    # ½ (n/area) ∫_{R_c}^∞ (J⊥ − J∥) π r dr: the mean of J⊥ (1 − r̂ r̂) − J∥ r̂ r̂ over directions.
    def integrand(r):
        pair = couplings(r, pearl_length)
        return float(np.pi * r * (pair.perpendicular - pair.parallel))

    cutoff, scale = 30.0, J_STAR * pearl_length
    near = quad(integrand, cutoff, 20 * cutoff, epsrel=1e-11)[0]
    far = quad(lambda x: integrand(1 / x) / x**2, 1e-9, 1 / (20 * cutoff), epsrel=1e-11)[0]
    lattice = Lattice([[2.0, 0.0], [0.5, 1.5]], [[0.0, 0.0], [1.0, 0.5]])
    expected = 2 / lattice.area * 0.5 * (near + far) / scale
    assert continuum_tail(lattice, [cutoff], pearl_length)[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("pearl_length", [1.0, 50.0, np.inf])
@pytest.mark.parametrize("angle", [60.0, 79.0])
def test_sums_with_tail_converge_to_ewald(angle, pearl_length):
    lattice = rhombic_lattice(angle)
    for function, state in (
        (truncated_ferromagnet, ferromagnet),
        (truncated_layered_antiferromagnet, layered_antiferromagnet),
    ):
        energy = mean_over_cutoffs(function, lattice, 140.0, pearl_length)
        assert energy == pytest.approx(state(lattice, pearl_length).energy, abs=1e-6)


def test_sharp_sums_with_tail_converge_to_ewald():
    # A single cut-off: the rim changes the sum by about R_c^{1/2} r0/R_c³, 6e-7 at R_c = 300 r0.
    lattice, cutoffs = rhombic_lattice(60), [20.0, 300.0]
    energies = truncated_ferromagnet(lattice, cutoffs, 1.0) + continuum_tail(lattice, cutoffs, 1.0)
    error = np.abs(energies - ferromagnet(lattice, 1.0).energy)
    assert error[0] > 1e-5
    assert error[1] < 1e-6


def test_sum_of_a_lattice_with_sites_converges_to_ewald():
    lattice = Lattice([[1.0, 0.0], [0.3, 1.2]], [[0.0, 0.0], [0.4, 0.7]])
    energy = mean_over_cutoffs(truncated_ferromagnet, lattice, 100.0, 3.0)
    assert energy == pytest.approx(ferromagnet(lattice, 3.0).energy, abs=1e-6)
    got = truncated_interaction(lattice, [2.0, 1.0], [100.0], 3.0)[0]
    expected = interaction_at(lattice, [2.0, 1.0], 3.0)
    np.testing.assert_allclose(got, expected, atol=5e-4)


def test_triangular_lattice_becomes_ferromagnetic_with_the_cutoff():
    # Only the ferromagnet has a tail. So the energies cross where −π R V'(R)/2 area equals their
    # difference on the infinite lattice: at 4.92 r0 for r0 = 50 d.
    lattice, r0 = rhombic_lattice(60), 50.0
    cutoffs = r0 * np.linspace(0.5, 6.0, 1101)
    difference = truncated_ferromagnet(lattice, cutoffs, r0)
    difference -= truncated_layered_antiferromagnet(lattice, cutoffs, r0)
    crossing = cutoffs[np.argmin(np.abs(difference))]
    assert crossing == pytest.approx(4.92 * r0, abs=0.03 * r0)
    assert np.all(difference[cutoffs < 4.87 * r0] > 0)  # the antiferromagnet is lower
    assert np.all(difference[cutoffs > 4.97 * r0] < 0)  # the ferromagnet is lower
    advantage = ferromagnet(lattice, r0).energy - layered_antiferromagnet(lattice, r0).energy
    smooth = advantage - continuum_tail(lattice, [4.91 * r0, 4.93 * r0], r0)
    assert smooth[0] > 0 > smooth[1]


def test_ferromagnet_without_screening_gains_nothing_around_a_site_of_high_symmetry():
    # A sum of traceless tensors over sites with a three- or fourfold axis vanishes.
    for angle in (60.0, 90.0):
        energies = truncated_ferromagnet(rhombic_lattice(angle), [3.5, 20.2], np.inf)
        np.testing.assert_allclose(energies, 0, atol=1e-13)


@pytest.mark.parametrize("function", [truncated_ferromagnet, continuum_tail])
@pytest.mark.parametrize(
    ("cutoffs", "pearl_length", "message"),
    [
        ([1.0, 0.0], 1.0, "cutoffs = .*must be > 0"),
        (1.0, 1.0, r"cutoffs has shape \(\): must be \(m,\)"),
        ([], 1.0, r"cutoffs has shape \(0,\)"),
        ([1.0], 0.0, "pearl_length = 0.0"),
    ],
)
def test_refuses(function, cutoffs, pearl_length, message):
    with pytest.raises(ValueError, match=message):
        function(rhombic_lattice(60), cutoffs, pearl_length)
