"""Pearl vortex: table, Maxwell–London equations, flux, energies."""

import numpy as np
import pytest

from pearlfem.analytic import infinite_film, pearl_vortex

VORTEX = {"position": (0.2, -0.1), "pearl_length": 0.8, "winding": 2, "flux_quantum": 1.3}
FILM = np.array([[0.5, 0.3], [-0.4, 0.6], [1.5, -1.0], [0.25, -0.5]])
SPACE = np.array([[0.5, 0.3, 0.4], [-0.4, 0.6, 0.7], [1.5, -1.0, -0.3], [0.2, -0.5, -1.5]])
SIZES = pytest.mark.parametrize("size", [0.0, 0.25])


def test_pearl_vortex_table(read_table):
    table = read_table("pearl_vortex")  # 14 digits; κΦ0/2π = 1/π at r0 = Φ0 = 1
    film = np.stack([table["r_over_r0"], np.zeros(13)], axis=-1)
    got = pearl_vortex.stream_function(film)
    np.testing.assert_allclose(got * np.pi, table["g"], rtol=2e-13)
    current = pearl_vortex.sheet_current(film)
    np.testing.assert_allclose(current[:, 1] * np.pi, table["K_phi"], rtol=2e-13)
    assert np.all(current[:, 0] == 0)
    field = pearl_vortex.magnetic_field(np.pad(film, ((0, 0), (0, 1))))
    np.testing.assert_allclose(field[:, 2], table["Bz"], rtol=2e-13)
    energy = pearl_vortex.interaction_energy(table["r_over_r0"])
    np.testing.assert_allclose(energy * np.pi, table["g"], rtol=2e-13)


def test_gaussian_pairs_table(read_table):
    table = read_table("gaussian_pairs")  # V of two cores of width ξ
    for size in np.unique(table["xi_over_r0"]):
        rows = table["xi_over_r0"] == size
        energy = pearl_vortex.interaction_energy(table["r_over_r0"][rows], sizes=(size, size))
        np.testing.assert_allclose(energy * np.pi, table["V_xi"][rows], rtol=2e-13)


@SIZES
def test_london_equation_on_the_film(size, gradient):
    # rot K + κ B_z = −κ rot a = κ nΦ0 f.
    kappa, flux = 2 / VORTEX["pearl_length"], VORTEX["winding"] * VORTEX["flux_quantum"]
    jacobian = gradient(lambda p: pearl_vortex.sheet_current(p, size=size, **VORTEX), FILM, 1e-3)
    rotation = jacobian[:, 1, 0] - jacobian[:, 0, 1]
    on_film = np.pad(FILM, ((0, 0), (0, 1)))
    normal = pearl_vortex.magnetic_field(on_film, size=size, **VORTEX)[:, 2]
    expected = np.zeros(len(FILM))
    if size:
        square = ((FILM - VORTEX["position"]) ** 2).sum(axis=1)
        expected = kappa * flux * np.exp(-square / (2 * size**2)) / (2 * np.pi * size**2)
    scale = np.abs(jacobian).max(axis=(1, 2))
    assert np.all(np.abs(rotation + kappa * normal - expected) < 1e-8 * scale)
    assert np.all(np.abs(np.trace(jacobian, axis1=1, axis2=2)) < 1e-8 * scale)


@SIZES
def test_current_is_the_turned_gradient_of_the_stream_function(size, gradient):
    slope = gradient(lambda p: pearl_vortex.stream_function(p, size=size, **VORTEX), FILM, 1e-3)
    current = pearl_vortex.sheet_current(FILM, size=size, **VORTEX)
    np.testing.assert_allclose(current, np.stack([slope[:, 1], -slope[:, 0]], -1), rtol=1e-7)


@SIZES
def test_field_above_and_below(size, gradient):
    jacobian = gradient(lambda p: pearl_vortex.magnetic_field(p, size=size, **VORTEX), SPACE, 1e-3)
    scale = np.abs(jacobian).max(axis=(1, 2))
    assert np.all(np.abs(np.trace(jacobian, axis1=1, axis2=2)) < 1e-8 * scale)
    curl = jacobian - jacobian.transpose(0, 2, 1)
    assert np.all(np.abs(curl) < 1e-8 * scale[:, None, None])
    above = pearl_vortex.magnetic_field(SPACE, size=size, **VORTEX)
    below = pearl_vortex.magnetic_field(SPACE * [1, 1, -1], size=size, **VORTEX)
    np.testing.assert_array_equal(below, above * [-1, -1, 1])
    # K = 2 ẑ × B_t just above the film.
    field = pearl_vortex.magnetic_field(np.pad(FILM, ((0, 0), (0, 1))), size=size, **VORTEX)
    current = pearl_vortex.sheet_current(FILM, size=size, **VORTEX)
    np.testing.assert_allclose(current, 2 * np.stack([-field[:, 1], field[:, 0]], -1), rtol=1e-13)


def test_monopole_far_away():
    # B → nΦ0 R/(2πR³), where R starts at the image at depth r0; the next term is (r0/R)² of it.
    point = np.array([300.0, 400.0, 500.0])
    shifted = point - [*VORTEX["position"], -VORTEX["pearl_length"]]
    expected = 2 * 1.3 * shifted / (2 * np.pi * np.linalg.norm(shifted) ** 3)
    field = pearl_vortex.magnetic_field(point, **VORTEX)
    np.testing.assert_allclose(field, expected, rtol=1e-5)


def test_energy_with_an_impurity_from_either_source():
    # −(Γ/κ)(m×ẑ)·K of the vortex at the impurity = nΦ0 g of the impurity at the vortex.
    angle, strength = 35.0, 1.7
    moment = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    energy = pearl_vortex.impurity_energy(FILM, angle, strength=strength, **VORTEX)
    current = pearl_vortex.sheet_current(FILM, **VORTEX)
    across = np.array([moment[1], -moment[0]])
    np.testing.assert_allclose(energy, -strength * 0.4 * current @ across, rtol=1e-12)
    flux = VORTEX["winding"] * VORTEX["flux_quantum"]
    for point, value in zip(FILM, energy, strict=True):
        g = infinite_film.stream_function(
            VORTEX["position"], point, angle, strength=strength, pearl_length=0.8
        )
        assert value == pytest.approx(flux * g, rel=1e-12)


def test_energy_with_an_impurity_of_finite_size():
    # The energy depends only on ξ² + (core)².
    point = pearl_vortex.impurity_energy(FILM, 10.0, sizes=(0.5, 0.0))
    np.testing.assert_allclose(
        pearl_vortex.impurity_energy(FILM, 10.0, sizes=(0.3, 0.4)), point, rtol=1e-14
    )


def test_attracts_impurities_that_point_at_it():
    assert pearl_vortex.impurity_energy([1.0, 0.0], 180.0) < 0
    assert pearl_vortex.impurity_energy([1.0, 0.0], 0.0) > 0


def test_energies_of_vortices():
    same = pearl_vortex.interaction_energy(np.array([0.1, 1.0, 10.0]))
    assert np.all(np.diff(same) < 0)
    opposite = pearl_vortex.interaction_energy(np.array([0.1, 1.0, 10.0]), windings=(1, -1))
    np.testing.assert_array_equal(opposite, -same)
    # Two equal vortices at one position are a double vortex: F(2) = 4 F(1) = 2 F(1) + F_12.
    single = pearl_vortex.self_energy(0.1, pearl_length=0.8)
    assert pearl_vortex.self_energy(0.1, winding=2, pearl_length=0.8) == pytest.approx(4 * single)
    pair = pearl_vortex.interaction_energy(0.0, sizes=(0.1, 0.1), pearl_length=0.8)
    assert pair == pytest.approx(2 * single)


def test_point_vortex_itself():
    centre = VORTEX["position"]
    assert pearl_vortex.stream_function(centre, **VORTEX) == np.inf
    assert pearl_vortex.magnetic_field([*centre, 0.0], **VORTEX)[2] == np.inf
    assert np.all(np.isnan(pearl_vortex.sheet_current(centre, **VORTEX)))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("stream_function", {"points": [1.0, 1.0], "pearl_length": 0.0}, "pearl_length = 0.0"),
        ("sheet_current", {"points": [1.0, 1.0, 1.0]}, "points has shape"),
        ("magnetic_field", {"points": [1.0, 1.0, 1.0], "size": -0.1}, "size = -0.1"),
        ("magnetic_field", {"points": [1.0, 1.0, 1.0], "flux_quantum": np.nan}, "flux_quantum"),
        ("interaction_energy", {"r": -1.0}, "r = -1.0"),
        ("self_energy", {"size": 0.0}, "size = 0.0"),
        ("impurity_energy", {"points": [1.0, 1.0], "sizes": (-1.0, 0.0)}, "sizes = "),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(pearl_vortex, function)(**arguments)
