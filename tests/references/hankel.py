"""Quadrature and Bessel functions for Hankel integrals."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j0, j1

Array = NDArray[np.float64]


def gauss(ends: ArrayLike, count: int) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights, ``count`` on each panel between ``ends``."""
    x, w = _legendre(count)
    start, width = np.asarray(ends)[:-1, None], np.diff(ends)[:, None]
    return (start + width * (x + 1) / 2).ravel(), (width * w / 2).ravel()


@cache
def _legendre(count: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(count)


def bessel_rows(count: int, x: Array) -> Array:
    """J_n(x), x ≥ 0, for n = 0, …, count − 1 (at least two) in rows.

    The ratios J_n/J_(n−1) come from the downward recurrence, which is stable (Miller); their
    products give J_n. This loses no digits for x of some hundreds, where the error of
    scipy.special.jv is 1e-13.
    """
    rows = np.ones((count, x.size))
    ratio = np.zeros_like(x)
    for n in range(int(max(count, x.max()) + 15 * np.cbrt(x.max())) + 30, 0, -1):
        ratio = x / (2 * n - x * ratio)
        if n < count:
            rows[n] = ratio
    np.cumprod(rows, axis=0, out=rows)
    first, second = j0(x), j1(x)  # scale with the larger one: the other may be close to a zero
    scale = first.copy()
    np.divide(second, rows[1], out=scale, where=abs(second) > abs(first))
    return rows * scale
