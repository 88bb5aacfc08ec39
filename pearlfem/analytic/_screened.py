"""The screened potential V of a point or Gaussian source above the film, and its derivatives.

A source in the film z = 0 with the profile exp(−r²/2σ²)/(2πσ²) has at height z >= 0 the potential

    V(r, z) = ∫_0^∞ dq [r0 / (1 + q r0)] e^{−qz − q²σ²/2} J_0(qr)
            = ⟨ ∫_0^∞ dt e^{−t/r0} / √(r² + (z + t + iw)²) ⟩,   w normal with variance σ²

For z = σ = 0 it is the Keldysh potential [Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023),
Eqs. (4), (7)]. The second line is a sum over image charges at depths t, shifted along imaginary
heights by w for a smeared source. It follows from the first one by

    r0/(1 + q r0) = ∫_0^∞ dt e^{−t/r0 − qt},   e^{−q²σ²/2} = ⟨e^{−iqw}⟩,
    ∫_0^∞ dq e^{−qs} J_0(qr) = 1/√(r² + s²).

V and four of its derivatives give all currents, fields and energies of impurities and vortices on
the infinite film.

Within 12σ of the source we use the first line. Farther away the Hankel integral loses digits by
cancellation; there we use the second line, with a Gauss–Hermite rule for w that is exact to
rounding.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pearlfem.analytic._bessel import bessel_functions
from pearlfem.analytic._quadrature import (
    DECAY_LENGTHS,
    GAUSSIAN_CUTOFF,
    START_FRACTION,
    double_exponential,
    graded_gauss,
    in_blocks,
)

Array = NDArray[np.float64]

# Distance in units of σ beyond which the integral over image charges is used.
_FAR = 12.0
# At r = 12σ the phase qr grows by 13.5 radians per panel: 16 Gauss nodes integrate it to rounding.
_PANELS = 8


class PotentialDerivatives(NamedTuple):
    """Potential V(r, z) and derivatives of it that are smooth at r = 0.

    Attributes:
        potential: V.
        normal: ∂V/∂z [1/length].
        slope_over_r: V'/r [1/length²], negative.
        quadrupole: V'' − V'/r [1/length²], positive.
        normal_slope_over_r: (∂V'/∂z)/r [1/length³], positive.
    """

    potential: Array
    normal: Array
    slope_over_r: Array
    quadrupole: Array
    normal_slope_over_r: Array


def screened_potential(
    r: Array, z: Array | float, pearl_length: float, width: Array | float
) -> PotentialDerivatives:
    """Screened potential V of a point or Gaussian source, and its derivatives (see the module).

    Args:
        r: in-plane distance [length], >= 0.
        z: height above the film [length], >= 0.
        pearl_length: r0 = 2λ²/d [length].
        width: σ [length], >= 0; 0 is a point source. In the energy of two Gaussian sources
            σ² = ξ1² + ξ2².

    Returns:
        Five arrays of the common shape of `r`, `z` and `width`; ±inf at the position of a point
        source.
    """
    shape = np.broadcast_shapes(np.shape(r), np.shape(z), np.shape(width))
    x, y, s = (np.broadcast_to(a, shape).ravel() / pearl_length for a in (r, z, width))
    distance = np.hypot(x, y)
    # Values at the position of a point source; those of all other points are overwritten below.
    signs = np.array([1.0, -1.0, -1.0, 1.0, 1.0])
    values = np.repeat(np.inf * signs[:, None], x.size, axis=1)
    near = (distance < _FAR * s) & (s > 0)
    point = (s == 0) & (distance > 0)
    far = ~near & (s > 0)
    if near.any():
        values[:, near] = _hankel_integral(x[near], y[near], s[near])
    if far.any():
        values[:, far] = _image_integral(x[far], y[far], s[far], *_HERMITE)
    if point.any():
        values[:, point] = _image_integral(x[point], y[point], s[point], *_NO_SHIFT)
    units = float(pearl_length) ** -np.array([0, 1, 2, 2, 3])
    return PotentialDerivatives(*(units[:, None] * values).reshape(5, *shape))


def _positive_hermite(order: int) -> tuple[Array, Array]:
    """Nodes w > 0 and weights of a normal average; doubled, as −w adds the complex conjugate."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    half = order // 2
    return nodes[half:], weights[half:] * (2.0 / np.sqrt(2.0 * np.pi))


# At the distance R = 12σ, n = 12 nodes have a relative error of n! (2n)²/2 (σ/R)^{2n} = 2e-15 in
# the derivatives.
_HERMITE = _positive_hermite(12)
_NO_SHIFT = np.zeros(1), np.ones(1)


def _image_integral(x: Array, y: Array, s: Array, shifts: Array, weights: Array) -> Array:
    """The integral over image charges, averaged over imaginary heights; lengths in units of r0.

    Args:
        x: in-plane distances, ``(n,)``.
        y: heights, ``(n,)``.
        s: widths, ``(n,)``.
        shifts: w in units of the width, ``(k,)``; every s·w must be smaller than the distance.
        weights: of the shifts, ``(k,)``.

    Returns:
        The five `PotentialDerivatives`, ``(5, n)``.
    """
    shortest = min(1.0, float(np.hypot(x, y).min()))
    nodes, node_weights = double_exponential(DECAY_LENGTHS / (START_FRACTION * shortest))

    def evaluate(x: Array, y: Array, s: Array) -> Array:
        start = START_FRACTION * np.minimum(1.0, np.hypot(x, y))
        t = start[:, None] * nodes
        measure = start[:, None] * node_weights * np.exp(-t)
        height, x2 = y[:, None] + t, (x * x)[:, None]
        total = np.zeros((5, x.size))
        for shift, weight in zip(shifts, weights, strict=True):
            if shift == 0.0:
                total += weight * _point_image_sum(x2, height, measure)
            else:
                total += weight * _image_sum(x2, height, (shift * s)[:, None], measure)
        # (d²/dr² − (1/r) d/dr) 1/R = 3r²/R⁵ and (1/r) d²/dr dζ 1/R = 3ζ/R⁵.
        total[3] *= 3.0 * x * x
        total[4] *= 3.0
        return total

    return in_blocks(evaluate, nodes.size, x, y, s)


def _point_image_sum(x2: Array, height: Array, measure: Array) -> Array:
    """The sums of `_image_sum` without a shift: all terms are real, so it is twice as fast."""
    square = 1.0 / (x2 + height * height)
    first = measure * np.sqrt(square)
    third = first * square
    fifth = third * square
    ones = np.ones(measure.shape[1])
    return np.stack(
        [
            first @ ones,
            -np.einsum("ij,ij->i", height, third),
            -(third @ ones),
            fifth @ ones,
            np.einsum("ij,ij->i", height, fifth),
        ]
    )


def _image_sum(x2: Array, height: Array, shift: Array, measure: Array) -> Array:
    """Sums over images of 1/R, −ζ/R³, −1/R³, 1/R⁵, ζ/R⁵ with ζ = height + i shift, R² = x² + ζ²."""
    # Real arithmetic with an explicit square root: NumPy's complex root alone would take longer. It
    # is stable because Re R² > 0 wherever the shift is smaller than the distance.
    a, b = x2 + height**2 - shift**2, 2.0 * height * shift
    modulus2 = a * a + b * b
    modulus = np.sqrt(modulus2)
    root = np.sqrt(0.5 * (modulus + a))
    first = root / modulus, -0.5 * b / (root * modulus)
    second = a / modulus2, -b / modulus2
    third = _product(first, second)
    fifth = _product(third, second)
    terms = (
        first[0],
        shift * third[1] - height * third[0],
        -third[0],
        fifth[0],
        height * fifth[0] - shift * fifth[1],
    )
    return np.stack([np.einsum("ij,ij->i", measure, term) for term in terms])


def _product(p: tuple[Array, Array], q: tuple[Array, Array]) -> tuple[Array, Array]:
    """Product of two complex numbers, each given as (real part, imaginary part)."""
    return p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]


def _hankel_integral(x: Array, y: Array, s: Array) -> Array:
    """The Hankel integral, for points within 12 widths of the source; lengths in units of r0.

    Args:
        x: in-plane distances, ``(n,)``.
        y: heights, ``(n,)``.
        s: widths > 0, ``(n,)``.

    Returns:
        The five `PotentialDerivatives`, ``(5, n)``.
    """
    u, du = graded_gauss(GAUSSIAN_CUTOFF, _PANELS, smallest=float(s.min()))
    measure = du * np.exp(-0.5 * u * u)

    def evaluate(x: Array, y: Array, s: Array) -> Array:
        # The lower limit of p gives J1(p)/p = 1/2 at r = 0, in place of 0/0.
        p = np.maximum(x / s, 1e-100)[:, None] * u
        spectrum = measure * np.exp(-(y / s)[:, None] * u) / (s[:, None] + u)
        j0, j1_over_p, j2 = bessel_functions(p)
        return np.stack(
            [
                np.einsum("ij,ij->i", spectrum, j0),
                -np.einsum("ij,ij,j->i", spectrum, j0, u) / s,
                -np.einsum("ij,ij,j->i", spectrum, j1_over_p, u**2) / s**2,
                np.einsum("ij,ij,j->i", spectrum, j2, u**2) / s**2,
                np.einsum("ij,ij,j->i", spectrum, j1_over_p, u**3) / s**3,
            ]
        )

    return in_blocks(evaluate, u.size, x, y, s)
