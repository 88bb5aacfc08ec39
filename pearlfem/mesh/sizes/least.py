"""Lower estimates of the number of cells, from the edges and from the cores alone.

They take a time in proportion to the corners of the film and to the number of sources, and no
memory worth mentioning. So a study that is far too large is refused before anything is laid out
along its edges.

A cell of edge length h has the mean volume v h³. Around an edge of cells h0 it grows as h0 + c d,
and at a core as √(h0² + (b d)²). In the half space above the film that makes, up to a distance R,

    edge: ∫ π r dr / v(h0 + c r)³ = (π/2vc²h0) (cR/(h0 + cR))²  cells for each length of the edge
    core: ∫ 2π r² dr / v(h0² + b²r²)^(3/2) = (2π/vb³) [asinh t − t/√(1 + t²)],  t = bR/h0

R is half the distance to the next core, and 16 h0 for an edge: films are at least twice as wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree

from pearlfem.mesh.sizes.edges import least_stations
from pearlfem.mesh.sizes.grading import (
    CELLS_PER_SIZE,
    MEAN_VOLUME,
    all_cores,
    core_rate,
    edge_rate,
)
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import has_points

_EDGE_REACH = 16.0  # half of the least width of a film, 1/0.03, in units of cells at its edge
_ALONE = 10.0  # of a core without neighbours, in units of its size


def least_cells(
    film: Film, sources: Sequence[Source], *, boundary: Boundary, resolution: float
) -> float:
    """Return about how many cells the edges, or the cores, need at the least.

    Args:
        film: The film.
        sources: The sources.
        boundary: The space.
        resolution: 2.0 halves the edge length of all cells.
    """
    stations = least_stations(film, same_area=has_points(sources))
    return max(_at_edges(stations, resolution), _at_cores(sources, boundary, resolution))


def _at_edges(stations: float, resolution: float) -> float:
    """Return the cells around edges that are ``stations`` cells long at resolution 1."""
    rate = edge_rate(resolution)
    grown = rate * _EDGE_REACH * resolution
    per_station = math.pi / (2 * MEAN_VOLUME * rate**2) * (grown / (1 + grown)) ** 2
    return resolution * stations * per_station


def _at_cores(sources: Sequence[Source], boundary: Boundary, resolution: float) -> float:
    """Return the cells around all cores, each up to half the way to the next one or to a wall."""
    given = [core for source in sources for core in source.cores if core.size > 0]
    if not given:
        return 0.0
    cores = [core for core in all_cores(sources, boundary) if core.size > 0]  # with images
    positions = np.array([core.position for core in cores])
    sizes = np.array([core.size for core in cores])
    reaches = KDTree(positions).query(positions, k=2)[0][:, 1] / 2
    reaches[np.isinf(reaches)] = _ALONE * sizes[np.isinf(reaches)]
    if isinstance(boundary, Walls):
        clearances = [boundary.clearance(core.position) for core in cores]
        reaches = np.minimum(reaches, np.minimum(clearances, boundary.wall_distance))
    rate = core_rate(resolution)
    t = rate * reaches / (CELLS_PER_SIZE * sizes / resolution)
    grown = np.arcsinh(t) - t / np.sqrt(1 + t**2)
    share = len(given) / len(cores)
    return float(share * 2 * math.pi / (MEAN_VOLUME * rate**3) * grown.sum())
