"""Areas, volumes and sizes of a mesh, computed only from its corners (serial)."""

from collections.abc import Callable

import numpy as np
import pytest
from dolfinx import mesh as dolfinx_mesh
from numpy.typing import NDArray

from pearlfem.mesh.tagged import TaggedMesh

Array = NDArray[np.float64]


@pytest.fixture(scope="session")
def corners() -> Callable[..., Array]:
    """Corners of a group's facets, ``(n, 3, 3)``, or of all cells, ``(n, 4, 3)``."""

    def read(mesh: TaggedMesh, *groups: str) -> Array:
        if not groups:
            return mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
        mesh.domain.topology.create_connectivity(2, 3)
        facets = mesh.facets(*groups)
        return mesh.domain.geometry.x[dolfinx_mesh.entities_to_geometry(mesh.domain, 2, facets)]

    return read


@pytest.fixture(scope="session")
def measure() -> Callable[[Array], float]:
    """Total area of triangles or volume of tetrahedra."""

    def total(points: Array) -> float:
        sides = points[:, 1:] - points[:, :1]
        if points.shape[1] == 4:
            return float(np.abs(np.linalg.det(sides)).sum() / 6)
        return float(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2)

    return total
