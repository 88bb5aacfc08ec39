"""An estimate of the number of cells of a mesh, before it is made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from pearlfem.mesh.sizes.grading import MEAN_VOLUME, Seeds, device_extent, largest_cell, seeds_for
from pearlfem.mesh.sizes.least import least_cells
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, BoolArray

# A box in which h still varies holds some 50 cells at least, so memory for the mesh is memory for
# these boxes.
_CELLS_PER_BOX = 50
_FEWEST_BOXES, _MOST_BOXES = 10**5, 10**6
_BLOCK = 1000  # boxes near each other, of which most seeds are too far away to matter


def estimated_cells(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary,
    resolution: float,
    far: float,
    edge_share: float = 1.0,
    most: float = math.inf,
) -> float:
    """Estimate how many cells ``create_mesh`` makes: ∫ dV/v(h), with v the mean volume of a cell.

    A box around all of space is halved again and again, until h hardly varies within each part. The
    number of parts does not grow with the resolution.

    Args:
        film: The film.
        sources: The sources.
        boundary: The space.
        resolution: 2.0 halves the edge length of all cells.
        far: Radius of the far boundary in sizes of the device.
        edge_share: The resolution along edges, in units of ``resolution``; see ``seeds``.
        most: The largest number of interest. As soon as there are certainly more cells, a lower
            estimate is returned: so time and memory are bounded however large a film is.

    Raises:
        StudyError: The edges of the film would need too many cells for any mesh.
    """
    coarsest = resolution * min(edge_share, 1.0)
    least = least_cells(film, sources, boundary=boundary, resolution=coarsest)
    if least > most:
        return least
    space = _space(film, sources, boundary, far)
    # The lengths over which h varies do not depend on the resolution.
    fine_seeds, unit_seeds = seeds_for(film, sources, boundary, (resolution, 1.0), edge_share)
    most_boxes = min(_MOST_BOXES, max(_FEWEST_BOXES, most / _CELLS_PER_BOX))
    rate = max(group.growth.rate for group in fine_seeds)
    corners, edges, cells = space.low[None], space.high - space.low, 0.0
    while len(corners):
        middles = space.places(corners + edges / 2)
        sizes, lengths = _sizes_and_lengths(fine_seeds, unit_seeds, middles)
        # Each box that is not done holds many cells: a mesh with so many boxes fits on no machine.
        done = (edges.max() <= lengths) | (len(corners) > most_boxes)
        inside = space.contains(middles)
        volume = abs(np.linalg.det(space.frame)) * edges.prod()
        counts = volume / _cell_volumes(sizes, middles, boundary)
        cells += np.sum(counts[done & inside])
        # Nowhere in a box is h larger than in its middle by more than this.
        largest = sizes + rate * np.linalg.norm(edges) / 2
        least = volume / _cell_volumes(largest, middles, boundary)
        if cells + np.sum(least[~done & inside]) > most:
            return float(cells + np.sum(least[~done & inside]))
        corners, edges = _halved(corners[~done], edges)
    return float(cells)


def _sizes_and_lengths(
    fine: Sequence[Seeds], unit: Sequence[Seeds], places: Array
) -> tuple[Array, Array]:
    """Return the edge length h of cells at ``places``, and the length over which h varies [length].

    Args:
        fine: The seeds.
        unit: The seeds for resolution 1: these lengths do not depend on the resolution.
        places: (x, y, z) [length], shape ``(n, 3)``.
    """
    sizes, lengths = np.full(len(places), np.inf), np.full(len(places), np.inf)
    for start in range(0, len(places), _BLOCK):
        block = slice(start, start + _BLOCK)
        for group, one in _relevant(fine, unit, places[block]):
            distances = group.distances(places[block])
            sizes[block] = np.minimum(sizes[block], group.growth.at(distances))
            lengths[block] = np.minimum(lengths[block], _length(one, distances))
    return sizes, lengths


def _relevant(
    fine: Sequence[Seeds], unit: Sequence[Seeds], places: Array
) -> Iterator[tuple[Seeds, Seeds]]:
    """Yield the seeds that may be those of the smallest size or length at any of ``places``."""
    center = places.mean(axis=0, keepdims=True)
    radius = np.linalg.norm(places - center, axis=1).max()
    distances = np.array([group.distances(center)[0] for group in fine])
    near, far = np.maximum(distances - radius, 0.0), distances + radius
    least, most = (
        np.array(
            [
                [group.growth.at(d), _length(one, d)]
                for group, one, d in zip(fine, unit, ends, strict=True)
            ]
        )
        for ends in (near, far)
    )
    for number in np.flatnonzero(np.any(least <= most.min(axis=0), axis=1)).tolist():
        yield fine[number], unit[number]


def _length(seeds: Seeds, distances: Array) -> Array:
    """Return the length over which h varies [length] at ``distances`` from ``seeds``."""
    return np.asarray(seeds.growth.at(distances) / seeds.growth.rate)


class _Space(NamedTuple):
    """A box around the space that is meshed.

    Args:
        boundary: The space around the film.
        center: Centre (x, y) of the device [length].
        reach: Radius of the far boundary [length].
        frame: Directions of the box's edges in the plane, unit vectors, shape ``(2, 2)``.
        low: Its corner along ``frame`` and z [length], shape ``(3,)``.
        high: The opposite corner.
    """

    boundary: Boundary
    center: tuple[float, float]
    reach: float
    frame: Array
    low: Array
    high: Array

    def places(self, points: Array) -> Array:
        """Return (x, y, z) of ``points`` that are given along ``frame`` and z; shape ``(n, 3)``."""
        places = points.copy()
        places[:, :2] = points[:, :2] @ self.frame
        return places

    def contains(self, places: Array) -> BoolArray:
        """Return which ``places`` (x, y, z), shape ``(n, 3)``, are inside the far boundary."""
        offsets = places - [*self.center, 0.0]
        if isinstance(self.boundary, Periodic):
            return np.ones(len(places), dtype=bool)
        if not isinstance(self.boundary, Walls):
            return np.asarray(np.linalg.norm(offsets, axis=1) < self.reach)
        near = np.linalg.norm(offsets[:, :2], axis=1) < self.reach
        return np.asarray(near | (not self.boundary.infinite))


def _space(film: Film, sources: Sequence[Source], boundary: Boundary, far: float) -> _Space:
    """Return the box around walls or periodic cell, or in open space around the far boundary."""
    (x, y), unit = device_extent(film, sources, boundary)
    reach, frame = far * unit, np.eye(2)
    low, high = np.array([x - reach, y - reach, 0.0]), np.array([x + reach, y + reach, reach])
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
    return _Space(boundary, (x, y), reach, frame, low, high)


def _cell_volumes(sizes: Array, places: Array, boundary: Boundary) -> Array:
    """Return the mean volumes ``(n,)`` of cells with edge lengths ``sizes`` at ``places``.

    Cells cannot be higher than the space between film and wall. Where h is larger than this height,
    they are prisms on triangles with sides h, cut into three: √3/4 h² × height / 3. The factor
    √3/12 = 0.144 is that of other cells, so one formula covers both.
    """
    sizes = np.minimum(sizes, largest_cell(boundary))
    heights = np.full(len(places), np.inf)
    if isinstance(boundary, Walls):
        lowest, highest = boundary.heights
        heights = np.where(places[:, 2] > 0, highest, -lowest)
    return np.asarray(MEAN_VOLUME * sizes**2 * np.minimum(sizes, heights))


def _halved(corners: Array, edges: Array) -> tuple[Array, Array]:
    """Halve boxes along their longest edges, towards cubes; return low corners and edges.

    Args:
        corners: Low corners of the boxes, shape ``(n, 3)``.
        edges: Lengths of the edges, the same for all boxes, shape ``(3,)``.
    """
    halves = np.where(edges > edges.max() / 2, edges / 2, edges)
    along = (
        [0.0, half] if half < edge else [0.0] for edge, half in zip(edges, halves, strict=True)
    )
    steps = np.array(list(product(*along)))
    return (corners[:, None] + steps).reshape(-1, 3), halves
