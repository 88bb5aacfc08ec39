"""The references, compared with tables, with exact limits and with each other."""

import csv
from pathlib import Path

import numpy as np
import pytest

from references.annulus import Ring
from references.disc import Field, Impurity, Vortex, interaction_tensor, mutual_energies
from references.infinite_film import point_potential, smooth_potential

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
POSITIONS = ((0.3, 0.1), (-0.2, 0.6), (0.1, -0.5))


def rows(name, folder=DATA):
    with (folder / name).open() as table:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(table)]


def vector(*values):
    return np.array(values, float)


@pytest.mark.parametrize("row", rows("disc_moment.csv"), ids=str)
def test_moment_of_a_disc_in_a_field(row):
    (energy,) = mutual_energies(row["r0_over_R"], [Field()])[0]
    assert -energy == pytest.approx(row["m_over_HaR3"], rel=2e-10)


@pytest.mark.parametrize("row", rows("disc_impurity_centre.csv"), ids=str)
def test_impurity_at_the_centre(row):
    r0, unit = row["r0_over_R"], row["r0_over_R"] / (4 * np.pi)  # J* = Γ²/2πκ
    T = interaction_tensor(r0, [(0.0, 0.0)], [row["xi_over_R"]])[0, 0]
    np.testing.assert_allclose(T / 2 / unit, row["F_self"] * np.eye(2), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("row", rows("disc_vortex_centre.csv"), ids=str)
def test_vortex_at_the_centre(row):
    r0 = row["r0_over_R"]
    ((energy,),) = mutual_energies(r0, [Vortex((0.0, 0.0), row["xi_over_R"])])
    # κΦ0²/4π = 1/(2π r0)
    assert energy / 2 * 2 * np.pi * r0 == pytest.approx(row["E_over_kPhi02_4pi"], abs=1e-11)


@pytest.mark.parametrize("row", rows("disc_pairs.csv"), ids=str)
def test_pairs_of_impurities(row):
    r0, s = row["r0_over_R"], row["s_over_R"]
    T = interaction_tensor(r0, [(-s, 0.0), (s, 0.0)], [row["xi_over_R"]] * 2) / (r0 / (4 * np.pi))
    np.testing.assert_allclose(np.diag(T[0, 1]), [row["F12_xx"], row["F12_yy"]], atol=1e-10)
    np.testing.assert_allclose(np.diag(T[0, 0]) / 2, [row["Fself_x"], row["Fself_y"]], atol=1e-10)


@pytest.mark.parametrize("pearl_length", [0.01, 0.1, 10.0])
def test_energies_do_not_change_with_more_basis_functions(pearl_length):
    sources = [Impurity((0.95, 0.0), 0.02, a) for a in (0.0, 90.0)]
    sources += [Vortex((0.95, 0.0), 0.05), Impurity((-0.3, -0.4), 0.02, 30.0)]
    sources += [Vortex((0.5, 0.3)), Impurity((0.0, 0.6), 0.0, 60.0), Field()]
    coarse, fine = (mutual_energies(pearl_length, sources, factor) for factor in (1.0, 1.25))
    scale = np.sqrt(np.outer(abs(np.diag(fine)), abs(np.diag(fine))))
    np.testing.assert_array_less(abs(coarse - fine) / scale, 2e-8)


def test_energies_turn_with_the_disc():
    turn = np.deg2rad(40.0)
    Q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = [tuple(Q @ position) for position in POSITIONS]
    sizes = [0.15, 0.1, 0.0]
    T = interaction_tensor(0.3, POSITIONS, sizes)
    np.testing.assert_allclose(T, T.transpose(1, 0, 3, 2), atol=1e-14)
    expected = np.einsum("ab,ijbc,dc->ijad", Q, T, Q)
    np.testing.assert_allclose(interaction_tensor(0.3, turned, sizes), expected, atol=1e-13)


def test_points_at_long_pearl_length():
    # r0 → ∞: κ times Green's function of the Laplacian on the unit disc, and its derivatives. With
    # complex positions z and moments μ,
    #     T_ij = −J* Re[μ_i μ_j/(z_i − z_j)² + μ_i μ_j*/(1 − z_i z_j*)²],
    # where the first term is that of the infinite film. Corrections are O(1/r0).
    r0 = 1e9
    z = np.array([complex(*position) for position in POSITIONS])
    mu = np.array([1.0, 1j])
    T = interaction_tensor(r0, POSITIONS, [0.0] * 3) * 4 * np.pi / r0
    for i, j in np.ndindex(3, 3):
        expected = -np.real(np.outer(mu, mu.conj()) / (1 - z[i] * z[j].conjugate()) ** 2)
        if i != j:
            expected -= np.real(np.outer(mu, mu) / (z[i] - z[j]) ** 2)
        np.testing.assert_allclose(T[i, j], expected, rtol=2e-8, atol=1e-8)
    vortices = [Vortex(position) for position in POSITIONS]
    W = mutual_energies(r0, [*vortices, Field(), Impurity(POSITIONS[2], 0.0, 25.0)])
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        green = np.log(abs((1 - z[i] * z[j].conjugate()) / (z[i] - z[j]))) / np.pi / r0
        assert W[i, j] == pytest.approx(green, rel=1e-8)
    # The energy of the infinite film is missing for points; it is the same at all positions.
    images = np.log(1 - abs(z) ** 2) / np.pi / r0
    np.testing.assert_allclose(np.diag(W)[:3] - W[0, 0], images - images[0], rtol=1e-6)
    # In a field B: g = −B (1 − r²)/(2 r0), m = −π B/(4 r0); energy of an impurity −(r0/2) m·∇g.
    np.testing.assert_allclose(W[3, :3], -(1 - abs(z) ** 2) / (2 * r0), rtol=1e-8)
    assert W[3, 3] == pytest.approx(np.pi / (4 * r0), rel=1e-8)
    direction = np.exp(1j * np.deg2rad(25.0))
    assert W[3, 4] == pytest.approx(-np.real(direction * z[2].conjugate()) / 2, rel=1e-8)


def test_point_is_the_limit_of_gaussians():
    # The energy that the edge adds to a Gaussian is a series in ξ²: fit it and take its value at 0.
    r0, position = 0.3, (0.48, 0.36)
    sizes = np.array([0.026, 0.029, 0.032, 0.036])
    added = []
    for size in sizes:
        film = smooth_potential(
            r0, np.zeros(2), lambda q, s=size: np.exp(-((q * s) ** 2)), 6.1 / size
        )
        T = interaction_tensor(r0, [position], [size])[0, 0]
        added.append(T + (r0 / 2) ** 2 * film.hessian)
    fit = np.linalg.solve(np.vander(sizes**2), np.reshape(added, (4, 4)))[-1].reshape(2, 2)
    point = interaction_tensor(r0, [position], [0.0])[0, 0]
    np.testing.assert_allclose(fit, point, atol=1e-6 * abs(point).max())


def test_point_among_others_is_the_limit_of_gaussians():
    others = [
        Vortex((-0.3, 0.2), 0.1),
        Impurity((0.0, 0.5), 0.0, 70.0),
        Vortex((0.2, -0.4)),
        Field(),
    ]
    sizes = np.array([0.02, 0.024, 0.028, 0.033])
    series = [mutual_energies(0.3, [Impurity((0.3, 0.2), size), *others])[0, 1:] for size in sizes]
    limit = np.linalg.solve(np.vander(sizes**2), series)[-1]
    point = mutual_energies(0.3, [Impurity((0.3, 0.2)), *others])[0, 1:]
    np.testing.assert_allclose(limit, point, rtol=1e-7)


@pytest.mark.parametrize("row", rows("point_kernels.csv"), ids=str)
def test_infinite_film_of_points(row):
    # Φ = V/π at r0 = 1; T = −∇∇Φ/4 = diag(−J∥, J⊥), J* = 1/4π.
    potential = point_potential(1.0, vector(row["r_over_r0"], 0.0))
    assert np.pi * potential.value == pytest.approx(row["V"], rel=1e-13)
    expected = [row["Jpar"], -row["Jperp"]]
    np.testing.assert_allclose(np.pi * np.diag(potential.hessian), expected, rtol=1e-12)


@pytest.mark.parametrize("row", rows("gaussian_pairs.csv"), ids=str)
def test_infinite_film_of_gaussians(row):
    r, size = row["r_over_r0"], row["xi_over_r0"]
    potential = smooth_potential(
        1.0, vector(0.0, r), lambda q: np.exp(-((q * size) ** 2)), 6.1 / size
    )
    scale = abs(row["Jpar"]) + abs(row["Jperp"])
    assert np.pi * potential.value == pytest.approx(row["V_xi"], rel=1e-12)
    expected = np.diag([-row["Jperp"], row["Jpar"]])
    np.testing.assert_allclose(np.pi * potential.hessian, expected, atol=1e-9 * scale)


@pytest.mark.parametrize("pearl_length", [0.01, 0.3, 10.0])
def test_disc_in_a_field_by_both_methods(pearl_length):
    result = Ring(0.0, 1.0, pearl_length).solve(field=1.0)
    sources = [Field(), Vortex((0.0, 0.8)), Impurity((0.36, 0.48), 0.0, 20.0)]
    energies = mutual_energies(pearl_length, sources)[0]
    assert -energies[0] == pytest.approx(result.moment, rel=2e-10)
    # A point vortex has the energy g, an impurity −(r0/2) m·∇g with ∂g/∂r = −K.
    assert energies[1] == pytest.approx(result.stream_function(0.8), rel=1e-9)
    slope = np.cos(np.arctan2(0.48, 0.36) - np.deg2rad(20.0)) * result.sheet_current(0.6)
    assert energies[2] == pytest.approx(pearl_length / 2 * slope, rel=1e-7)


def test_ring_inductance():
    (row,) = rows("ring_inductance.csv")
    result = Ring(row["inner"], row["outer"], row["r0"]).solve(fluxoid=1.0)
    assert 1 / result.current == pytest.approx(row["L_over_mu0"], abs=1e-6)
    kinetic = 2 * result.kinetic_energy / result.current**2
    assert kinetic == pytest.approx(row["kinetic_part_over_mu0"], abs=1e-6)


@pytest.mark.parametrize("pearl_length", [1e-3, 0.1, 1e6])
def test_ring_obeys_reciprocity_and_fluxoid_law(pearl_length):
    ring = Ring(0.3, 1.0, pearl_length)
    trapped, screening = ring.solve(fluxoid=1.0), ring.solve(field=1.0)
    assert trapped.moment == pytest.approx(-screening.current, rel=1e-13)  # reciprocity
    for result, fluxoid in [(trapped, 1.0), (screening, 0.0)]:
        supercurrent = 2 * np.pi * 0.3 * result.sheet_current(0.3) * pearl_length / 2
        # At an edge K varies as d ln d, so its value there is less exact.
        assert result.hole_flux + supercurrent == pytest.approx(fluxoid, abs=1e-7)
        assert result.stream_function(0.3) == pytest.approx(result.current, rel=1e-13)
        assert result.stream_function(1.0) == 0.0
    coarse = Ring(0.3, 1.0, pearl_length, order=8)
    assert coarse.solve(fluxoid=1.0).current == pytest.approx(trapped.current, rel=1e-9)
    assert coarse.solve(field=1.0).moment == pytest.approx(screening.moment, rel=1e-9)


def test_ring_limits():
    # r0 → ∞: K = (2/r0)/(2πr), so L = π r0/ln(b/a), which is all kinetic. Corrections are O(b/r0).
    result = Ring(0.3, 1.0, 1e9).solve(fluxoid=1.0)
    assert 1 / result.current == pytest.approx(np.pi * 1e9 / np.log(1 / 0.3), rel=1e-8)
    assert result.energy == pytest.approx(result.kinetic_energy, rel=1e-8)
    # A small hole without penetration, r0 ≪ a ≪ b: ψ is I/2 on the hole, as on a charged disc, so
    # the flux is 4a (I/2) and L = 2a. Corrections are O(a/b) and O(r0/a ln(a/r0)).
    small = Ring(1e-3, 1.0, 1e-6).solve(fluxoid=1.0)
    assert 1 / small.current == pytest.approx(2e-3, rel=5e-3)


@pytest.mark.parametrize("name", ["disc_field", "disc_self", "disc_pairs", "ring"])
def test_tables_have_converged(name):
    assert max(row["error"] for row in rows(f"{name}.csv", HERE)) < 1e-7


@pytest.mark.parametrize("row", [r for r in rows("disc_pairs.csv", HERE) if r["size"]], ids=str)
def test_tables_agree_with_this_code(row):
    r0, size = row["r0"], row["size"]
    positions = [(row["x1"], row["y1"]), (row["x2"], row["y2"])]
    T = interaction_tensor(r0, positions, [size, size])[0, 1]
    expected = [row[f"T_{a}{b}"] for a in "xy" for b in "xy"]
    np.testing.assert_allclose(T.ravel(), expected, atol=1e-8 * abs(T).max())
    W = mutual_energies(r0, [Vortex(positions[0], size), Impurity(positions[1], size, 90.0)])
    assert W[0, 1] == pytest.approx(row["V_y"], rel=1e-8)
