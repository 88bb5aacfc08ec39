"""A film with a round edge, meshed so that it covers the true one.

A larger film has more energy. The mesh of a disc is inscribed, which suits bounds from below; those
from above need a film that is nowhere too small.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dolfinx.mesh
import numpy as np
import numpy.typing as npt
import ufl

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Disc, Shape

_ROUND_OFF = 1e-9


def circumscribe(space: TaggedMesh, shape: Shape) -> TaggedMesh:
    """Return ``space`` with the vertices on the film's round edge moved outward, on other vertices.

    Each moves to R/cos α, α half the wider of the angles to its neighbours on the edge, h²/8R for
    sides of length h: no side then cuts the disc. Cells and numbering stay as they are.

    Args:
        space: Mesh with the film inscribed.
        shape: Shape of the film; one without round edges leaves ``space`` as it is.

    Note:
        Collective.
    """
    if not isinstance(shape, Disc):
        return space
    mesh = space.mesh
    points = mesh.geometry.x.copy()
    mine = round_edge(points, shape)
    angles = _angles(points[mine], shape)
    around = np.sort(np.concatenate(mesh.comm.allgather(angles)))
    around = around[np.diff(around, prepend=around[-1] - 2 * np.pi) > _ROUND_OFF]  # shared ones
    gaps = np.diff(around, append=around[0] + 2 * np.pi)
    half = np.maximum(gaps, np.roll(gaps, 1)) / 2
    nearest = np.abs(np.exp(1j * angles[:, None]) - np.exp(1j * around)).argmin(axis=1)
    outward = 1 / np.cos(half[nearest])
    points[mine, :2] = shape.center + (points[mine, :2] - shape.center) * outward[:, None]
    return _moved(space, points)


def round_edge(points: npt.NDArray[np.float64], disc: Disc) -> npt.NDArray[np.int64]:
    """Return the indices of ``points``, shape ``(n, 3)``, that lie on the edge of ``disc``."""
    radii = np.linalg.norm(points - [*disc.center, 0.0], axis=1)
    flat = np.abs(points[:, 2]) < _ROUND_OFF * disc.radius
    return np.flatnonzero(flat & (np.abs(radii - disc.radius) < _ROUND_OFF * disc.radius))


def _angles(points: npt.NDArray[np.float64], disc: Disc) -> npt.NDArray[np.float64]:
    x, y = (points[:, :2] - disc.center).T
    return np.asarray(np.arctan2(y, x))


def _moved(space: TaggedMesh, points: npt.NDArray[np.float64]) -> TaggedMesh:
    """Return ``space`` with other coordinates of the geometry's nodes; the topology is shared."""
    mesh, tags = space.mesh, space.facet_tags
    old = mesh.geometry
    geometry = dolfinx.mesh.create_geometry(
        old.index_map(), old.dofmaps[0], old.cmaps[0], points, old.input_global_indices
    )
    wrapped = type(mesh._cpp_object)(mesh.comm, mesh.topology._cpp_object, geometry._cpp_object)
    domain: Any = mesh.ufl_domain()
    moved = dolfinx.mesh.Mesh(wrapped, ufl.Mesh(domain.ufl_coordinate_element()))
    copied = dolfinx.mesh.meshtags(moved, tags.dim, tags.indices, tags.values)
    return replace(space, mesh=moved, facet_tags=copied)
