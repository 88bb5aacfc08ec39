"""T(k) by Ewald summation: its split, sums in real space, limits, laws."""

import numpy as np
import pytest
from references.lattice_sums import soft_sum

from pearlfem.analytic.infinite_film import couplings
from pearlfem.analytic.lattice import Lattice, interaction_at, rhombic_lattice
from pearlfem.analytic.lattice._ewald import EwaldSum

J_STAR = 1 / (4 * np.pi)  # Γ² r0/4π at Γ = r0 = 1

THREE_SITES = Lattice([[1.0, 0.1], [0.4, 1.3]], [[0.0, 0.0], [0.5, 0.3], [1.1, -0.7]])


def wavevectors():
    return np.vstack([[[0.0, 0.0], [1e-3, 0.0]], np.random.default_rng(1).normal(0, 5, (20, 2))])


def point_couplings(pearl_length):
    def evaluate(r):
        if np.isinf(pearl_length):
            return 1 / r**2, 1 / r**2
        pair = couplings(r, pearl_length)
        return tuple(j / (J_STAR * pearl_length) for j in pair)

    return evaluate


@pytest.mark.parametrize("split", [0.4, 0.7, 1.4, 2.0])
@pytest.mark.parametrize("pearl_length", [1e-3, 0.3, 1.0, 50.0, 1e6, np.inf])
def test_does_not_depend_on_the_split(pearl_length, split):
    expected = EwaldSum(THREE_SITES, pearl_length)(wavevectors())
    got = EwaldSum(THREE_SITES, pearl_length, split)(wavevectors())
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("split", [0.6, 1.7])
def test_does_not_depend_on_the_split_at_the_removable_pole(split):
    # The two terms of the long-range part cancel at |k| = 1/r0 = 1, and at |G| = 1/r0.
    k = np.outer([1 - 1e-2, 1 - 1e-5, 1 - 1e-12, 1.0, 1 + 1e-9, 1 + 3e-2], [0.6, 0.8])
    for lattice, pearl_length in ((THREE_SITES, 1.0), (rhombic_lattice(90), 0.5 / np.pi)):
        expected = EwaldSum(lattice, pearl_length)(k * (pearl_length == 1.0))
        got = EwaldSum(lattice, pearl_length, split)(k * (pearl_length == 1.0))
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("pearl_length", [0.2, 1.0, 50.0, np.inf])
# Generic wave vectors at a distance above 2.4 from every G: terms exp(−2.4² s²/4) < 1e-11, s = 4.2.
@pytest.mark.parametrize("k", [(0.0, 0.0), (2.5, 1.3)])
def test_sums_in_real_space(k, pearl_length):
    k = np.array(k)
    tensor = interaction_at(THREE_SITES, k, pearl_length)
    for a, b in np.ndindex(3, 3):
        expected = soft_sum(
            THREE_SITES.vectors,
            THREE_SITES.sites[b] - THREE_SITES.sites[a],
            k,
            point_couplings(pearl_length),
            4.2 if k.any() else 2.5,
        )
        np.testing.assert_allclose(
            tensor[a, :, b], expected, rtol=0, atol=1e-10 * np.abs(expected).max()
        )


@pytest.mark.parametrize("pearl_length", [0.3, 50.0, np.inf])
def test_laws(pearl_length):
    k = wavevectors()
    tensor = interaction_at(THREE_SITES, k, pearl_length)
    assert tensor.shape == (22, 3, 2, 3, 2)
    close = {"rtol": 0, "atol": 1e-13 * np.abs(tensor).max()}
    np.testing.assert_allclose(tensor, tensor.transpose(0, 3, 4, 1, 2).conj(), **close)
    np.testing.assert_allclose(
        interaction_at(THREE_SITES, -k, pearl_length), tensor.conj(), **close
    )
    shift = np.array([2, -1]) @ THREE_SITES.reciprocal_vectors
    phases = np.exp(1j * (THREE_SITES.separations @ shift))[:, None, :, None]
    moved = interaction_at(THREE_SITES, k + shift, pearl_length)
    np.testing.assert_allclose(moved, phases * tensor, **close)


def test_sites_may_lie_in_any_cell():
    steps = np.array([[0, 0], [3, -2], [-1, 4]]) @ THREE_SITES.vectors
    other = Lattice(THREE_SITES.vectors, THREE_SITES.sites + steps + 0.37)
    expected = interaction_at(THREE_SITES, [1.0, 0.7], 2.0)
    got = interaction_at(other, [1.0, 0.7], 2.0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_unit_of_length():
    scaled = Lattice(3.0 * THREE_SITES.vectors, 3.0 * THREE_SITES.sites)
    expected = interaction_at(THREE_SITES, [1.2, 0.3], 0.8) / 9
    np.testing.assert_allclose(interaction_at(scaled, [0.4, 0.1], 2.4), expected, rtol=1e-11)


def test_long_waves():
    # T(k) − T(0) is k k V(k)/area plus even powers of k; V = 2π r0/[k(1 + k r0)].
    lattice, r0 = rhombic_lattice(75), 3.0
    direction = np.array([0.6, 0.8])
    k = 1e-4
    got = interaction_at(lattice, k * direction, r0) - interaction_at(lattice, [0.0, 0.0], r0)
    expected = 2 * np.pi * r0 * k / (1 + k * r0) / lattice.area * np.outer(direction, direction)
    np.testing.assert_allclose(got[0, :, 0], expected, rtol=0, atol=5 * k * k)


def test_long_waves_without_screening():
    lattice = rhombic_lattice(75)
    direction = np.array([0.6, 0.8])
    at_zero = interaction_at(lattice, [0.0, 0.0], np.inf)
    got = interaction_at(lattice, 1e-6 * direction, np.inf) - at_zero
    expected = 2 * np.pi / lattice.area * np.outer(direction, direction)
    np.testing.assert_allclose(got[0, :, 0], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(interaction_at(lattice, [0.0, 0.0], 1e10), at_zero, atol=1e-8)


@pytest.mark.parametrize(
    ("k", "pearl_length", "message"),
    [
        ([0.0, 0.0, 1.0], 1.0, r"wavevectors has shape \(3,\)"),
        ([0.0, np.inf], 1.0, "wavevectors = .*finite"),
        ([0.0, 0.0], 0.0, "pearl_length = 0.0: must be a number > 0"),
        ([0.0, 0.0], np.nan, "pearl_length = nan"),
    ],
)
def test_refuses(k, pearl_length, message):
    with pytest.raises(ValueError, match=message):
        interaction_at(THREE_SITES, k, pearl_length)
