"""Impurities on a film between walls: boundary problem, closed forms, images, Maxwell–London."""

import itertools

import numpy as np
import pytest
from scipy import optimize, special

from pearlfem.analytic import between_walls, infinite_film
from pearlfem.analytic.between_walls import (
    couplings,
    interaction_tensor,
    magnetic_field,
    self_energy,
    sheet_current,
)

J_STAR = 1 / (4 * np.pi)  # Γ²/(2πκ) at Γ = r0 = 1, κ = 2/r0
OPEN = {"above": np.inf, "below": np.inf}
KINDS = pytest.mark.parametrize("wall", ["shield", "magnetic-wall"])
SURROUNDINGS = pytest.mark.parametrize(
    ("above", "below"), [(0.9, 0.9), (0.6, 1.7), (np.inf, 0.8), (0.05, np.inf), (30.0, 2.0)]
)
SOURCE = {"position": (0.2, -0.1), "angle": 35.0, "strength": 1.7, "pearl_length": 0.8}
SOURCE |= {"size": 0.25}
MOMENT = np.array([np.cos(np.deg2rad(35.0)), np.sin(np.deg2rad(35.0))])
FILM = np.array([[0.5, 0.3], [-0.4, 0.6], [1.5, -1.0], [0.25, -0.5]])
ON_FILM = np.pad(FILM, ((0, 0), (0, 1)))
SPACE = np.array([[0.5, 0.3, 0.04], [-0.4, 0.6, 0.02], [1.5, -1.0, -0.3], [0.2, -0.5, -0.6]])


# --- the infinite film


@KINDS
@pytest.mark.parametrize("size", [1e-3, 0.2, 50.0])
def test_walls_at_infinity_have_no_effect(wall, size):
    walls = {"wall": wall, **OPEN}
    r = np.array([0.0, 0.3, 1.0, 4.0, 20.0]) * size
    got = couplings(r, 1.0, (1.5, -0.7), (size, 0.5 * size), **walls)
    exact = infinite_film.couplings(r, 1.0, (1.5, -0.7), (size, 0.5 * size))
    np.testing.assert_allclose(got, exact, rtol=1e-12)
    energy = infinite_film.self_energy(size, 0.7, 1.3)
    assert self_energy(size, 0.7, 1.3, **walls) == pytest.approx(energy, rel=1e-13)
    positions = size * np.array([[0.1, -0.2], [0.7, 0.5], [-1.1, 2.0]])
    got = interaction_tensor(positions, 0.9, [1.0, -2.0, 0.5], size, **walls)
    exact = infinite_film.interaction_tensor(positions, 0.9, [1.0, -2.0, 0.5], size)
    np.testing.assert_allclose(got, exact, rtol=1e-12)


@KINDS
def test_fields_without_walls(wall):
    field = magnetic_field(SPACE, wall=wall, **OPEN, **SOURCE)
    np.testing.assert_allclose(field, infinite_film.magnetic_field(SPACE, **SOURCE), rtol=1e-12)
    current = sheet_current(FILM, wall=wall, **OPEN, **SOURCE)
    np.testing.assert_allclose(current, infinite_film.sheet_current(FILM, **SOURCE), rtol=1e-12)


@KINDS
@pytest.mark.parametrize("r", [20.0, 200.0])
def test_walls_at_infinity_far_away(wall, r):
    # At r = 200 ξ couplings are 1e-7 of those at r = 0, and rounding is relative to those at r = 0.
    got = couplings(r, 1.0, (1.0, 1.0), (1.0, 1.0), wall=wall, **OPEN)
    exact = infinite_film.couplings(r, 1.0, (1.0, 1.0), (1.0, 1.0))
    np.testing.assert_allclose(got, exact, rtol=1e-10)


@KINDS
def test_distant_walls(wall):
    # The field of an impurity falls off as 1/R³: a wall at 1e3 adds 1e-9 of J* at the impurity.
    walls = {"wall": wall, "above": 1e3, "below": 1e3}
    r = np.array([0.1, 1.0])
    got = couplings(r, 1.0, (1.0, 1.0), (0.1, 0.1), **walls)
    exact = np.array(infinite_film.couplings(r, 1.0, (1.0, 1.0), (0.1, 0.1)))
    difference = np.abs(got - exact) / J_STAR
    assert 1e-12 < difference.max() < 2e-9


# --- the boundary problem of each wave vector, solved directly


def response(q, pearl_length, wall, above, below):
    """q²g for a unit source, from four conditions on ψ at each wave number of `q`.

    ψ = a e^{−qz} + b e^{−q(L₁−z)} above, −c e^{qz} − d e^{−q(L₂+z)} below. Conditions: ∂ψ/∂z = 0
    (shield) or ψ = 0 (magnetic wall) at each wall, ∂ψ/∂z continuous at the film, and the London
    equation rot K + κ B_z = q²(ψ₊ − ψ₋) − κ ∂ψ/∂z = 1.
    """
    kappa, zero, one = 2 / pearl_length, np.zeros_like(q), np.ones_like(q)
    up, down = np.exp(-q * above), np.exp(-q * below)  # 0 without a wall: then b, d = 0
    sign = -1.0 if wall == "shield" else 1.0
    matrix = np.array(
        [
            [up, sign * one, zero, zero],
            [zero, zero, down, sign * one],
            [-one, up, one, -down],
            [q * q + kappa * q, (q * q - kappa * q) * up, q * q, q * q * down],
        ]
    )
    load = np.stack([zero, zero, zero, one], axis=-1)
    a, b, c, d = np.linalg.solve(np.moveaxis(matrix, -1, 0), load[..., None])[..., 0].T
    return q * q * (a + b * up + c + d * down)


def by_trapezoidal_rule(r, pearl_length, width, wall, above, below):
    """J⊥ and J∥ at Γ = 1 by the trapezoidal rule in ln q, which converges exponentially."""
    step = 0.004
    q = 9.0 / width * np.exp(-step * np.arange(7000))
    kernel = response(q, pearl_length, wall, above, below) * np.exp(-0.5 * (q * width) ** 2)
    kernel *= q * q * step * pearl_length / (4 * np.pi)
    slope = 0.5 * (special.j0(q * r) + special.jn(2, q * r))  # J1(x)/x
    return kernel @ slope, kernel @ (slope - special.j0(q * r))


@KINDS
@SURROUNDINGS
@pytest.mark.parametrize("pearl_length", [0.01, 0.8, 100.0])
def test_couplings_by_solving_the_boundary_problem(wall, above, below, pearl_length):
    scale = 2 * self_energy(0.1, pearl_length, 1.0, wall=wall, above=above, below=below)
    for r in (0.0, 0.15, 0.7, 3.0):
        expected = by_trapezoidal_rule(r, pearl_length, np.hypot(0.1, 0.2), wall, above, below)
        strengths, sizes = (1.5, -0.7), (0.1, 0.2)
        got = couplings(r, pearl_length, strengths, sizes, wall=wall, above=above, below=below)
        np.testing.assert_allclose(got, -1.05 * np.array(expected), rtol=0, atol=1e-13 * scale)


# --- closed forms


@KINDS
@pytest.mark.parametrize("pearl_length", [0.3, 20.0])
@pytest.mark.parametrize("distance", [2.0, 20.0])
def test_residues_of_the_response(wall, pearl_length, distance):
    # With h = q c, an even function of q, V(q)/2π = r0 h/[q²(1 + r0 h)]. It has poles at q = it
    # where r0 h = −1, with residues ρ = 1/(r0 t² h') in q², h' = dh/dq² (and r0/(r0 + L) at
    # q = 0 between shields):  V(r) = −[r0/(r0 + L)] ln r + Σ ρ K0(tr) e^{σ²t²/2}  for r ≫ σ.
    # h = t cot tL (shields) or −t tan tL (magnetic walls) has one such t per period π/L.
    r, width, shields = 20.0, 1.0, wall == "shield"
    slope = -pearl_length / (pearl_length + distance) / r if shields else 0.0
    curvature = -slope / r
    first = 0.5 if shields else 0.0
    for n in range(int(10 * max(1.0, distance / width) / np.pi) + 1):
        # The root lies between a zero of h and its next pole: cot from π/2 to π, tan from 0 to π/2.
        low, high = ((n + x) * np.pi / distance for x in (first, first + 0.5))

        def pole(t):
            x = t * distance
            if shields:
                return np.sin(x) + pearl_length * t * np.cos(x)
            return np.cos(x) - pearl_length * t * np.sin(x)

        t = optimize.brentq(pole, low, high, xtol=1e-15, rtol=1e-14)
        x = t * distance
        if shields:
            dh = -(1 / np.tan(x) - x / np.sin(x) ** 2) / (2 * t)
        else:
            dh = (np.tan(x) + x / np.cos(x) ** 2) / (2 * t)
        residue = np.exp(0.5 * (width * t) ** 2) / (pearl_length * t * t * dh)
        slope -= residue * t * special.k1(t * r)
        curvature += residue * t * t * special.kvp(1, t * r) * -1
    got = couplings(
        r,
        pearl_length,
        (1.0, 1.0),
        (0.6 * width, 0.8 * width),
        wall=wall,
        above=distance,
        below=distance,
    )
    scale = pearl_length * J_STAR
    # Rounding: 1e-15 of the couplings at r = 0, which are at most scale/σ².
    expected = [-scale * slope / r, scale * curvature]
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=2e-15 * scale)


@pytest.mark.parametrize(("above", "below"), [(1.0, 1.0), (0.2, 3.0)])
def test_tail_between_shields(above, below):
    # J⊥ = J∥ = J* r0/[(r0 + L) r²] up to exponentially small terms; 1/L is the mean of 1/L_i.
    walls = {"wall": "shield", "above": above, "below": below}
    length = 2 / (1 / above + 1 / below)
    r = np.array([60.0, 200.0])
    got = couplings(r, 0.7, (1.0, 1.0), (1.0, 1.0), **walls)
    tail = 0.7 * J_STAR * 0.7 / (0.7 + length) / r**2
    np.testing.assert_allclose(got, [tail, tail], rtol=1e-10)


def test_couplings_between_magnetic_walls_decay_exponentially():
    # The first pole is at t tan t = 1/r0, t = 0.86: K0(60 t) = 1e-23.
    walls = {"wall": "magnetic-wall", "above": 1.0, "below": 1.0}
    got = couplings(60.0, 1.0, (1.0, 1.0), (1.0, 1.0), **walls)
    assert np.all(np.abs(got) < 1e-15 * J_STAR)


def test_shields_close_to_the_film():
    # qL coth qL = 1 + (qL)²/3: the response is r0/(r0 + L) up to (L/r0)(L/ξ)²/3 = 2e-12.
    energy = self_energy(0.5, 1.0, 1.0, wall="shield", above=1e-4, below=1e-4)
    assert energy == pytest.approx(J_STAR / (8 * 0.25) / (1 + 1e-4), rel=1e-11)


def test_one_shield_close_to_the_film_screens_it_from_the_other():
    # c = (c_above + c_below)/2 diverges if one of them does, and then the response is 1.
    energy = self_energy(0.5, 1.0, 1.0, wall="shield", above=1e-7, below=np.inf)
    assert energy == pytest.approx(J_STAR / (8 * 0.25), rel=3e-7)  # 1 − 2·1e-7 + …


@pytest.mark.parametrize("pearl_length", [0.1, 1e4, 1e9])
def test_magnetic_walls_close_to_the_film(pearl_length):
    # tanh qL = qL [1 − (qL)²/3]: the film screens over the length l = √(r0 L).
    # F = (J*/4) ∫ q³l²/(1 + q²l²) e^{−q²ξ²} dq = (J*/8ξ²) [1 − x e^x E1(x)],  x = ξ²/l².
    distance, size = 1e-5, 0.5
    walls = {"wall": "magnetic-wall", "above": distance, "below": distance}
    x = size**2 / (pearl_length * distance)
    # For large x e^x E1 overflows: 1 − x e^x E1(x) = 1/x − 2/x² + …
    factor = 1 - x * np.exp(x) * special.exp1(x) if x < 100 else 1 / x - 2 / x**2
    expected = pearl_length * J_STAR / (8 * size**2) * factor
    assert self_energy(size, pearl_length, 1.0, **walls) == pytest.approx(expected, rel=1e-9)
    # Far away V = K0(r/l) e^{σ²/2l²}.
    if pearl_length == 1e9:
        r, length = 300.0, 100.0
        got = couplings(r, pearl_length, (1.0, 1.0), (size, size), **walls)
        scale = pearl_length * J_STAR * np.exp((size / length) ** 2) / length**2
        curvature = special.k0(r / length) + special.k1(r / length) * length / r
        expected = [scale * special.k1(r / length) * length / r, scale * curvature]
        np.testing.assert_allclose(got, expected, rtol=1e-9)


# --- fields


def images(points, wall, above, below, order, **source):
    """Field of a film that does not screen (r0 → ∞), from its images in the walls."""
    sign = -1.0 if wall == "shield" else 1.0  # of the image of a current that is parallel to a wall
    n = np.arange(-order, order + 1)[:, None, None]
    shift = 2 * (above + below) * n * [0.0, 0.0, 1.0]
    direct = infinite_film.magnetic_field(points - shift, **source)
    reflected = infinite_film.magnetic_field(points - shift - [0.0, 0.0, 2 * above], **source)
    return (direct + sign * reflected).sum(axis=0)


@KINDS
def test_one_wall_by_its_image(wall):
    # The film does not screen: κ → 0, with corrections of order R/r0.
    source = SOURCE | {"pearl_length": 1e9}
    sign = -1.0 if wall == "shield" else 1.0
    field = magnetic_field(SPACE, wall=wall, above=0.5, below=np.inf, **source)
    expected = infinite_film.magnetic_field(SPACE, **source)
    expected = expected + sign * infinite_film.magnetic_field(SPACE - [0, 0, 1.0], **source)
    np.testing.assert_allclose(field, expected, rtol=0, atol=1e-8 * np.abs(field).max())
    turned = SPACE * [1, 1, -1]
    mirrored = magnetic_field(turned, wall=wall, above=np.inf, below=0.5, **source)
    np.testing.assert_allclose(mirrored, field * [-1, -1, 1], rtol=1e-12)


@KINDS
def test_two_walls_by_their_images(wall):
    source, walls = SOURCE | {"pearl_length": 1e12}, {"above": 0.3, "below": 0.7}
    field = magnetic_field(SPACE, wall=wall, **walls, **source)
    # The terms beyond order N add up to a series in 1/N, so Richardson's extrapolation works.
    sums = [images(SPACE, wall, order=n, **walls, **source) for n in (10, 20, 40, 80, 160)]
    for power in (1, 2, 3, 4):
        factor = 2.0**power
        sums = [(factor * b - a) / (factor - 1) for a, b in itertools.pairwise(sums)]
    np.testing.assert_allclose(field, sums[0], rtol=0, atol=1e-8 * np.abs(field).max())


@pytest.mark.parametrize(("above", "below"), [(0.9, 0.9), (0.6, 1.7), (0.5, np.inf)])
@pytest.mark.parametrize("pearl_length", [0.01, 0.8, 1e4])
def test_conditions_at_the_walls(above, below, pearl_length):
    source = SOURCE | {"pearl_length": pearl_length}
    for height in (above, -below):
        if np.isinf(height):
            continue
        points = ON_FILM + np.array([0, 0, height])
        shield = magnetic_field(points, wall="shield", above=above, below=below, **source)
        assert np.all(shield[:, 2] == 0)
        assert np.all(np.abs(shield[:, :2]).max(axis=1) > 0)
        magnetic = magnetic_field(points, wall="magnetic-wall", above=above, below=below, **source)
        assert np.all(magnetic[:, :2] == 0)
        assert np.all(magnetic[:, 2] != 0)


@KINDS
@SURROUNDINGS
def test_field_has_neither_divergence_nor_curl(wall, above, below, gradient):
    walls = {"wall": wall, "above": above, "below": below}
    jacobian = gradient(lambda p: magnetic_field(p, **walls, **SOURCE), SPACE, 2e-3)
    scale = np.abs(jacobian).max(axis=(1, 2))
    assert np.all(np.abs(np.trace(jacobian, axis1=1, axis2=2)) < 1e-6 * scale)
    curl = jacobian - jacobian.transpose(0, 2, 1)
    assert np.all(np.abs(curl) < 1e-6 * scale[:, None, None])


@KINDS
@SURROUNDINGS
def test_london_equation_on_the_film(wall, above, below, gradient):
    # K = −κ(A + a − ∇χ): div K = 0, rot K + κ B_z = −κ rot a = Γ (m·∇) f.
    walls = {"wall": wall, "above": above, "below": below}
    kappa = 2 / SOURCE["pearl_length"]
    jacobian = gradient(lambda p: sheet_current(p, **walls, **SOURCE), FILM, 1e-3)
    scale = np.abs(jacobian).max(axis=(1, 2))
    assert np.all(np.abs(np.trace(jacobian, axis1=1, axis2=2)) < 1e-8 * scale)
    rotation = jacobian[:, 1, 0] - jacobian[:, 0, 1]
    normal = magnetic_field(ON_FILM, **walls, **SOURCE)[:, 2]
    away, size = FILM - SOURCE["position"], SOURCE["size"]
    profile = np.exp(-(away**2).sum(axis=1) / (2 * size**2)) / (2 * np.pi * size**2)
    expected = -SOURCE["strength"] * profile * (away @ MOMENT) / size**2
    assert np.all(np.abs(rotation + kappa * normal - expected) < 1e-7 * scale)


@KINDS
@SURROUNDINGS
def test_jumps_at_the_film(wall, above, below):
    # K = ẑ × [B_t] and B_z is continuous; the lower face is reached by a step of 1e-12.
    walls = {"wall": wall, "above": above, "below": below}
    upper = magnetic_field(ON_FILM, **walls, **SOURCE)
    lower = magnetic_field(ON_FILM - [0, 0, 1e-12], **walls, **SOURCE)
    scale = np.abs(upper).max() + np.abs(lower).max()
    assert np.all(np.abs(upper - lower)[:, 2] < 1e-10 * scale)
    jump = upper - lower
    current = sheet_current(FILM, **walls, **SOURCE)
    expected = np.stack([-jump[:, 1], jump[:, 0]], axis=-1)
    np.testing.assert_allclose(current, expected, rtol=0, atol=1e-10 * scale)


def test_centre_of_an_impurity():
    # K = −(κ/Γ) J⊥ m×ẑ with J⊥ for the total width ξ: two profiles of width ξ/√2.
    walls = {"wall": "shield", "above": 0.4, "below": 1.5}
    size = SOURCE["size"] / np.sqrt(2)
    perpendicular = couplings(0.0, 0.8, (1.7, 1.7), (size, size), **walls).perpendicular
    expected = -2 / 0.8 / 1.7 * perpendicular * np.array([MOMENT[1], -MOMENT[0]])
    centre = np.array(SOURCE["position"])
    np.testing.assert_allclose(sheet_current(centre, **walls, **SOURCE), expected, rtol=1e-13)
    assert magnetic_field([*centre, 0.0], **walls, **SOURCE)[2] == 0.0


def test_shapes():
    walls = {"size": 0.1, "wall": "shield", "above": 1.0, "below": 2.0}
    assert sheet_current(np.ones((4, 5, 2)), **walls).shape == (4, 5, 2)
    assert magnetic_field(np.ones((4, 5, 3)), **walls).shape == (4, 5, 3)
    assert magnetic_field(np.empty((0, 3)), **walls).shape == (0, 3)
    assert magnetic_field(np.ones(3), **walls).shape == (3,)


# --- energies


def three_impurities():
    positions = np.array([[0.1, -0.2], [0.7, 0.5], [-1.1, 2.0]])
    return positions, 0.9, np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.05, 0.3])


@KINDS
def test_tensor_holds_the_pair_couplings(wall):
    positions, pearl_length, strengths, sizes = three_impurities()
    walls = {"wall": wall, "above": 0.4, "below": 1.5}
    tensor = interaction_tensor(positions, pearl_length, strengths, sizes, **walls)
    assert tensor.shape == (3, 3, 2, 2)
    np.testing.assert_array_equal(tensor, tensor.transpose(1, 0, 3, 2))
    for i, j in ((0, 1), (0, 2), (2, 1)):
        separation = positions[i] - positions[j]
        r = np.hypot(*separation)
        along, across = separation / r, np.array([-separation[1], separation[0]]) / r
        perpendicular, parallel = couplings(
            r, pearl_length, (strengths[i], strengths[j]), (sizes[i], sizes[j]), **walls
        )
        expected = perpendicular * np.outer(across, across) - parallel * np.outer(along, along)
        np.testing.assert_allclose(tensor[i, j], expected, rtol=0, atol=1e-13)
    for i in range(3):
        energy = self_energy(sizes[i], pearl_length, strengths[i], **walls)
        np.testing.assert_allclose(tensor[i, i], 2 * energy * np.eye(2), rtol=1e-13)


@KINDS
def test_energy_of_a_pair_from_the_current(wall):
    # F_ij = −(Γ_j/κ) (m_j×ẑ)·⟨K_i⟩_j: averaging over profile j widens K_i to √(ξ_i² + ξ_j²).
    walls = {"wall": wall, "above": 0.4, "below": 1.5}
    tensor = interaction_tensor(
        [SOURCE["position"], FILM[0]], 0.8, (SOURCE["strength"], 0.6), (0.15, 0.2), **walls
    )
    current = sheet_current(FILM[0], **walls, **SOURCE)  # 0.25² = 0.15² + 0.2²
    moment = np.array([0.6, -0.8])
    energy = -0.6 * 0.8 / 2 * np.array([moment[1], -moment[0]]) @ current
    assert energy == pytest.approx(MOMENT @ tensor[0, 1] @ moment, rel=1e-12)


def test_shields_raise_and_magnetic_walls_lower_the_energy():
    distances = np.array([0.01, 0.1, 1.0, 10.0])
    shields, magnetic = (
        [self_energy(0.1, 1.0, 1.0, wall=wall, above=x, below=2 * x) for x in distances]
        for wall in ("shield", "magnetic-wall")
    )
    free = infinite_film.self_energy(0.1)
    assert np.all(np.diff([J_STAR / (8 * 0.1**2), *shields, free]) < 0)
    assert np.all(np.diff([*magnetic, free]) > 0)


@KINDS
def test_energy_of_impurities_is_positive(wall):
    positions = np.random.default_rng(7).uniform(-1, 1, (20, 2))
    tensor = interaction_tensor(positions, 0.5, 1.0, 0.3, wall=wall, above=0.2, below=0.5)
    lowest, highest = np.linalg.eigvalsh(tensor.transpose(0, 2, 1, 3).reshape(40, 40))[[0, -1]]
    assert lowest > -1e-14 * highest  # profiles overlap, so the matrix is nearly singular


def test_exchanging_the_walls_changes_no_energy():
    positions, pearl_length, strengths, sizes = three_impurities()
    first, second = (
        interaction_tensor(
            positions, pearl_length, strengths, sizes, wall="shield", above=above, below=below
        )
        for above, below in ((0.3, 2.0), (2.0, 0.3))
    )
    np.testing.assert_allclose(first, second, rtol=1e-13)


@KINDS
@pytest.mark.parametrize("above", [1e-12, 1e-2, 1e4, 1e12, np.inf])
@pytest.mark.parametrize("pearl_length", [1e-6, 1e-2, 1e4, 1e8])
def test_extreme_ratios_of_lengths(wall, above, pearl_length):
    # No overflow, no warning (warnings are errors in this suite), and 0 < F < J*/8ξ².
    walls = {"wall": wall, "above": above, "below": 1e-2}
    energy = self_energy(1.0, pearl_length, 1.0, **walls) / (pearl_length * J_STAR / 8)
    assert 0 < energy < 1 + 1e-14
    points = [[3.0, 1.0, above if above < 1e4 else 50.0], [0.1, 0.2, -1e-2]]
    assert np.all(np.isfinite(magnetic_field(points, size=1.0, pearl_length=2.0, **walls)))


# --- refusals


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (couplings, {"r": -0.1}, "r = -0.1: every entry must be >= 0"),
        (couplings, {"r": 1.0, "sizes": (0.1, 0.0)}, "sizes = .*every entry must be > 0"),
        (couplings, {"r": 1.0, "pearl_length": 0.0}, "pearl_length = 0.0: must be a finite"),
        (couplings, {"r": 1.0, "wall": "lead"}, "wall = 'lead': must be 'shield' or 'magnetic"),
        (couplings, {"r": 1.0, "above": 0.0}, "above = 0.0: must be a number > 0"),
        (couplings, {"r": 1.0, "below": np.nan}, "below = nan: must be a number > 0"),
    ],
)
def test_couplings_refuse(function, arguments, message):
    usual = {"pearl_length": 1.0, "strengths": (1.0, 1.0), "sizes": (0.1, 0.1)}
    walls = {"wall": "shield", "above": 1.0, "below": 1.0}
    with pytest.raises(ValueError, match=message):
        function(**(usual | walls | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": [[0.0, 0, 0]]}, r"positions has shape \(1, 3\)"),
        ({"positions": [0.0, 0]}, r"positions has shape \(2,\): must be \(n"),
        ({"sizes": [1.0, 2.0]}, "sizes has shape"),
        ({"sizes": 0.0}, "sizes = 0.0: every entry must be > 0"),
        ({"strengths": [np.inf]}, "strengths = .*finite"),
        ({"above": -np.inf}, "above = -inf: must be a number > 0"),
    ],
)
def test_tensor_refuses(arguments, message):
    usual = {"positions": [[0.0, 0]], "pearl_length": 1.0, "strengths": 1.0, "sizes": 0.1}
    walls = {"wall": "shield", "above": 1.0, "below": 1.0}
    with pytest.raises(ValueError, match=message):
        interaction_tensor(**(usual | walls | arguments))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("magnetic_field", {"points": [1.0, 1.0, 1.5]}, "z must be between -2.0 and 1.0"),
        ("magnetic_field", {"points": [1.0, 1.0, -2.5]}, "z must be between -2.0 and 1.0"),
        ("magnetic_field", {"points": [1.0, 1.0]}, r"points has shape \(2,\).*3 long"),
        ("magnetic_field", {"points": [1.0, 1.0, 0.0], "strength": np.inf}, "strength = inf"),
        ("sheet_current", {"points": [1.0, 1.0], "size": 0.0}, "size = 0.0: must be a finite"),
        ("sheet_current", {"points": [1.0, 1.0], "position": [0.0]}, "position has shape"),
        ("sheet_current", {"points": [1.0, 1.0], "angle": np.nan}, "angle = nan"),
    ],
)
def test_fields_refuse(function, arguments, message):
    usual = {"size": 0.1, "wall": "shield", "above": 1.0, "below": 2.0}
    with pytest.raises(ValueError, match=message):
        getattr(between_walls, function)(**(usual | arguments))
