"""Energies of ordered states of point impurities on an infinite lattice.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import vectors
from pearlfem.analytic.lattice._collinear import FERROMAGNET, best_line, layered_wavevector
from pearlfem.analytic.lattice.cell import Lattice
from pearlfem.analytic.lattice.interaction import interaction_at

Array = NDArray[np.float64]


class CollinearState(NamedTuple):
    """A state of moments that are all parallel or antiparallel to one line.

    Attributes:
        energy: per impurity [J*/length²]; each pair counts once, self-energies do not count.
        moment: unit vector of the impurities in the cell at the origin, ``(2,)``, along the line of
            lowest energy; one of them if there are several, as on the triangular lattice.
    """

    energy: float
    moment: Array


def energy_per_impurity(lattice: Lattice, moments: ArrayLike, pearl_length: float) -> float:
    """Energy per impurity of moments that are the same in every cell.

        E = (1/2n) Σ_ab m_a · T_ab(k = 0) · m_b

    Each pair counts once; self-energies do not count. For a state that repeats only after several
    cells, give a larger cell with more sites.

    Args:
        lattice: n impurities per cell.
        moments: unit vector of each site, ``(n, 2)``.
        pearl_length: r0 = 2λ²/d [length]; may be infinite (see `interaction_at`).

    Returns:
        E [J*/length²].

    Raises:
        ValueError: if the moments are not one for each site, `pearl_length` is not positive, or a
            number not finite.
    """
    m = vectors("moments", moments, 2)
    if m.shape != lattice.sites.shape:
        raise ValueError(
            f"moments has shape {m.shape}: must be {lattice.sites.shape}, one moment for each site"
        )
    interaction = interaction_at(lattice, FERROMAGNET, pearl_length).real
    return float(0.5 / len(m) * np.einsum("ai,aibj,bj", m, interaction, m))


def ferromagnet(lattice: Lattice, pearl_length: float) -> CollinearState:
    """State with all moments parallel, along the direction of lowest energy.

    Args:
        lattice: the impurities.
        pearl_length: r0 = 2λ²/d [length]; may be infinite (see `interaction_at`).

    Returns:
        Energy per impurity [J*/length²] and the moment, a unit vector ``(2,)``.

    Raises:
        ValueError: if `pearl_length` is not positive.
    """
    return _collinear_state(lattice, FERROMAGNET, pearl_length)


def layered_antiferromagnet(lattice: Lattice, pearl_length: float) -> CollinearState:
    """State with moments that are parallel along a1 and alternate from row to row along a2.

    All impurities of a cell are parallel. The moments lie along the line of lowest energy.

    Args:
        lattice: the impurities.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        Energy per impurity [J*/length²] and the moment of the cell at the origin, a unit vector
        ``(2,)``.

    Raises:
        ValueError: if `pearl_length` is not positive.
    """
    return _collinear_state(lattice, layered_wavevector(lattice), pearl_length)


def _collinear_state(lattice: Lattice, wavevector: Array, pearl_length: float) -> CollinearState:
    interaction = interaction_at(lattice, wavevector, pearl_length)
    energy, moment = best_line(lattice, wavevector, interaction)
    return CollinearState(float(energy), moment)
