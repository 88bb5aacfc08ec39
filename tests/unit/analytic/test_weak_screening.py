"""Films much smaller than r0: Laplace problems solved without images, laws, limits."""

import numpy as np
import pytest

from pearlfem.analytic import infinite_film
from pearlfem.analytic.weak_screening import (
    disc_interaction_tensor,
    half_plane_interaction_tensor,
    ring_kinetic_inductance,
)

PEARL_LENGTH = 3.0
STRENGTHS = np.array([1.0, -0.7, 1.6, 0.4])
RADIUS = 2.0
IN_DISC = np.array([[0.0, 0.0], [0.5, -0.9], [-1.2, 0.3], [0.7, 1.5]])
IN_HALF_PLANE = np.array([[1.0, 0.2], [0.3, -0.4], [2.0, 1.5], [0.6, 0.7]])


def unbounded_tensor(positions):
    """T without an edge and without self-energies: the limit r0 → ∞ of the infinite film."""
    # Corrections are of order r/r0 = 1e-13; T is proportional to r0.
    tensor = infinite_film.interaction_tensor(positions, 1e13, STRENGTHS) * PEARL_LENGTH / 1e13
    for i in range(len(positions)):
        tensor[i, i] = 0.0
    return tensor


def potentials_without_edge(points, position, strength):
    """Stream functions g = −(Γ/2π) m·r/r² of moments along x and y, ``(..., 2)``."""
    away = points - position
    return -strength / (2 * np.pi) * away / (away**2).sum(axis=-1, keepdims=True)


def tensor_of_edge(slopes):
    """T_ij = −(Γ_i/κ) m_i·∇g_j for the part of g that the edge adds.

    slopes[j, i, b, a] = ∂_a g_j^b(r_i).
    """
    return -STRENGTHS[:, None, None, None] * PEARL_LENGTH / 2 * slopes.transpose(1, 0, 3, 2)


def disc_tensor_by_fourier_series():
    """Edge part of T: the harmonic function Σ c_n r^n e^{inφ} that cancels g on the edge."""
    count = 512  # coefficients fall as (s/R)^n, s/R <= 0.83
    angle = 2 * np.pi * np.arange(count) / count
    circle = RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    z = (IN_DISC[:, 0] + 1j * IN_DISC[:, 1]) / RADIUS
    n = np.arange(1, count // 2)
    slopes = np.empty((4, 4, 2, 2))
    for j in range(4):
        values = -potentials_without_edge(circle, IN_DISC[j], STRENGTHS[j])
        series = 2 * np.fft.fft(values, axis=0)[n] / count
        # h = Re Σ c_n z^n and h_x − i h_y is its complex derivative.
        derivative = (n * z[:, None] ** (n - 1)) @ series / RADIUS
        slopes[j] = np.stack([derivative.real, -derivative.imag], axis=-1)
    return tensor_of_edge(slopes)


def half_plane_tensor_by_poisson_integral(gradient):
    """Edge part of T: the harmonic function in x > 0 as a weighted average of its edge values.

    With y' = y + x tan(θ/2) Poisson's kernel is constant, and the integrand is periodic in θ.
    """
    theta = 2 * np.pi * (np.arange(512) + 0.5) / 512 - np.pi

    def harmonic(points, j):
        y = points[:, 1:] + points[:, :1] * np.tan(theta / 2)
        edge = np.stack([np.zeros_like(y), y], axis=-1)
        return -potentials_without_edge(edge, IN_HALF_PLANE[j], STRENGTHS[j]).mean(axis=1)

    slopes = [gradient(lambda p, j=j: harmonic(p, j), IN_HALF_PLANE, 1e-3) for j in range(4)]
    return tensor_of_edge(np.array(slopes))


def test_disc_by_a_fourier_series():
    expected = unbounded_tensor(IN_DISC) + disc_tensor_by_fourier_series()
    tensor = disc_interaction_tensor(IN_DISC, RADIUS, PEARL_LENGTH, STRENGTHS)
    np.testing.assert_allclose(tensor, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


def test_half_plane_by_a_poisson_integral(gradient):
    expected = unbounded_tensor(IN_HALF_PLANE) + half_plane_tensor_by_poisson_integral(gradient)
    tensor = half_plane_interaction_tensor(IN_HALF_PLANE, PEARL_LENGTH, STRENGTHS)
    # Error of differences: 4 (h/d)⁴ = 3e-11 for h = 1e-3 and an image at the distance d = 2x = 0.6.
    np.testing.assert_allclose(tensor, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())


def test_self_energies_of_the_spectral_method(read_table):
    # F_self in J*/R² is a sum of a/(1 + bx) over modes, x = R/r0. From x = 0.1 to 0 a mode gains
    # 1 + b times its (F(0.1) − F(1))/9. A mode of wave number q has b = 1/(qR), which is small for
    # most modes that a profile of ξ <= 0.1 R excites.
    table = read_table("disc_impurity_centre")
    edge = disc_interaction_tensor([[0.0, 0.0]], 1.0, 4 * np.pi)[0, 0, 0, 0] / 2
    for size in np.unique(table["xi_over_R"]):
        rows = table["xi_over_R"] == size
        energy = dict(zip(table["r0_over_R"][rows], table["F_self"][rows], strict=True))
        gain = 1 / (8 * size**2) + edge - energy[10]
        assert 1.0 < gain / ((energy[10] - energy[1]) / 9) < 1.3


@pytest.mark.parametrize("tensor_of", ["disc", "half_plane"])
def test_tensor_is_symmetric(tensor_of):
    if tensor_of == "disc":
        tensor = disc_interaction_tensor(IN_DISC, RADIUS, PEARL_LENGTH, STRENGTHS)
    else:
        tensor = half_plane_interaction_tensor(IN_HALF_PLANE, PEARL_LENGTH, STRENGTHS)
    np.testing.assert_array_equal(tensor, tensor.transpose(1, 0, 3, 2))


def test_disc_turns_and_scales():
    tensor = disc_interaction_tensor(IN_DISC, RADIUS, PEARL_LENGTH, STRENGTHS)
    turn = np.array([[np.cos(0.8), -np.sin(0.8)], [np.sin(0.8), np.cos(0.8)]])
    turned = disc_interaction_tensor(IN_DISC @ turn.T, RADIUS, PEARL_LENGTH, STRENGTHS)
    expected = np.einsum("ab,ijbc,dc->ijad", turn, tensor, turn)
    np.testing.assert_allclose(turned, expected, rtol=1e-13, atol=1e-14)
    mirror = np.array([1.0, -1.0])
    reflected = disc_interaction_tensor(IN_DISC * mirror, RADIUS, PEARL_LENGTH, STRENGTHS)
    np.testing.assert_allclose(reflected, tensor * np.outer(mirror, mirror), rtol=1e-13, atol=1e-16)
    # Energies are proportional to r0/length².
    larger = disc_interaction_tensor(3 * IN_DISC, 3 * RADIUS, 18 * PEARL_LENGTH, STRENGTHS)
    np.testing.assert_allclose(larger, 2 * tensor, rtol=1e-13, atol=1e-14)


def test_half_plane_along_the_edge():
    tensor = half_plane_interaction_tensor(IN_HALF_PLANE, PEARL_LENGTH, STRENGTHS)
    elsewhere = IN_HALF_PLANE + np.array([0.0, 0.75])
    moved = half_plane_interaction_tensor(elsewhere, PEARL_LENGTH, STRENGTHS)
    np.testing.assert_allclose(moved, tensor, rtol=1e-13, atol=1e-15)


def test_large_disc_is_like_a_half_plane():
    # Corrections are of order x/R = 1e-6, where x is the distance from the edge.
    radius = 1e6
    in_disc = IN_HALF_PLANE - [radius, 0.0]
    tensor = disc_interaction_tensor(in_disc, radius, PEARL_LENGTH, STRENGTHS)
    expected = half_plane_interaction_tensor(IN_HALF_PLANE, PEARL_LENGTH, STRENGTHS)
    scale = np.abs(expected).max(axis=(2, 3), keepdims=True)
    assert np.all(np.abs(tensor - expected) < 1e-5 * scale)


def test_self_energy_added_by_an_edge():
    # −J* R²/2(R² − s²)² and −J*/8x², J* = Γ² r0/4π
    j_star = 1.6**2 * PEARL_LENGTH / (4 * np.pi)
    disc = disc_interaction_tensor([[0.6, -0.8]], RADIUS, PEARL_LENGTH, 1.6)[0, 0]
    np.testing.assert_allclose(disc / 2, -j_star * 4 / (2 * 3**2) * np.eye(2), rtol=1e-14)
    edge = half_plane_interaction_tensor([[0.5, 9.0]], PEARL_LENGTH, 1.6)[0, 0]
    np.testing.assert_allclose(edge / 2, -j_star / (8 * 0.25) * np.eye(2), rtol=1e-14)


def test_energy_with_self_energies_is_positive():
    # Gaussian impurities, with ξ much smaller than all distances. F is half an integral of squares,
    # so the edge can take away only a part of J*/8ξ².
    size = 0.02
    tensor = disc_interaction_tensor(IN_DISC, RADIUS, PEARL_LENGTH)
    for i in range(4):
        tensor[i, i] += 2 * PEARL_LENGTH / (4 * np.pi) / (8 * size**2) * np.eye(2)
    assert np.linalg.eigvalsh(tensor.transpose(0, 2, 1, 3).reshape(8, 8))[0] > 0


def test_ring_by_integration():
    # L = Φ/I with Φ = 1 and I = ∫ K dr, K = κΦ/2πr, by Gauss's rule.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    inner, outer = 2.0, 5.0
    r = 0.5 * (inner + outer) + 0.5 * (outer - inner) * nodes
    current = 2 / PEARL_LENGTH / (2 * np.pi * r) @ weights * 0.5 * (outer - inner)
    got = ring_kinetic_inductance(inner, outer, PEARL_LENGTH)
    assert got == pytest.approx(1 / current, rel=1e-13)


def test_narrow_ring_is_like_a_strip():
    # L = (2πR/w)/κ, 1/κ = r0/2; the next term is smaller by (w/R)²/12 = 1e-17.
    got = ring_kinetic_inductance(1.0 - 5e-9, 1.0 + 5e-9, PEARL_LENGTH)
    assert got == pytest.approx(np.pi * PEARL_LENGTH / 1e-8, rel=1e-7)  # w itself is rounded


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (disc_interaction_tensor, ([[1.2, 1.6]], 2.0), "all must be inside radius = 2.0"),
        (disc_interaction_tensor, ([0.0, 0.0], 2.0), r"positions has shape \(2,\): must be \(n"),
        (disc_interaction_tensor, ([[1, 0], [0, 1], [1, 0]], 2.0), "no two of them may be equal"),
        (disc_interaction_tensor, (IN_DISC, -1.0), "radius = -1.0"),
        (disc_interaction_tensor, (IN_DISC, RADIUS, 0.0), "pearl_length = 0.0"),
        (disc_interaction_tensor, (IN_DISC, RADIUS, 1.0, [1.0, 2.0]), "strengths has shape"),
        (half_plane_interaction_tensor, ([[0.0, 1.0]],), "every x must be > 0"),
        (half_plane_interaction_tensor, ([[1.0, np.nan]],), "positions = .*finite"),
        (ring_kinetic_inductance, (2.0, 2.0), "outer = 2.0: must be larger than inner = 2.0"),
        (ring_kinetic_inductance, (0.0, 2.0), "inner = 0.0"),
        (ring_kinetic_inductance, (1.0, 2.0, np.inf), "pearl_length = inf"),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
