"""Exact fields of many point impurities at many points of the film, from tables of their radius.

On the infinite film a point impurity with moment Γm has, at the distance r in direction r̂ and with
t̂ = ẑ × r̂,

    g = G(r) m·r̂,    K = a(r) (m·r̂) t̂ + b(r) (m·t̂) r̂,    B_z = β(r) m·r̂    (z → 0⁺)

with functions of r that are the same for all. Each is a power of r at either end and keeps its
sign, so that a cubic spline of its logarithm over that of r, with 50 knots per decade, is right to
1e-7. This takes a twentieth of the time of the exact functions, which matters for a film full of
points; ``exact_part`` has these.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from pearlfem.analytic import infinite_film
from pearlfem.observables.point_impurities.fields import pearl_length_of, point_moments
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_KNOTS_PER_DECADE = 50


class FilmFields(NamedTuple):
    """``g`` (n,), ``K`` (n, 2) and ``B_z`` (n,) at points of the film."""

    g: Array
    K: Array
    B_z: Array


def exact_film_fields(solution: Solution, points: Array) -> FilmFields:
    """Return g, K and B_z of the point impurities as on the infinite film, in reduced units.

    Args:
        solution: Its drives.
        points: Of the film [length], ``(n, 2)``. At an impurity itself fields are NaN.

    Note:
        Not collective.
    """
    fields = FilmFields(*(np.zeros((len(points), *k)) for k in ((), (2,), ())))
    moments = point_moments(solution)
    if not len(points) or not moments:
        return fields
    offsets = [points - position for position, _ in moments]
    distances = [np.hypot(*offset.T) for offset in offsets]
    kernels = _Kernels(distances, pearl_length_of(solution))
    for (_, moment), offset, r in zip(moments, offsets, distances, strict=True):
        r = np.where(r > 0, r, np.nan)
        radial = offset / r[:, None]
        tangent = np.column_stack([-radial[:, 1], radial[:, 0]])
        G, a, b, beta = kernels.at(r)
        along, across = radial @ moment, tangent @ moment
        fields.g[:] += G * along
        fields.K[:] += (a * along)[:, None] * tangent + (b * across)[:, None] * radial
        fields.B_z[:] += beta * along
    return fields


class _Kernels:
    """G, a, b and β between the smallest and the largest of ``distances``, 0 left out."""

    def __init__(self, distances: list[Array], pearl_length: float) -> None:
        least = min(r[r > 0].min(initial=math.inf) for r in distances)
        largest = max(r.max() for r in distances)
        decades = math.log10(largest / least) if least < largest else 0.0
        knots = np.geomspace(least, largest, 10 + math.ceil(_KNOTS_PER_DECADE * decades))
        knots[[0, -1]] *= 1 - 1e-9, 1 + 1e-9  # and not beyond by round-off
        flat = np.zeros_like(knots)
        line = np.column_stack([knots, flat])
        turned = infinite_film.sheet_current(line, angle=90.0, pearl_length=pearl_length)
        table = np.stack(
            [
                infinite_film.stream_function(line, pearl_length=pearl_length),
                infinite_film.sheet_current(line, pearl_length=pearl_length)[:, 1],
                turned[:, 0],
                infinite_film.magnetic_field(
                    np.column_stack([line, flat]), pearl_length=pearl_length
                )[:, 2],
            ]
        )
        self._signs = np.sign(table[:, :1])
        self._spline = CubicSpline(np.log(knots), np.log(np.abs(table)), axis=1)

    def at(self, r: Array) -> Array:
        """Return the four functions at distances ``r``, shape ``(4, n)``."""
        return np.asarray(self._signs * np.exp(self._spline(np.log(r))))
