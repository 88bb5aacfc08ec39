"""Bessel functions for Hankel integrals, accurate also at small arguments."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


def bessel_functions(p: Array) -> tuple[Array, Array, Array]:
    """Evaluate J0(p), J1(p)/p and J2(p) for p > 0, any shape."""
    j0, j1_over_p = special.j0(p), special.j1(p) / p
    j2 = np.where(p < 1.0, _small_bessel_j2(np.minimum(p, 1.0)), 2.0 * j1_over_p - j0)
    return j0, j1_over_p, j2


def _small_bessel_j2(p: Array) -> Array:
    """Power series of J2(p) for 0 <= p <= 1, where 2 J1/p − J0 loses digits by cancellation."""
    # J2 = (h/2) Σ_k 2 (−h)^k / (k! (k+2)!) with h = p²/4, from the last term to the first: each
    # term is −h/(k (k+2)) times the one before.
    factors = [-1.0 / (k * (k + 2)) for k in range(8, 0, -1)]
    h = 0.25 * p * p
    series = np.ones_like(p)
    for factor in factors:
        series = 1.0 + factor * h * series
    return np.asarray(0.5 * h * series)
