"""Gaussian impurities on a lattice: sums in real space, point impurities, laws."""

import numpy as np
import pytest
from references.lattice_sums import soft_sum

from pearlfem.analytic.infinite_film import couplings, self_energy
from pearlfem.analytic.lattice import Lattice, gaussian_interaction, interaction_at, rhombic_lattice

TWO_SITES = Lattice([[1.0, 0.1], [0.4, 1.3]], [[0.0, 0.0], [0.5, 0.3]])


def unit(pearl_length):
    return pearl_length / (4 * np.pi)  # J* at Γ = 1


@pytest.mark.parametrize("pearl_length", [0.3, 2.0, 50.0])
def test_sums_in_real_space(pearl_length):
    sizes = np.array([0.12, 0.2])
    tensor = gaussian_interaction(TWO_SITES, sizes, pearl_length)
    for a, b in np.ndindex(2, 2):

        def pair(r, a=a, b=b):
            pair_couplings = couplings(r, pearl_length, sizes=(sizes[a], sizes[b]))
            return tuple(j / unit(pearl_length) for j in pair_couplings)

        offset = TWO_SITES.sites[b] - TWO_SITES.sites[a]
        expected = soft_sum(TWO_SITES.vectors, offset, np.zeros(2), pair, 2.5).real
        if a == b:
            self_term = 2 * self_energy(sizes[a], pearl_length) / unit(pearl_length)
            expected = expected + self_term * np.eye(2)
        np.testing.assert_allclose(tensor[a, :, b], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("pearl_length", [0.5, 50.0])
def test_small_impurities_are_points(pearl_length):
    # The coupling of a pair differs from that of points by ξ² ∇²T, in J*/d² about ξ² min(1, r0/d).
    sizes = np.array([0.02, 0.01])
    self_terms = [2 * self_energy(s, pearl_length) / unit(pearl_length) * np.eye(2) for s in sizes]
    points = interaction_at(TWO_SITES, [0.0, 0.0], pearl_length).real
    differences = []
    for size in sizes:
        tensor = gaussian_interaction(TWO_SITES, size, pearl_length)
        for a in range(2):
            tensor[a, :, a] -= self_terms[list(sizes).index(size)]
        differences.append(np.abs(tensor - points).max())
    assert differences[0] < 0.05
    assert differences[0] / differences[1] == pytest.approx(4.0, rel=0.02)


def test_without_screening():
    expected = gaussian_interaction(TWO_SITES, 0.1, 1e9)
    np.testing.assert_allclose(
        gaussian_interaction(TWO_SITES, 0.1, np.inf), expected, rtol=0, atol=1e-6
    )


def test_energy_is_positive_and_symmetric():
    tensor = gaussian_interaction(TWO_SITES, [0.1, 0.3], 0.7)
    matrix = tensor.reshape(4, 4)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-14 * matrix.max())
    assert np.linalg.eigvalsh(matrix)[0] > 0


def test_a_larger_cell_holds_the_same_impurities():
    lattice = rhombic_lattice(70)
    a1, a2 = lattice.vectors
    doubled = Lattice([a1, 2 * a2], [0 * a1, a2])
    single = gaussian_interaction(lattice, 0.15, 3.0)[0, :, 0]
    tensor = gaussian_interaction(doubled, 0.15, 3.0)
    np.testing.assert_allclose(tensor[0, :, 0] + tensor[0, :, 1], single, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "pearl_length", "message"),
    [
        (0.0, 1.0, "sizes = 0.0: every entry must be > 0"),
        ([0.1, 0.1, 0.1], 1.0, r"sizes has shape \(3,\): must be \(\) or \(2,\)"),
        (0.1, -1.0, "pearl_length = -1.0"),
    ],
)
def test_refuses(sizes, pearl_length, message):
    with pytest.raises(ValueError, match=message):
        gaussian_interaction(TWO_SITES, sizes, pearl_length)
