"""Round edges of the film: move the vertices of a mesh onto circles, or outside them.

``rounded`` serves refinement: the midpoint of a side goes onto its circle. ``fit_round_edges``
serves the bounds: the meshed film must lie inside the true one, or cover it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import dolfinx.mesh
import numpy as np
from mpi4py import MPI

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.parts import with_geometry
from pearlfem.mesh.sizes.edges import on_circle
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.layers import Films, Layer, layers_of
from pearlfem.quantities.arrays import Array, BoolArray, ComplexArray, Int32Array, Int64Array

_ROUND_OFF = 1e-8
# Polygons with the areas of circles: largest distance of a side's ends from the circle, in units of
# R times the square of the side's angle. It is 1/12 if all sides are equal, and 1/4 if one is half
# as long as the next.
_OUTSIDE = 1 / 3
STEP = 1e-4  # of the radius: test points at this distance tell on which side of a circle film is


@dataclass(frozen=True)
class _Ring:
    """The vertices on one circle, counterclockwise, the same on all ranks.

    Args:
        vertices: Complex coordinates, ``(n,)``; the circle has the centre 0 and the radius 1.
        arcs: Angle from each vertex to the next [rad].
        sides: Whether the circle is an edge of the film or of a region along each arc.
    """

    vertices: ComplexArray
    arcs: Array
    sides: BoolArray

    @classmethod
    def of(cls, comm: MPI.Comm, ends: ComplexArray, film: Film, disc: Disc) -> _Ring | None:
        """Collect the ``ends`` of edges of all ranks; None for fewer than three (collective)."""
        vertices = np.unique(np.concatenate(comm.allgather(ends.ravel())))
        if len(vertices) < 3:
            return None
        vertices = vertices[np.argsort(np.angle(vertices))]
        arcs = np.angle(np.roll(vertices, -1) / vertices) % (2 * np.pi)
        middles = np.angle(vertices) + arcs / 2
        inside, outside = (
            superfluid_weight_at(film, disc, middles, part) for part in (1 - STEP, 1 + STEP)
        )
        return cls(vertices, arcs, (inside != outside) & (arcs < WIDEST))

    def number(self, points: ComplexArray) -> Int64Array:
        """Return the numbers of the vertices at ``points``."""
        order = np.argsort(self.vertices)
        return np.asarray(order[np.searchsorted(self.vertices[order], points)])

    def side_between(self, ends: ComplexArray) -> Int64Array:
        """Return the number of the side between two vertices, ``(m, 2)``; −1 if there is none."""
        first, last = np.sort(self.number(ends), axis=1).T
        across = (first == 0) & (last == len(self.vertices) - 1)
        side = np.where(across, last, first)
        return np.where(self.sides[side] & (across | (last == first + 1)), side, -1)

    def middles(self) -> ComplexArray:
        """Return the point of the circle in the middle of each arc."""
        return np.asarray(np.exp(1j * (np.angle(self.vertices) + self.arcs / 2)))

    def mean_at_vertices(self, values: Array) -> Array:
        """Return the mean over the two sides at each vertex; NaN where one is not a side."""
        weighted = self.arcs * values
        mean = (weighted + np.roll(weighted, 1)) / (self.arcs + np.roll(self.arcs, 1))
        return np.where(self.sides & np.roll(self.sides, 1), mean, np.nan)


def rounded(
    comm: MPI.Comm, points: Array, edges: Int32Array, film: Film, same_area: bool
) -> tuple[Array, Array]:
    """Return the coordinates of a mesh's nodes and of the midpoints of its edges.

    Sides of round edges are halved at their middle angle. The new vertex lies on the circle. With
    ``same_area`` it lies outside, like all vertices between two sides, so that the polygon has the
    circle's area.

    Args:
        comm: Communicator of all ranks.
        points: Nodes on this rank, ``(n, 3)`` [length].
        edges: Ends of the edges that this rank owns, ``(m, 2)``.
        film: The film.
        same_area: Whether polygons have the areas of circles, before and after.

    Returns:
        Nodes ``(n, 3)`` and midpoints ``(m, 3)`` [length].

    Note:
        Collective.
    """
    nodes, middles = points.copy(), points[edges].mean(axis=1)
    flat = np.flatnonzero(np.all(points[edges, 2] == 0, axis=1))
    in_plane = points[:, 2] == 0
    for disc in film.discs:
        scaled = _scaled(points, disc)
        near = flat[_may_be_sides(scaled[edges[flat]], same_area)]
        ring = _Ring.of(comm, scaled[edges[near]], film, disc)
        if ring is None:
            continue
        outward = _outward(ring.arcs / 2) if same_area else np.ones(len(ring.arcs))
        side = ring.side_between(scaled[edges[near]])
        new = ring.middles() * outward
        middles[near[side >= 0], :2] = _coordinates(new[side[side >= 0]], disc)
        if same_area:
            on_ring = np.flatnonzero(in_plane & np.isin(scaled, ring.vertices))
            directions = ring.vertices / np.abs(ring.vertices)
            old = (directions * ring.mean_at_vertices(outward))[ring.number(scaled[on_ring])]
            moved = np.isfinite(old)
            nodes[on_ring[moved], :2] = _coordinates(old[moved], disc)
    return nodes, middles


def _scaled(points: Array, disc: Disc) -> ComplexArray:
    """Return (x, y) as complex numbers, relative to the centre of ``disc`` and its radius."""
    x, y = (points[:, :2] - disc.center).T / disc.radius
    return np.asarray(x + 1j * y)


def _coordinates(scaled: ComplexArray, disc: Disc) -> Array:
    """Return the (x, y) for complex numbers of ``_scaled``."""
    return np.asarray(disc.center + disc.radius * np.column_stack([scaled.real, scaled.imag]))


def _may_be_sides(ends: ComplexArray, same_area: bool) -> BoolArray:
    """Return which edges have both ends on the circle, or as far outside as ``same_area`` needs."""
    outside = np.abs(ends) - 1
    allowed = np.full(len(ends), _ROUND_OFF)
    if same_area:
        with np.errstate(divide="ignore", invalid="ignore"):  # an end in the centre has no angle
            angles = np.nan_to_num(np.angle(ends[:, 1] / ends[:, 0]))
        allowed += _OUTSIDE * angles**2
    return np.asarray((outside.min(axis=1) > -_ROUND_OFF) & (outside.max(axis=1) < allowed))


def _outward(angles: Array) -> Array:
    """Return the distance s of vertices from the centre at which sides have the area of their arcs.

    Sides of a circle of radius 1 with the angle γ: s² sin γ/2 = γ/2 (see ``pearlfem.mesh.plane``).
    """
    return np.asarray(np.sqrt(angles / np.sin(angles)))


WIDEST = 1.0  # largest angle of a side [rad]; a wider arc is a part of the circle without an edge


def fit_round_edges(mesh: TaggedMesh, films: Films, *, covering: bool) -> TaggedMesh:
    """Return ``mesh`` with vertices of round edges moved, so that bounds of the energy hold.

    The film then covers the true film, or lies inside it. Vertices move outward to R/cos α, with α
    half of the wider angle to a neighbour: by about h²/8R for sides of length h. No side then cuts
    the circle, as its middle is at least R away from the centre. Cells and numbers do not change.
    Where a circle crosses another edge, the sides next to the crossing may still cut the circle.

    Args:
        mesh: Mesh with the vertices of round edges on their circles.
        films: The film in z = 0, or films at their heights.
        covering: Whether meshed films shall cover the true ones; otherwise they lie inside them.

    Note:
        Collective. If no vertex moves, this is ``mesh`` itself.
    """
    points = mesh.domain.geometry.x.copy()
    moved = False
    for layer in layers_of(films):
        for disc in layer.film.discs:
            moved |= _move(points, mesh, layer, disc, covering)
    return _moved(mesh, points) if moved else mesh


def _move(points: Array, mesh: TaggedMesh, layer: Layer, disc: Disc, covering: bool) -> bool:
    """Move the vertices on one circle; return whether any rank moved one (collective)."""
    comm, film = mesh.comm, layer.film
    heights = mesh.domain.geometry.x[:, 2]
    flat = np.flatnonzero(np.abs(heights - layer.height) <= _ROUND_OFF * np.abs(heights).max())
    mine = flat[on_circle(mesh.domain.geometry.x[flat, :2], disc)]
    x, y = (mesh.domain.geometry.x[mine, :2] - disc.center).T
    angles = np.arctan2(y, x)
    around = np.sort(np.concatenate(comm.allgather(angles)))
    if len(around) == 0:
        return False
    # Vertices that several ranks share count once.
    around = around[np.diff(around, prepend=around[-1] - 2 * np.pi) > _ROUND_OFF]
    arcs = np.diff(around, append=around[0] + 2 * np.pi)
    middles = around + arcs / 2
    inside, outside = (
        superfluid_weight_at(film, disc, middles, part) for part in (1 - STEP, 1 + STEP)
    )
    # A side removes film if κ is larger inside the circle, and adds film if it is larger outside.
    wrong = (inside > outside if covering else outside > inside) & (arcs < WIDEST)
    half = np.where(wrong, arcs / 2, 0.0)
    half = np.maximum(half, np.roll(half, 1))
    nearest = np.abs(np.exp(1j * angles[:, None]) - np.exp(1j * around)).argmin(axis=1)
    outward = 1 / np.cos(half[nearest])
    points[mine, :2] = (
        disc.center + (mesh.domain.geometry.x[mine, :2] - disc.center) * outward[:, None]
    )
    return bool(half.any())


def superfluid_weight_at(film: Film, disc: Disc, angles: Array, part: float) -> Array:
    """Return κ at ``angles`` and ``part`` times the radius; 0 where there is no film."""
    circle = part * disc.radius * np.column_stack([np.cos(angles), np.sin(angles)])
    points = disc.center + circle
    covered = film.covers(points)
    weights = np.zeros(len(points))
    weights[covered] = film.superfluid_weight(points[covered])
    return weights


def _moved(mesh: TaggedMesh, points: Array) -> TaggedMesh:
    """Return ``mesh`` with the nodes of its geometry at ``points``; the topology is shared."""
    domain, tags = mesh.domain, mesh.facet_tags
    old = domain.geometry
    geometry = dolfinx.mesh.create_geometry(
        old.index_map(), old.dofmaps[0], old.cmaps[0], points, old.input_global_indices
    )
    moved = with_geometry(domain, geometry)
    copied = dolfinx.mesh.meshtags(moved, tags.dim, tags.indices, tags.values)
    return replace(mesh, domain=moved, facet_tags=copied)
