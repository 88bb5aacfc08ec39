"""Sizes of cells: small at sources and edges, and larger with the distance from them.

At the distance d from the core of a source of width ξ the edge length is h(d) = √((a ξ)² + (b d)²);
at the distance d from an edge of the film it is h(d) = h_e + c d. Each shell between d and 2d then
has the same number of cells. So all scales are resolved, and space of hundreds of device sizes
needs few cells.

The constants come from measurements (degree 3, resolution 1); the accuracy they give is in
tests/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
import shapely
from scipy.spatial import KDTree

from pearlfem.mesh.sizes.core_edges import edge_sizes_of_cores
from pearlfem.mesh.sizes.edges import EdgeSizes, corner_sizes, edge_sizes
from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Core, Source
from pearlfem.model.sources.impurity import has_points
from pearlfem.quantities.arrays import Array

CELLS_PER_SIZE = 0.4  # a: edge length at a core, in units of its ξ
_GROWTH = 0.23  # b: edge length per distance from the nearest core
_EDGE_GROWTH = 0.5  # c: edge length per distance from the film's edge
_FEWEST = 4  # cells between opposite sides of a periodic cell, so that no two edges are the same
_FLATTEST = 4.0  # largest edge length on the film, in units of the distance to the nearest wall
_STEEPEST = 0.7  # largest b and c at any resolution: otherwise cells would be too flat
_PER_PROFILE = 0.05  # edge length on a film whose r0 varies smoothly, in units of its size
_STEP = math.sqrt(2)  # sizes at edges are rounded down to powers of this

# Mean volume of gmsh's cells, in units of the cube of the edge length that it was asked for.
MEAN_VOLUME = 0.144


class Extent(NamedTuple):
    """The device: its centre (x, y) [length] and its size [length], the unit of ``far``."""

    center: tuple[float, float]
    size: float


def device_extent(
    film: Film, sources: Sequence[Source], boundary: Boundary | None = None
) -> Extent:
    """Return the centre and the size of the device.

    For a bounded film they are those of a circle around it. For a film on the whole plane the
    circle contains all cores of sources and all holes. Its radius is at least the Pearl length,
    because the field of an impurity falls off like that of a dipole in space only beyond it; or at
    least the distance between walls, if that is shorter. A periodic space has the size of its cell.
    """
    if film.bounded:
        corners = shapely.get_coordinates(film.outline())
        if len(film.discs) == 1 and film.shape == film.discs[0]:
            return Extent(film.discs[0].center, film.discs[0].radius)
        center = (corners.min(axis=0) + corners.max(axis=0)) / 2
        radius = np.linalg.norm(corners - center, axis=1).max()
        return Extent((float(center[0]), float(center[1])), float(radius))
    cores = [core for source in sources for core in source.cores]
    circles = [(core.position, core.size) for core in cores]
    for opening in film.openings:
        circles += [((x, y), 0.0) for x, y in shapely.get_coordinates(opening.outline)]
    middle = _middle(np.array([position for position, _ in circles]))
    if isinstance(boundary, Periodic):
        return Extent(middle, float(np.linalg.norm(boundary.vectors, axis=1).max()))
    reach = max(math.dist(middle, position) + size for position, size in circles)
    least = film.least_pearl_length
    if isinstance(boundary, Walls):
        least = min(least, boundary.box[2])
    return Extent(middle, max(reach, least))


class Growth(NamedTuple):
    """The law by which the size of cells grows with the distance d.

    h(d) = ``finest`` + ``rate`` d, or √(``finest``² + (``rate`` d)²) if ``rounded``.
    """

    finest: float
    rate: float
    rounded: bool = False

    def at(self, distance: Array) -> Array:
        """Return h [length] at distances d [length]."""
        grown = self.rate * distance
        return np.asarray(np.hypot(self.finest, grown) if self.rounded else self.finest + grown)

    def formula(self, distance: str) -> str:
        """Return h as a formula for gmsh, with ``distance`` as the text for d."""
        grown = f"{self.rate:.17g} * {distance}"
        if self.rounded:
            return f"sqrt(({self.finest:.17g})^2 + ({grown})^2)"
        return f"{self.finest:.17g} + {grown}"


@dataclass(frozen=True)
class Seeds:
    """Cells that grow with the distance from the nearest of ``points``, shape ``(n, 2)`` [length].

    The points lie in z = ``height``. If ``points`` is None, cells grow with the distance from that
    plane.
    """

    growth: Growth
    points: Array | None
    height: float = 0.0

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.points)

    def distances(self, places: Array) -> Array:
        """Return the distances d [length] of ``places``, shape ``(n, 3)``."""
        if self.points is None:
            return np.abs(places[:, 2] - self.height)
        in_plane = self._tree.query(places[:, :2])[0]
        return np.asarray(np.hypot(in_plane, places[:, 2] - self.height))


def extent_of_layers(
    layers: Sequence[Layer], sources: Sequence[Source], boundary: Boundary | None = None
) -> Extent:
    """Return a circle around the extents of films at several heights."""
    extents = [device_extent(layer.film, sources, boundary) for layer in layers]
    if len(extents) == 1:
        return extents[0]
    center = _middle(np.array([extent.center for extent in extents]))
    return Extent(center, max(math.dist(center, e.center) + e.size for e in extents))


def _middle(positions: Array) -> tuple[float, float]:
    """Return the centre of the box around ``positions``, shape ``(n, 2)``."""
    x, y = (positions.min(axis=0) + positions.max(axis=0)) / 2
    return float(x), float(y)


def seeds_of_layers(
    layers: Sequence[Layer],
    sources: Sequence[Source],
    boundary: Boundary,
    resolution: float,
    edges: float = 1.0,
) -> list[Seeds]:
    """Return the seeds of films at several heights; see ``seeds``.

    Cells between films that are close to each other are no flatter than between a film and a wall.
    """
    all_seeds = []
    for layer in layers:
        layer_seeds = seeds(layer.film, sources, boundary, resolution, edges)
        distances = [abs(layer.height - other.height) for other in layers if other is not layer]
        if distances:
            layer_seeds.append(_flattest(min(distances), resolution))
        all_seeds += [replace(group, height=layer.height) for group in layer_seeds]
    return all_seeds


def seeds(
    film: Film,
    sources: Sequence[Source],
    boundary: Boundary,
    resolution: float,
    edges: float = 1.0,
) -> list[Seeds]:
    """Return all seeds of small cells; the size of a cell is the smallest that any seed allows.

    Args:
        film: The film; its edges and varying Pearl lengths need small cells.
        sources: The sources; their cores need small cells.
        boundary: The space; walls near the film need small cells.
        resolution: 2.0 halves the edge length of all cells.
        edges: Resolution along edges of film and regions, in units of ``resolution``.
    """
    return seeds_for(film, sources, boundary, (resolution,), edges)[0]


def seeds_for(
    film: Film,
    sources: Sequence[Source],
    boundary: Boundary,
    resolutions: Sequence[float],
    edges: float = 1.0,
) -> list[list[Seeds]]:
    """Return the ``seeds`` for each of several resolutions, in the same order."""
    cores = all_cores(sources, boundary)
    along = edge_sizes(film, same_area=has_points(sources))
    near_cores, corners = edge_sizes_of_cores(film, cores), corner_sizes(film)
    found = []
    for resolution in resolutions:
        all_seeds = _core_seeds(cores, resolution) + _profile_seeds(film, resolution)
        all_seeds += _edge_seeds(along, resolution, edges)
        all_seeds += _edge_seeds(near_cores, resolution, edges)
        all_seeds += _edge_seeds(corners, 1.0)
        found.append(all_seeds or _other_seeds(film, cores, resolution))
        if isinstance(boundary, Walls):
            found[-1].append(_flattest(boundary.wall_distance, resolution))
    return found


def _other_seeds(film: Film, cores: Sequence[Core], resolution: float) -> list[Seeds]:
    """Return seeds for point impurities on the whole plane, which need no mesh at all."""
    wide = [Core(core.position, film.least_pearl_length) for core in cores]
    return _core_seeds(wide, resolution)


def _flattest(distance: float, resolution: float) -> Seeds:
    """Return the seeds that limit how flat cells are between a film and the next film or wall.

    Far from all sources, accuracy would allow cells much wider than this distance, at any
    resolution. Solvers do not: with 8 times the distance in place of 4 they need twice as many
    iterations.
    """
    return Seeds(Growth(_FLATTEST * distance, core_rate(resolution)), None)


def all_cores(sources: Sequence[Source], boundary: Boundary) -> list[Core]:
    """Return the cores of all sources; in a periodic space also their copies in the nearest cells.

    These are enough for points of the meshed cell, whose centre is that of ``device_extent``.
    """
    cores = [core for source in sources for core in source.cores]
    if not isinstance(boundary, Periodic):
        return cores
    positions = np.array([core.position for core in cores])
    offsets = positions - _middle(positions)
    within = positions - np.round(offsets @ np.linalg.inv(boundary.vectors)) @ boundary.vectors
    steps = np.array(list(product((-1, 0, 1), repeat=2))) @ boundary.vectors
    copies = (within[:, None] + steps).tolist()
    return [
        Core((x, y), core.size)
        for core, positions_of_copies in zip(cores, copies, strict=True)
        for x, y in positions_of_copies
    ]


def largest_cell(boundary: Boundary) -> float:
    """Return the largest size of cells [length]; only a periodic space has a limit."""
    return boundary.width / _FEWEST if isinstance(boundary, Periodic) else math.inf


def sizes_at(all_seeds: Sequence[Seeds], places: Array) -> Array:
    """Return the smallest edge length [length] that a seed asks for at ``places`` ``(n, 3)``."""
    sizes = [group.growth.at(group.distances(places)) for group in all_seeds]
    return np.asarray(np.min(sizes, axis=0))


def core_rate(resolution: float) -> float:
    """Return b, the growth of cells with the distance from a core."""
    return min(_GROWTH / resolution, _STEEPEST)


def edge_rate(resolution: float) -> float:
    """Return c, the growth of cells with the distance from an edge."""
    return min(_EDGE_GROWTH / resolution, _STEEPEST)


def _core_seeds(cores: Sequence[Core], resolution: float) -> list[Seeds]:
    """Return the seeds at all cores, those of the same size together."""
    rate = core_rate(resolution)
    all_seeds = []
    for size in sorted({core.size for core in cores if core.size > 0}):
        points = np.array([core.position for core in cores if core.size == size])
        all_seeds.append(Seeds(Growth(CELLS_PER_SIZE * size / resolution, rate, True), points))
    return all_seeds


def _edge_seeds(edges: EdgeSizes, resolution: float, share: float = 1.0) -> list[Seeds]:
    """Return the seeds along edges, those of about the same size together."""
    rate = edge_rate(resolution)
    points, sizes = edges
    if len(points) == 0:
        return []
    steps = np.floor(np.log(sizes / sizes.min()) / math.log(_STEP) + 1e-6).astype(int)
    finest = sizes.min() / (share * resolution)
    return [
        Seeds(Growth(finest * _STEP**step, rate), points[steps == step])
        for step in np.unique(steps)
    ]


def _profile_seeds(film: Film, resolution: float) -> list[Seeds]:
    """Return seeds all over a film whose Pearl length varies smoothly."""
    if not callable(film.pearl_length) and not any(callable(r.pearl_length) for r in film.regions):
        return []
    outline = (
        film.outline()
        if film.bounded
        else shapely.union_all([region.shape.outline() for region in film.regions])
    )
    x0, y0, x1, y1 = outline.bounds
    size = _PER_PROFILE * max(x1 - x0, y1 - y0)
    x, y = np.meshgrid(np.arange(x0, x1, size), np.arange(y0, y1, size))
    grid = np.column_stack([x.ravel(), y.ravel()])
    points = grid[shapely.contains_xy(outline, *grid.T)]
    rate = edge_rate(resolution)
    return [Seeds(Growth(size / resolution, rate), points)] if len(points) else []
