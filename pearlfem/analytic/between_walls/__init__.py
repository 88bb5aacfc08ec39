"""Exact results for Gaussian impurities on a film that fills the plane between two parallel walls.

The film lies at z = 0, the walls at z = ``above`` and z = −``below``; either may be at infinity.
Both are shields (B·n = 0) or both are magnetic walls (n × H = 0). Reduced units: μ0 = 1,
lengths in one unit, κ = 2/pearl_length, J* = Γ²/(2πκ) with Γ the ``strength``.

Let a = (Γ/κ)(m × ẑ) f be the anomalous vector potential and a_t its transverse part. Wave vectors q
of the film do not mix, and

    K(q) = −κ a_t q r0 c / (1 + q r0 c),   c = (c_above + c_below)/2
    c_i = coth(q L_i) at a shield, tanh(q L_i) at a magnetic wall, 1 without a wall (L_i = ∞)

Derivation: both faces of the film have the same vector potential A, and H_t = q c_i A on each of
them, so the sheet current is K = 2 q c A. (The c_i are admittances in parallel: they add, not their
inverses.)

Limits at long wavelength, q → 0, of the response R = q r0 c / (1 + q r0 c):

    two shields         R → r0/(r0 + L),  1/L = (1/above + 1/below)/2;  J⊥ = J∥ = J* R(0)/r²
    two magnetic walls  R → q² r0 L,      L = (above + below)/2;        all decays exponentially

If both distances are finite, R is analytic in q²; then J⊥ and J∥ between shields differ from
J* R(0)/r² only by terms that decay exponentially with r.

The infinite film without walls: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

from pearlfem.analytic.between_walls.couplings import couplings, interaction_tensor, self_energy
from pearlfem.analytic.between_walls.fields import magnetic_field, sheet_current

__all__ = ["couplings", "interaction_tensor", "magnetic_field", "self_energy", "sheet_current"]
