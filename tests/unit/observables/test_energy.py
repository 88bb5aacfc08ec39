"""Energies against a direct solution of the same discrete problem, and their laws."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from pearlfem import free_energy, interaction_tensor
from pearlfem.formulation.stream.levels import assemble_level


def dense_energies(solutions):
    """ℓ_i · B⁻¹ ℓ_j of the assembled problem, by a sparse direct solver (serial)."""
    first = solutions[0]
    degree = first.potential.function_space.element.basix_element.degree
    level = assemble_level(first.films, degree)
    rows, columns, values = level.operator.getValuesCSR()
    level.operator.destroy()
    B = level.unit * scipy.sparse.csr_matrix((values, columns, rows)).tocsc()
    loads = np.array([solution.load for solution in solutions])
    return loads @ scipy.sparse.linalg.splu(B).solve(loads.T)


def test_tensor_is_twice_the_mutual_energies(solutions, impurities):
    n = len(impurities)
    expected = 2 * dense_energies(solutions).reshape(n, 2, n, 2).transpose(0, 2, 1, 3)
    tensor = interaction_tensor(solutions)
    assert tensor.shape == (n, n, 2, 2)
    # The solver's error of 1e-9 enters squared; what is left is rounding.
    np.testing.assert_allclose(tensor, expected, atol=1e-13 * np.abs(expected).max())


def test_tensor_is_symmetric_exactly(solutions):
    tensor = interaction_tensor(solutions)
    np.testing.assert_array_equal(tensor, tensor.transpose(1, 0, 3, 2))


def test_free_energy_is_half_the_tensor_between_the_moments(solution, solutions, impurities):
    m = np.array([impurity.moment for impurity in impurities])
    half = 0.5 * np.einsum("ia,ijab,jb", m, interaction_tensor(solutions), m)
    assert free_energy(solution) == pytest.approx(half, rel=1e-12)  # rounding


def test_any_other_potential_has_a_lower_energy(solution):
    # 2ℓ(ψ) − B(ψ, ψ) is largest at the solution, and falls with the square of the distance.
    best = free_energy(solution)
    free = solution.load != 0.0  # dofs near the film; zero elsewhere keeps what is fixed
    direction = np.where(free, np.random.default_rng(0).normal(size=free.size), 0.0)
    drops = []
    for step in (0.01, 0.02):
        other = solution.unknowns + step * direction
        drops.append(best - free_energy(dataclasses.replace(solution, unknowns=other)))
    assert drops[0] > 0
    assert drops[1] == pytest.approx(4 * drops[0], rel=1e-6)
