"""Cell sizes from the errors of all cells of a mesh: on the next mesh all cells have equal errors.

A cell of size h contributes an amount ∝ h^(q+3) to an error of order h^q, and the number of cells
is ∝ h⁻³. For a given total error there are fewest cells if each contributes the same amount.
Marking the worst cells [W. Dörfler, SIAM J. Numer. Anal. 33, 1106 (1996)] leads there in many
rounds. We make a new mesh each time, so we can go there at once, and make cells larger as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.sizes.edges import on_circle
from pearlfem.mesh.sizes.grading import MEAN_VOLUME, all_cores, largest_cell
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int64Array

_OPEN = Open()

_FINER, _COARSER = 1 / 3, 1.5  # largest changes of a size: the power laws hold only locally
_STEEPEST = 0.5  # largest growth of sizes with the distance; otherwise cells would be too flat
_PER_CORE = 2.0  # largest cells at a core, in units of its size: up to here loads are exact
_EDGE_SHARE = 0.3  # part of the error that polygons in place of round edges may have
_LESS_AMBITIOUS, _LEAST_AMBITIOUS = 1.5, 0.5  # factor of the share of the error, and the last one


class Contributions(NamedTuple):
    """The contributions of all cells of a mesh to an error, on one rank.

    Args:
        vertices: Coordinates [length], shape ``(n, 3)``.
        cells: Numbers of each cell's vertices, shape ``(m, 4)``.
        errors: Error of each cell, in any unit, shape ``(m,)``, >= 0.
        film_energies: Energy per area of the film in each cell, in the same unit, ``(m,)``.
    """

    vertices: Array
    cells: Int64Array
    errors: Array
    film_energies: Array


@dataclass(frozen=True)
class SizeField:
    """Edge lengths for a new mesh, given at the vertices of an old one and linear in between.

    Args:
        vertices: Coordinates [length], shape ``(n, 3)``.
        cells: Numbers of each cell's vertices, shape ``(m, 4)``.
        sizes: Edge lengths at the vertices [length], shape ``(n,)``.
    """

    vertices: Array
    cells: Int64Array
    sizes: Array

    def at(self, points: Array) -> Array:
        """Return the edge length [length] at the vertices nearest to ``points``, ``(n, 3)``."""
        return np.asarray(self.sizes[KDTree(self.vertices).query(points)[1]])

    @property
    def count(self) -> int:
        """An estimate of the number of cells of the new mesh."""
        volumes = _volumes(self.vertices[self.cells])
        new_volumes = MEAN_VOLUME * np.mean(self.sizes[self.cells] ** -3.0, axis=1) ** -1
        return int(np.sum(volumes / new_volumes))


def gather(mesh: TaggedMesh, errors: Array, film_energies: Array) -> Contributions | None:
    """Return the contributions of all cells on rank 0, None on other ranks (collective)."""
    domain = mesh.domain
    nodes = domain.geometry.index_map()
    local = domain.geometry.dofmaps[0][: len(errors)]
    cells = nodes.local_to_global(local.ravel()).reshape(-1, 4)
    mine = (domain.geometry.x[: nodes.size_local], cells, errors, film_energies)
    parts = domain.comm.gather(mine)
    return None if parts is None else Contributions(*map(np.concatenate, zip(*parts, strict=True)))


def adapted_sizes(
    now: Contributions,
    film: Film,
    sources: Sequence[Source],
    *,
    degree: int,
    target: float,
    boundary: Boundary = _OPEN,
) -> SizeField:
    """Return sizes at which all cells have about the same error and the total is ``target``.

    Args:
        now: The errors of the present mesh.
        film: The film; its round edges get as many sides as their share of the error needs.
        sources: The sources; cells stay small enough for the quadrature of their profiles.
        degree: Degree p of the elements; errors of energies are of order 2p.
        target: The total error to aim at, in the unit of ``now.errors``.
        boundary: The space; if it is periodic, it limits the sizes and repeats the sources.
    """
    vertices, cells, errors, _ = now
    edges = np.cbrt(_volumes(vertices[cells]) / MEAN_VOLUME)
    edge_target = _EDGE_SHARE * target if film.discs else 0.0
    cell_sizes = edges * _factors(errors, 2 * degree, 3, target - edge_target)
    # At each vertex the geometric mean over the cells around it.
    counts = np.bincount(cells.ravel(), minlength=len(vertices))
    weights = np.repeat(np.log(cell_sizes), 4)
    logarithms = np.bincount(cells.ravel(), weights, minlength=len(vertices))
    sizes = np.minimum(np.exp(logarithms / np.maximum(counts, 1)), largest_cell(boundary))
    for core in all_cores(sources, boundary):
        distances = np.linalg.norm(vertices - [*core.position, 0.0], axis=1)
        sizes = np.minimum(sizes, np.maximum(_PER_CORE * core.size, 0.5 * distances))
    edge, sides = _sides(now, film.discs, edge_target)
    sizes[edge] = np.minimum(sizes[edge], sides)
    return SizeField(vertices, cells, _graded(vertices, cells, sizes))


def affordable_sizes(
    now: Contributions,
    film: Film,
    sources: Sequence[Source],
    *,
    degree: int,
    share: float,
    most: int,
    boundary: Boundary = _OPEN,
) -> tuple[SizeField, float]:
    """Return sizes that leave a share of the error, or a larger share if there are too many cells.

    Args:
        now: The errors of the present mesh.
        film: See ``adapted_sizes``.
        sources: See ``adapted_sizes``.
        degree: Degree of the elements.
        share: Share of the error to aim at.
        most: Largest number of cells of the next mesh. It is exceeded if even half of the error
            needs more cells.
        boundary: See ``adapted_sizes``.

    Returns:
        The sizes, and the share of the error that they aim at.
    """
    while True:
        target = share * now.errors.sum()
        sizes = adapted_sizes(now, film, sources, degree=degree, target=target, boundary=boundary)
        if sizes.count <= most or share >= _LEAST_AMBITIOUS:
            return sizes, share
        share = min(_LESS_AMBITIOUS * share, _LEAST_AMBITIOUS)


def _sides(now: Contributions, discs: Sequence[Disc], target: float) -> tuple[Int64Array, Array]:
    """Return the vertices on round edges, and the lengths that sides should have there.

    Between the inscribed and the circumscribed polygon lies a strip of the width h²/8R. The error
    is the energy of the film on this strip: of order h², on a line.
    """
    flat = np.flatnonzero(now.vertices[:, 2] == 0)
    densities = np.zeros(len(now.vertices))
    for corner in now.cells.T:
        np.maximum.at(densities, corner, now.film_energies)
    edges, lengths, errors = [np.empty(0, dtype=int)], [np.empty(0)], [np.empty(0)]
    for disc in discs:
        edge = flat[on_circle(now.vertices[flat, :2], disc)]
        x, y = (now.vertices[edge, :2] - disc.center).T
        edge = edge[np.argsort(np.arctan2(y, x))]
        points = now.vertices[edge]
        sides = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
        edges.append(edge)
        lengths.append(sides)
        errors.append(densities[edge] * sides**3 / (8 * disc.radius))
    along = np.concatenate(lengths)
    return np.concatenate(edges), along * _factors(np.concatenate(errors), 2, 1, target)


def _factors(errors: Array, order: int, dimension: int, target: float) -> Array:
    """Return factors for all sizes, so that all errors become equal and add up to ``target``.

    The error of a piece is ∝ h^(order + dimension), the number of pieces ∝ h^(−dimension). With
    factors f the total becomes Σ errors f^order.
    """
    if not errors.any():
        return np.full(len(errors), _COARSER)
    relative = np.maximum(errors / errors.mean(), 1e-12) ** (-1 / (order + dimension))
    target = max(target, 2 * _FINER**order * errors.sum())  # one new mesh cannot reach less

    def factors(scale: float) -> Array:
        return np.clip(scale * relative, _FINER, _COARSER)

    low, high = 1e-6, 1e6  # bisection: the total grows with the scale
    while high > low * 1.0001:
        middle = float(np.sqrt(low * high))
        if np.sum(errors * factors(middle) ** order) > target:
            high = middle
        else:
            low = middle
    return factors(low)


def _graded(vertices: Array, cells: Int64Array, sizes: Array) -> Array:
    """Return ``sizes``, reduced where they grow faster than ``_STEEPEST`` along an edge."""
    ends = np.concatenate([cells[:, [a, b]] for a in range(4) for b in range(4) if a != b])
    steps = _STEEPEST * np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
    graded = sizes.copy()
    while True:
        before = graded.copy()
        np.minimum.at(graded, ends[:, 1], graded[ends[:, 0]] + steps)
        if np.all(graded > 0.999 * before):
            return graded


def _volumes(corners: Array) -> Array:
    return np.asarray(np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6)
