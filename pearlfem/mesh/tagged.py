"""A distributed mesh whose parts have names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import basix
import dolfinx.io.gmsh
import dolfinx.mesh
import gmsh
import numpy as np
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.periodic import MeshedCell, distribute_closed, is_closed
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.signals import restore_handler

_HEADER = b"$MeshFormat"

_TRIANGLES, _TETRAHEDRA = 2, 4  # gmsh's numbers
_FLATTEST = 1e-9  # six times the volume of a cell, in units of the cube of an edge

HOLE = "hole "  # before the name of a hole, the name of its facets


@dataclass(frozen=True)
class TaggedMesh:
    """A mesh with named groups of facets.

    Args:
        domain: Distributed DOLFINx mesh of tetrahedra, ghosted over shared facets. Facets without a
            cell on the other side of them, and all facets in the film's plane z = 0, have a name.
        facet_tags: A number for each tagged facet.
        groups: The number of each named group of facets.
        mirrored: Whether the mesh is the half z ≥ 0 of a space that is mirror symmetric in z.
            Otherwise it is the whole space, and no cell reaches through z = 0.
        cell: The mesh is this cell of a periodic space, without sides; None of any other space.
    """

    domain: dolfinx.mesh.Mesh
    facet_tags: dolfinx.mesh.MeshTags
    groups: dict[str, int]
    mirrored: bool = True
    cell: MeshedCell | None = None

    @property
    def comm(self) -> MPI.Comm:
        """Communicator of all ranks that have a part of the mesh."""
        return cast(MPI.Comm, self.domain.comm)

    def facets(self, *names: str) -> Int32Array:
        """Return this rank's facets of the named groups; a group that is absent has none."""
        found = [self.facet_tags.find(self.groups[name]) for name in names if name in self.groups]
        return np.concatenate([np.empty(0, dtype=np.int32), *found])

    def sides(self, *names: str, height: float = 0.0) -> Int32Array:
        """Return the named groups' facets in the plane z = height as they are seen from above.

        Returns:
            Pairs of a cell above and the local number of its facet, shape ``(n, 2)``, for all cells
            that this rank owns: over all ranks each facet comes once.
        """
        topology = self.domain.topology
        topology.create_connectivity(3, 2)
        topology.create_connectivity(2, 3)
        above = self.cells_above(height)
        facets = topology.connectivity(3, 2).array.reshape(-1, 4)[above]
        cells, local = np.nonzero(np.isin(facets, self.facets(*names)))
        return np.column_stack([above[cells], local]).astype(np.int32)

    def corners(self, *names: str, height: float = 0.0) -> Array:
        """Return (x, y) of the corners of the facets of ``sides``, ``(n, 3, 2)`` [length]."""
        return np.asarray(self.domain.geometry.x[self.nodes(*names, height=height), :2])

    def nodes(self, *names: str, height: float = 0.0) -> Int32Array:
        """Return the geometry's nodes at the corners of the facets of ``sides``, ``(n, 3)``."""
        cells, local = self.sides(*names, height=height).T
        facets = np.array(basix.topology(basix.CellType.tetrahedron)[2])[local]
        return np.take_along_axis(self.domain.geometry.dofmaps[0][cells], facets, axis=1)

    def inside(self, points: Array) -> Array:
        """Return points (x, y) or (x, y, z) [length] in the cell of a periodic space; all as is."""
        return points if self.cell is None else self.cell.inside(points)

    def cells_above(self, height: float = 0.0) -> Int32Array:
        """Return the cells in z > height that this rank owns."""
        return np.flatnonzero(self._middles() > height).astype(np.int32)

    def cells_below(self, height: float = 0.0) -> Int32Array:
        """Return the cells in z < height that this rank owns."""
        return np.flatnonzero(self._middles() < height).astype(np.int32)

    def slabs(self, heights: Sequence[float]) -> list[Int32Array]:
        """Return the cells that this rank owns below, between and above planes, the lowest first.

        Args:
            heights: z of the planes [length], ascending; no cell reaches through one of them.
        """
        slab = np.searchsorted(heights, self._middles())
        return [np.flatnonzero(slab == k).astype(np.int32) for k in range(len(heights) + 1)]

    def _middles(self) -> Array:
        """Return z of the middle of each cell that this rank owns [length]."""
        corners = self.domain.geometry.dofmaps[0][: self.domain.topology.index_map(3).size_local]
        return np.asarray(self.domain.geometry.x[corners, 2].mean(axis=1))

    @property
    def holes(self) -> dict[str, str]:
        """The names of the film's holes, with the groups of their facets."""
        return {name[len(HOLE) :]: name for name in self.groups if name.startswith(HOLE)}

    @property
    def cells(self) -> int:
        """Number of cells on all ranks."""
        return int(self.domain.topology.index_map(self.domain.topology.dim).size_global)


def read_mesh(path: Path, comm: MPI.Comm = MPI.COMM_WORLD) -> TaggedMesh:
    """Read a gmsh .msh file with physical groups and distribute it.

    Raises:
        StudyError: The file is missing or is not a mesh with the group ``film``.

    Note:
        Collective over ``comm``; rank 0 reads.
    """
    with gmsh_session(comm):
        on_root(comm, lambda: _open(path))
        try:
            return distribute(gmsh.model, comm)
        except RuntimeError as error:  # on all ranks: cells that no group has, or several
            raise StudyError(f"mesh file {path}: not a sound mesh: {error}") from None


@contextmanager
def gmsh_session(comm: MPI.Comm) -> Iterator[None]:
    """Hold an empty and silent gmsh model on rank 0 of ``comm``."""
    if comm.rank == 0:
        gmsh.initialize(readConfigFiles=False, interruptible=False)
        restore_handler()
        gmsh.option.setNumber("General.Terminal", 0)
    try:
        yield
    finally:
        if comm.rank == 0:
            gmsh.finalize()


def distribute(model: Any, comm: MPI.Comm) -> TaggedMesh:
    """Turn the gmsh ``model`` of rank 0 into a distributed mesh (collective over ``comm``)."""
    if on_root(comm, lambda: is_closed(model)):
        return TaggedMesh(*distribute_closed(model, comm, partitioner(comm)))
    data = dolfinx.io.gmsh.model_to_mesh(model, comm, 0, gdim=3, partitioner=partitioner(comm))
    groups = {name: group.tag for name, group in data.physical_groups.items() if group.dim == 2}
    mirrored = "below" not in data.physical_groups
    return TaggedMesh(data.mesh, cast(dolfinx.mesh.MeshTags, data.facet_tags), groups, mirrored)


def _open(path: Path) -> None:
    """Load the mesh of ``path`` into gmsh's current model."""
    if not path.is_file():
        raise StudyError(f"mesh file {path}: no such file")
    try:
        with path.open("rb") as file:
            first = file.read(len(_HEADER))
    except OSError as error:
        raise StudyError(f"mesh file {path}: cannot be read: {error.strerror}") from None
    if first != _HEADER:  # gmsh would run it as a script
        raise StudyError(f"mesh file {path}: not a mesh: does not begin with $MeshFormat")
    with tempfile.TemporaryDirectory() as folder:
        # By a name of its own: gmsh would also run the script FILE.msh.opt beside FILE.msh.
        link = Path(folder, "mesh.msh")
        link.symlink_to(path.resolve())
        try:
            gmsh.open(str(link))
            faults = _faults()
            groups = {
                gmsh.model.getPhysicalName(*group): group[0]
                for group in gmsh.model.getPhysicalGroups()
            }
        except Exception as error:  # gmsh raises nothing more special
            reason = str(error).replace(str(link), path.name)
            raise StudyError(f"mesh file {path}: not a mesh: {reason}") from None
    outer = {"far", "shield", "magnetic-wall"} & set(groups)
    if groups.get("film") != 2 or not outer or 3 not in groups.values():
        raise StudyError(
            f"mesh file {path}: needs a physical group of cells and groups of facets named 'film' "
            f"and 'far', 'shield' or 'magnetic-wall'; has {sorted(groups)}"
        )
    if faults:
        raise StudyError(f"mesh file {path}: not a sound mesh: {faults}")


def _faults() -> str:
    """Return what is wrong with nodes and cells of gmsh's current model; gmsh takes anything."""
    low = [group for group in gmsh.model.getPhysicalGroups() if group[0] < 2]
    if low:  # of no use here
        gmsh.model.removePhysicalGroups(low)
    for dimension, allowed in ((2, _TRIANGLES), (3, _TETRAHEDRA)):
        if set(gmsh.model.mesh.getElementTypes(dimension)) != {allowed}:
            return "needs triangles and tetrahedra of first order, and no others"
    tags, places, _ = gmsh.model.mesh.getNodes()
    if not np.array_equal(np.sort(tags), np.arange(1, len(tags) + 1)):
        gmsh.model.mesh.renumberNodes()
        tags, places, _ = gmsh.model.mesh.getNodes()
    points = np.empty((len(tags), 3))
    points[tags.astype(int) - 1] = places.reshape(-1, 3)
    cells = gmsh.model.mesh.getElementsByType(_TETRAHEDRA)[1].astype(int).reshape(-1, 4) - 1
    if not np.all(np.isfinite(points)):
        return "nodes at places that are no numbers"
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN is not larger than anything
        volumes = np.linalg.det(edges / np.abs(edges).max(axis=(1, 2), keepdims=True))
    if not np.all(volumes > _FLATTEST):
        return "cells that are flat, or turned inside out"
    return ""


def partitioner(comm: MPI.Comm) -> Any:
    """Return how cells are distributed: with ghosts over shared facets."""
    # gmsh meshes come without ghosts unless asked, and interior-facet integrals would be wrong.
    mode = dolfinx.mesh.GhostMode.shared_facet if comm.size > 1 else dolfinx.mesh.GhostMode.none
    # mypy sees only the first overload of DOLFINx' single dispatch
    return dolfinx.mesh.create_cell_partitioner(mode, 2)  # type: ignore[call-arg]
