"""Lattice sums in real space, cut off at a radius: a finite lattice seen from its centre.

For r ≪ r0 the interaction falls off only as 1/r², so a sum that is cut off below a few Pearl
lengths has not converged. For the ferromagnet, spread the sites beyond the radius R_c evenly over
the plane; by Gauss's theorem the sum then lacks

    (1/area) ∫_{r>R_c} T(r) d²r = (J*/area) ∮ V'(R_c) r̂ r̂ dl = (J*/area) π R_c V'(R_c) · 1

Up to R_c ~ r0 this tail is −πJ*/area, all that favours ferromagnets over other states; beyond, it
falls off as r0/R_c. Alternating states have no such tail. Both sums still fluctuate about their
limits, by about R_c^{1/2} T(R_c), because the circle cuts the lattice irregularly; an average over
cut-offs removes this.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import all_positive, positive_or_infinite, vector
from pearlfem.analytic._screened import screened_potential
from pearlfem.analytic.keldysh import keldysh_potential
from pearlfem.analytic.lattice._collinear import FERROMAGNET, best_line, layered_wavevector
from pearlfem.analytic.lattice.cell import Lattice, points_within

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def truncated_interaction(
    lattice: Lattice, wavevector: ArrayLike, cutoffs: ArrayLike, pearl_length: float
) -> Complex:
    """Interaction T(k) of all pairs that are no farther apart than a cut-off.

        T_ab(k) = Σ_{0 < |r| <= R_c} T(r) e^{ik·r},   r = R + s_b − s_a,   T(r) = −J* ∇∇V(r)

    All cut-offs together take as long as the largest one: about 1 s for 300 000 sites within it.

    Args:
        lattice: the impurities.
        wavevector: k [1/length], ``(2,)``.
        cutoffs: R_c [length], ``(m,)``, > 0, in any order.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        T ``(m, n, 2, n, 2)`` [J*/length²] for n sites, Hermitian as a 2n × 2n matrix.

    Raises:
        ValueError: if a cut-off or `pearl_length` is not positive, a shape does not fit, or a
            number is not finite.
    """
    k = vector("wavevector", wavevector, 2)
    radii = _radii(cutoffs)
    scale = positive_or_infinite("pearl_length", pearl_length)
    offsets = lattice.separations
    reach = float(radii.max()) + float(np.hypot(offsets[..., 0], offsets[..., 1]).max())
    cells = points_within(lattice.vectors, reach)
    n = len(lattice.sites)
    total = np.empty((radii.size, n, 2, n, 2), np.complex128)
    for a, b in zip(*np.triu_indices(n), strict=True):
        total[:, a, :, b, :] = _pair_sums(cells + offsets[a, b], k, radii, scale)
        total[:, b, :, a, :] = total[:, a, :, b, :].conj()
    return total


def continuum_tail(lattice: Lattice, cutoffs: ArrayLike, pearl_length: float) -> Array:
    """Energy per impurity that pairs beyond a cut-off add to a ferromagnet.

        E = (n/2) π J* R_c V'(R_c)/area

    for n impurities in a cell. It is −nπJ*/2area for R_c ≪ r0, and for r0 = ∞ at any R_c.

    Args:
        lattice: the impurities.
        cutoffs: R_c [length], ``(m,)``, > 0.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        E ``(m,)`` [J*/length²], for any direction of the moments.

    Raises:
        ValueError: if a cut-off or `pearl_length` is not positive, a shape does not fit, or a
            number is not finite.
    """
    radii = _radii(cutoffs)
    if np.isinf(positive_or_infinite("pearl_length", pearl_length)):
        slope = -1.0 / radii
    else:
        slope = keldysh_potential(radii, pearl_length, derivative=1)
    density = len(lattice.sites) / lattice.area
    return np.asarray(0.5 * np.pi * density * radii * slope)


def truncated_ferromagnet(lattice: Lattice, cutoffs: ArrayLike, pearl_length: float) -> Array:
    """Energy of the ferromagnet from the pairs within a cut-off.

    Its moments have the direction of lowest energy. Add `continuum_tail` to get the energy on the
    infinite lattice.

    Args:
        lattice: the impurities.
        cutoffs: R_c [length], ``(m,)``, > 0.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        Energy per impurity ``(m,)`` [J*/length²].

    Raises:
        ValueError: as `truncated_interaction` does.
    """
    return _energies(lattice, FERROMAGNET, cutoffs, pearl_length)


def truncated_layered_antiferromagnet(
    lattice: Lattice, cutoffs: ArrayLike, pearl_length: float
) -> Array:
    """Energy of the layered antiferromagnet from the pairs within a cut-off.

    Args:
        lattice: the impurities; rows along a1 are parallel and alternate along a2.
        cutoffs: R_c [length], ``(m,)``, > 0.
        pearl_length: r0 = 2λ²/d [length]; may be infinite.

    Returns:
        Energy per impurity ``(m,)`` [J*/length²], with the moments along the line of lowest energy.

    Raises:
        ValueError: as `truncated_interaction` does.
    """
    return _energies(lattice, layered_wavevector(lattice), cutoffs, pearl_length)


def _energies(
    lattice: Lattice, wavevector: Array, cutoffs: ArrayLike, pearl_length: float
) -> Array:
    interaction = truncated_interaction(lattice, wavevector, cutoffs, pearl_length)
    return best_line(lattice, wavevector, interaction)[0]


def _radii(cutoffs: ArrayLike) -> Array:
    radii = all_positive("cutoffs", cutoffs)
    if radii.ndim != 1 or not radii.size:
        raise ValueError(f"cutoffs has shape {radii.shape}: must be (m,) with m >= 1")
    return radii


def _pair_sums(separations: Array, k: Array, radii: Array, pearl_length: float) -> Complex:
    """Σ T(r) e^{ik·r} ``(m, 2, 2)`` over the separations ``(s, 2)`` within each radius."""
    r = np.hypot(separations[:, 0], separations[:, 1])
    inside = (r > 0) & (r <= radii.max())
    separations, r = separations[inside], r[inside]
    isotropic, radial = _slopes(r, pearl_length)
    x, y = (separations / r[:, None]).T
    phase = np.exp(1j * (separations @ k))
    order = np.argsort(radii)
    # Count each pair at the smallest cut-off that includes it; the cumulative sum below adds it to
    # all larger ones.
    shell = np.searchsorted(radii[order], r)
    sums = np.empty((radii.size, 2, 2), np.complex128)
    components = ((0, 0, isotropic + radial * x * x), (0, 1, radial * x * y))
    for i, j, value in (*components, (1, 1, isotropic + radial * y * y)):
        terms = -value * phase
        real, imaginary = (np.bincount(shell, w, radii.size) for w in (terms.real, terms.imag))
        sums[order, i, j] = sums[order, j, i] = np.cumsum(real + 1j * imaginary)
    return sums


def _slopes(r: Array, pearl_length: float) -> tuple[Array, Array]:
    """V'/r and V'' − V'/r of the Keldysh potential, or of −ln r for an infinite Pearl length."""
    if np.isinf(pearl_length):
        return -1.0 / (r * r), 2.0 / (r * r)
    v = screened_potential(r, 0.0, pearl_length, 0.0)
    return v.slope_over_r, v.quadrupole
