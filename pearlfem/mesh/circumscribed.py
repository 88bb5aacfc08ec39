"""Round edges on a mesh: moved so that the film lies within the true one, or covers it.

A larger film has more energy, and so has one with a larger superfluid weight κ. Bounds from below
need a κ that is nowhere too large, with 0 where there is no film, and bounds from above one that is
nowhere too small. Vertices of round edges, those of regions as well, lie on their circles; where
that makes κ too large (holes) or too small (outer edges) they move away from the centre.
"""

from __future__ import annotations

from dataclasses import replace

import dolfinx.mesh
import numpy as np
import numpy.typing as npt

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.parts import with_geometry
from pearlfem.mesh.sizes.edges import on_circle
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film

_Array = npt.NDArray[np.float64]
_ROUND_OFF = 1e-9
_STEP = 1e-4  # of the radius: where to look which side of a circle is film
WIDEST = 1.0  # angle of a side; more is a part of the circle that is no edge


def fit_round_edges(space: TaggedMesh, film: Film, *, covering: bool) -> TaggedMesh:
    """Return ``space`` with the film inside the true one, or ``covering`` it.

    Vertices move from the circle's centre to R/cos α, α half the wider of the angles to the
    neighbours, h²/8R for sides of length h: no side then cuts the circle. Cells and numbering stay
    as they are. Where circles cross other edges, the sides next to the crossing stay short of this.

    Args:
        space: Mesh with the vertices of round edges on their circles.
        film: The film.
        covering: Whether the film shall be nowhere too small, or nowhere too large.

    Note:
        Collective. If nothing moves, this is ``space`` itself.
    """
    points = space.mesh.geometry.x.copy()
    moved = False
    for disc in film.discs:
        moved |= _move(points, space, film, disc, covering)
    return _moved(space, points) if moved else space


def _move(points: _Array, space: TaggedMesh, film: Film, disc: Disc, covering: bool) -> bool:
    """Move the vertices on one circle; return whether any rank had to (collective)."""
    comm = space.mesh.comm
    flat = np.flatnonzero(space.mesh.geometry.x[:, 2] == 0)
    mine = flat[on_circle(space.mesh.geometry.x[flat, :2], disc)]
    x, y = (space.mesh.geometry.x[mine, :2] - disc.center).T
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
        disc.center + (space.mesh.geometry.x[mine, :2] - disc.center) * outward[:, None]
    )
    return bool(half.any())


def superfluid_weight_at(film: Film, disc: Disc, angles: _Array, part: float) -> _Array:
    """Return κ at ``angles`` and ``part`` of the radius, 0 where there is no film."""
    circle = part * disc.radius * np.column_stack([np.cos(angles), np.sin(angles)])
    points = disc.center + circle
    covered = film.covers(points)
    weights = np.zeros(len(points))
    weights[covered] = film.superfluid_weight(points[covered])
    return weights


def _moved(space: TaggedMesh, points: _Array) -> TaggedMesh:
    """Return ``space`` with other coordinates of the geometry's nodes; the topology is shared."""
    mesh, tags = space.mesh, space.facet_tags
    old = mesh.geometry
    geometry = dolfinx.mesh.create_geometry(
        old.index_map(), old.dofmaps[0], old.cmaps[0], points, old.input_global_indices
    )
    moved = with_geometry(mesh, geometry)
    copied = dolfinx.mesh.meshtags(moved, tags.dim, tags.indices, tags.values)
    return replace(space, mesh=moved, facet_tags=copied)
