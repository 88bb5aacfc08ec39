"""Sizes of cells along the edges of a film that are close to cores of sources.

An edge at the distance d adds an energy ∝ 1/d² to the self-energy of a source. Sides of length h
move a round edge by about δ = h²/12R, and so change this energy by 2δ/d of itself. For a source of
width ξ it is about (ξ/d)² of the whole energy.

A point impurity needs no small cells at its position, because its field is subtracted. The rest of
its field varies along an edge over the length d. Polygons then have the areas of circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from scipy.spatial import KDTree

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.sizes.edges import (
    PER_RADIUS_OF_HOLE,
    Circles,
    EdgeSizes,
    lengths_at,
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
_SAMPLES = 100  # on both sides of the point of an edge that is nearest to a core …
_FEWEST_SAMPLES, _MOST_SAMPLES = 5, 10_000  # … or fewer, if many cores are near one edge
_STEPS = 1000  # places along an edge where the nearest point is looked for


def edge_sizes_of_cores(film: Film, cores: Sequence[Core]) -> EdgeSizes:
    """Return points along the edges of ``film`` and the sizes that ``cores`` need there [length].

    The points are as far apart as the sizes. Parts of edges that no core limits have no points. A
    point impurity is a core of size 0.
    """
    parts = [EdgeSizes(np.empty((0, 2)), np.empty(0))]
    positions = np.array([core.position for core in cores]).reshape(-1, 2)
    sizes = np.array([core.size for core in cores])
    points = KDTree(positions[sizes == 0]) if np.any(sizes == 0) else None
    circles = Circles(film.discs)
    for ring in rings(film):
        near_discs = circles.near(np.asarray(shapely.get_coordinates(ring)))
        needs = [_needs(disc, positions, sizes) for disc in near_discs]
        places, widths = [each.positions for each in needs], [each.widths for each in needs]
        if points is not None:
            nearest = _nearest(ring, points)
            places.append(nearest)
            widths.append(np.zeros(len(nearest)))
        if sum(map(len, places)) > 0:
            lengths = _samples(ring, np.concatenate(places), np.concatenate(widths))
            middles = points_at(ring, (lengths[1:] + lengths[:-1]) / 2 % ring.length)
            stations = spaced(lengths, _sizes(middles, points, needs))
            found = points_at(ring, stations % ring.length)
            parts.append(EdgeSizes(found, _sizes(found, points, needs)))
    where, limits = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    limited = np.isfinite(limits)
    return EdgeSizes(where[limited], limits[limited])


class _Needs(NamedTuple):
    """The cores that need shorter sides of a circle than every circle has anyway.

    Args:
        disc: The disc in the circle.
        positions: Their positions [length], shape ``(n, 2)``.
        widths: Their ξ [length], ``(n,)``.
        distances: Their distances d from the circle, at least ξ [length], ``(n,)``.
        sides: The lengths of sides that they need there [length], ``(n,)``.
    """

    disc: Disc
    positions: Array
    widths: Array
    distances: Array
    sides: Array


def _needs(disc: Disc, positions: Array, sizes: Array) -> _Needs:
    """Return what cores at ``positions`` ``(n, 2)`` need on the circle of ``disc``."""
    offsets = np.linalg.norm(positions - disc.center, axis=1)
    distances = np.maximum(np.abs(offsets - disc.radius), sizes)
    with np.errstate(divide="ignore", invalid="ignore"):  # points, which need nothing here
        sides = _PER_MEAN * np.sqrt(disc.radius * distances) * distances / sizes
    need = (sizes > 0) & (sides < PER_RADIUS_OF_HOLE * disc.radius)
    return _Needs(disc, *(each[need] for each in (positions, sizes, distances, sides)))


def _nearest(ring: shapely.LinearRing, points: KDTree) -> Array:
    """Return the points to which some part of ``ring`` is nearest, and those close to it."""
    step = ring.length / _STEPS
    along = points_at(ring, step * np.arange(_STEPS))
    nearest = set(points.query(along)[1].tolist())
    for close in points.query_ball_point(along, step):
        nearest.update(close)
    return np.asarray(points.data[sorted(nearest)])


def _samples(ring: shapely.LinearRing, positions: Array, sizes: Array) -> Array:
    """Return lengths along ``ring``, once around, densely where it is near one of the cores."""
    places = shapely.points(positions)
    nearest = lengths_at(ring, positions)
    distances = np.maximum(shapely.distance(ring, places), sizes)
    far = np.arcsinh(ring.length / 2 / distances)
    samples = min(_SAMPLES, max(_FEWEST_SAMPLES, _MOST_SAMPLES // len(positions)))
    steps = np.linspace(-1.0, 1.0, 2 * samples + 1)
    lengths = nearest[:, None] + distances[:, None] * np.sinh(far[:, None] * steps)
    once = np.unique(lengths % ring.length)
    return np.append(once, once[0] + ring.length)


def _sizes(places: Array, points: KDTree | None, needs: Sequence[_Needs]) -> Array:
    """Return the smallest size ``(n,)`` that any core needs at ``places`` ``(n, 2)``."""
    if points is None:
        sizes = np.full(len(places), np.inf)
    else:
        sizes = np.asarray(_PER_DISTANCE * points.query(places)[0])
    for disc, positions, _, distances, sides in needs:
        here = np.flatnonzero(on_circle(places, disc, 1e-5))
        if not len(here) or not len(sides):
            continue
        # Along an edge, the effect on the energy falls as 1/d⁴, so sides may get longer: up to
        # those that every circle has.
        reaches = distances * PER_RADIUS_OF_HOLE * disc.radius / sides
        within = KDTree(places[here]).query_ball_point(positions, reaches)
        for position, distance, side, near in zip(positions, distances, sides, within, strict=True):
            where = here[near]
            away = np.linalg.norm(places[where] - position, axis=1)
            grown = side * np.maximum(away / distance, 1.0)
            sizes[where] = np.minimum(sizes[where], grown)
    return sizes
