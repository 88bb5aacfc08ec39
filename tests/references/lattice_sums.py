"""Lattice sums in real space with a soft edge; they converge faster than any power of its width.

The sum of T(r) e^{ik·r} with the weight w(r) = ½ erfc((r − c)/s) leaves out (1 − w) T. This is a
smooth function, so by Poisson's formula its sum equals its integral up to terms exp(−|k + G|²
s²/4). The integral is needed only at k = 0. Since −dw/dc is a Gaussian, the integral is a mean over
sharp cut-offs R_c of ∫_{r>R_c} T d²r = −π R_c² J⊥(R_c) 1 (Gauss's theorem).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

Array = NDArray[np.float64]

# c in units of s: at r = 0 then w = 1 up to 1e-17. The sum ends at the same distance beyond c.
REACH = 6.0


def pair_tensors(separations: Array, couplings: Callable[[Array], tuple[Array, Array]]) -> Array:
    """J⊥ (1 − r̂ r̂) − J∥ r̂ r̂, ``(s, 2, 2)``."""
    r = np.hypot(*separations.T)
    perpendicular, parallel = couplings(r)
    direction = separations / r[:, None]
    along = direction[:, :, None] * direction[:, None, :]
    return (
        perpendicular[:, None, None] * np.eye(2) - (perpendicular + parallel)[:, None, None] * along
    )


def soft_sum(
    vectors: Array,
    offset: Array,
    k: Array,
    couplings: Callable[[Array], tuple[Array, Array]],
    width: float,
) -> NDArray[np.complex128]:
    """Σ_R T(R + offset) e^{ik·(R + offset)} without r = 0, ``(2, 2)``, s = ``width``."""
    centre = REACH * width
    reach = 2 * centre + np.hypot(*offset)
    count = int(np.ceil(reach * np.abs(np.linalg.inv(vectors)).sum()))
    cells = np.stack(np.meshgrid(*[np.arange(-count, count + 1)] * 2), -1).reshape(-1, 2)
    separations = cells @ vectors + offset
    r = np.hypot(*separations.T)
    separations = separations[(r > 1e-12) & (r < reach)]
    weight = 0.5 * erfc((np.hypot(*separations.T) - centre) / width)
    phases = np.exp(1j * (separations @ k))
    total = np.einsum("s,sij->ij", weight * phases, pair_tensors(separations, couplings))
    if not np.any(k):
        t, dt = np.polynomial.hermite.hermgauss(80)
        radii = centre + width * t
        inside = radii > 0
        radii, dt = radii[inside], dt[inside] / np.sqrt(np.pi)
        beyond = -np.pi * np.sum(dt * radii**2 * couplings(radii)[0])
        total = total + beyond / abs(np.linalg.det(vectors)) * np.eye(2)
    return total


def unscreened_energies(angle: float) -> tuple[float, float]:
    """Energies of the ferromagnet and the layered antiferromagnet for r0 = ∞ and d = 1.

    In complex positions z and moments μ the coupling of a pair is −J* Re[μ_i μ_j/z²]. The sum over
    a row of sites at τ j, τ = e^{iθ}, is π²/sin²(π j τ); for j = 0, without the site itself, it is
    π²/3. Rows with alternating signs converge. Rows with equal signs converge to another limit than
    circles: it is larger by π/Im τ. The part that T(k = 0) lacks is the isotropic −π/2 area.
    """
    tau = np.exp(1j * np.deg2rad(angle))
    j = np.arange(1, 20)
    rows = 2 * np.pi**2 / np.sin(np.pi * j * tau) ** 2
    circles = np.pi**2 / 3 + rows.sum() - np.pi / tau.imag
    alternating = np.pi**2 / 3 + ((-1.0) ** j * rows).sum()
    return -abs(circles) / 2 - np.pi / (2 * tau.imag), -abs(alternating) / 2
