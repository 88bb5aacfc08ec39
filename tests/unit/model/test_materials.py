"""Materials: formulas against integrated linear response, limits, Fe(Se,Te) by hand, warnings."""

import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from references.bdg import Bands, integrate, response

from pearlfem.analytic import bcs, infinite_film
from pearlfem.model.materials import (
    FE_SE_TE,
    DiracSurface,
    RashbaLayer,
    ValidityWarning,
    pair_couplings,
)

# CODATA 2022
E, HBAR, MU0 = 1.602176634e-19, 1.054571817e-34, 1.25663706127e-6
EV_NM = E * 1e-9  # J m
MASS = 9.1093837139e-31
CONSTANTS = 2e-9  # digits of HBAR above, and how much μ0 differs between CODATA sets


def dirac(mu, gap):
    """ħv = 1 eV nm, energies in eV."""
    return DiracSurface(EV_NM, mu * E, gap * E, exchange=0.01 * E * 1e-18)


def rashba(y, gap):
    """ħ²/M = 1 eV nm², μ = 1 eV, so that k_F = √2 /nm; α = y Δ/k_F."""
    mass = HBAR**2 / (E * 1e-18)
    return RashbaLayer(mass, y * gap / np.sqrt(2) * EV_NM, E, gap * E, exchange=0.01 * E * 1e-18)


# --- superfluid weight and strength against the linear response of the Hamiltonian


@pytest.mark.parametrize(("mu", "gap"), [(3.0, 1.0), (1.0, 0.01), (0.1, 1.0), (1.0, 1.0)])
def test_dirac_weight_is_the_integrated_response(mu, gap):
    # Beyond the cut-off k = 1e5 μ the integrand falls like 3Δ²/8πk², whatever μ.
    found = response(Bands(1.0, mu), gap).weight + 3 * gap**2 / (8 * np.pi * 1e5 * mu)
    assert dirac(mu, gap).stiffness / E == pytest.approx(found, rel=2e-8)


def test_dirac_weight_for_large_and_small_gaps():
    # Corrections: (Δ/μ)² (½ + ln 2μ/Δ) and (μ/Δ)²/6.
    assert dirac(1.0, 1e-4).stiffness / E == pytest.approx(1 / (4 * np.pi), rel=2e-7)
    assert dirac(1e-4, 1.0).stiffness / E == pytest.approx(1 / (2 * np.pi), rel=1e-8)


@pytest.mark.parametrize("y", [0.1, 0.3, 1.0, 3.0, 10.0])
def test_rashba_strength_and_weight_are_the_integrated_response(y):
    gap = 1e-2
    layer, alpha = rashba(y, gap), y * gap / np.sqrt(2)
    found = response(Bands(alpha, 1.0, 1.0), gap)
    # e J0 = 0.01 eV nm²: Γ in units of (e/ħ) J0 eV/(eV nm)
    strength = layer.strength / (E / HBAR * 0.01 * E * 1e-9)
    assert strength == pytest.approx(-found.exchange, rel=1e-7)
    # What the spin–orbit coupling adds to ħ²k_F²/2πM = 1/π eV
    added, exact = layer.stiffness / E - 1 / np.pi, found.weight - 1 / np.pi
    assert added == pytest.approx(exact, rel=1e-6, abs=1e-14)


def test_rashba_bracket_for_weak_and_strong_coupling():
    def bracket(y):
        alpha_nm = y * 1e-3 / np.sqrt(2)
        unit = E / HBAR * 0.01 * E * 1e-18 * alpha_nm / (2 * np.pi * 1e-9)
        return rashba(y, 1e-3).strength / unit

    for y in (1e-6, 1e-4, 1e-3):  # 2y²/3 (1 − 4y²/5)
        assert bracket(y) == pytest.approx(2 / 3 * y**2, rel=y**2 + 1e-9)
    assert bracket(1e-2 * (1 - 1e-12)) == pytest.approx(bracket(1e-2 * (1 + 1e-12)), rel=1e-10)
    assert bracket(1e4) == pytest.approx(1.0, rel=2e-7)  # 1 − ln(2y)/y²


def test_normal_state_answers_neither_field():
    # Without a gap, at any temperature: with the diamagnetic term n/M = (μ + Mα²)/π nothing is
    # left; of a Dirac cone up to a cut-off K there is −K/4π, which is the same with a gap.
    alpha = 0.2
    for temperature in (0.02, 0.03):
        bands = Bands(alpha, 1.0, 1.0)
        found = integrate(bands, 0.0, temperature, bands.edges(temperature))
        np.testing.assert_allclose(found, [-(1 + alpha**2) / np.pi, 0.0], atol=1e-6)
        cone = Bands(1.0, 1.0)
        found = integrate(cone, 0.0, temperature, cone.edges(temperature))
        assert found[0] == pytest.approx(-1e5 / (4 * np.pi), rel=1e-9)


# --- temperature


def ratio(bands, gap, t):
    """Response at T = t Tc relative to that at T = 0, by vector potential and by exchange field."""
    warm = response(bands, gap * float(bcs.gap(t)), gap / bcs.GAP_RATIO * t)
    cold = response(bands, gap)
    return warm.weight / cold.weight, warm.exchange / cold.exchange


@pytest.mark.parametrize("t", [0.5, 0.9])
def test_weight_of_a_small_gap_falls_as_yosidas(t):
    # of order (Δ/μ)² ln(μ/Δ) ~ 5e-6
    w = float(bcs.clean_weight(t))
    assert ratio(Bands(1.0, 1.0), 1e-3, t)[0] == pytest.approx(w, abs=1e-5)
    assert ratio(Bands(1e-3, 1.0, 1.0), 1e-3, t)[0] == pytest.approx(w, abs=1e-5)


def test_weight_of_fe_se_te_falls_a_little_later():
    for t, excess in ((0.5, 0.020), (0.9, 0.083), (0.99, 0.100)):
        found = ratio(Bands(1.0, 3.0), 1.0, t)[0] / float(bcs.clean_weight(t)) - 1
        assert found == pytest.approx(excess, abs=1e-3)


@pytest.mark.parametrize(
    ("y", "t", "less"),
    [(10, 0.9, 0.013), (1, 0.5, 0.114), (1, 0.9, 0.344), (0.1, 0.5, 0.212), (0.1, 0.9, 0.498)],
)
def test_strength_of_a_rashba_layer_falls_with_the_weight_or_faster(y, t, less):
    gap = 1e-3
    found = ratio(Bands(y * gap / np.sqrt(2), 1.0, 1.0), gap, t)[1]
    assert 1 - found / float(bcs.clean_weight(t)) == pytest.approx(less, abs=1e-3)
    # The sum over Matsubara frequencies of the module's text; its terms fall like n^-5 beyond y.
    delta, temperature = bcs.GAP_RATIO * float(bcs.gap(t)), t
    omega = (2 * np.arange(4000) + 1) * np.pi * temperature
    split, a = bcs.GAP_RATIO * y, omega**2 + delta**2
    total = 2 * np.pi * temperature * np.sum((delta * split) ** 2 / (a**1.5 * (a + split**2)))
    cold = 1 - np.arcsinh(y) / (y * np.sqrt(1 + y**2))
    assert found == pytest.approx(total / cold, rel=1e-4)


# --- what follows from D and Γ


def test_fe_se_te_by_hand():
    # meV and nm: D = [4.7434 + 0.5 ln(9.2434/1.5)]/4π, J* = (D/2π)(J0|m|/ħv)²
    mu, gap, velocity, exchange = 4.5, 1.5, 21.6, 50 * 0.4**2 * 5
    total = np.sqrt(mu**2 + gap**2)
    weight = (total + gap**2 / mu * np.log((mu + total) / gap)) / (4 * np.pi)
    assert weight == pytest.approx(0.449823, abs=1e-6)
    assert FE_SE_TE.stiffness / E == pytest.approx(weight * 1e-3, rel=1e-14)
    coupling = weight / (2 * np.pi) * (exchange / velocity) ** 2
    assert FE_SE_TE.coupling_constant / E == pytest.approx(coupling * 1e-21, rel=1e-14)
    kappa = E**2 * weight * 1e-3 * E / HBAR**2
    assert FE_SE_TE.superfluid_weight == pytest.approx(kappa, rel=CONSTANTS)
    assert FE_SE_TE.pearl_length == pytest.approx(2 / (MU0 * kappa), rel=CONSTANTS)
    assert FE_SE_TE.pearl_length == pytest.approx(9.5675e-3, rel=1e-5)
    assert FE_SE_TE.strength == pytest.approx(2.02765e-16, rel=1e-5)
    potential = HBAR * exchange / velocity * 1e-9 / E  # Γ/κ
    assert FE_SE_TE.strength == pytest.approx(kappa * potential, rel=CONSTANTS)
    assert FE_SE_TE.coherence_length == pytest.approx(velocity / (np.pi * gap) * 1e-9, rel=1e-14)


def test_couplings_of_fe_se_te_at_10_nm_are_two_micro_electronvolts():
    # r/r0 = 1e-6, so both are J*/r² = 0.24551 meV nm² / 100 nm² up to r/r0.
    with pytest.warns(ValidityWarning):
        found = pair_couplings(FE_SE_TE, 1e-8)
    assert found.parallel == pytest.approx(2.4551e-6, rel=1e-4)
    assert found.perpendicular == pytest.approx(2.4551e-6, rel=1e-4)
    assert 0 < found.parallel / found.perpendicular - 1 < 2e-6


def test_couplings_are_those_of_the_infinite_film():
    layer = RashbaLayer(0.1 * MASS, 0.1 * EV_NM, E, 1e-3 * E, 1e-3 * E * 1e-18, moment=2.0)
    r = layer.pearl_length * np.array([[0.1, 0.5], [1.0, 20.0]])
    found = pair_couplings(layer, r)
    strengths = (layer.strength, layer.strength)
    exact = infinite_film.couplings(r, layer.pearl_length, strengths)
    for one, other in zip(found, exact, strict=True):
        np.testing.assert_allclose(one, MU0 * other / E, rtol=CONSTANTS)


def test_sign_of_exchange_and_spin_orbit_coupling_is_that_of_the_strength():
    layer = rashba(1.0, 1e-3)
    assert layer.strength > 0
    for change in ({"exchange": -layer.exchange}, {"rashba": -layer.rashba}):
        other = replace(layer, **change)
        assert other.strength == -layer.strength
        assert (other.stiffness, other.coupling_constant) == (
            layer.stiffness,
            layer.coupling_constant,
        )
    assert replace(FE_SE_TE, exchange=-FE_SE_TE.exchange).strength == -FE_SE_TE.strength


def test_coherence_length_of_a_rashba_layer():
    # v_F = √(2μ/M + α²) = √(2 + 0.5) eV nm/ħ with α = 1/√2 eV nm
    assert rashba(1e3, 1e-3).coherence_length == pytest.approx(
        np.sqrt(2.5) / (np.pi * 1e-3) * 1e-9, rel=CONSTANTS
    )


# --- input


def test_texts_have_units():
    given = DiracSurface("0.216 eV*angstrom", "4.5 meV", "1.5 meV", "8 meV*nm^2", 5.0)
    for name in ("velocity", "chemical_potential", "gap", "exchange", "moment"):
        assert getattr(given, name) == pytest.approx(getattr(FE_SE_TE, name), rel=1e-12)
    layer = RashbaLayer("0.1 electron_mass", "-1 eV nm", "1 eV", "1 meV", "8 meV*nm^2")
    assert layer.mass == pytest.approx(0.1 * MASS, rel=1e-9)
    assert layer.rashba == pytest.approx(-EV_NM, rel=1e-12)


def test_pint_is_loaded_for_texts_only():
    code = "import sys, pearlfem.model.materials\nassert 'pint' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gap", -1e-22, "greater than 0 .*input_value=-1e-22"),
        ("gap", "-1.5 meV", "greater than 0 .*input_value='-1.5 meV'"),
        ("gap", 0.0, "greater than 0"),
        ("gap", "1.5 mT", r"'mT' has dimension \[mass\] / .*, but \[mass\] \* \[length\] \*\* 2"),
        ("gap", "15", "'15' is not a number with a unit"),
        ("gap", "1.5 jug", "'jug' is not a known unit"),
        ("chemical_potential", 0.0, "greater than 0 .*input_value=0.0"),
        ("chemical_potential", -1.0, "greater than 0 .*input_value=-1.0"),
        ("velocity", 0.0, "greater than 0"),
        ("velocity", float("nan"), "finite"),
        ("exchange", 0.0, "not be 0"),
        ("exchange", "0 meV*nm^2", "not be 0"),
        ("moment", -5.0, "greater than 0"),
        ("spin", 1.0, "[Uu]nexpected keyword"),
    ],
)
def test_impossible_material_is_refused(name, value, message):
    good = {"velocity": 1e-29, "chemical_potential": 1e-22, "gap": 1e-22, "exchange": 1e-40}
    with pytest.raises(ValidationError, match=message) as caught:
        DiracSurface(**good | {name: value})
    assert caught.value.errors()[0]["loc"] == (name,)


@pytest.mark.parametrize("name", ["mass", "rashba", "chemical_potential", "gap"])
def test_rashba_layer_refuses_zero(name):
    with pytest.raises(ValidationError, match=f"{name}\n"):
        replace(rashba(1.0, 1e-3), **{name: 0.0})


@pytest.mark.parametrize("distance", [0.0, -1e-8, [1e-8, float("nan")]])
def test_distance_that_is_not_positive_is_refused(distance):
    with pytest.raises(ValueError, match=r"distance = .*must be > 0"):
        pair_couplings(FE_SE_TE, distance)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_size_that_is_not_positive_is_refused(size):
    with pytest.raises(ValueError, match=f"sample_size = {size}"):
        pair_couplings(FE_SE_TE, 1e-8, size)


# --- validity


def test_range_of_the_response_of_iron_selenide():
    # ħv = 21.6 meV nm over Δ = 1.5 meV, and 2π times it over μ = 4.5 meV
    assert np.pi * FE_SE_TE.coherence_length == pytest.approx(14.4e-9, rel=1e-9)
    assert FE_SE_TE.fermi_wavelength == pytest.approx(2 * np.pi * 4.8e-9, rel=1e-9)
    assert FE_SE_TE.response_range == FE_SE_TE.fermi_wavelength


@pytest.mark.parametrize("y", [1e-9, 0.1, 3e3])
def test_fermi_wavelength_of_a_rashba_layer_is_that_of_the_smaller_circle(y):
    layer = rashba(y, 1e-3)
    k = 2 * np.pi / layer.fermi_wavelength
    # On the upper helicity band ħ²k²/2M + |α| k = μ.
    energy = HBAR**2 * k**2 / (2 * layer.mass) + abs(layer.rashba) * k
    assert energy == pytest.approx(layer.chemical_potential, rel=CONSTANTS)


def test_distance_below_the_range_of_the_response_is_warned_of():
    words = r"1e-08 m < 3\.02e-08 m, .* 1\.44e-08 m .* 3\.02e-08 m: .* is stretched$"
    with pytest.warns(ValidityWarning, match=words) as caught:
        pair_couplings(FE_SE_TE, [1e-7, 1e-8])
    assert caught[0].filename == __file__
    assert len(caught) == 1


def test_distance_below_the_coherence_length_is_warned_of():
    with pytest.warns(ValidityWarning, match=r"3e-09 m < .*stretched, and anomalous currents over"):
        pair_couplings(FE_SE_TE, 3e-9)


def test_pearl_length_beyond_the_sample_is_warned_of():
    with pytest.warns(ValidityWarning, match=r"Pearl length 0\.00957 m > sample size 1e-05 m"):
        pair_couplings(FE_SE_TE, 1e-6, sample_size=1e-5)


def test_no_warning_where_the_formulas_hold():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair_couplings(FE_SE_TE, [4e-8, 1e-3], sample_size=0.1)
        pair_couplings(FE_SE_TE, [])
