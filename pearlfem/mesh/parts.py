"""Two steps in making a mesh: give its topology another geometry, and tag its facets."""

from __future__ import annotations

from typing import Any

import dolfinx.io
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx.graph import adjacencylist

from pearlfem.quantities.arrays import Int32Array, Int64Array


def with_geometry(domain: dolfinx.mesh.Mesh, geometry: dolfinx.mesh.Geometry) -> dolfinx.mesh.Mesh:
    """Return a mesh with the topology of ``domain``, which is shared, and with ``geometry``."""
    wrapped = type(domain._cpp_object)(
        domain.comm, domain.topology._cpp_object, geometry._cpp_object
    )
    old: Any = domain.ufl_domain()
    return dolfinx.mesh.Mesh(wrapped, ufl.Mesh(old.ufl_coordinate_element()))


def tag_facets(
    domain: dolfinx.mesh.Mesh, facets: Int64Array, values: Int32Array
) -> dolfinx.mesh.MeshTags:
    """Return tags for facets; each facet may be given on any rank.

    Args:
        domain: The mesh.
        facets: Their corners, as numbers of points in the input of the mesh, ``(n, 3)``.
        values: The tag of each facet, ``(n,)``.

    Note:
        Collective.
    """
    domain.topology.create_connectivity(2, 3)
    local_facets, local_values = dolfinx.io.distribute_entity_data(domain, 2, facets, values)
    return dolfinx.mesh.meshtags_from_entities(
        domain, 2, adjacencylist(local_facets), local_values.astype(np.int32)
    )
