"""Round edges on a mesh whose edges are cut in two: new vertices go onto their circles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.circumscribed import WIDEST, superfluid_weight_at
from pearlfem.model.film import Film

_Array = npt.NDArray[np.float64]
_Complex = npt.NDArray[np.complex128]
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

    vertices: _Complex
    gaps: _Array
    sides: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, comm: MPI.Comm, ends: _Complex, film: Film, disc: Disc) -> _Ring | None:
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

    def number(self, places: _Complex) -> npt.NDArray[np.int64]:
        """Return which vertex is at each of the places, all of which are vertices."""
        order = np.argsort(self.vertices)
        return np.asarray(order[np.searchsorted(self.vertices[order], places)])

    def gap_between(self, ends: _Complex) -> npt.NDArray[np.int64]:
        """Return the number of the side between two vertices, ``(m, 2)``; −1 if there is none."""
        first, last = np.sort(self.number(ends), axis=1).T
        across = (first == 0) & (last == len(self.vertices) - 1)
        gap = np.where(across, last, first)
        return np.where(self.sides[gap] & (across | (last == first + 1)), gap, -1)

    def middles(self) -> _Complex:
        """Return the point of the circle in the middle of each gap."""
        return np.asarray(np.exp(1j * (np.angle(self.vertices) + self.gaps / 2)))

    def between(self, outward: _Array) -> _Array:
        """Return the mean of the values of both sides at each vertex; NaN where one is no side."""
        weighted = self.gaps * outward
        mean = (weighted + np.roll(weighted, 1)) / (self.gaps + np.roll(self.gaps, 1))
        return np.where(self.sides & np.roll(self.sides, 1), mean, np.nan)


def rounded(
    comm: MPI.Comm, points: _Array, edges: npt.NDArray[np.int32], film: Film, same_area: bool
) -> tuple[_Array, _Array]:
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


def _places(points: _Array, disc: Disc) -> _Complex:
    """Return points of the plane as complex numbers: 0 is the centre of ``disc``, 1 its radius."""
    x, y = (points[:, :2] - disc.center).T / disc.radius
    return np.asarray(x + 1j * y)


def _coordinates(places: _Complex, disc: Disc) -> _Array:
    return np.asarray(disc.center + disc.radius * np.column_stack([places.real, places.imag]))


def _near(ends: _Complex, same_area: bool) -> npt.NDArray[np.bool_]:
    """Return which edges have both ends on the circle, or as far outside as for the same area."""
    outside = np.abs(ends) - 1
    allowed = np.full(len(ends), _ROUND_OFF)
    if same_area:
        with np.errstate(divide="ignore", invalid="ignore"):  # the centre has no angle
            angles = np.nan_to_num(np.angle(ends[:, 1] / ends[:, 0]))
        allowed += _OUTSIDE * angles**2
    return np.asarray((outside.min(axis=1) > -_ROUND_OFF) & (outside.max(axis=1) < allowed))


def _outward(angles: _Array) -> _Array:
    """Return the ends' distance from the centre at which a side encloses as much as its arc."""
    return np.asarray(np.sqrt(angles / np.sin(angles)))
