"""A tagged mesh as plain arrays, the same whatever the number of ranks it came from or goes to.

Cells stand in the order of the mesh file that the mesh was first read from, so that what depends on
the order (values where a field jumps) is the same after reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import basix.ufl
import dolfinx.mesh
import numpy as np
import numpy.typing as npt
import ufl
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.parts import tag_facets
from pearlfem.mesh.tagged import TaggedMesh, partitioner
from pearlfem.quantities.arrays import Int64Array

_Arrays = dict[str, npt.NDArray[Any]]


def mesh_arrays(mesh: TaggedMesh) -> tuple[_Arrays, Int64Array]:
    """Return the mesh as arrays on rank 0, and none elsewhere.

    Returns:
        ``points`` (n, 3) [length], ``cells`` (m, 4) and ``facets`` (k, 3) as numbers of points,
        ``facet_tags`` (k,), ``group_names`` and ``group_tags``, ``mirrored``; and the order of the
        cells: which of all ranks' own ones, one rank after the other, stands at each place.

    Raises:
        StudyError: The space is periodic.

    Note:
        Collective.
    """
    if mesh.cell is not None:
        raise StudyError("the mesh of a periodic space: cannot be kept; allowed: other spaces")
    domain, tags = mesh.domain, mesh.facet_tags
    geometry, topology = domain.geometry, domain.topology
    nodes = geometry.input_global_indices
    own_nodes = geometry.index_map().size_local
    own_facets = tags.indices < topology.index_map(2).size_local
    corners = dolfinx.mesh.entities_to_geometry(domain, 2, tags.indices[own_facets])
    own_cells = topology.index_map(3).size_local
    parts = domain.comm.gather(
        {
            "order": topology.original_cell_index[:own_cells],
            "nodes": nodes[:own_nodes],
            "points": geometry.x[:own_nodes],
            "cells": nodes[geometry.dofmaps[0][:own_cells]],
            "facets": nodes[corners],
            "facet_tags": tags.values[own_facets],
        }
    )
    if parts is None:
        return {}, np.empty(0, np.int64)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(whole["order"])
    numbers, first = np.unique(whole["nodes"], return_index=True)
    arrays = {
        "points": whole["points"][first],
        "cells": np.searchsorted(numbers, whole["cells"])[order],
        "facets": np.searchsorted(numbers, whole["facets"]),
        "facet_tags": whole["facet_tags"],
        "group_names": np.array(list(mesh.groups)),
        "group_tags": np.array(list(mesh.groups.values())),
        "mirrored": np.array(mesh.mirrored),
    }
    return arrays, order


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
    affine = ufl.Mesh(basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,)))
    domain = dolfinx.mesh.create_mesh(comm, cells, affine, points, partitioner(comm))
    return TaggedMesh(domain, tag_facets(domain, facets, values), groups, mirrored)
