"""An estimate of the number of cells of a mesh, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from pearlfem.mesh.sizes.grading import (
    MEAN_VOLUME,
    Extent,
    Seeds,
    device_extent,
    largest_cell,
    seeds,
)
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, BoolArray

_MOST_BOXES = 10**6


class _Box(NamedTuple):
    """A box around all of space.

    Args:
        corner: Its corner of the lowest coordinates, ``(3,)``, the first two along ``frame``.
        edges: Lengths of its edges, ``(3,)``.
        frame: Directions of its edges in the plane as rows, ``(2, 2)``.
    """

    corner: Array
    edges: Array
    frame: Array


def estimated_cells(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary,
    resolution: float,
    far: float,
) -> float:
    """Estimate how many cells ``create_mesh`` makes: ∫ dV/v(h), with v the mean volume of a cell.

    A box around all of space is halved again and again, until h hardly varies within each part. The
    number of parts does not grow with the resolution.
    """
    extent = device_extent(film, sources, boundary)
    corner, edges, frame = _bounding_box(boundary, extent, far)
    fine = seeds(film, sources, boundary, resolution)
    unit = seeds(film, sources, boundary, 1.0)
    corners, total = corner[None], 0.0
    while len(corners):
        middles = corners + edges / 2
        middles[:, :2] = middles[:, :2] @ frame
        distances = [group.distances(middles) for group in fine]
        # Beyond this many boxes, which all hold many cells, the mesh is too large for any computer.
        done = (edges.max() <= _variation(unit, distances)) | (len(corners) > _MOST_BOXES)
        counted = done & _inside(middles - [*extent.center, 0.0], boundary, far * extent.size)
        volumes = _cell_volumes(middles, fine, distances, boundary)
        total += np.sum(abs(np.linalg.det(frame)) * edges.prod() / volumes[counted])
        corners, edges = _halved(corners[~done], edges)
    return float(total)


def _bounding_box(boundary: Boundary, extent: Extent, far: float) -> _Box:
    """Return a box around all of the space that is meshed."""
    (x, y), reach = extent.center, far * extent.size
    low, high = np.array([x - reach, y - reach, 0.0]), np.array([x + reach, y + reach, reach])
    frame = np.eye(2)
    if isinstance(boundary, Walls):
        low[2], high[2] = (0.0 if boundary.mirrored else boundary.heights[0]), boundary.heights[1]
        if not boundary.infinite:
            half, center = np.array(boundary.box[:2]) / 2, np.array(boundary.center[:2])
            low[:2], high[:2] = center - half, center + half
    if isinstance(boundary, Periodic):
        lengths = np.linalg.norm(boundary.vectors, axis=1)
        frame = boundary.vectors / lengths[:, None]
        middle = np.array([x, y]) @ np.linalg.inv(frame)
        low[:2], high[:] = middle - lengths / 2, [*(middle + lengths / 2), boundary.height]
    return _Box(low, high - low, frame)


def _halved(corners: Array, edges: Array) -> tuple[Array, Array]:
    """Halve all boxes along their longest edges; return corners and edges of the parts."""
    halved = np.where(edges > edges.max() / 2, edges / 2, edges)  # towards cubes
    steps = product(
        *([0.0, new] if new < old else [0.0] for old, new in zip(edges, halved, strict=True))
    )
    return (corners[:, None] + np.array(list(steps))).reshape(-1, 3), halved


def _variation(unit: Sequence[Seeds], distances: Sequence[Array]) -> Array:
    """Return the length over which h varies at each point: the least h/rate of any seeds."""
    growths = [group.growth for group in unit]
    lengths = [g.at(d) / g.rate for g, d in zip(growths, distances, strict=True)]
    return np.asarray(np.min(lengths, axis=0))


def _cell_volumes(
    points: Array, fine: Sequence[Seeds], distances: Sequence[Array], boundary: Boundary
) -> Array:
    """Return the mean volume of cells at each point.

    Cells cannot be higher than the space between film and wall. Where h is larger than this height,
    they are prisms on triangles with sides h, cut into three: √3/4 h² × height / 3. The factor
    √3/12 = 0.144 is that of other cells, so the formula is the same.
    """
    growths = [group.growth for group in fine]
    sizes = np.min([g.at(d) for g, d in zip(growths, distances, strict=True)], axis=0)
    sizes = np.minimum(sizes, largest_cell(boundary))
    volumes = MEAN_VOLUME * sizes**2 * np.minimum(sizes, _heights(points, boundary))
    return np.asarray(volumes)


def _heights(points: Array, boundary: Boundary) -> Array:
    """Return the height of the space between film and wall at each point; inf without walls."""
    if not isinstance(boundary, Walls):
        return np.full(len(points), np.inf)
    lowest, highest = boundary.heights
    return np.where(points[:, 2] > 0, highest, -lowest)


def _inside(places: Array, boundary: Boundary, reach: float) -> BoolArray:
    """Return which places, relative to the device's centre, are inside the far boundary."""
    if isinstance(boundary, Periodic):
        return np.ones(len(places), dtype=bool)
    if not isinstance(boundary, Walls):
        return np.asarray(np.linalg.norm(places, axis=1) < reach)
    return np.asarray((np.linalg.norm(places[:, :2], axis=1) < reach) | (not boundary.infinite))
