"""Enclosures of functions of two variables and of all their derivatives up to an order.

A jet has the Taylor coefficients c_ij of a function, one interval for each i + j ≤ order, which
holds the coefficients at all points of a box around each of n places:

    f(p + (u, v)) = Σ c_ij u^i v^j + …,    p anywhere in the box.

So the coefficients of order k + 1 over a box that contains p bound what is left of the series after
the order k (Taylor's theorem, in the form of Lagrange). At kinks a first derivative is
any number between those of both sides, and higher derivatives are without bounds; at jumps
all derivatives are.

References:
    R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis, SIAM (2009),
    chapter 9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pearlfem.enclosures import intervals
from pearlfem.enclosures.intervals import Array, Interval, exactly


class Truth(NamedTuple):
    """Whether a condition may hold, and whether it may fail, somewhere in each of n boxes."""

    holds: np.ndarray
    fails: np.ndarray


def monomials(order: int) -> list[tuple[int, int]]:
    """Return the exponents (i, j) of u^i v^j with i + j ≤ order, lower orders first."""
    return [(k - j, j) for k in range(order + 1) for j in range(k + 1)]


class Jet:
    """Taylor coefficients of a function, at all points of n boxes.

    Args:
        order: The highest order.
        coefficients: One interval, arrays ``(n,)``, for each of ``monomials(order)``.
    """

    def __init__(self, order: int, coefficients: Interval) -> None:
        self.order, self.coefficients = order, coefficients

    @classmethod
    def linear(cls, order: int, value: Interval, slopes: tuple[Array, Array]) -> Jet:
        """Return a function with values in ``value`` and known ``slopes`` along u and v."""
        low, high = (np.zeros((len(monomials(order)), len(value.low))) for _ in range(2))
        low[0], high[0] = value
        if order > 0:
            low[1:3] = high[1:3] = slopes
        return cls(order, Interval(low, high))

    def constant(self, value: float | Array) -> Jet:
        """Return a function that is one number in each box, with the shape of this jet."""
        n = self.coefficients.low.shape[1]
        return Jet.linear(self.order, exactly(np.full(n, value)), (np.zeros(n), np.zeros(n)))

    @property
    def value(self) -> Interval:
        """The values of the function."""
        return Interval(self.coefficients.low[0], self.coefficients.high[0])

    def __neg__(self) -> Jet:
        return Jet(self.order, Interval(-self.coefficients.high, -self.coefficients.low))

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.order, self.coefficients.plus(other.coefficients))

    def __sub__(self, other: Jet) -> Jet:
        return Jet(self.order, self.coefficients.minus(other.coefficients))

    def __mul__(self, other: Jet) -> Jet:
        low, high = (np.zeros_like(self.coefficients.low) for _ in range(2))
        numbers = monomials(self.order)
        place = {ij: k for k, ij in enumerate(numbers)}
        for m, (a, b) in enumerate(numbers):
            rest = monomials(self.order - a - b)  # the first numbers of all
            targets = [place[a + i, b + j] for i, j in rest]
            factor = Interval(self.coefficients.low[m], self.coefficients.high[m])
            if not (factor.low.any() or factor.high.any()):
                continue
            others = Interval(*(each[: len(rest)] for each in other.coefficients))
            sums = Interval(low[targets], high[targets]).plus(factor.times(others))
            low[targets], high[targets] = sums
        return Jet(self.order, Interval(low, high))

    def __truediv__(self, other: Jet) -> Jet:
        return self * other**-1.0

    def __pow__(self, exponent: float) -> Jet:
        g, factor, terms = self.value, 1.0, []
        for k in range(self.order + 1):
            if factor == 0:
                terms.append(exactly(np.zeros_like(g.low)))
            else:
                terms.append(intervals.power(g, exponent - k).scaled(factor))
            factor *= (exponent - k) / (k + 1)
        return self._composed(terms)

    def squared(self) -> Jet:
        """Return the square, which is not negative."""
        return self**2.0

    def without_derivatives(self, known: Jet | None = None) -> Jet:
        """Return the values alone, with derivatives without bounds.

        Args:
            known: A jet whose first derivatives hold.
        """
        low, high = (array.copy() for array in self.coefficients)
        low[1:], high[1:] = -np.inf, np.inf
        if known is not None:
            low[1:3], high[1:3] = (array[1:3] for array in known.coefficients)
        return Jet(self.order, Interval(low, high))

    def where(self, condition: np.ndarray, other: Jet) -> Jet:
        """Return this jet at the places where ``condition`` holds, and ``other`` elsewhere."""
        pairs = zip(self.coefficients, other.coefficients, strict=True)
        return Jet(self.order, Interval(*(np.where(condition, a, b) for a, b in pairs)))

    def _composed(self, terms: Sequence[Interval]) -> Jet:
        """Return f(g) from the Taylor coefficients of f at all values of g."""
        rest = Jet(self.order, Interval(*(array.copy() for array in self.coefficients)))
        for array in rest.coefficients:
            array[0] = 0.0
        result = self.constant(0.0)
        for number, term in enumerate(reversed(terms)):
            if number:
                result = result * rest
            for array, bound in zip(result.coefficients, term, strict=True):
                array[0] = bound
        return result

    def scaled_by_order(self, power: int) -> Jet:
        """Return the jet with coefficients of order k ≥ 1 times k^power, and no value."""
        orders = np.array([i + j for i, j in monomials(self.order)], dtype=float)
        factors = np.append(0.0, orders[1:] ** power)[:, None]
        return Jet(self.order, self.coefficients.times(exactly(factors)))


def exp(g: Jet) -> Jet:
    """Return the exponential of g."""
    value = intervals.exp(g.value)
    return g._composed([value.scaled(1 / math.factorial(k)) for k in range(g.order + 1)])


def log(g: Jet) -> Jet:
    """Return the logarithm of g > 0."""
    inverse = intervals.power(g.value, -1.0)
    terms = [intervals.log(g.value)]
    for k in range(1, g.order + 1):
        terms.append(intervals.power(inverse, k).scaled((-1) ** (k + 1) / k))
    return g._composed(terms)


def sqrt(g: Jet) -> Jet:
    """Return √g of g ≥ 0."""
    return g**0.5


def cos(g: Jet) -> Jet:
    """Return the cosine of g."""
    c, s = intervals.cos(g.value), intervals.sin(g.value)
    return _cyclic(g, (c, s.scaled(-1.0), c.scaled(-1.0), s))


def sin(g: Jet) -> Jet:
    """Return the sine of g."""
    c, s = intervals.cos(g.value), intervals.sin(g.value)
    return _cyclic(g, (s, c, s.scaled(-1.0), c.scaled(-1.0)))


def cosh(g: Jet) -> Jet:
    """Return the hyperbolic cosine of g."""
    return _cyclic(g, (intervals.cosh(g.value), intervals.sinh(g.value)))


def sinh(g: Jet) -> Jet:
    """Return the hyperbolic sine of g."""
    return _cyclic(g, (intervals.sinh(g.value), intervals.cosh(g.value)))


def tanh(g: Jet) -> Jet:
    """Return the hyperbolic tangent of g: its derivative is 1 − tanh²."""
    return _riccati(g, intervals.tanh(g.value), -1.0)


def tan(g: Jet) -> Jet:
    """Return the tangent of g: its derivative is 1 + tan²."""
    return _riccati(g, intervals.tan(g.value), 1.0)


def hypot(a: Jet, b: Jet) -> Jet:
    """Return √(a² + b²)."""
    return sqrt(a.squared() + b.squared())


def arctan2(y: Jet, x: Jet) -> Jet:
    """Return the angle θ of (x, y).

    With D = u ∂_u + v ∂_v, which multiplies coefficients of order k by k, the angle has
    Dθ = (x Dy − y Dx)/(x² + y²).
    """
    turned = x * y.scaled_by_order(1) - y * x.scaled_by_order(1)
    result = (turned / (x.squared() + y.squared())).scaled_by_order(-1)
    for array, bound in zip(result.coefficients, intervals.angle(y.value, x.value), strict=True):
        array[0] = bound
    cut = intervals.crosses_cut(y.value, x.value)
    return result.without_derivatives().where(cut, result)


def absolute(g: Jet) -> Jet:
    """Return |g|."""
    return maximum(g, -g)


def maximum(a: Jet, b: Jet) -> Jet:
    """Return the larger of two functions."""
    larger = Interval(*map(np.maximum, a.value, b.value))
    return _either(less(b, a), a, b, larger)


def minimum(a: Jet, b: Jet) -> Jet:
    """Return the smaller of two functions."""
    smaller = Interval(*map(np.minimum, a.value, b.value))
    return _either(less(a, b), a, b, smaller)


def less(a: Jet, b: Jet) -> Truth:
    """Return whether a < b."""
    return Truth(a.value.low < b.value.high, a.value.high >= b.value.low)


def where(condition: Truth, a: Jet, b: Jet) -> Jet:
    """Return a where the condition holds, and b elsewhere."""
    hull = Jet(a.order, a.coefficients.hull(b.coefficients))
    open_ = hull.without_derivatives()
    return a.where(~condition.fails, b.where(~condition.holds, open_))


def _either(condition: Truth, a: Jet, b: Jet, value: Interval) -> Jet:
    """Return a or b, which are equal where they change places: there is a kink, but no jump."""
    hull = Jet(a.order, a.coefficients.hull(b.coefficients))
    kink = hull.without_derivatives(hull)
    for array, bound in zip(kink.coefficients, value, strict=True):
        array[0] = bound
    return a.where(~condition.fails, b.where(~condition.holds, kink))


def _cyclic(g: Jet, derivatives: Sequence[Interval]) -> Jet:
    """Return a function whose derivatives repeat themselves."""
    terms = [
        derivatives[k % len(derivatives)].scaled(1 / math.factorial(k)) for k in range(g.order + 1)
    ]
    return g._composed(terms)


def _riccati(g: Jet, value: Interval, sign: float) -> Jet:
    """Return f(g) for a function with f' = 1 + sign f²."""
    terms = [value]
    for k in range(g.order):
        square = exactly(np.zeros_like(value.low))
        for i in range(k + 1):
            square = square.plus(terms[i].times(terms[k - i]))
        slope = square.scaled(sign).plus(exactly(np.full_like(value.low, float(k == 0))))
        terms.append(slope.scaled(1 / (k + 1)))
    return g._composed(terms)
