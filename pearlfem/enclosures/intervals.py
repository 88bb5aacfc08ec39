"""Interval arithmetic on arrays: each result contains the result for all numbers of its operands.

Every operation is rounded outward, so this includes round-off, but not underflow. Where a function
is not defined on a part of an interval, that part is left out: the caller knows that it is never
reached.
An infinite bound means that none is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_ULPS = 4  # by which functions of the C library may be wrong
_MOST_TURNS = 1e6  # beyond this many radians sine and cosine are anywhere between −1 and 1


class Interval(NamedTuple):
    """All numbers from ``low`` to ``high``, arrays of one shape."""

    low: Array
    high: Array

    def plus(self, other: Interval) -> Interval:
        """Return the sum."""
        return _outward(self.low + other.low, self.high + other.high)

    def minus(self, other: Interval) -> Interval:
        """Return the difference."""
        return _outward(self.low - other.high, self.high - other.low)

    def times(self, other: Interval) -> Interval:
        """Return the product."""
        products = [_product(a, b) for a in self for b in other]
        return _outward(np.minimum.reduce(products), np.maximum.reduce(products))

    def scaled(self, factor: float) -> Interval:
        """Return the product with one number."""
        return self.times(exactly(factor))

    def inverse(self) -> Interval:
        """Return 1/x; unbounded where x may be 0."""
        with np.errstate(divide="ignore"):
            low, high = _outward(1.0 / self.high, 1.0 / self.low)
        zero = (self.low <= 0) & (self.high >= 0)
        return Interval(np.where(zero, -np.inf, low), np.where(zero, np.inf, high))

    def hull(self, other: Interval) -> Interval:
        """Return the smallest interval that contains both."""
        return Interval(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def largest(self) -> Array:
        """Return the largest |x|."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


def exactly(value: npt.ArrayLike) -> Interval:
    """Return the interval that contains ``value`` alone."""
    number = np.asarray(value, dtype=float)
    return Interval(number, number)


def power(x: Interval, exponent: float) -> Interval:
    """Return x^exponent; for exponents that are not whole, of x ≥ 0."""
    if exponent < 0:
        return power(x, -exponent).inverse()
    if exponent % 2 == 0:
        x = _sizes(x)
    elif exponent % 1 != 0:
        x = Interval(np.maximum(x.low, 0.0), np.maximum(x.high, 0.0))
    return _increasing(lambda values: np.float_power(values, exponent), x)


def exp(x: Interval) -> Interval:
    """Return the exponential of x."""
    return _increasing(np.exp, x)


def log(x: Interval) -> Interval:
    """Return the logarithm of x > 0."""
    return _increasing(np.log, Interval(np.maximum(x.low, 0.0), np.maximum(x.high, 0.0)))


def sinh(x: Interval) -> Interval:
    """Return the hyperbolic sine of x."""
    return _increasing(np.sinh, x)


def cosh(x: Interval) -> Interval:
    """Return the hyperbolic cosine of x."""
    low, high = _increasing(np.cosh, _sizes(x))
    return Interval(np.maximum(low, 1.0), high)


def tanh(x: Interval) -> Interval:
    """Return the hyperbolic tangent of x."""
    return _increasing(np.tanh, x)


def tan(x: Interval) -> Interval:
    """Return the tangent of x; unbounded where x may be at a pole."""
    pole = _reaches(x, math.pi / 2, math.pi)
    low, high = _increasing(np.tan, x)
    return Interval(np.where(pole, -np.inf, low), np.where(pole, np.inf, high))


def cos(x: Interval) -> Interval:
    """Return the cosine of x."""
    ends = [np.cos(x.low), np.cos(x.high)]
    low, high = _widened(np.minimum(*ends), np.maximum(*ends))
    low = np.where(_reaches(x, math.pi, 2 * math.pi), -1.0, np.maximum(low, -1.0))
    high = np.where(_reaches(x, 0.0, 2 * math.pi), 1.0, np.minimum(high, 1.0))
    return Interval(low, high)


def sin(x: Interval) -> Interval:
    """Return the sine of x."""
    ends = [np.sin(x.low), np.sin(x.high)]
    low, high = _widened(np.minimum(*ends), np.maximum(*ends))
    low = np.where(_reaches(x, -math.pi / 2, 2 * math.pi), -1.0, np.maximum(low, -1.0))
    high = np.where(_reaches(x, math.pi / 2, 2 * math.pi), 1.0, np.minimum(high, 1.0))
    return Interval(low, high)


def angle(y: Interval, x: Interval) -> Interval:
    """Return the angle of (x, y), −π to π; all of it where −π and π are both possible."""
    corners = [np.arctan2(b, a) for a in x for b in y]
    low, high = _widened(np.minimum.reduce(corners), np.maximum.reduce(corners))
    cut = crosses_cut(y, x)
    return Interval(np.where(cut, -4.0, low), np.where(cut, 4.0, high))


def crosses_cut(y: Interval, x: Interval) -> npt.NDArray[np.bool_]:
    """Return where the angle of (x, y) may jump from −π to π."""
    return np.asarray((x.low <= 0) & (y.low <= 0) & (y.high >= 0))


def _reaches(x: Interval, start: float, period: float) -> npt.NDArray[np.bool_]:
    """Return where x may contain start + n period for a whole number n."""
    margin = 1e-9  # far above the error of the division for |x| below the limit
    turns = (x.low - start) / period, (x.high - start) / period
    with np.errstate(invalid="ignore"):
        inside = np.floor(turns[1] + margin) >= np.ceil(turns[0] - margin)
    return np.asarray(inside | ~(x.largest() < _MOST_TURNS))


def _sizes(x: Interval) -> Interval:
    """Return |x|."""
    return Interval(np.maximum(np.maximum(x.low, -x.high), 0.0), x.largest())


def _product(a: Array, b: Array) -> Array:
    """Return a b, with 0 · ∞ = 0: an unknown number times 0 is 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        product = a * b
    return np.where(np.isnan(product), 0.0, product)


def _increasing(function: Callable[[Array], Array], x: Interval) -> Interval:
    """Return the values of an increasing function."""
    return _widened(function(x.low), function(x.high))


def _widened(low: Array, high: Array) -> Interval:
    """Return ``low`` and ``high`` with the error of functions of the C library."""
    margin = _ULPS * np.finfo(float).eps
    return _outward(low - margin * np.abs(low), high + margin * np.abs(high))


def _outward(low: Array, high: Array) -> Interval:
    """Return an interval with the error of one operation; without a bound in place of NaN.

    An exact zero stays one, so that unknown numbers times it are zero.
    """
    eps = np.finfo(float).eps
    with np.errstate(invalid="ignore"):
        low, high = low - eps * np.abs(low), high + eps * np.abs(high)
    return Interval(np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))
