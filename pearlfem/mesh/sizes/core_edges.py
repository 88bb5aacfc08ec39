"""Sizes of cells along the edges of a film that are close to cores of sources.

An edge at the distance d adds an energy ∝ 1/d² to the self-energy of a source. Sides of length h
move a round edge by about δ = h²/12R, and so change this energy by 2δ/d of itself. For a source of
width ξ it is about (ξ/d)² of the whole energy.

A point impurity needs no small cells at its position, because its field is subtracted. The rest of
its field varies along an edge over the length d. Polygons then have the areas of circles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.sizes.edges import (
    PER_RADIUS_OF_HOLE,
    EdgeSizes,
    on_circle,
    points_at,
    rings,
    spaced,
)
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Core
from pearlfem.quantities.arrays import Array

_PER_DISTANCE = 0.1  # size at an edge near a point impurity, in units of the distance
# Length of sides of a circle near a source of width ξ, in units of √(R d) d/ξ: this changes its
# energy by 2.5e-5.
_PER_MEAN = 0.011
_SAMPLES = 100  # on both sides of the point of an edge that is nearest to a core


def edge_sizes_of_cores(film: Film, cores: Sequence[Core]) -> EdgeSizes:
    """Return points along the edges of ``film`` and the sizes that ``cores`` need there [length].

    The points are as far apart as the sizes. Parts of edges that no core limits have no points. A
    point impurity is a core of size 0.
    """
    edges = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    cores = [c for c in cores if c.size == 0 or any(_matters(c, disc) for disc in film.discs)]
    for ring in rings(film) if cores else ():
        lengths = _samples(ring, cores)
        middles = (lengths[1:] + lengths[:-1]) / 2
        sizes = _sizes(points_at(ring, middles % ring.length), film, cores)
        points = points_at(ring, spaced(lengths, sizes) % ring.length)
        edges.append(EdgeSizes(points, _sizes(points, film, cores)))
    points, sizes = (np.concatenate(parts) for parts in zip(*edges, strict=True))
    limited = np.isfinite(sizes)
    return EdgeSizes(points[limited], sizes[limited])


def _samples(ring: shapely.LinearRing, cores: Sequence[Core]) -> Array:
    """Return lengths along ``ring``, once around, densely where it is near one of ``cores``."""
    lengths = []
    for core in cores:
        point = shapely.Point(core.position)
        nearest = shapely.line_locate_point(ring, point)
        distance = max(shapely.distance(ring, point), core.size)
        far = np.arcsinh(ring.length / 2 / distance)
        lengths.append(nearest + distance * np.sinh(np.linspace(-far, far, 2 * _SAMPLES + 1)))
    once = np.unique(np.concatenate(lengths) % ring.length)
    return np.append(once, once[0] + ring.length)


def _sizes(points: Array, film: Film, cores: Sequence[Core]) -> Array:
    """Return the smallest size ``(n,)`` that any core needs at ``points`` ``(n, 2)``."""
    sizes = np.full(len(points), np.inf)
    circles = [(disc, on_circle(points, disc, 1e-5)) for disc in film.discs]
    for core in cores:
        distances = np.linalg.norm(points - core.position, axis=1)
        if core.size == 0:
            np.minimum(sizes, _PER_DISTANCE * distances, out=sizes)
        for disc, here in circles:
            if core.size > 0 and _matters(core, disc):
                nearest, side = _nearest_side(core, disc)
                # Along an edge, the effect on the energy falls as 1/d⁴, so sides may get longer.
                grown = side * np.maximum(distances[here] / nearest, 1.0)
                sizes[here] = np.minimum(sizes[here], grown)
    return sizes


def _matters(core: Core, disc: Disc) -> bool:
    """Return whether ``core`` needs shorter sides of a circle than every circle has anyway."""
    return _nearest_side(core, disc)[1] < PER_RADIUS_OF_HOLE * disc.radius


def _nearest_side(core: Core, disc: Disc) -> tuple[float, float]:
    """Return the distance d of a circle from ``core`` (at least ξ), and the length of its sides."""
    distance = max(abs(math.dist(core.position, disc.center) - disc.radius), core.size)
    return distance, _PER_MEAN * math.sqrt(disc.radius * distance) * distance / core.size
