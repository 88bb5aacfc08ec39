"""Sources on a disc against a spectral Galerkin method and against the closed form r0 → ∞.

The mesh does not depend on the Pearl length: tests share it.
"""

from functools import cache

import numpy as np
import pytest
from helpers import case, rows

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Vortex,
    create_mesh,
    free_energy,
    interaction_tensor,
)


@pytest.fixture(scope="module")
def mesh_of():
    """The mesh for impurities, made once."""
    return cache(
        lambda *impurities: create_mesh(Film(Disc(1.0), 0.1), impurities, resolution=0.8, far=50.0)
    )


@pytest.fixture
def solve():
    """Solve for the components of each source; problems are freed after the test."""
    problems = []

    def solved(pearl_length, sources, mesh):
        problems.append(MaxwellLondon(Film(Disc(1.0), pearl_length), mesh))
        return problems[-1].solve_each(sources)

    yield solved
    for problem in problems:
        problem.destroy()


def tensor_in_coupling_units(pearl_length, solutions):
    """T in J*/R² with R = 1: J* = Γ²/(2πκ) = r0/4π in reduced units."""
    return interaction_tensor(solutions) * 4 * np.pi / pearl_length


@pytest.mark.parametrize(
    "row",
    [
        case(row, slow=(row["xi_over_R"] == 0.1) != (row["r0_over_R"] == 1))
        for row in rows("disc_impurity_centre.csv", "disc_vortex_centre.csv")
    ],
    ids=str,
)
def test_impurity_and_vortex_at_the_centre(solve, mesh_of, row):
    r0, impurity = row["r0_over_R"], Impurity((0.0, 0.0), row["xi_over_R"])
    vortex = Vortex(impurity.position, impurity.size)  # in need of the same mesh
    *moments, flux = solve(r0, [impurity, vortex], mesh_of(impurity))
    # Below: a bound; the inscribed polygon only lowers it.
    for energy in np.diag(tensor_in_coupling_units(r0, moments)[0, 0]) / 2:
        assert -1e-4 < energy / row["F_self"] - 1 < 0
    unit = (2 / r0) / (4 * np.pi)  # κΦ0²/4π
    assert -1e-4 < free_energy(flux) / (row["E_over_kPhi02_4pi"] * unit) - 1 < 0


@pytest.mark.parametrize(
    "row",
    [
        case(row, slow=(row["s_over_R"] == 0.25) == (row["r0_over_R"] == 1))
        for row in rows("disc_pairs.csv")
    ],
    ids=str,
)
def test_pairs(solve, mesh_of, row):
    s, r0 = row["s_over_R"], row["r0_over_R"]
    pair = [Impurity((x, 0.0), row["xi_over_R"]) for x in (-s, s)]
    tensor = tensor_in_coupling_units(r0, solve(r0, pair, mesh_of(*pair)))
    assert tensor[0, 1, 0, 0] == pytest.approx(row["F12_xx"], rel=1e-4)
    assert tensor[0, 1, 1, 1] == pytest.approx(row["F12_yy"], rel=1e-4)
    assert -1e-4 < tensor[1, 1, 0, 0] / 2 / row["Fself_x"] - 1 < 0
    assert -1e-4 < tensor[1, 1, 1, 1] / 2 / row["Fself_y"] - 1 < 0


def test_closed_form_of_a_long_pearl_length(solve, mesh_of):
    # r0 → ∞: with complex positions z and moments μ, F_ij = J*{−Re[μ_i μ_j/(z_i−z_j)²]
    # − Re[μ_i μ̄_j R²/(R² − z_i z̄_j)²]}, self-energy J*[1/8ξ² − R²/(2(R²−s²)²)]. Gaussians that
    # overlap neither each other nor the edge act as points (mean value property); rest O(R/r0).
    z = np.array([0.4 + 0.1j, -0.2 + 0.35j])
    size, r0 = 0.05, 1e6
    pair = [Impurity((p.real, p.imag), size) for p in z]
    tensor = tensor_in_coupling_units(r0, solve(r0, pair, mesh_of(*pair)))
    mu = np.array([1, 1j])
    between = -np.real(np.outer(mu, mu) / (z[0] - z[1]) ** 2)
    image = -np.real(np.outer(mu, mu.conj()) / (1 - z[0] * z[1].conj()) ** 2)
    scale = np.abs(between + image).max()
    np.testing.assert_allclose(tensor[0, 1], between + image, atol=1e-4 * scale)
    for i in (0, 1):
        s = abs(z[i])
        energy = 1 / (8 * size**2) - 1 / (2 * (1 - s**2) ** 2)
        np.testing.assert_allclose(np.diag(tensor[i, i]) / 2, energy, rtol=1e-4)
