"""A distributed mesh whose parts have names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dolfinx.io.gmsh
import dolfinx.mesh
import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.parallel import on_root


@dataclass(frozen=True)
class TaggedMesh:
    """A mesh with named groups of boundary facets.

    Args:
        mesh: Distributed DOLFINx mesh of tetrahedra, ghosted over shared facets.
        facet_tags: A number for each tagged facet.
        groups: The number of each named group of facets.
    """

    mesh: dolfinx.mesh.Mesh
    facet_tags: dolfinx.mesh.MeshTags
    groups: dict[str, int]

    def facets(self, *names: str) -> npt.NDArray[np.int32]:
        """Return this rank's facets of the named groups; a group that is absent has none."""
        found = [self.facet_tags.find(self.groups[name]) for name in names if name in self.groups]
        return np.concatenate([np.empty(0, dtype=np.int32), *found])

    @property
    def cells(self) -> int:
        """Number of cells on all ranks."""
        return int(self.mesh.topology.index_map(self.mesh.topology.dim).size_global)


def read_mesh(path: Path, comm: MPI.Comm = MPI.COMM_WORLD) -> TaggedMesh:
    """Read a gmsh .msh file with physical groups and distribute it.

    Raises:
        StudyError: The file is missing or is not a mesh with the group ``film``.

    Note:
        Collective over ``comm``; rank 0 reads.
    """

    def check() -> None:
        if not path.is_file():
            raise StudyError(f"{path}: no such mesh file")

    on_root(comm, check)
    data = dolfinx.io.gmsh.read_from_msh(path, comm, 0, gdim=3, partitioner=_partitioner(comm))
    return _tagged(data)


def distribute(model: Any, comm: MPI.Comm) -> TaggedMesh:
    """Turn the gmsh ``model`` of rank 0 into a distributed mesh (collective over ``comm``)."""
    data = dolfinx.io.gmsh.model_to_mesh(model, comm, 0, gdim=3, partitioner=_partitioner(comm))
    return _tagged(data)


def _partitioner(comm: MPI.Comm) -> Any:
    # gmsh meshes come without ghosts unless asked, and interior-facet integrals would be wrong.
    mode = dolfinx.mesh.GhostMode.shared_facet if comm.size > 1 else dolfinx.mesh.GhostMode.none
    # mypy sees only the first overload of DOLFINx' single dispatch
    return dolfinx.mesh.create_cell_partitioner(mode, 2)  # type: ignore[call-arg]


def _tagged(data: Any) -> TaggedMesh:
    groups = {name: group.tag for name, group in data.physical_groups.items() if group.dim == 2}
    if data.facet_tags is None or "film" not in groups:
        raise StudyError(f"mesh: no physical group 'film' among {sorted(data.physical_groups)}")
    return TaggedMesh(data.mesh, data.facet_tags, groups)
