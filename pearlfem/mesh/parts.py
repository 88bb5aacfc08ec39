"""Steps in making a mesh: another geometry for its topology, and values on its facets."""

from __future__ import annotations

from typing import Any

import dolfinx.io
import dolfinx.mesh
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx.graph import adjacencylist


def with_geometry(mesh: dolfinx.mesh.Mesh, geometry: dolfinx.mesh.Geometry) -> dolfinx.mesh.Mesh:
    """Return a mesh of the topology of ``mesh``, which is shared, and of ``geometry``."""
    wrapped = type(mesh._cpp_object)(mesh.comm, mesh.topology._cpp_object, geometry._cpp_object)
    domain: Any = mesh.ufl_domain()
    return dolfinx.mesh.Mesh(wrapped, ufl.Mesh(domain.ufl_coordinate_element()))


def tag_facets(
    mesh: dolfinx.mesh.Mesh, facets: npt.NDArray[np.int64], values: npt.NDArray[np.int32]
) -> dolfinx.mesh.MeshTags:
    """Return tags of facets that any rank may give.

    Args:
        mesh: The mesh.
        facets: Numbers of their corners as they were when the mesh was made, ``(n, 3)``.
        values: One for each, ``(n,)``.

    Note:
        Collective.
    """
    mesh.topology.create_connectivity(2, 3)
    found, their = dolfinx.io.distribute_entity_data(mesh, 2, facets, values)
    return dolfinx.mesh.meshtags_from_entities(
        mesh, 2, adjacencylist(found), their.astype(np.int32)
    )
