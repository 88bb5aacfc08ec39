"""States in which all moments lie along one line and only their signs differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pearlfem.analytic.lattice.cell import Lattice

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Wave vector of states that are the same in every cell.
FERROMAGNET = np.zeros(2)


def layered_wavevector(lattice: Lattice) -> Array:
    """b2/2, ``(2,)``: the sign alternates from cell to cell along a2 and is constant along a1."""
    return np.asarray(0.5 * lattice.reciprocal_vectors[1])


def best_line(lattice: Lattice, wavevector: Array, interaction: Complex) -> tuple[Array, Array]:
    """Find the direction m of lowest energy for moments ±m, with one sign for each cell.

    Args:
        lattice: the impurities.
        wavevector: k ``(2,)``, half of a reciprocal vector: the sign of cell R is e^{ik·R}.
        interaction: T(k) ``(..., n, 2, n, 2)``.

    Returns:
        Energies per impurity [J*/length²], ``(...)``, and moments of the cell at the origin, unit
        vectors ``(..., 2)``.
    """
    sites = np.exp(-1j * (lattice.sites @ wavevector))
    total = np.einsum("a,...aibj,b->...ij", sites.conj(), interaction, sites).real
    energies, moments = np.linalg.eigh(0.5 * total / len(sites))
    return energies[..., 0], moments[..., :, 0]
