"""Couplings of impurities on the infinite film: tables, independent integrals, limits, laws."""

import numpy as np
import pytest
from scipy import integrate, special

from pearlfem.analytic import infinite_film, keldysh_potential
from pearlfem.analytic.infinite_film import couplings, interaction_tensor, self_energy

J_STAR = 1 / (4 * np.pi)  # Γ²/(2πκ) at Γ = r0 = 1, κ = 2/r0


def test_point_kernels_table(read_table):
    table = read_table("point_kernels")  # unit J*/r0², 15 digits
    exact = couplings(table["r_over_r0"])
    np.testing.assert_allclose(exact.perpendicular / J_STAR, table["Jperp"], rtol=1e-13)
    np.testing.assert_allclose(exact.parallel / J_STAR, table["Jpar"], rtol=1e-13)
    estimate = infinite_film.elementary_couplings(table["r_over_r0"])
    np.testing.assert_allclose(estimate.perpendicular / J_STAR, table["Jperp_eq10"], rtol=1e-13)
    np.testing.assert_allclose(estimate.parallel / J_STAR, table["Jpar_eq10"], rtol=1e-13)


def test_gaussian_pairs_table(read_table):
    table = read_table("gaussian_pairs")  # unit J*/r0², 14 digits
    for size in np.unique(table["xi_over_r0"]):
        rows = table["xi_over_r0"] == size
        pair = couplings(table["r_over_r0"][rows], sizes=(size, size))
        np.testing.assert_allclose(pair.perpendicular / J_STAR, table["Jperp"][rows], rtol=2e-13)
        np.testing.assert_allclose(pair.parallel / J_STAR, table["Jpar"][rows], rtol=2e-13)


def test_gaussian_self_energy_table(read_table):
    table = read_table("gaussian_self_energy")  # unit J*/r0², 15 digits
    energies = [self_energy(size) / J_STAR for size in table["xi_over_r0"]]
    np.testing.assert_allclose(energies, table["F_self"], rtol=1e-13)


@pytest.mark.parametrize("sizes", [(0.1, 0.25), (0.3, 0.05), (0.0, 0.2)])
@pytest.mark.parametrize("r", [0.01, 0.4, 1.5])
def test_unequal_widths_by_a_hankel_integral(r, sizes):
    pearl_length, strengths = 0.8, (1.5, -0.7)
    variance = sizes[0] ** 2 + sizes[1] ** 2
    kappa = 2 / pearl_length

    def spectrum(q):
        return pearl_length / (1 + q * pearl_length) * np.exp(-0.5 * q * q * variance)

    def hankel(f):
        end = 9 / np.sqrt(variance)
        return integrate.quad(f, 0, end, epsabs=0, epsrel=1e-12, limit=400)[0]

    slope = hankel(lambda q: -q * spectrum(q) * special.j1(q * r))
    curvature = hankel(lambda q: -q * q * spectrum(q) * special.jvp(1, q * r))
    scale = strengths[0] * strengths[1] / (2 * np.pi * kappa)
    got = couplings(r, pearl_length, strengths, sizes)
    np.testing.assert_allclose(got.perpendicular, -scale * slope / r, rtol=1e-11)
    np.testing.assert_allclose(got.parallel, scale * curvature, rtol=1e-11)


@pytest.mark.parametrize(("r", "width"), [(0.5, 0.02), (2.0, 0.02), (30.0, 1.0), (0.5, 5e-5)])
def test_small_widths_by_an_average_over_the_film(r, width):
    # The Gaussian average of f(ρ) cos(lφ) is ∫ f e^{−(r−ρ)²/2σ²} ive(l, rρ/σ²) ρ dρ/σ². The strip
    # of 9σ around r does not reach ρ = 0, so V' (l = 1) and V'' − V'/r (l = 2) are smooth in it.
    nodes, weights = np.polynomial.legendre.leggauss(80)
    rho = r + 9 * width * nodes
    profile = np.exp(-0.5 * ((r - rho) / width) ** 2) * rho / width**2 * weights * 9 * width
    argument = r * rho / width**2
    slope = keldysh_potential(rho, derivative=1)
    difference = keldysh_potential(rho, derivative=2) - slope / rho
    slope = profile @ (slope * special.ive(1, argument))
    difference = profile @ (difference * special.ive(2, argument))
    got = couplings(r, sizes=(0.6 * width, 0.8 * width))
    # 1e-12 is the accuracy of ive at large arguments.
    np.testing.assert_allclose(got.perpendicular, -J_STAR * slope / r, rtol=1e-12)
    np.testing.assert_allclose(got.parallel, J_STAR * (difference + slope / r), rtol=1e-12)


def test_two_and_three_dimensional_limits():
    # r ≪ r0: both J*/r² with corrections of order x; r ≫ r0: J* r0/r³ and twice that, order 1/x².
    near = couplings(1e-5)
    np.testing.assert_allclose(near, J_STAR / 1e-10, rtol=2e-5)
    far = couplings(1e5)
    np.testing.assert_allclose(far, [J_STAR / 1e15, 2 * J_STAR / 1e15], rtol=1e-9)


def test_elementary_couplings_are_wrong_by_up_to_ten_percent():
    r = np.logspace(-3, 3, 200)
    exact, estimate = couplings(r), infinite_film.elementary_couplings(r)
    error = np.abs(np.array(estimate) / np.array(exact) - 1)
    assert 0.05 < error.max() < 0.12
    assert np.all(error[:, [0, -1]] < 2e-3)


def test_point_couplings_are_ordered():
    r = np.logspace(-4, 4, 81)
    exact = couplings(r)
    assert np.all(exact.parallel > exact.perpendicular)
    assert np.all(exact.perpendicular > 0)


def test_gaussian_parallel_coupling_changes_sign():
    # At r = 2.1 ξ for ξ ≪ r0 (DESIGN.md, section 2).
    size = 1e-3
    parallel = couplings(np.array([2.0, 2.3]) * size, sizes=(size, size)).parallel
    assert parallel[0] < 0 < parallel[1]


def test_gaussian_couplings_meet_at_the_origin():
    perpendicular, parallel = couplings(np.array([0.0, 1e-9]), 0.7, (2.0, 3.0), (0.1, 0.2))
    np.testing.assert_allclose(parallel, -perpendicular, rtol=1e-14)
    np.testing.assert_allclose(perpendicular[1], perpendicular[0], rtol=1e-14)


def test_integers_are_accepted():
    assert couplings(1, 2, (1, 3), (0, 1)) == couplings(1.0, 2.0, (1.0, 3.0), (0.0, 1.0))


def test_point_couplings_diverge_at_the_origin():
    assert couplings(0.0) == (np.inf, np.inf)


def test_self_energy_without_screening():
    # F = (J*/4) ∫ q² r0/(1 + q r0) e^{−q²ξ²} dq = (J*/8ξ²)(1 − √π ξ/r0 + …)
    assert self_energy(0.1, 1e9) == pytest.approx(1e9 / (4 * np.pi) / (8 * 0.01), rel=1e-9)


def three_impurities():
    positions = np.array([[0.1, -0.2], [0.7, 0.5], [-1.1, 2.0]])
    return positions, 0.9, np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.0, 0.3])


def test_tensor_holds_the_pair_couplings():
    positions, pearl_length, strengths, sizes = three_impurities()
    tensor = interaction_tensor(positions, pearl_length, strengths, sizes)
    assert tensor.shape == (3, 3, 2, 2)
    for i, j in ((0, 1), (0, 2), (2, 1)):
        separation = positions[i] - positions[j]
        r = np.hypot(*separation)
        along, across = separation / r, np.array([-separation[1], separation[0]]) / r
        perpendicular, parallel = couplings(
            r, pearl_length, (strengths[i], strengths[j]), (sizes[i], sizes[j])
        )
        expected = perpendicular * np.outer(across, across) - parallel * np.outer(along, along)
        np.testing.assert_allclose(tensor[i, j], expected, rtol=1e-12)
    for i in (0, 2):
        energy = self_energy(sizes[i], pearl_length, strengths[i])
        np.testing.assert_allclose(tensor[i, i], 2 * energy * np.eye(2), rtol=1e-13)
    assert np.array_equal(tensor[1, 1], [[np.inf, 0], [0, np.inf]])


def test_strength_zero_switches_an_impurity_off():
    tensor = interaction_tensor([[0.0, 0.0], [1.0, 0.5]], strengths=[0.0, 1.0])
    assert np.all(tensor[0] == 0)


def test_tensor_is_symmetric_and_turns_with_the_film():
    positions, pearl_length, strengths, sizes = three_impurities()
    sizes = sizes + 0.05
    tensor = interaction_tensor(positions, pearl_length, strengths, sizes)
    np.testing.assert_array_equal(tensor, tensor.transpose(1, 0, 3, 2))
    turn = np.array([[np.cos(0.8), -np.sin(0.8)], [np.sin(0.8), np.cos(0.8)]])
    turned = interaction_tensor(positions @ turn.T + 3.0, pearl_length, strengths, sizes)
    expected = np.einsum("ab,ijbc,dc->ijad", turn, tensor, turn)
    np.testing.assert_allclose(turned, expected, rtol=1e-12, atol=1e-12)


def test_energy_of_gaussian_impurities_is_positive():
    # F is half an integral of squares, whatever the moments.
    positions = np.random.default_rng(7).uniform(-1, 1, (20, 2))
    tensor = interaction_tensor(positions, 0.5, 1.0, 0.3)
    matrix = tensor.transpose(0, 2, 1, 3).reshape(40, 40)
    lowest, highest = np.linalg.eigvalsh(matrix)[[0, -1]]
    assert lowest > -1e-14 * highest  # profiles overlap, so the matrix is nearly singular


def test_gaussian_impurities_may_be_at_one_position():
    tensor = interaction_tensor([[0.2, 0.3], [0.2, 0.3]], sizes=0.1)
    np.testing.assert_allclose(tensor, np.full((2, 2, 1, 1), 2 * self_energy(0.1)) * np.eye(2))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (couplings, {"r": -0.1}, "r = -0.1: every entry must be >= 0"),
        (couplings, {"r": 1.0, "pearl_length": -1.0}, "pearl_length = -1.0: must be a finite"),
        (couplings, {"r": 1.0, "sizes": (0.1, -0.1)}, "sizes = .*must be >= 0"),
        (couplings, {"r": 1.0, "sizes": 0.1}, r"sizes has shape \(\): must be \(2,\)"),
        (couplings, {"r": 1.0, "strengths": (1.0, np.inf)}, "strengths = .*finite"),
        (infinite_film.elementary_couplings, {"r": 0.0}, "r = 0.0: every entry must be > 0"),
        (self_energy, {"size": 0.0}, "size = 0.0: must be a finite number > 0"),
        (interaction_tensor, {"positions": [[0.0, 0, 0]]}, r"positions has shape \(1, 3\)"),
        (interaction_tensor, {"positions": [0.0, 0]}, r"positions has shape \(2,\): must be \(n"),
        (interaction_tensor, {"positions": [[0.0, 0]], "sizes": [1.0, 2.0]}, "sizes has shape"),
        (
            interaction_tensor,
            {"positions": [[1.0, 2], [0, 0], [1, 2]]},
            "0 and 2 are at the same position",
        ),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)
