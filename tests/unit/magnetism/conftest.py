"""Interaction tensors: of point impurities on the infinite film, and of random numbers."""

import numpy as np
import pytest

from pearlfem.analytic.infinite_film import interaction_tensor


@pytest.fixture
def film_tensor():
    """The tensor of impurities at positions ``(n, 2)``, without their infinite self-energies."""

    def tensor(positions, pearl_length=1.0):
        T = interaction_tensor(positions, pearl_length)
        T[np.diag_indices(len(T))] = 0.0
        return T

    return tensor


@pytest.fixture
def random_tensor():
    """A symmetric tensor of normal random numbers, also in the diagonal blocks."""

    def tensor(n, seed):
        blocks = np.random.default_rng(seed).normal(size=(n, n, 2, 2))
        return blocks + blocks.transpose(1, 0, 3, 2)

    return tensor


@pytest.fixture
def square_lattice():
    return np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
