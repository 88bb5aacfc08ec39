"""Exact results for Gaussian impurities on a film that fills the plane between two parallel walls.

The film lies at z = 0, the walls at z = `above` and z = −`below`; either may be at infinity. Both
are shields (B·n = 0) or both magnetic walls (n × H = 0). Reduced units: μ0 = 1, lengths in one
unit, κ = 2/pearl_length, J* = Γ²/(2πκ) with Γ the `strength`.

With the anomalous vector potential a = (Γ/κ)(m × ẑ) f and its transverse part a_t, each wave
vector q of the film responds alone:

    K(q) = −κ a_t q r0 c / (1 + q r0 c),   c = (c_above + c_below)/2
    c_i = coth(q L_i) at a shield, tanh(q L_i) at a magnetic wall, 1 without a wall (L_i = ∞)

because the vector potential A is common to both faces of the film while the sheet current is the
sum of what they carry: H_t = q c_i A on each face, so K = 2 q c A. (c_i are admittances in
parallel: they add, not their inverses.)

Limits at long wavelength, q → 0, of the response R = q r0 c / (1 + q r0 c):

    two shields         R → r0/(r0 + L),  1/L = (1/above + 1/below)/2;  J⊥ = J∥ = J* R(0)/r²
    two magnetic walls  R → q² r0 L,      L = (above + below)/2;        all decays exponentially

Between two walls at finite distances R is analytic in q², so the first line's tail is exact up to
terms that decay exponentially with r.

The infinite film without walls: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

from pearlfem.analytic.between_walls.couplings import couplings, interaction_tensor, self_energy
from pearlfem.analytic.between_walls.fields import magnetic_field, sheet_current

__all__ = ["couplings", "interaction_tensor", "magnetic_field", "self_energy", "sheet_current"]
