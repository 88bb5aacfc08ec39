"""Another geometry for the topology of a mesh."""

from __future__ import annotations

from typing import Any

import dolfinx.mesh
import ufl


def with_geometry(mesh: dolfinx.mesh.Mesh, geometry: dolfinx.mesh.Geometry) -> dolfinx.mesh.Mesh:
    """Return a mesh of the topology of ``mesh``, which is shared, and of ``geometry``."""
    wrapped = type(mesh._cpp_object)(mesh.comm, mesh.topology._cpp_object, geometry._cpp_object)
    domain: Any = mesh.ufl_domain()
    return dolfinx.mesh.Mesh(wrapped, ufl.Mesh(domain.ufl_coordinate_element()))
