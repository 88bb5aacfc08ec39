"""Impurities on a disc against a spectral Galerkin method and against the closed form r0 → ∞."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pearlfem import Disc, Film, Impurity, MaxwellLondon, create_mesh, interaction_tensor

DATA = Path(__file__).parents[1] / "data"


def rows(name):
    with (DATA / name).open() as table:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(table)]


def tensor_in_coupling_units(pearl_length, impurities):
    """T in J*/R² with R = 1: J* = Γ²/(2πκ) = r0/4π in reduced units."""
    film = Film(Disc(1.0), pearl_length)
    problem = MaxwellLondon(film, create_mesh(film, impurities))
    solutions = problem.solve_each(impurities)
    tensor = interaction_tensor(solutions)
    problem.destroy()
    return tensor * 4 * np.pi / pearl_length


@pytest.mark.parametrize("row", rows("disc_impurity_centre.csv"), ids=str)
def test_self_energy_at_the_centre(row):
    tensor = tensor_in_coupling_units(row["r0_over_R"], [Impurity((0.0, 0.0), row["xi_over_R"])])
    for a in (0, 1):
        error = tensor[0, 0, a, a] / 2 / row["F_self"] - 1
        assert -1e-4 < error < 0  # below: a bound; the inscribed polygon only lowers it


@pytest.mark.parametrize("row", rows("disc_pairs.csv"), ids=str)
def test_pairs(row):
    s, size = row["s_over_R"], row["xi_over_R"]
    pair = [Impurity((-s, 0.0), size), Impurity((s, 0.0), size)]
    tensor = tensor_in_coupling_units(row["r0_over_R"], pair)
    assert tensor[0, 1, 0, 0] == pytest.approx(row["F12_xx"], rel=1e-4)
    assert tensor[0, 1, 1, 1] == pytest.approx(row["F12_yy"], rel=1e-4)
    assert -1e-4 < tensor[1, 1, 0, 0] / 2 / row["Fself_x"] - 1 < 0
    assert -1e-4 < tensor[1, 1, 1, 1] / 2 / row["Fself_y"] - 1 < 0


def test_closed_form_of_a_long_pearl_length():
    # r0 → ∞: with complex positions z and moments μ, F_ij = J*{−Re[μ_i μ_j/(z_i−z_j)²]
    # − Re[μ_i μ̄_j R²/(R² − z_i z̄_j)²]}, self-energy J*[1/8ξ² − R²/(2(R²−s²)²)]. Gaussians that
    # overlap neither each other nor the edge act as points (mean value property); rest O(R/r0).
    z = np.array([0.4 + 0.1j, -0.2 + 0.35j])
    size = 0.05
    tensor = tensor_in_coupling_units(1e6, [Impurity((p.real, p.imag), size) for p in z])
    mu = np.array([1, 1j])
    between = -np.real(np.outer(mu, mu) / (z[0] - z[1]) ** 2)
    image = -np.real(np.outer(mu, mu.conj()) / (1 - z[0] * z[1].conj()) ** 2)
    scale = np.abs(between + image).max()
    np.testing.assert_allclose(tensor[0, 1], between + image, atol=1e-4 * scale)
    for i in (0, 1):
        s = abs(z[i])
        energy = 1 / (8 * size**2) - 1 / (2 * (1 - s**2) ** 2)
        np.testing.assert_allclose(np.diag(tensor[i, i]) / 2, energy, rtol=1e-4)
