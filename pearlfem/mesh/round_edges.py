"""Round edges on a mesh whose edges are cut in two: new vertices go onto their circles."""

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
# Of the square of a side's angle: how far its ends lie outside where polygons have the area of
# circles, at most (1/12 where sides are equal, 1/4 where one is half as long as the next).
_OUTSIDE = 1 / 3
_STEP = 1e-4  # of the radius: where to look which side of a circle is film


@dataclass(frozen=True)
class _Ring:
    """The vertices on one circle, counterclockwise, the same on all ranks.

    Args:
        vertices: Their places, ``(n,)``: the circle has the centre 0 and the radius 1.
        gaps: Angles from each to the next.
        sides: Whether the circle is an edge there.
    """

    vertices: ComplexArray
    gaps: Array
    sides: BoolArray

    @classmethod
    def of(cls, comm: MPI.Comm, ends: ComplexArray, film: Film, disc: Disc) -> _Ring | None:
        """Return all ranks' ``ends`` of edges; None if there are fewer than three (collective)."""
        vertices = np.unique(np.concatenate(comm.allgather(ends.ravel())))
        if len(vertices) < 3:
            return None
        vertices = vertices[np.argsort(np.angle(vertices))]
        gaps = np.angle(np.roll(vertices, -1) / vertices) % (2 * np.pi)
        middles = np.angle(vertices) + gaps / 2
        inside, outside = (
            superfluid_weight_at(film, disc, middles, part) for part in (1 - _STEP, 1 + _STEP)
        )
        return cls(vertices, gaps, (inside != outside) & (gaps < WIDEST))

    def number(self, places: ComplexArray) -> Int64Array:
        """Return which vertex is at each of the places, all of which are vertices."""
        order = np.argsort(self.vertices)
        return np.asarray(order[np.searchsorted(self.vertices[order], places)])

    def gap_between(self, ends: ComplexArray) -> Int64Array:
        """Return the number of the side between two vertices, ``(m, 2)``; −1 if there is none."""
        first, last = np.sort(self.number(ends), axis=1).T
        across = (first == 0) & (last == len(self.vertices) - 1)
        gap = np.where(across, last, first)
        return np.where(self.sides[gap] & (across | (last == first + 1)), gap, -1)

    def middles(self) -> ComplexArray:
        """Return the point of the circle in the middle of each gap."""
        return np.asarray(np.exp(1j * (np.angle(self.vertices) + self.gaps / 2)))

    def between(self, outward: Array) -> Array:
        """Return the mean of the values of both sides at each vertex; NaN where one is no side."""
        weighted = self.gaps * outward
        mean = (weighted + np.roll(weighted, 1)) / (self.gaps + np.roll(self.gaps, 1))
        return np.where(self.sides & np.roll(self.sides, 1), mean, np.nan)


def rounded(
    comm: MPI.Comm, points: Array, edges: Int32Array, film: Film, same_area: bool
) -> tuple[Array, Array]:
    """Return the places of a mesh's nodes, and of the middles of its edges.

    Sides of round edges are cut at their middle angle. Middles lie on the circle, or, as all nodes
    between two sides, so far outside that the ``same_area`` is enclosed.

    Args:
        comm: Communicator of all ranks.
        points: Nodes on this rank, ``(n, 3)`` [length].
        edges: Ends of this rank's own edges, ``(m, 2)``.
        film: The film.
        same_area: Whether polygons have the areas of circles, before and after.

    Returns:
        Arrays of shape ``(n, 3)`` and ``(m, 3)`` [length].

    Note:
        Collective.
    """
    nodes, middles = points.copy(), points[edges].mean(axis=1)
    flat = np.flatnonzero(np.all(points[edges, 2] == 0, axis=1))
    in_plane = points[:, 2] == 0
    for disc in film.discs:
        places = _places(points, disc)
        near = flat[_near(places[edges[flat]], same_area)]
        ring = _Ring.of(comm, places[edges[near]], film, disc)
        if ring is None:
            continue
        outward = _outward(ring.gaps / 2) if same_area else np.ones(len(ring.gaps))
        gap = ring.gap_between(places[edges[near]])
        new = ring.middles() * outward
        middles[near[gap >= 0], :2] = _coordinates(new[gap[gap >= 0]], disc)
        if same_area:
            known = np.flatnonzero(in_plane & np.isin(places, ring.vertices))
            old = (ring.vertices / np.abs(ring.vertices) * ring.between(outward))[
                ring.number(places[known])
            ]
            moved = np.isfinite(old)
            nodes[known[moved], :2] = _coordinates(old[moved], disc)
    return nodes, middles


def _places(points: Array, disc: Disc) -> ComplexArray:
    """Return points of the plane as complex numbers: 0 is the centre of ``disc``, 1 its radius."""
    x, y = (points[:, :2] - disc.center).T / disc.radius
    return np.asarray(x + 1j * y)


def _coordinates(places: ComplexArray, disc: Disc) -> Array:
    return np.asarray(disc.center + disc.radius * np.column_stack([places.real, places.imag]))


def _near(ends: ComplexArray, same_area: bool) -> BoolArray:
    """Return which edges have both ends on the circle, or as far outside as for the same area."""
    outside = np.abs(ends) - 1
    allowed = np.full(len(ends), _ROUND_OFF)
    if same_area:
        with np.errstate(divide="ignore", invalid="ignore"):  # the centre has no angle
            angles = np.nan_to_num(np.angle(ends[:, 1] / ends[:, 0]))
        allowed += _OUTSIDE * angles**2
    return np.asarray((outside.min(axis=1) > -_ROUND_OFF) & (outside.max(axis=1) < allowed))


def _outward(angles: Array) -> Array:
    """Return the ends' distance from the centre at which a side encloses as much as its arc."""
    return np.asarray(np.sqrt(angles / np.sin(angles)))


WIDEST = 1.0  # angle of a side; more is a part of the circle that is no edge


def fit_round_edges(mesh: TaggedMesh, films: Films, *, covering: bool) -> TaggedMesh:
    """Return ``mesh`` with the films inside the true ones, or ``covering`` them.

    Vertices move from the circle's centre to R/cos α, α half the wider of the angles to the
    neighbours, h²/8R for sides of length h: no side then cuts the circle. Cells and numbering stay
    as they are. Where circles cross other edges, the sides next to the crossing stay short of this.

    Args:
        mesh: Mesh with the vertices of round edges on their circles.
        films: The film in z = 0, or films at their heights.
        covering: Whether films shall be nowhere too small, or nowhere too large.

    Note:
        Collective. If nothing moves, this is ``mesh`` itself.
    """
    points = mesh.domain.geometry.x.copy()
    moved = False
    for layer in layers_of(films):
        for disc in layer.film.discs:
            moved |= _move(points, mesh, layer, disc, covering)
    return _moved(mesh, points) if moved else mesh


def _move(points: Array, mesh: TaggedMesh, layer: Layer, disc: Disc, covering: bool) -> bool:
    """Move the vertices on one circle; return whether any rank had to (collective)."""
    comm, film = mesh.comm, layer.film
    heights = mesh.domain.geometry.x[:, 2]
    flat = np.flatnonzero(np.abs(heights - layer.height) <= _ROUND_OFF * np.abs(heights).max())
    mine = flat[on_circle(mesh.domain.geometry.x[flat, :2], disc)]
    x, y = (mesh.domain.geometry.x[mine, :2] - disc.center).T
    angles = np.arctan2(y, x)
    around = np.sort(np.concatenate(comm.allgather(angles)))
    if len(around) == 0:
        return False
    around = around[np.diff(around, prepend=around[-1] - 2 * np.pi) > _ROUND_OFF]  # shared ones
    gaps = np.diff(around, append=around[0] + 2 * np.pi)
    middles = around + gaps / 2
    inside, outside = (
        superfluid_weight_at(film, disc, middles, side) for side in (1 - _STEP, 1 + _STEP)
    )
    wrong = (inside > outside if covering else outside > inside) & (gaps < WIDEST)
    half = np.where(wrong, gaps / 2, 0.0)
    half = np.maximum(half, np.roll(half, 1))
    nearest = np.abs(np.exp(1j * angles[:, None]) - np.exp(1j * around)).argmin(axis=1)
    outward = 1 / np.cos(half[nearest])
    points[mine, :2] = (
        disc.center + (mesh.domain.geometry.x[mine, :2] - disc.center) * outward[:, None]
    )
    return bool(half.any())


def superfluid_weight_at(film: Film, disc: Disc, angles: Array, part: float) -> Array:
    """Return κ at ``angles`` and ``part`` of the radius, 0 where there is no film."""
    circle = part * disc.radius * np.column_stack([np.cos(angles), np.sin(angles)])
    points = disc.center + circle
    covered = film.covers(points)
    weights = np.zeros(len(points))
    weights[covered] = film.superfluid_weight(points[covered])
    return weights


def _moved(mesh: TaggedMesh, points: Array) -> TaggedMesh:
    """Return ``mesh`` with other coordinates of the geometry's nodes; the topology is shared."""
    domain, tags = mesh.domain, mesh.facet_tags
    old = domain.geometry
    geometry = dolfinx.mesh.create_geometry(
        old.index_map(), old.dofmaps[0], old.cmaps[0], points, old.input_global_indices
    )
    moved = with_geometry(domain, geometry)
    copied = dolfinx.mesh.meshtags(moved, tags.dim, tags.indices, tags.values)
    return replace(mesh, domain=moved, facet_tags=copied)
