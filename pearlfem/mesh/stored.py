"""A tagged mesh as plain arrays, the same whatever the number of ranks it came from or goes to.

Cells stand in the order of the mesh file that the mesh was first read from, so that what depends on
the order (values where a field jumps) is the same after reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import basix.ufl
import dolfinx.io
import dolfinx.mesh
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx.graph import adjacencylist
from mpi4py import MPI

from pearlfem.mesh.tagged import TaggedMesh, partitioner

_Arrays = dict[str, npt.NDArray[Any]]


def mesh_arrays(space: TaggedMesh) -> _Arrays:
    """Return the mesh as arrays on rank 0, and none elsewhere.

    ``points`` (n, 3) [length], ``cells`` (m, 4) and ``facets`` (k, 3) as numbers of points,
    ``facet_tags`` (k,), ``group_names`` and ``group_tags``, ``mirrored``.

    Raises:
        NotImplementedError: The space is periodic.

    Note:
        Collective.
    """
    if space.cell is not None:
        raise NotImplementedError("meshes of periodic spaces")
    mesh, tags = space.mesh, space.facet_tags
    geometry, topology = mesh.geometry, mesh.topology
    nodes = geometry.input_global_indices
    own_nodes = geometry.index_map().size_local
    own_facets = tags.indices < topology.index_map(2).size_local
    corners = dolfinx.mesh.entities_to_geometry(mesh, 2, tags.indices[own_facets])
    parts = mesh.comm.gather(
        {
            "nodes": nodes[:own_nodes],
            "points": geometry.x[:own_nodes],
            "cells": nodes[geometry.dofmaps[0][: topology.index_map(3).size_local]],
            "facets": nodes[corners],
            "facet_tags": tags.values[own_facets],
        }
    )
    order = cell_order(mesh)
    if parts is None or order is None:
        return {}
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    numbers, first = np.unique(whole["nodes"], return_index=True)
    return {
        "points": whole["points"][first],
        "cells": np.searchsorted(numbers, whole["cells"])[order],
        "facets": np.searchsorted(numbers, whole["facets"]),
        "facet_tags": whole["facet_tags"],
        "group_names": np.array(list(space.groups)),
        "group_tags": np.array(list(space.groups.values())),
        "mirrored": np.array(space.mirrored),
    }


def cell_order(mesh: dolfinx.mesh.Mesh) -> npt.NDArray[np.int64] | None:
    """Return on rank 0 what sorts all ranks' own cells as in the mesh file (collective)."""
    own = mesh.topology.index_map(3).size_local
    parts = mesh.comm.gather(mesh.topology.original_cell_index[:own])
    return None if parts is None else np.argsort(np.concatenate(parts))


def mesh_from_arrays(arrays: Mapping[str, npt.NDArray[Any]], comm: MPI.Comm) -> TaggedMesh:
    """Return the distributed mesh of the arrays that rank 0 gives.

    Note:
        Collective over ``comm``.
    """
    if comm.rank == 0:
        points, cells, facets = (arrays[name] for name in ("points", "cells", "facets"))
        values = arrays["facet_tags"].astype(np.int32)
        names, numbers = arrays["group_names"].tolist(), arrays["group_tags"].tolist()
        small = dict(zip(names, numbers, strict=True)), bool(arrays["mirrored"])
    else:
        points, cells = np.empty((0, 3)), np.empty((0, 4), dtype=np.int64)
        facets, values = np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int32)
        small = None
    groups, mirrored = comm.bcast(small)
    domain = ufl.Mesh(basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,)))
    mesh = dolfinx.mesh.create_mesh(comm, cells, domain, points, partitioner(comm))
    mesh.topology.create_connectivity(2, 3)
    local = dolfinx.io.distribute_entity_data(mesh, 2, facets, values)
    tags = dolfinx.mesh.meshtags_from_entities(
        mesh, 2, adjacencylist(local[0]), local[1].astype(np.int32)
    )
    return TaggedMesh(mesh, tags, groups, mirrored)
