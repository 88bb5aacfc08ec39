"""Mesh the space around the film with gmsh, finely where sources, edges and walls need it.

See ``pearlfem.mesh.gmsh_geometry`` for the parts and their names, and
``pearlfem.mesh.sizes.grading`` for the sizes of cells.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import gmsh
import numpy as np
from mpi4py import MPI
from scipy.spatial import KDTree

from pearlfem.errors import StudyError
from pearlfem.mesh.gmsh_geometry import Plane, add_space, forget_periods
from pearlfem.mesh.plane import plane_faces, rounding_for
from pearlfem.mesh.sizes.adapted import SizeField
from pearlfem.mesh.sizes.grading import (
    Extent,
    Growth,
    Seeds,
    extent_of_layers,
    largest_cell,
    seeds_of_layers,
    sizes_at,
)
from pearlfem.mesh.tagged import TaggedMesh, distribute, gmsh_session
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.checks import check_boundary, check_sources
from pearlfem.model.layers import Films, Layer, layers_of
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import has_points
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.interruptible import interruptible
from pearlfem.runtime.parallel import on_root

_OPEN = Open()
_MISSED = 2.0  # distance of a core from the nearest vertex, in units of the size of cells there


def create_mesh(
    films: Films,
    sources: Sequence[Source],
    *,
    boundary: Boundary = _OPEN,
    resolution: float = 1.0,
    far: float = 100.0,
    sizes: SizeField | None = None,
    edge_share: float = 1.0,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> TaggedMesh:
    """Mesh the space around films, with cells that get smaller towards sources and edges.

    If space is mirror symmetric in the film's plane, only the half z ≥ 0 is meshed. Vertices of
    round edges lie on their circles. With point impurities (size = 0), whose energies have no
    bounds anyway, they lie slightly outside, so that polygons have the areas of the circles.

    Args:
        films: The film in z = 0, or films at their heights.
        sources: The sources; cells are small near them.
        boundary: Open space, walls, or a periodic cell.
        resolution: 2.0 halves the edge length of all cells.
        far: Radius of the far boundary in sizes of the device (see ``device_extent``). A box with
            walls at its sides has no far boundary, nor has a periodic cell.
        sizes: Cell sizes, given on rank 0, to be used in place of those for ``resolution``.
        edge_share: Resolution along edges of film and regions, in units of ``resolution``.
        comm: Communicator over which the mesh is distributed; gmsh runs on rank 0.

    Raises:
        StudyError: No source, a source outside the film, walls that cut the film, or a value
            out of range.

    Note:
        Collective over ``comm``.
    """
    layers = layers_of(films)
    _check(layers, sources, boundary, resolution, far)
    with gmsh_session(comm):
        fine = (resolution, edge_share)
        on_root(comm, lambda: _generate(layers, sources, boundary, fine, far, sizes))
        cores = frozenset(core for source in sources for core in source.cores)
        return replace(distribute(gmsh.model, comm), films=layers, cores=cores)


def write_mesh(
    path: AnyPath,
    films: Films,
    sources: Sequence[Source],
    *,
    boundary: Boundary = _OPEN,
    resolution: float = 1.0,
    far: float = 100.0,
) -> int:
    """Mesh like ``create_mesh``, write gmsh's .msh file and return the number of cells.

    Raises:
        StudyError: For the same reasons as in ``create_mesh``, or ``path`` cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    layers = layers_of(films)
    _check(layers, sources, boundary, resolution, far)
    path = Path(path)
    _check_writable(path)
    with gmsh_session(MPI.COMM_SELF):
        _generate(layers, sources, boundary, (resolution, 1.0), far, None)
        _write(path)
        return len(gmsh.model.mesh.getElements(3)[1][0])


def _check(
    layers: Sequence[Layer],
    sources: Sequence[Source],
    boundary: Boundary,
    resolution: float,
    far: float,
) -> None:
    for layer in layers:
        check_sources(layer.film, sources)
        check_boundary(boundary, layer.film, sources)
    if not resolution > 0 or math.isinf(resolution):
        raise StudyError(f"resolution = {resolution}: not allowed; allowed: a positive number")
    if not far >= 2 or math.isinf(far):
        raise StudyError(f"far = {far}: not allowed; allowed: a number of at least 2")


def _write(path: Path) -> None:
    """Write gmsh's current model; check the end of the file, as gmsh ignores a full disk."""
    try:
        with atomic_file(path) as part:
            gmsh.write(str(part))
            with part.open("rb") as file:
                file.seek(max(0, part.stat().st_size - 100))
                last = file.read().rstrip().rpartition(b"\n")[2]
            if not last.startswith(b"$End"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise StudyError(f"mesh file {path}: cannot be written: {error.strerror}") from None


def _check_writable(path: Path) -> None:
    if path.suffix != ".msh":  # gmsh would write another format
        raise StudyError(f"mesh file {path}: not allowed; allowed: a name that ends in .msh")
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise StudyError(f"mesh file {path}: cannot be written: {error.strerror}") from None


def _generate(
    layers: Sequence[Layer],
    sources: Sequence[Source],
    boundary: Boundary,
    resolution: tuple[float, float],
    far: float,
    sizes: SizeField | None,
) -> None:
    """Leave the mesh in gmsh's current model.

    gmsh compares lengths with fixed tolerances, so it works in units of the device's size.
    """
    extent = extent_of_layers(layers, sources, boundary)
    found = [] if sizes else seeds_of_layers(layers, sources, boundary, *resolution)
    size_at = sizes.at if sizes else partial(sizes_at, found)
    planes = []
    for layer in layers:
        rounding = rounding_for(size_at, layer.height)
        faces = plane_faces(layer.film, rounding, same_area=has_points(sources))
        planes.append(Plane(layer, faces))
    in_mirror = len(layers) == 1 and layers[0].height == 0
    add_space(planes, boundary, extent, far, mirrored=boundary.mirrored and in_mirror)
    field = _add_seeds(found, extent) if sizes is None else _add_sizes(sizes, extent)
    gmsh.model.mesh.field.setAsBackgroundMesh(field)
    if isinstance(boundary, Periodic):
        gmsh.option.setNumber("Mesh.MeshSizeMax", largest_cell(boundary) / extent.size)
    for source in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
        gmsh.option.setNumber(f"Mesh.MeshSize{source}", 0)
    if not isinstance(boundary, Periodic):  # whose cells are never large
        interruptible(partial(gmsh.model.mesh.generate, 2))
        _keep_cores(layers, sources, size_at, extent)
    interruptible(partial(gmsh.model.mesh.generate, 3))
    if isinstance(boundary, Periodic):
        forget_periods()
    (x, y), size = extent
    gmsh.model.mesh.affineTransform([size, 0, 0, x, 0, size, 0, y, 0, 0, size, 0])


def _keep_cores(
    layers: Sequence[Layer],
    sources: Sequence[Source],
    size_at: Callable[[Array], Array],
    extent: Extent,
) -> None:
    """Mesh the surfaces again, with vertices at cores, if they are coarse where a core is.

    gmsh asks for sizes at vertices only, from the rim of a face inwards. Where sizes grow fast, at
    low resolutions, its first triangles may be good enough for their vertices, and it never looks
    at the place between them that needs small ones.
    """
    cores = [
        (*core.position, layer.height) for layer in layers for s in sources for core in s.cores
    ]
    if not cores:
        return
    places = np.array(cores)
    nodes = gmsh.model.mesh.getNodes(2, includeBoundary=True)[1].reshape(-1, 3)
    scaled = (places - [*extent.center, 0.0]) / extent.size
    distances = KDTree(nodes).query(scaled)[0]
    missed = scaled[distances * extent.size > _MISSED * size_at(places)]
    inside = [gmsh.model.mesh.getElementByCoordinates(*place, dim=2)[0] for place in missed]
    surfaces = [gmsh.model.mesh.getElement(element)[3] for element in inside]
    if not surfaces:
        return
    points = [gmsh.model.geo.addPoint(*place) for place in missed.tolist()]
    gmsh.model.geo.synchronize()
    gmsh.model.mesh.clear()
    for point, surface in zip(points, surfaces, strict=True):
        gmsh.model.mesh.embed(0, [point], 2, surface)
    interruptible(partial(gmsh.model.mesh.generate, 2))


def _add_seeds(found: Sequence[Seeds], extent: Extent) -> int:
    """Add the field h(x), in units of the device: the smallest size that a seed asks for."""
    sizes = []
    for one in found:
        z = float(np.round(one.height / extent.size, 12))
        distance = f"sqrt((z - {z:.17g})^2)" if z else "sqrt(z^2)"
        if one.points is not None:
            places = np.round((one.points - extent.center) / extent.size, 9)
            tags = [gmsh.model.geo.addPoint(x, y, z) for x, y in places.tolist()]
            distance = f"F{_add_field('Distance', PointsList=tags)}"
        finest, rate, rounded = one.growth
        growth = Growth(float(np.round(finest / extent.size, 12)), rate, rounded)
        sizes.append(_add_field("MathEval", F=growth.formula(distance)))
    gmsh.model.geo.synchronize()
    return _add_field("Min", FieldsList=sizes)


def _add_sizes(sizes: SizeField, extent: Extent) -> int:
    """Add the field h(x) that interpolates ``sizes``."""
    (x, y), unit = extent
    corners = (sizes.vertices[sizes.cells] - (x, y, 0.0)) / unit
    values = sizes.sizes[sizes.cells] / unit
    rows = np.concatenate([corners.transpose(0, 2, 1).reshape(-1, 12), values], axis=1)
    view = gmsh.view.add("sizes")
    gmsh.view.addListData(view, "SS", len(rows), rows.ravel())  # scalars on tetrahedra
    return _add_field("PostView", ViewTag=float(view))


def _add_field(kind: str, **options: str | float | list[int]) -> int:
    field = gmsh.model.mesh.field
    tag = int(field.add(kind))
    for name, value in options.items():
        if isinstance(value, str):
            field.setString(tag, name, value)
        elif isinstance(value, list):
            field.setNumbers(tag, name, value)
        else:
            field.setNumber(tag, name, value)
    return tag
