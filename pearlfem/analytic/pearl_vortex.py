"""Pearl vortices on the infinite film: currents, fields, energies, and coupling to impurities.

A vortex of winding n carries the flux nΦ0. With κ = 2/r0 (μ0 = 1) and the screened potential V
of `pearlfem.analytic._screened`,

    g = (nκΦ0/2π) V(r),   K = ∇g × ẑ,   B = −μ0∇ψ,   ψ = ± (nκΦ0/4π) V(r, |z|)   (z > 0, z < 0)

The core is a Gaussian of width `size`; with size 0 the vortex is a point. On the film itself
(z = 0) fields are the limit from above, z → 0+.

J. Pearl, Appl. Phys. Lett. 5, 65 (1964); Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import finite, non_negative, pair, positive
from pearlfem.analytic._screened import screened_potential
from pearlfem.analytic._source import combined_width, moment_direction, potential_around

Array = NDArray[np.float64]


def stream_function(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    *,
    winding: int = 1,
    size: float = 0.0,
    pearl_length: float = 1.0,
    flux_quantum: float = 1.0,
) -> Array:
    """Stream function g = (nκΦ0/2π) V(r) of the sheet current K = ∇g × ẑ of a vortex.

    Args:
        points: points of the film [length], ``(..., 2)``.
        position: of the vortex [length], ``(2,)``.
        winding: n.
        size: width of the Gaussian core [length], >= 0; 0 is a point vortex.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        g [Φ0/(μ0 length)], ``(...)``; ±inf at a point vortex itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """
    v, _, _ = potential_around(points, 2, position, size, pearl_length)
    return 2.0 * _potential_scale(winding, pearl_length, flux_quantum) * v.potential


def sheet_current(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    *,
    winding: int = 1,
    size: float = 0.0,
    pearl_length: float = 1.0,
    flux_quantum: float = 1.0,
) -> Array:
    """Sheet current K = ∇g × ẑ of a vortex: K_φ = −(nκΦ0/2π) V'(r), anticlockwise for n > 0.

    Args:
        points: points of the film [length], ``(..., 2)``.
        position: of the vortex [length], ``(2,)``.
        winding: n.
        size: width of the Gaussian core [length], >= 0; 0 is a point vortex.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        K [Φ0/(μ0 length²)], ``(..., 2)``; NaN at a point vortex itself.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """
    v, separation, _ = potential_around(points, 2, position, size, pearl_length)
    scale = 2.0 * _potential_scale(winding, pearl_length, flux_quantum)
    with np.errstate(invalid="ignore"):
        gradient = scale * v.slope_over_r[..., None] * separation
    return np.stack([gradient[..., 1], -gradient[..., 0]], axis=-1)


def magnetic_field(
    points: ArrayLike,
    position: ArrayLike = (0.0, 0.0),
    *,
    winding: int = 1,
    size: float = 0.0,
    pearl_length: float = 1.0,
    flux_quantum: float = 1.0,
) -> Array:
    """Magnetic field B of a vortex, at any height; its flux through the film is nΦ0.

    B_z is even in z, the in-plane components are odd.

    Args:
        points: points of space [length], ``(..., 3)``; z = 0 is the upper face of the film.
        position: of the vortex [length], ``(2,)``.
        winding: n.
        size: width of the Gaussian core [length], >= 0; 0 is a point vortex.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        B [Φ0/length²], ``(..., 3)``; at a point vortex itself B_z is ±inf, the rest NaN.

    Raises:
        ValueError: if `size` is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """
    v, separation, side = potential_around(points, 3, position, size, pearl_length)
    with np.errstate(invalid="ignore"):
        in_plane = (side * v.slope_over_r)[..., None] * separation
    gradient = np.concatenate([in_plane, v.normal[..., None]], axis=-1)
    return -_potential_scale(winding, pearl_length, flux_quantum) * gradient


def interaction_energy(
    r: ArrayLike,
    *,
    windings: tuple[int, int] = (1, 1),
    sizes: tuple[float, float] = (0.0, 0.0),
    pearl_length: float = 1.0,
    flux_quantum: float = 1.0,
) -> Array:
    """Interaction energy (n1 n2 κΦ0²/2π) V(r) of two vortices; equal windings repel.

    Args:
        r: distance [length], any shape, >= 0.
        windings: n1, n2.
        sizes: widths of the two Gaussian cores [length], >= 0; 0 is a point vortex.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        Energy [Φ0²/(μ0 length)], the shape of `r`; ±inf for point vortices at r = 0.

    Raises:
        ValueError: if `r` or a size is negative, `pearl_length` not positive, or a number not
            finite.

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """
    distance = non_negative("r", r)
    first, second = pair("windings", windings)
    scale = 2.0 * _potential_scale(first, pearl_length, flux_quantum) * second * flux_quantum
    return scale * screened_potential(distance, 0.0, pearl_length, combined_width(sizes)).potential


def self_energy(
    size: float, *, winding: int = 1, pearl_length: float = 1.0, flux_quantum: float = 1.0
) -> float:
    """Free energy of one vortex with a Gaussian core: half its interaction with itself (r = 0).

    Args:
        size: width of the core [length], > 0.
        winding: n.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        Energy [Φ0²/(μ0 length)].

    Raises:
        ValueError: if `size` or `pearl_length` is not positive, or a number not finite.
    """
    width = positive("size", size)
    energy = interaction_energy(
        0.0,
        windings=(winding, winding),
        sizes=(width, width),
        pearl_length=pearl_length,
        flux_quantum=flux_quantum,
    )
    return 0.5 * float(energy)


def impurity_energy(
    points: ArrayLike,
    angle: float = 0.0,
    position: ArrayLike = (0.0, 0.0),
    *,
    strength: float = 1.0,
    winding: int = 1,
    sizes: tuple[float, float] = (0.0, 0.0),
    pearl_length: float = 1.0,
    flux_quantum: float = 1.0,
) -> Array:
    """Interaction energy of a vortex with a magnetic impurity, for an impurity at each point.

        F = −(Γ/κ) (m×ẑ)·K_vortex = (nΓΦ0/2π) |V'(r)| (m·r̂)

    r̂ points from the vortex to the impurity: a vortex attracts impurities whose moments point at
    it.

    Args:
        points: positions of the impurity [length], ``(..., 2)``.
        angle: of the impurity's moment m from the x axis [degrees].
        position: of the vortex [length], ``(2,)``.
        strength: Γ of the impurity.
        winding: n of the vortex.
        sizes: widths of the impurity and of the vortex core [length], >= 0; 0 is a point.
        pearl_length: r0 = 2λ²/d [length].
        flux_quantum: Φ0.

    Returns:
        Energy [ΓΦ0/length], ``(...)``; NaN where a point impurity sits on a point vortex.

    Raises:
        ValueError: if a size is negative, `pearl_length` not positive, a shape does not fit, or
            a number is not finite.
    """
    v, separation, _ = potential_around(points, 2, position, combined_width(sizes), pearl_length)
    flux = finite("winding", winding) * finite("flux_quantum", flux_quantum)
    scale = finite("strength", strength) * flux / (2.0 * np.pi)
    along = separation @ moment_direction(angle)
    with np.errstate(invalid="ignore"):
        return np.asarray(-scale * v.slope_over_r * along)


def _potential_scale(winding: float, pearl_length: float, flux_quantum: float) -> float:
    """The factor nκΦ0/4π between ψ and V, with κ = 2/r0."""
    flux = finite("winding", winding) * finite("flux_quantum", flux_quantum)
    return flux / (2.0 * np.pi * positive("pearl_length", pearl_length))
