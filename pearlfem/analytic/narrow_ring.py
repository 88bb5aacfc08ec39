"""Magnetic (geometric) inductance of flat rings much narrower than their radius (μ0 = 1).

Two coaxial circles of current close to each other, both of radii near R and a distance d apart,
have the mutual inductance μ0 R [ln(8R/d) − 2]. The energy of a distribution of current over the
width w is the average over pairs of filaments, so

    L = μ0 R [ln(8R/G) − 2],   ln G = ⟨ln |x − x'|⟩     (G: geometric mean distance)

    uniform current                            G = w e^{−3/2}   L = μ0 R [ln(8R/w) − 1/2]
    K ∝ 1/√(w²/4 − x²), no flux through the    G = w/4          L = μ0 R [ln(32R/w) − 2]
    superconductor (Meissner state)

with R = (a + b)/2, w = b − a and errors of the order of (w/R)² ln(R/w) relative. No other
distribution has a smaller L than the second one; the first exceeds it by 3/2 − ln 4 = 0.114 μ0 R.

Which one: the current minimises magnetic plus kinetic energy. For a Pearl length r0 ≪ w the
kinetic part is negligible and L is the second one. For r0 ≫ w the current is uniform and L is the
first one plus the kinetic inductance πμ0 r0/ln(b/a) of `pearlfem.analytic.weak_screening`. In
between, L less that kinetic inductance climbs from the second one to the first.

F. W. Grover, Inductance Calculations (Van Nostrand, 1946), on geometric mean distances and on
coaxial circles; rings of any width and Pearl length: E. H. Brandt, J. R. Clem, Phys. Rev. B 69,
184509 (2004).
"""

import numpy as np

from pearlfem.analytic._checks import positive


def uniform_inductance(inner: float, outer: float) -> float:
    """Magnetic inductance L = μ0 R [ln(8R/w) − 1/2] of a narrow ring with a uniform current.

    For r0 ≫ w, where the kinetic inductance adds to it.

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
