"""Steps in making a mesh: another geometry for its topology, and values on its facets."""

from __future__ import annotations

from typing import Any

import dolfinx.io
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx.graph import adjacencylist

from pearlfem.quantities.arrays import Int32Array, Int64Array


def with_geometry(domain: dolfinx.mesh.Mesh, geometry: dolfinx.mesh.Geometry) -> dolfinx.mesh.Mesh:
    """Return a mesh of the topology of ``domain``, which is shared, and of ``geometry``."""
    wrapped = type(domain._cpp_object)(
        domain.comm, domain.topology._cpp_object, geometry._cpp_object
    )
    old: Any = domain.ufl_domain()
    return dolfinx.mesh.Mesh(wrapped, ufl.Mesh(old.ufl_coordinate_element()))


def tag_facets(
    domain: dolfinx.mesh.Mesh, facets: Int64Array, values: Int32Array
) -> dolfinx.mesh.MeshTags:
    """Return tags of facets that any rank may give.

    Args:
        domain: The mesh.
        facets: Numbers of their corners as they were when the mesh was made, ``(n, 3)``.
        values: One for each, ``(n,)``.

    Note:
        Collective.
    """
    domain.topology.create_connectivity(2, 3)
    found, their = dolfinx.io.distribute_entity_data(domain, 2, facets, values)
    return dolfinx.mesh.meshtags_from_entities(
        domain, 2, adjacencylist(found), their.astype(np.int32)
    )
