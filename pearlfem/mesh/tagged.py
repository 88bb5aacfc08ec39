"""A distributed mesh with named groups of facets, read from gmsh."""

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
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Core
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.interruptible import finish_abandoned_work, has_abandoned_work
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.signals import restore_handler

_HEADER = b"$MeshFormat"

_TRIANGLES, _TETRAHEDRA = 2, 4  # gmsh's numbers
_FLATTEST = 1e-9  # smallest volume of a cell, times six, in units of the cube of an edge

HOLE = "hole "  # prefix: the facets of a hole are the group "hole NAME"


@dataclass(frozen=True)
class TaggedMesh:
    """A mesh with named groups of facets.

    Args:
        domain: Distributed DOLFINx mesh of tetrahedra, ghosted over shared facets. All facets on
            its surface and in the film's plane z = 0 belong to a group.
        facet_tags: The number of the group of each tagged facet.
        groups: The number of each group, by name.
        mirrored: Whether the mesh is the half z ≥ 0 of a space that is mirror symmetric in z.
            Otherwise it is the whole space, and no cell crosses z = 0.
        cell: The cell of a periodic space that the mesh fills, without side walls; None for any
            other space.
        films: The films whose mesh it is, the lowest first; None if nobody has said or checked it
            yet (see ``pearlfem.mesh.whose_films``).
        cores: The cores of the sources at which its cells are small; None if nobody has said.
    """

    domain: dolfinx.mesh.Mesh
    facet_tags: dolfinx.mesh.MeshTags
    groups: dict[str, int]
    mirrored: bool = True
    cell: MeshedCell | None = None
    films: tuple[Layer, ...] | None = None
    cores: frozenset[Core] | None = None

    @property
    def has_walls(self) -> bool:
        """Whether space ends at walls somewhere."""
        return not {"shield", "magnetic-wall"}.isdisjoint(self.groups)

    @property
    def comm(self) -> MPI.Comm:
        """Communicator of all ranks that have a part of the mesh."""
        return cast(MPI.Comm, self.domain.comm)

    def facets(self, *names: str) -> Int32Array:
        """Return this rank's facets in the named groups; groups that do not exist have none."""
        found = [self.facet_tags.find(self.groups[name]) for name in names if name in self.groups]
        return np.concatenate([np.empty(0, dtype=np.int32), *found])

    def sides(self, *names: str, height: float = 0.0) -> Int32Array:
        """Return the facets of the named groups in z = height, as sides of the cells above them.

        Returns:
            Pairs of a cell above and the local number of its facet, shape ``(n, 2)``, for the cells
            that this rank owns: all ranks together have each facet once.
        """
        topology = self.domain.topology
        topology.create_connectivity(3, 2)
        topology.create_connectivity(2, 3)
        above = self.cells_above(height)
        facets = topology.connectivity(3, 2).array.reshape(-1, 4)[above]
        cells, local = np.nonzero(np.isin(facets, self.facets(*names)))
        return np.column_stack([above[cells], local]).astype(np.int32)

    def corners(self, *names: str, height: float = 0.0) -> Array:
        """Return (x, y) of the corners of the facets in ``sides``, ``(n, 3, 2)`` [length]."""
        return np.asarray(self.domain.geometry.x[self.nodes(*names, height=height), :2])

    def nodes(self, *names: str, height: float = 0.0) -> Int32Array:
        """Return the geometry's nodes at the corners of the facets in ``sides``, ``(n, 3)``."""
        cells, local = self.sides(*names, height=height).T
        facets = np.array(basix.topology(basix.CellType.tetrahedron)[2])[local]
        return np.take_along_axis(self.domain.geometry.dofmaps[0][cells], facets, axis=1)

    def inside(self, points: Array) -> Array:
        """Return points (x, y) or (x, y, z) [length], moved into the cell if space is periodic."""
        return points if self.cell is None else self.cell.inside(points)

    def cells_above(self, height: float = 0.0) -> Int32Array:
        """Return the owned cells of this rank in z > height."""
        return np.flatnonzero(self._middles() > height).astype(np.int32)

    def cells_below(self, height: float = 0.0) -> Int32Array:
        """Return the owned cells of this rank in z < height."""
        return np.flatnonzero(self._middles() < height).astype(np.int32)

    def slabs(self, heights: Sequence[float]) -> list[Int32Array]:
        """Return the owned cells of this rank between planes, from the lowest slab to the highest.

        Args:
            heights: z of the planes [length], ascending; no cell crosses one of them.

        Returns:
            The cells below all planes, between each plane and the next, and above all of them.
        """
        slab = np.searchsorted(heights, self._middles())
        return [np.flatnonzero(slab == k).astype(np.int32) for k in range(len(heights) + 1)]

    def _middles(self) -> Array:
        """Return the height z of the middle of each owned cell [length]."""
        corners = self.domain.geometry.dofmaps[0][: self.domain.topology.index_map(3).size_local]
        return np.asarray(self.domain.geometry.x[corners, 2].mean(axis=1))

    @property
    def holes(self) -> dict[str, str]:
        """The groups of facets of all holes, by the name of the hole."""
        return {name[len(HOLE) :]: name for name in self.groups if name.startswith(HOLE)}

    @property
    def cells(self) -> int:
        """Number of cells on all ranks."""
        return int(self.domain.topology.index_map(self.domain.topology.dim).size_global)


def read_mesh(path: AnyPath, comm: MPI.Comm = MPI.COMM_WORLD) -> TaggedMesh:
    """Read a gmsh .msh file with physical groups and distribute it.

    Of cells of higher order only the corners count.

    Raises:
        StudyError: The file is missing or is not a mesh with the group ``film``.

    Note:
        Collective over ``comm``; rank 0 reads.
    """
    with gmsh_session(comm):
        on_root(comm, lambda: _open(Path(path)))
        try:
            return distribute(gmsh.model, comm)
        except RuntimeError as error:  # on all ranks: cells that belong to no group, or to several
            raise StudyError(f"mesh file {path}: not a valid mesh: {error}") from None


@contextmanager
def gmsh_session(comm: MPI.Comm) -> Iterator[None]:
    """Open a gmsh session with an empty model on rank 0 of ``comm``; gmsh prints nothing.

    A session that a signal has left while gmsh worked stays open until the next one begins.
    """
    if comm.rank == 0:
        if finish_abandoned_work() and gmsh.isInitialized():
            gmsh.finalize()
        gmsh.initialize(readConfigFiles=False, interruptible=False)
        restore_handler()
        gmsh.option.setNumber("General.Terminal", 0)
    try:
        yield
    finally:
        if comm.rank == 0 and not has_abandoned_work():
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
    """Load the mesh in ``path`` into gmsh's current model, and check it."""
    if not path.is_file():
        raise StudyError(f"mesh file {path}: no such file")
    try:
        with path.open("rb") as file:
            first = file.read(len(_HEADER))
    except OSError as error:
        raise StudyError(f"mesh file {path}: cannot be read: {error.strerror}") from None
    if first != _HEADER:  # gmsh would run any other text as a script
        raise StudyError(f"mesh file {path}: not a mesh: does not begin with $MeshFormat")
    with tempfile.TemporaryDirectory() as folder:
        # Through a link elsewhere: gmsh would also run a script FILE.msh.opt beside FILE.msh.
        link = Path(folder, "mesh.msh")
        link.symlink_to(path.resolve())
        try:
            gmsh.open(str(link))
            faults = _faults()
            groups = {
                gmsh.model.getPhysicalName(*group): group[0]
                for group in gmsh.model.getPhysicalGroups()
            }
        except Exception as error:  # gmsh raises nothing more specific
            reason = str(error).replace(str(link), path.name)
            raise StudyError(f"mesh file {path}: not a mesh: {reason}") from None
    outer = {"far", "shield", "magnetic-wall"} & set(groups)
    if groups.get("film") != 2 or not outer or 3 not in groups.values():
        raise StudyError(
            f"mesh file {path}: needs a physical group of cells and groups of facets named 'film' "
            f"and 'far', 'shield' or 'magnetic-wall'; has {sorted(groups)}"
        )
    if faults:
        raise StudyError(f"mesh file {path}: not a valid mesh: {faults}")


def _faults() -> str:
    """Return a description of faulty nodes or cells in gmsh's model, or ""; gmsh checks nothing.

    Cells of higher order become those of first order.
    """
    low = [group for group in gmsh.model.getPhysicalGroups() if group[0] < 2]
    if low:  # groups of points and lines are not needed
        gmsh.model.removePhysicalGroups(low)
    kinds = gmsh.model.mesh.getElementTypes()
    if any(gmsh.model.mesh.getElementProperties(kind)[2] > 1 for kind in kinds):
        gmsh.model.mesh.setOrder(1)  # leaves the corners, which lie on the true edges
    for dimension, allowed in ((2, _TRIANGLES), (3, _TETRAHEDRA)):
        if set(gmsh.model.mesh.getElementTypes(dimension)) != {allowed}:
            return "needs triangles and tetrahedra, and no others"
    tags, places, _ = gmsh.model.mesh.getNodes()
    if not np.array_equal(np.sort(tags), np.arange(1, len(tags) + 1)):
        gmsh.model.mesh.renumberNodes()
        tags, places, _ = gmsh.model.mesh.getNodes()
    points = np.empty((len(tags), 3))
    points[tags.astype(int) - 1] = places.reshape(-1, 3)
    cells = gmsh.model.mesh.getElementsByType(_TETRAHEDRA)[1].astype(int).reshape(-1, 4) - 1
    if not np.all(np.isfinite(points)):
        return "nodes with coordinates that are not finite"
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    with np.errstate(invalid="ignore", divide="ignore"):  # a volume of NaN fails the test below
        volumes = np.linalg.det(edges / np.abs(edges).max(axis=(1, 2), keepdims=True))
    if not np.all(volumes > _FLATTEST):
        return "cells that are flat or inverted"
    return ""


def partitioner(comm: MPI.Comm) -> Any:
    """Return the partitioner of cells, with ghosts over shared facets."""
    # By default gmsh meshes have no ghosts, and integrals over interior facets would be wrong.
    mode = dolfinx.mesh.GhostMode.shared_facet if comm.size > 1 else dolfinx.mesh.GhostMode.none
    # mypy sees only the first overload of DOLFINx' single dispatch
    return dolfinx.mesh.create_cell_partitioner(mode, 2)  # type: ignore[call-arg]
