"""Polynomials on triangles that are nowhere smaller than a given function.

The polynomial p that interpolates f in a triangle is raised by a number R ≥ f − p. To find one, the
triangle is cut into parts. With the Taylor polynomial T of f − p of order k − 1 around the centre
of a part, and its coefficients of order k over the bounding box, f − p is at most the largest
value of T plus what the coefficients of order k allow. Each part takes the best k: where f has a
kink or a jump, a low one. Parts become smaller until R is small or they are many.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from pearlfem.enclosures.intervals import Array, Interval, exactly
from pearlfem.enclosures.jets import Jet, monomials

Function = Callable[[Jet, Jet], Jet]

_MOST = 20_000  # parts at the same time, for their jets take memory
_ROUND_OFF = 1e-14  # relative: values of polynomials are sums of few terms
_WANTED = 1e-5  # R in units of the largest |f|: better is not tried
_NEAR = 1.5  # R in units of the largest f − p that is seen: better is not tried
_LEVELS = 3  # a triangle is cut into at most 4³ parts
_WHOLE = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])


def polynomials_above(function: Function, corners: Array, degree: int) -> Array:
    """Return for each triangle a polynomial that is nowhere smaller than f.

    Where f is smooth it is too large by the order h^(degree + 1) in triangles of size h.

    Args:
        function: f, from the jets of x and y to the jet of f(x, y).
        corners: Corners of n triangles, ``(n, 3, 2)``.
        degree: Degree of the polynomials.

    Returns:
        Coefficients for ``powers`` of the reference coordinates, ``(n, m)``; infinite where no
        bound is known.
    """
    blocks = np.array_split(corners, 1 + len(corners) // _MOST)
    with np.errstate(all="ignore"):  # bounds may be infinite
        return np.concatenate([_above(function, block, degree) for block in blocks])


def powers(points: Array, degree: int) -> Array:
    """Return all u^i v^j with i + j ≤ degree at points of the reference triangle.

    Args:
        points: Points of the triangle (0, 0), (1, 0), (0, 1), ``(…, 2)``; u and v are their
            coordinates relative to its centre.
        degree: The degree.

    Returns:
        Array of shape ``(…, m)``.
    """
    u, v = np.moveaxis(points - 1 / 3, -1, 0)
    return np.stack([u**i * v**j for i, j in monomials(degree)], axis=-1)


def _above(function: Function, corners: Array, degree: int) -> Array:
    """Return ``polynomials_above`` of not too many triangles."""
    polynomials, largest = _interpolants(function, corners, degree)
    rest = _largest_rests(function, corners, polynomials, _WANTED * largest, degree)
    polynomials[:, 0] += rest
    polynomials[:, 0] += _ROUND_OFF * np.abs(polynomials).sum(axis=1)
    return polynomials


def _largest_rests(
    function: Function, corners: Array, polynomials: Array, wanted: Array, degree: int
) -> Array:
    """Return an upper bound of f − p in each triangle, ``(n,)``."""
    rests = np.zeros(len(corners))
    number = np.arange(len(corners))
    parts = np.broadcast_to(_WHOLE, (len(corners), 3, 2))
    for level in range(_LEVELS + 1):
        middles, bounds = [], []
        for some in np.array_split(np.arange(len(number)), 1 + len(number) // _MOST):
            here = number[some]
            middle, bound = _rest(function, corners[here], polynomials[here], parts[some], degree)
            middles.append(middle)
            bounds.append(bound)
        bound = np.concatenate(bounds)
        # Values of f − p itself tell how small R can be at best.
        np.maximum.at(rests, number, np.concatenate(middles))
        split = ~(bound <= np.maximum(wanted, _NEAR * rests)[number]) & (level < _LEVELS)
        np.maximum.at(rests, number[~split], bound[~split])
        number, parts = np.repeat(number[split], 4), _quarters(parts[split])
    return rests


def _quarters(triangles: Array) -> Array:
    """Return four parts of each triangle, ``(n, 3, 2)`` to ``(4n, 3, 2)``."""
    middles = (triangles + np.roll(triangles, -1, axis=1)) / 2
    corners = [
        np.stack([triangles[:, k], middles[:, k], middles[:, k - 1]], axis=1) for k in range(3)
    ]
    return np.stack([*corners, middles], axis=1).reshape(-1, 3, 2)


def _interpolants(function: Function, corners: Array, degree: int) -> tuple[Array, Array]:
    """Return the interpolating polynomials, ``(n, m)``, and the largest |f| at their nodes."""
    nodes = np.array(monomials(degree), dtype=float) / degree
    values = []
    for node in nodes:
        place = corners[:, 0] + node @ (corners[:, 1:] - corners[:, :1])
        low, high = _jet(function, exactly(place), corners, 0).value
        values.append(np.where(np.isfinite(high - low), (low + high) / 2, 0.0))
    polynomials = np.linalg.solve(powers(nodes, degree), np.array(values)).T
    return polynomials, np.abs(values).max(axis=0)


def _rest(
    function: Function, corners: Array, polynomials: Array, parts: Array, degree: int
) -> tuple[Array, Array]:
    """Return f − p in the middle of a part of each triangle, and an upper bound of it, ``(n,)``.

    Args:
        function: f.
        corners: Corners of the triangles, ``(n, 3, 2)``.
        polynomials: The coefficients of p, ``(n, m)``.
        parts: Corners of the parts on the reference triangle, ``(n, 3, 2)``.
        degree: The degree of p.
    """
    places = corners[:, :1] + parts @ (corners[:, 1:] - corners[:, :1])
    polynomial = _polynomial(polynomials, degree)

    def rest(box: Callable[[Array], Interval], order: int) -> Interval:
        f = _jet(function, box(places), places, order)
        return (f - _jet(polynomial, box(parts - 1 / 3), parts, order)).coefficients

    series = rest(lambda points: exactly(points.mean(axis=1)), degree)
    last = rest(lambda points: Interval(points.min(axis=1), points.max(axis=1)), degree + 1)
    ranges = Interval(*(each[:, None] for each in _ranges(degree + 1)))
    bounds = last.times(ranges).high
    values = series.times(Interval(*(each[: len(series.low)] for each in ranges))).high
    known, least = np.zeros(len(corners)), np.full(len(corners), np.inf)
    for k in range(degree + 2):
        order_k = slice(len(monomials(k - 1)), len(monomials(k)))
        least = np.fmin(least, known + bounds[order_k].sum(axis=0))
        known = known + values[order_k].sum(axis=0)
    middle = np.where(np.isfinite(series.low[0]), series.low[0], 0.0)
    return middle, least + _ROUND_OFF * np.abs(least)


def _polynomial(coefficients: Array, degree: int) -> Function:
    """Return polynomials in u and v, one for each triangle, as a function of jets."""

    def values(u: Jet, v: Jet) -> Jet:
        place = {ij: k for k, ij in enumerate(monomials(degree))}
        total = u.constant(0.0)
        for i in range(degree, -1, -1):
            inner = u.constant(0.0)
            for j in range(degree - i, -1, -1):
                inner = inner * v + u.constant(coefficients[:, place[i, j]])
            total = total * u + inner
        return total

    return values


def _jet(function: Function, box: Interval, triangles: Array, order: int) -> Jet:
    """Return the jet of f along two sides of ``triangles``, at all points of a box ``(n, 2)``."""
    sides = triangles[:, 1:] - triangles[:, :1]
    x, y = (
        Jet.linear(order, Interval(box.low[:, k], box.high[:, k]), tuple(sides[..., k].T))
        for k in (0, 1)
    )
    return function(x, y)


@cache
def _ranges(order: int) -> Interval:
    """Return the values that each u^i v^j has in the reference triangle, ``(m,)``.

    They are extreme at corners, in the centre where they are 0, or within the edge u + v = ⅓.
    """
    numbers = monomials(order)
    low, high = np.ones((2, len(numbers)))
    for n, (i, j) in enumerate(numbers[1:], start=1):
        t = i / (i + j)
        points = np.array([(0, 0), (1, 0), (0, 1), (t, 1 - t), (1 / 3, 1 / 3)])
        values = powers(points, order)[:, n]
        low[n], high[n] = values.min(), values.max()
    return Interval(low - _ROUND_OFF * np.abs(low), high + _ROUND_OFF * np.abs(high))
