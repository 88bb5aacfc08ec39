"""Magnetic (geometric) inductance of flat rings much narrower than their radius (μ0 = 1).

Two coaxial current loops of radius about R that are a short distance d apart have the mutual
inductance μ0 R [ln(8R/d) − 2]. The current in a ring of width w is a bundle of such loops, and its
energy is the average over all pairs of them, so

    L = μ0 R [ln(8R/G) − 2],   ln G = ⟨ln |x − x'|⟩     (G: geometric mean distance)

    uniform current                            G = w e^{−3/2}   L = μ0 R [ln(8R/w) − 1/2]
    K ∝ 1/√(w²/4 − x²), no flux through the    G = w/4          L = μ0 R [ln(32R/w) − 2]
    superconductor (Meissner state)

with R = (a + b)/2, w = b − a and relative errors of about (w/R)² ln(R/w). The Meissner state has
the smallest L of all distributions; that of the uniform current is larger by (3/2 − ln 4) μ0 R =
0.114 μ0 R.

The current minimises the sum of magnetic and kinetic energy. For a Pearl length r0 ≪ w the kinetic
energy is negligible: L is that of the Meissner state. For r0 ≫ w the current is uniform: L is that
of the uniform current plus the kinetic inductance πμ0 r0/ln(b/a) of
`pearlfem.analytic.weak_screening`. In between, L minus this kinetic inductance rises from the
Meissner value to the uniform one.

F. W. Grover, Inductance Calculations (Van Nostrand, 1946), on geometric mean distances and on
coaxial circles; rings of any width and Pearl length: E. H. Brandt, J. R. Clem, Phys. Rev. B 69,
184509 (2004).
"""

import numpy as np

from pearlfem.analytic._checks import positive


def uniform_inductance(inner: float, outer: float) -> float:
    """Magnetic inductance L = μ0 R [ln(8R/w) − 1/2] of a narrow ring with a uniform current.

    It holds for r0 ≫ w; the kinetic inductance must be added.

    Args:
        inner: a, radius of the hole [length].
        outer: b, radius of the edge [length]; R = (a + b)/2, w = b − a.

    Returns:
        L [μ0 length]; too small by 2e-6 relative at w = 0.01 R, by 2e-4 at w = 0.1 R.

    Raises:
        ValueError: if a length is not positive, or `outer` is not larger than `inner`.

    References:
        Grover, Inductance Calculations (1946): geometric mean distances.
    """
    radius, width = _radius_and_width(inner, outer)
    return float(radius * (np.log(8.0 * radius / width) - 0.5))


def meissner_inductance(inner: float, outer: float) -> float:
    """Inductance L = μ0 R [ln(32R/w) − 2] of a narrow superconducting ring with r0 ≪ w.

    Args:
        inner: a, radius of the hole [length].
        outer: b, radius of the edge [length]; R = (a + b)/2, w = b − a.

    Returns:
        L [μ0 length]; too large by 3e-5 relative at w = 0.01 R, by 2.4e-3 at w = 0.1 R.

    Raises:
        ValueError: if a length is not positive, or `outer` is not larger than `inner`.

    References:
        Brandt, Clem, Phys. Rev. B 69, 184509 (2004), for rings of any width.
    """
    radius, width = _radius_and_width(inner, outer)
    return float(radius * (np.log(32.0 * radius / width) - 2.0))


def _radius_and_width(inner: float, outer: float) -> tuple[float, float]:
    """Mean radius and width of a ring."""
    hole, edge = positive("inner", inner), positive("outer", outer)
    if edge <= hole:
        raise ValueError(f"outer = {outer!r}: must be larger than inner = {inner!r}")
    return 0.5 * (hole + edge), edge - hole
