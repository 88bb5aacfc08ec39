"""How small cells have to be along the edges of a film because of the cores of sources near them.

The energy that an edge adds to a source's own goes as 1/d² with their distance d, so it grows by
2 δ/d of itself when the edge moves by δ, as a circle's does by about h²/12R where sides of length h
replace it. Beside a source of width ξ it is about a part (ξ/d)² of the whole. A point impurity
needs no cells of its own, for it is subtracted; what is left of it varies along an edge over d, and
polygons for circles have their area.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.sizes.edges import PER_RADIUS_OF_HOLE, EdgeSizes, on_circle, rings, spaced
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Core
from pearlfem.quantities.arrays import Array

_PER_DISTANCE = 0.1  # size at an edge in units of the distance from a point
_PER_MEAN = 0.011  # … on a circle near a source of width ξ, of √(R d) d/ξ: 2.5e-5 of its energy
_SAMPLES = 100  # on each side of the point of an edge that is nearest to a core


def edge_sizes_of_cores(film: Film, cores: Sequence[Core]) -> EdgeSizes:
    """Return points along edges of ``film`` and the sizes that ``cores`` ask for there [length].

    The points are as far apart as the sizes; there are none where no core asks for anything. Point
    impurities are cores of size 0.
    """
    found = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    cores = [c for c in cores if c.size == 0 or any(_matters(c, disc) for disc in film.discs)]
    for ring in rings(film) if cores else ():
        at = _samples(ring, cores)
        middles = (at[1:] + at[:-1]) / 2
        sizes = _sizes(_places(ring, middles), film, cores)
        places = _places(ring, spaced(at, sizes))
        found.append(EdgeSizes(places, _sizes(places, film, cores)))
    points, sizes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    asked = np.isfinite(sizes)
    return EdgeSizes(points[asked], sizes[asked])


def _samples(ring: shapely.LinearRing, cores: Sequence[Core]) -> Array:
    """Return arc lengths once around ``ring``, dense where it is near to one of ``cores``."""
    at = []
    for core in cores:
        point = shapely.Point(core.position)
        nearest = shapely.line_locate_point(ring, point)
        distance = max(shapely.distance(ring, point), core.size)
        far = np.arcsinh(ring.length / 2 / distance)
        at.append(nearest + distance * np.sinh(np.linspace(-far, far, 2 * _SAMPLES + 1)))
    once = np.unique(np.concatenate(at) % ring.length)
    return np.append(once, once[0] + ring.length)


def _places(ring: shapely.LinearRing, at: Array) -> Array:
    points = shapely.line_interpolate_point(ring, at % ring.length)
    return np.asarray(shapely.get_coordinates(points))


def _sizes(places: Array, film: Film, cores: Sequence[Core]) -> Array:
    """Return the least size that any core asks for at ``places``, ``(n, 2)`` to ``(n,)``."""
    sizes = np.full(len(places), np.inf)
    circles = [(disc, on_circle(places, disc, 1e-5)) for disc in film.discs]
    for core in cores:
        distances = np.linalg.norm(places - core.position, axis=1)
        if core.size == 0:
            np.minimum(sizes, _PER_DISTANCE * distances, out=sizes)
        for disc, here in circles:
            if core.size > 0 and _matters(core, disc):
                nearest, side = _nearest_side(core, disc)
                # An edge counts for a source's energy as 1/d⁴, so sides may grow along it.
                grown = side * np.maximum(distances[here] / nearest, 1.0)
                sizes[here] = np.minimum(sizes[here], grown)
    return sizes


def _matters(core: Core, disc: Disc) -> bool:
    """Return whether sides of a circle have to be shorter than all are because of ``core``."""
    return _nearest_side(core, disc)[1] < PER_RADIUS_OF_HOLE * disc.radius


def _nearest_side(core: Core, disc: Disc) -> tuple[float, float]:
    """Return the distance d of a circle from ``core``, but at least ξ, and its sides' length."""
    distance = max(abs(math.dist(core.position, disc.center) - disc.radius), core.size)
    return distance, _PER_MEAN * math.sqrt(disc.radius * distance) * distance / core.size
