"""The Keldysh potential V(r), Eq. (7): the screened interaction between two points of the film.

It is logarithmic at short distance, as in two dimensions (r ≪ r0), and falls off as 1/r at long
distance, as in three (r ≫ r0); r0 = 2λ²/d is the Pearl length.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (7).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.analytic._checks import non_negative, positive
from pearlfem.analytic._quadrature import (
    DECAY_LENGTHS,
    START_FRACTION,
    double_exponential,
    in_blocks,
)

_HIGHEST_DERIVATIVE = 3


def keldysh_potential(
    r: ArrayLike, pearl_length: float = 1.0, derivative: int = 0
) -> NDArray[np.float64]:
    """Keldysh potential V(r), or one of its derivatives with respect to r.

        V = (π/2) [H0(x) − Y0(x)] = ∫_0^∞ e^{−xt} / √(1+t²) dt,   x = r / r0
        dⁿV/drⁿ = (−1/r0)ⁿ ∫_0^∞ tⁿ e^{−xt} / √(1+t²) dt

    The integrand is positive, so nothing cancels: 12 digits or more for r/r0 from 1e-6 to 1e6. The
    difference of the Struve and the Bessel function would lose all digits at large r/r0.

    Args:
        r: distance in the film [length], any shape, >= 0.
        pearl_length: r0 = 2λ²/d [length].
        derivative: order n of the derivative, 0 to 3.

    Returns:
        dⁿV/drⁿ [1/lengthⁿ], the shape of `r`; ±inf at r = 0.

    Raises:
        ValueError: if `r` is negative or not finite, `pearl_length` not positive, or
            `derivative` not one of 0, 1, 2, 3.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eq. (7).
    """
    distance = non_negative("r", r)
    scale = positive("pearl_length", pearl_length)
    if derivative not in range(_HIGHEST_DERIVATIVE + 1):
        raise ValueError(f"derivative = {derivative!r}: must be 0, 1, 2 or 3")
    sign = (-1.0) ** derivative
    value = np.full(distance.shape, sign * np.inf)
    apart = distance > 0
    if apart.any():
        value[apart] = sign * _moment(distance[apart] / scale, derivative) / scale**derivative
    return value


def _moment(x: NDArray[np.float64], power: int) -> NDArray[np.float64]:
    """∫_0^∞ t^power e^{−xt} / √(1+t²) dt for x > 0 of shape ``(n,)``."""
    reach = DECAY_LENGTHS / START_FRACTION * max(1.0, 1.0 / float(x.min()))
    nodes, weights = double_exponential(reach)

    def evaluate(x: NDArray[np.float64]) -> NDArray[np.float64]:
        start = START_FRACTION / np.maximum(x, 1.0)
        t = start[:, None] * nodes
        integrand = t**power * np.exp(-x[:, None] * t) / np.sqrt(1.0 + t * t)
        return np.asarray(start * (integrand @ weights))

    return in_blocks(evaluate, nodes.size, x)
