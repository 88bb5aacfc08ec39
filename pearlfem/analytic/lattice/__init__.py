"""Exact results for lattices of impurities on the infinite film, by Ewald summation.

The interaction of two point impurities at a distance r is T(r) = −J* ∇∇V(r) with the Keldysh
potential V. All results here are in units of J*/length² with J* = Γ²/(2πκ) = Γ² r0/(4π)
(κ = 2/r0, μ0 = 1): multiply them by J* to get μ0 Γ²/length. In these units a film without
screening, r0 = ∞, has finite values as well. All impurities of a lattice have the same strength Γ.

T_ab of sites a and b has the axes ``(a, 2, b, 2)``: reshape it to get a 2n × 2n matrix.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3.
"""

from pearlfem.analytic.lattice.cell import Lattice, rhombic_lattice
from pearlfem.analytic.lattice.critical_angle import critical_angle
from pearlfem.analytic.lattice.energies import (
    CollinearState,
    energy_per_impurity,
    ferromagnet,
    layered_antiferromagnet,
)
from pearlfem.analytic.lattice.gaussian import gaussian_interaction
from pearlfem.analytic.lattice.interaction import interaction_at
from pearlfem.analytic.lattice.luttinger_tisza import LuttingerTisza, luttinger_tisza
from pearlfem.analytic.lattice.truncated import (
    continuum_tail,
    truncated_ferromagnet,
    truncated_interaction,
    truncated_layered_antiferromagnet,
)

__all__ = [
    "CollinearState",
    "Lattice",
    "LuttingerTisza",
    "continuum_tail",
    "critical_angle",
    "energy_per_impurity",
    "ferromagnet",
    "gaussian_interaction",
    "interaction_at",
    "layered_antiferromagnet",
    "luttinger_tisza",
    "rhombic_lattice",
    "truncated_ferromagnet",
    "truncated_interaction",
    "truncated_layered_antiferromagnet",
]
