"""How small cells have to be along the edges of a film because of point impurities on it.

A point impurity needs no cells of its own: it is subtracted. What is left varies along an edge over
the distance from the impurity, and the energy that the edge adds to it grows by 2 δ/d when the edge
at the distance d moves by δ, as a circle's does by about h²/12R where sides of length h replace it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from pearlfem.mesh.edges import EdgeSizes, on_circle, rings
from pearlfem.model.film import Film
from pearlfem.model.quantities import Point

_PER_DISTANCE = 0.25  # size at an edge in units of the distance from a point impurity
_PER_MEAN = 0.0052  # … on a circle, of √(R d) at the nearest point: 1e-5 of the edge's energy
_SAMPLES = 100  # on each side of the point of an edge that is nearest to an impurity

_Array = npt.NDArray[np.float64]


def edge_sizes_of_points(film: Film, positions: Sequence[Point]) -> EdgeSizes:
    """Return points along all edges and the sizes that impurities at ``positions`` ask for there.

    The points are as far apart as the sizes.
    """
    found = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    for ring in rings(film):
        at = _samples(ring, positions)
        middles = (at[1:] + at[:-1]) / 2
        sizes = _sizes(_places(ring, middles), film, positions)
        counts = np.append(0.0, np.cumsum(np.diff(at) / sizes))
        steps = np.arange(math.ceil(counts[-1])) / math.ceil(counts[-1])
        places = _places(ring, np.interp(steps * counts[-1], counts, at))
        found.append(EdgeSizes(places, _sizes(places, film, positions)))
    points, sizes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return EdgeSizes(points, sizes)


def _samples(ring: shapely.LinearRing, positions: Sequence[Point]) -> _Array:
    """Return arc lengths once around ``ring``, dense where it is near to one of ``positions``."""
    at = []
    for point in map(shapely.Point, positions):
        nearest, distance = shapely.line_locate_point(ring, point), shapely.distance(ring, point)
        far = np.arcsinh(ring.length / 2 / distance)
        at.append(nearest + distance * np.sinh(np.linspace(-far, far, 2 * _SAMPLES + 1)))
    once = np.unique(np.concatenate(at) % ring.length)
    return np.append(once, once[0] + ring.length)


def _places(ring: shapely.LinearRing, at: _Array) -> _Array:
    points = shapely.line_interpolate_point(ring, at % ring.length)
    return np.asarray(shapely.get_coordinates(points))


def _sizes(places: _Array, film: Film, positions: Sequence[Point]) -> _Array:
    """Return the least size that any impurity asks for at ``places``, ``(n, 2)`` to ``(n,)``."""
    sizes = np.full(len(places), np.inf)
    circles = [(disc, on_circle(places, disc, 1e-5)) for disc in film.discs]
    for position in positions:
        distances = np.linalg.norm(places - position, axis=1)
        np.minimum(sizes, _PER_DISTANCE * distances, out=sizes)
        for disc, here in circles:
            nearest = abs(math.dist(position, disc.center) - disc.radius)
            # An edge counts for an impurity as 1/d⁴, so sides may grow along it.
            rate = _PER_MEAN * math.sqrt(disc.radius / nearest)
            sizes[here] = np.minimum(sizes[here], rate * distances[here])
    return sizes
