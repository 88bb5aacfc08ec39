"""How many cells a mesh will have, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from pearlfem.mesh.sizes.grading import MEAN_VOLUME, device_extent, largest_cell, seeds
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, BoolArray

_MOST_BOXES = 10**6


def estimated_cells(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary,
    resolution: float,
    far: float,
) -> float:
    """Return about how many cells ``create_mesh`` makes: ∫ dV/v(h), v the mean volume of a cell.

    Boxes are halved until h hardly varies within them; their number does not grow with the
    resolution.
    """
    (x, y), unit = device_extent(film, sources, boundary)
    reach = far * unit
    low, high = np.array([x - reach, y - reach, 0.0]), np.array([x + reach, y + reach, reach])
    if isinstance(boundary, Walls):
        low[2], high[2] = (0.0 if boundary.mirrored else boundary.heights[0]), boundary.heights[1]
        if not boundary.infinite:
            half, center = np.array(boundary.box[:2]) / 2, np.array(boundary.center[:2])
            low[:2], high[:2] = center - half, center + half
    frame = np.eye(2)  # directions of the boxes' edges in the plane
    if isinstance(boundary, Periodic):
        lengths = np.linalg.norm(boundary.vectors, axis=1)
        frame = boundary.vectors / lengths[:, None]
        middle = np.array([x, y]) @ np.linalg.inv(frame)
        low[:2], high[:] = middle - lengths / 2, [*(middle + lengths / 2), boundary.height]
    found = seeds(film, sources, boundary, resolution)
    scales = seeds(film, sources, boundary, 1.0)
    corners, edges, total = low[None], high - low, 0.0
    while len(corners):
        middles = corners + edges / 2
        middles[:, :2] = middles[:, :2] @ frame
        distances = [one.distances(middles) for one in found]
        sizes = np.min([o.growth.at(d) for o, d in zip(found, distances, strict=True)], axis=0)
        scale = [o.growth for o in scales]
        varies = np.min([g.at(d) / g.rate for g, d in zip(scale, distances, strict=True)], axis=0)
        # Each box yet to be halved holds many cells: beyond this many, no mesh fits anywhere.
        done = (edges.max() <= varies) | (len(corners) > _MOST_BOXES)
        here = done & _inside(middles - [x, y, 0.0], boundary, reach)
        sizes = np.minimum(sizes, largest_cell(boundary))
        made = MEAN_VOLUME * sizes**2 * np.minimum(sizes, _heights(middles, boundary))
        total += np.sum(abs(np.linalg.det(frame)) * edges.prod() / made[here])
        halved = np.where(edges > edges.max() / 2, edges / 2, edges)  # towards cubes
        steps = product(*([0.0, b] if b < a else [0.0] for a, b in zip(edges, halved, strict=True)))
        corners = (corners[~done, None] + np.array(list(steps))).reshape(-1, 3)
        edges = halved
    return float(total)


def _heights(points: Array, boundary: Boundary) -> Array:
    """Return how high the space between film and wall is at each of the points.

    Cells cannot be higher: where h exceeds it, they are prisms on triangles of sides h, cut in
    three, of the volume √3/4 h² × height / 3, and √3/12 = 0.144 is the mean volume again.
    """
    if not isinstance(boundary, Walls):
        return np.full(len(points), np.inf)
    lowest, highest = boundary.heights
    return np.where(points[:, 2] > 0, highest, -lowest)


def _inside(places: Array, boundary: Boundary, reach: float) -> BoolArray:
    """Return which places, relative to the device's centre, lie before the far boundary."""
    if isinstance(boundary, Periodic):
        return np.ones(len(places), dtype=bool)
    if not isinstance(boundary, Walls):
        return np.asarray(np.linalg.norm(places, axis=1) < reach)
    return np.asarray((np.linalg.norm(places[:, :2], axis=1) < reach) | (not boundary.infinite))
