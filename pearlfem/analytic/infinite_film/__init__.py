"""Exact results for magnetic impurities on the infinite film, in reduced units (μ0 = 1).

Lengths are in one unit, κ = 2/pearl_length, J* = Γ²/(2πκ) with Γ the `strength`.
Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

from pearlfem.analytic.infinite_film.couplings import (
    Couplings,
    couplings,
    elementary_couplings,
    interaction_tensor,
    self_energy,
)
from pearlfem.analytic.infinite_film.fields import (
    magnetic_field,
    scalar_potential,
    sheet_current,
    stream_function,
)
from pearlfem.analytic.infinite_film.potential_gradient import (
    potential_gradient_per_moment,
    potential_per_moment,
    scalar_potential_gradient,
)

__all__ = [
    "Couplings",
    "couplings",
    "elementary_couplings",
    "interaction_tensor",
    "magnetic_field",
    "potential_gradient_per_moment",
    "potential_per_moment",
    "scalar_potential",
    "scalar_potential_gradient",
    "self_energy",
    "sheet_current",
    "stream_function",
]
