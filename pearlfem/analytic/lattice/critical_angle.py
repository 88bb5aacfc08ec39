"""The angle at which the rhombic lattice changes from ferromagnet to layered antiferromagnet."""

from __future__ import annotations

from scipy.optimize import brentq

from pearlfem.analytic._checks import positive_or_infinite
from pearlfem.analytic.lattice.cell import rhombic_lattice
from pearlfem.analytic.lattice.energies import ferromagnet, layered_antiferromagnet

_TRIANGULAR = 60.0
_SQUARE = 90.0
_ACCURACY = 1e-9


def critical_angle(pearl_length: float) -> float:
    """Angle θ_c of the rhombic lattice at which both ordered states have the same energy.

    Between the triangular lattice (60°) and θ_c the ferromagnet has the lower energy, between θ_c
    and the square lattice (90°) the layered antiferromagnet. The lattice is infinite, so it is
    larger than any Pearl length.

    Args:
        pearl_length: r0/d, the Pearl length in units of the lattice constant |a1| = |a2|; may be
            infinite.

    Returns:
        θ_c [degrees].

    Raises:
        ValueError: if `pearl_length` is not positive.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3(d).
    """
    ratio = positive_or_infinite("pearl_length", pearl_length)

    def energy_difference(angle: float) -> float:
        lattice = rhombic_lattice(angle)
        layered = layered_antiferromagnet(lattice, ratio)
        return ferromagnet(lattice, ratio).energy - layered.energy

    return float(brentq(energy_difference, _TRIANGULAR, _SQUARE, xtol=_ACCURACY))
