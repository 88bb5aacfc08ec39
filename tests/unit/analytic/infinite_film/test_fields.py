"""Current and field of an impurity on the infinite film: tables, Maxwell–London equations."""

import numpy as np
import pytest

from pearlfem.analytic import infinite_film
from pearlfem.analytic.infinite_film import (
    magnetic_field,
    scalar_potential,
    sheet_current,
    stream_function,
)

SOURCE = {"position": (0.2, -0.1), "angle": 35.0, "strength": 1.7, "pearl_length": 0.8}
FILM = np.array([[0.5, 0.3], [-0.4, 0.6], [1.5, -1.0], [0.25, -0.5]])
SPACE = np.array([[0.5, 0.3, 0.4], [-0.4, 0.6, 0.7], [1.5, -1.0, -0.3], [0.2, -0.5, -1.5]])
SIZES = pytest.mark.parametrize("size", [0.0, 0.25])
MOMENT = np.array([np.cos(np.deg2rad(35.0)), np.sin(np.deg2rad(35.0))])


def table_field(table, size):
    """B_z at φ = 0, B_r at φ = 0 and B_φ at φ = 90° (φ̂ = −x̂), in the table's unit a0/r0³."""
    r, z = table["r_over_r0"], table["z_over_r0"]
    zero = np.zeros_like(r)
    ahead = magnetic_field(np.stack([r, zero, z], axis=-1), size=size)
    aside = magnetic_field(np.stack([zero, r, z], axis=-1), size=size)
    a0 = 0.5  # Γ/κ at Γ = r0 = 1
    return {"Bz": ahead[:, 2] / a0, "Br": ahead[:, 0] / a0, "Bphi": -aside[:, 0] / a0}


def test_point_fields_table(read_table):
    table = read_table("point_fields")  # 14 digits; no component is near zero at these points
    for component, got in table_field(table, 0.0).items():
        np.testing.assert_allclose(got, table[component], rtol=1e-12)


def test_gaussian_fields_table(read_table):
    # The table has 13 digits, but its Hankel integrals lose some by cancellation: at r = 200 ξ its
    # B_z differs from a 32-digit value (−4.22324533655887e-5) by 2.1e-11, its B_r by 7e-12.
    table = read_table("gaussian_fields")
    for size in np.unique(table["xi_over_r0"]):
        rows = {name: column[table["xi_over_r0"] == size] for name, column in table.items()}
        for component, got in table_field(rows, size).items():
            np.testing.assert_allclose(got, rows[component], rtol=4e-11)


def test_gaussian_field_at_thirty_two_digits():
    # x, z, ξ, −B_z, −B_x for Γ = 1: Hankel integrals at 32 digits (mpmath), unit as in the table.
    field = magnetic_field([10.0, 0.0, 0.0], size=0.05) / 0.5
    np.testing.assert_allclose(
        field[[2, 0]], [-4.22324533655887e-5, -3.023176139981547e-4], rtol=1e-13
    )


@SIZES
def test_current_is_the_turned_gradient_of_the_stream_function(size, gradient):
    slope = gradient(lambda p: stream_function(p, size=size, **SOURCE), FILM, 1e-3)
    expected = np.stack([slope[:, 1], -slope[:, 0]], axis=-1)
    current = sheet_current(FILM, size=size, **SOURCE)
    np.testing.assert_allclose(current, expected, rtol=1e-7)  # error of differences: (h/r)⁴ = 1e-9


@SIZES
def test_current_has_no_divergence(size, gradient):
    jacobian = gradient(lambda p: sheet_current(p, size=size, **SOURCE), FILM, 1e-3)
    divergence = np.trace(jacobian, axis1=1, axis2=2)
    assert np.all(np.abs(divergence) < 1e-8 * np.abs(jacobian).max(axis=(1, 2)))


@SIZES
def test_london_equation_on_the_film(size, gradient):
    # K = −κ(A + a − ∇χ): rot K + κ B_z = −κ rot a = Γ (m·∇) f, f the profile of the impurity.
    kappa = 2 / SOURCE["pearl_length"]
    jacobian = gradient(lambda p: sheet_current(p, size=size, **SOURCE), FILM, 1e-3)
    rotation = jacobian[:, 1, 0] - jacobian[:, 0, 1]
    normal = magnetic_field(np.pad(FILM, ((0, 0), (0, 1))), size=size, **SOURCE)[:, 2]
    expected = np.zeros(len(FILM))
    if size:
        away = FILM - SOURCE["position"]
        profile = np.exp(-(away**2).sum(axis=1) / (2 * size**2)) / (2 * np.pi * size**2)
        expected = -SOURCE["strength"] * profile * (away @ MOMENT) / size**2
    assert np.all(np.abs(rotation + kappa * normal - expected) < 1e-7 * np.abs(rotation))


@SIZES
def test_paper_form_of_the_current(size):
    # K = (κ/Γ) [J∥ m×ẑ − (J∥ + J⊥)((m×ẑ)·r̂) r̂], Eq. (12), with J for the sizes (ξ, 0).
    pearl_length, strength = SOURCE["pearl_length"], SOURCE["strength"]
    away = FILM - SOURCE["position"]
    r = np.hypot(away[:, 0], away[:, 1])
    perpendicular, parallel = infinite_film.couplings(
        r, pearl_length, (strength, strength), (size, 0.0)
    )
    across, radial = np.array([MOMENT[1], -MOMENT[0]]), away / r[:, None]
    expected = parallel[:, None] * across
    expected -= ((parallel + perpendicular) * (radial @ across))[:, None] * radial
    expected *= 2 / pearl_length / strength
    current = sheet_current(FILM, size=size, **SOURCE)
    np.testing.assert_allclose(current, expected, rtol=1e-12)


def test_energy_of_a_pair_from_the_current():
    # F_ij = −(Γ_j/κ) (m_j×ẑ)·K_i at a point impurity j.
    tensor = infinite_film.interaction_tensor(
        [SOURCE["position"], FILM[0]], SOURCE["pearl_length"], (SOURCE["strength"], 0.6), (0.25, 0)
    )
    current = sheet_current(FILM[0], size=0.25, **SOURCE)
    moment = np.array([0.6, -0.8])
    across = np.array([moment[1], -moment[0]])
    energy = -0.6 * SOURCE["pearl_length"] / 2 * across @ current
    assert energy == pytest.approx(MOMENT @ tensor[0, 1] @ moment, rel=1e-12)


@SIZES
def test_field_is_minus_the_gradient_of_the_scalar_potential(size, gradient):
    expected = -gradient(lambda p: scalar_potential(p, size=size, **SOURCE), SPACE, 1e-3)
    field = magnetic_field(SPACE, size=size, **SOURCE)
    scale = np.abs(field).max(axis=1, keepdims=True)
    assert np.all(np.abs(field - expected) < 1e-8 * scale)


@SIZES
def test_field_has_neither_divergence_nor_curl(size, gradient):
    jacobian = gradient(lambda p: magnetic_field(p, size=size, **SOURCE), SPACE, 1e-3)
    scale = np.abs(jacobian).max(axis=(1, 2))
    assert np.all(np.abs(np.trace(jacobian, axis1=1, axis2=2)) < 1e-8 * scale)
    curl = jacobian - jacobian.transpose(0, 2, 1)
    assert np.all(np.abs(curl) < 1e-8 * scale[:, None, None])


@SIZES
def test_parity_across_the_film(size):
    above = magnetic_field(SPACE, size=size, **SOURCE)
    below = magnetic_field(SPACE * [1, 1, -1], size=size, **SOURCE)
    np.testing.assert_array_equal(below, above * [-1, -1, 1])
    psi = scalar_potential(SPACE, size=size, **SOURCE)
    np.testing.assert_array_equal(scalar_potential(SPACE * [1, 1, -1], size=size, **SOURCE), -psi)


@SIZES
def test_jumps_at_the_film(size):
    # z = 0 is the limit from above: K = 2 ẑ × B_t and g = 2ψ.
    on_film = np.pad(FILM, ((0, 0), (0, 1)))
    field = magnetic_field(on_film, size=size, **SOURCE)
    current = sheet_current(FILM, size=size, **SOURCE)
    np.testing.assert_allclose(current, 2 * np.stack([-field[:, 1], field[:, 0]], -1), rtol=1e-13)
    psi = scalar_potential(on_film, size=size, **SOURCE)
    np.testing.assert_allclose(stream_function(FILM, size=size, **SOURCE), 2 * psi, rtol=1e-13)
    just_above = magnetic_field(on_film + np.array([0, 0, 1e-9]), size=size, **SOURCE)
    np.testing.assert_allclose(just_above, field, rtol=1e-6)


def test_centre_of_a_gaussian_impurity():
    # All in-plane components are isotropic at r = 0: K = −(κ/Γ) J⊥ m×ẑ, B_z = 0.
    perpendicular = infinite_film.couplings(0.0, 0.8, (1.7, 1.7), (0.25, 0.0)).perpendicular
    expected = -2 / 0.8 / 1.7 * perpendicular * np.array([MOMENT[1], -MOMENT[0]])
    centre = np.array(SOURCE["position"])
    np.testing.assert_allclose(sheet_current(centre, size=0.25, **SOURCE), expected, rtol=1e-13)
    assert magnetic_field([*centre, 0.0], size=0.25, **SOURCE)[2] == 0.0
    assert stream_function(centre, size=0.25, **SOURCE) == 0.0


def test_point_impurity_itself_is_nan_without_warning():
    centre = np.array(SOURCE["position"])
    assert np.all(np.isnan(sheet_current(centre, **SOURCE)))
    assert np.all(np.isnan(magnetic_field([*centre, 0.0], **SOURCE)))
    assert np.isnan(stream_function(centre, **SOURCE))


def test_shapes():
    film, mesh = np.ones((4, 5, 2)), np.ones((4, 5, 3))
    assert stream_function(film).shape == (4, 5)
    assert sheet_current(film).shape == (4, 5, 2)
    assert scalar_potential(mesh).shape == (4, 5)
    assert magnetic_field(mesh).shape == (4, 5, 3)
    assert magnetic_field(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (magnetic_field, {"points": [[0.0, 1.0]]}, r"points has shape \(1, 2\).*3 long"),
        (sheet_current, {"points": [[0.0, 1.0, 2.0]]}, r"points has shape \(1, 3\).*2 long"),
        (stream_function, {"points": [1.0, 1.0], "position": [0.0]}, "position has shape"),
        (stream_function, {"points": [1.0, 1.0], "size": -1.0}, "size = -1.0"),
        (scalar_potential, {"points": [1.0, 1.0, 0.0], "angle": np.nan}, "angle = nan"),
        (magnetic_field, {"points": [1.0, np.inf, 0.0]}, "points = .*finite"),
        (magnetic_field, {"points": [1.0, 1.0, 0.0], "strength": np.inf}, "strength = inf"),
        (sheet_current, {"points": [1.0, 1.0], "pearl_length": 0.0}, "pearl_length = 0.0"),
    ],
)
def test_refuses(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)
