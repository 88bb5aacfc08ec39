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
        energy: per impurity, every pair counted once, without self-energies [J*/length²].
        moment: unit vector of the impurities of the cell at the origin, ``(2,)``, along the best
            line; one of the best if there are several, as on the triangular lattice.
    """

    energy: float
    moment: Array


def energy_per_impurity(lattice: Lattice, moments: ArrayLike, pearl_length: float) -> float:
    """Energy per impurity of moments that repeat from cell to cell.

        E = (1/2n) Σ_ab m_a · T_ab(k = 0) · m_b

    Every pair is counted once; the self-energies are left out. A state that repeats after more
    than one cell of its lattice is described by a larger cell with more sites.

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
        raise ValueError(f"moments has shape {m.shape}: must be {lattice.sites.shape}, as sites")
    interaction = interaction_at(lattice, FERROMAGNET, pearl_length).real
    return float(0.5 / len(m) * np.einsum("ai,aibj,bj", m, interaction, m))


def ferromagnet(lattice: Lattice, pearl_length: float) -> CollinearState:
    """State of all moments parallel, along the best direction.

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
    """State of moments parallel along a1 and alternating from row to row along a2.

    The impurities of one cell are parallel. The line of the moments is the best one.

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
