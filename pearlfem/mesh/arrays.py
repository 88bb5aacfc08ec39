"""A tagged mesh as plain arrays, which do not depend on the number of ranks.

Cells keep the order of the file or gmsh model from which the mesh was first made. So results that
depend on this order (values where a field jumps) do not change when a mesh is written and read.
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
from pearlfem.model.layers import Films, layers_of
from pearlfem.quantities.arrays import Int64Array

_Arrays = dict[str, npt.NDArray[Any]]


def mesh_arrays(mesh: TaggedMesh) -> tuple[_Arrays, Int64Array]:
    """Return the mesh as arrays on rank 0, and none elsewhere.

    Returns:
        ``points`` (n, 3) [length], ``cells`` (m, 4) and ``facets`` (k, 3) as numbers of points,
        ``facet_tags`` (k,), ``group_names`` and ``group_tags``, ``mirrored``. Also the order of the
        cells (m,): for each cell its number in the list of all ranks' owned cells, rank after rank.

    Raises:
        StudyError: The space is periodic.

    Note:
        Collective.
    """
    if mesh.cell is not None:
        raise StudyError("the mesh of a periodic space cannot be stored; allowed: other spaces")
    domain, tags = mesh.domain, mesh.facet_tags
    geometry, topology = domain.geometry, domain.topology
    nodes = geometry.input_global_indices
    owned_nodes = geometry.index_map().size_local
    owned_facets = tags.indices < topology.index_map(2).size_local
    corners = dolfinx.mesh.entities_to_geometry(domain, 2, tags.indices[owned_facets])
    owned_cells = topology.index_map(3).size_local
    parts = domain.comm.gather(
        {
            "order": topology.original_cell_index[:owned_cells],
            "nodes": nodes[:owned_nodes],
            "points": geometry.x[:owned_nodes],
            "cells": nodes[geometry.dofmaps[0][:owned_cells]],
            "facets": nodes[corners],
            "facet_tags": tags.values[owned_facets],
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


def mesh_from_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], films: Films, comm: MPI.Comm
) -> TaggedMesh:
    """Distribute the mesh that ``arrays`` on rank 0 describe, a mesh of ``films``.

    Note:
        Collective over ``comm``.
    """
    if comm.rank == 0:
        points, cells, facets = (arrays[name] for name in ("points", "cells", "facets"))
        values = arrays["facet_tags"].astype(np.int32)
        names, numbers = arrays["group_names"].tolist(), arrays["group_tags"].tolist()
        described = dict(zip(names, numbers, strict=True)), bool(arrays["mirrored"])
    else:
        points, cells = np.empty((0, 3)), np.empty((0, 4), dtype=np.int64)
        facets, values = np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int32)
        described = None
    groups, mirrored = comm.bcast(described)
    affine = ufl.Mesh(basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,)))
    domain = dolfinx.mesh.create_mesh(comm, cells, affine, points, partitioner(comm))
    tags = tag_facets(domain, facets, values)
    return TaggedMesh(domain, tags, groups, mirrored, films=layers_of(films))
