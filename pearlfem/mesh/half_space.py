"""The half ball z ≥ 0 over the film, meshed by gmsh with named boundary parts.

One film in open space is mirror symmetric in z, so half of space is enough. Physical groups:

==========  ===  ======================================================
``space``    3   the half ball
``film``     2   the film, in z = 0
``plane``    2   the rest of z = 0 (only if the film does not fill it)
``far``      2   the far boundary, a half sphere
==========  ===  ======================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import gmsh
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.grading import (
    Extent,
    device_extent,
    edge_cell_size,
    finest_edge_cell,
    impurity_cell_size,
)
from pearlfem.mesh.tagged import TaggedMesh, distribute, gmsh_session
from pearlfem.model.film import Disc, Film
from pearlfem.model.sources import Impurity, check_impurities
from pearlfem.parallel import on_root


def create_half_space(
    film: Film,
    impurities: Sequence[Impurity],
    *,
    resolution: float = 1.0,
    far: float = 100.0,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> TaggedMesh:
    """Mesh the half space over a film, graded towards impurities and edges.

    The mesh of a disc is inscribed: the film is never larger than it should be.

    Args:
        film: The film.
        impurities: Where, and how finely, cells are needed.
        resolution: 2.0 halves all cells.
        far: Radius of the far boundary in sizes of the device (see ``device_extent``).
        comm: Communicator over which the mesh is distributed; gmsh runs on rank 0.

    Raises:
        StudyError: No impurity, an impurity outside the film, or a value out of range.

    Note:
        Collective over ``comm``.
    """
    _check(film, impurities, resolution, far)
    with gmsh_session(comm):
        on_root(comm, lambda: _generate(film, impurities, resolution, far))
        return distribute(gmsh.model, comm)


def write_half_space(
    path: Path,
    film: Film,
    impurities: Sequence[Impurity],
    *,
    resolution: float = 1.0,
    far: float = 100.0,
) -> int:
    """Mesh as ``create_half_space`` does, write gmsh's .msh file and return the number of cells.

    Raises:
        StudyError: As ``create_half_space``, or ``path`` cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    _check(film, impurities, resolution, far)
    _check_writable(path)
    with gmsh_session(MPI.COMM_SELF):
        _generate(film, impurities, resolution, far)
        gmsh.write(str(path))
        return len(gmsh.model.mesh.getElements(3)[1][0])


def _check(film: Film, impurities: Sequence[Impurity], resolution: float, far: float) -> None:
    check_impurities(film, impurities)
    if not resolution > 0 or math.isinf(resolution):
        raise StudyError(f"resolution = {resolution}: not allowed; allowed: a positive number")
    if not far >= 2 or math.isinf(far):
        raise StudyError(f"far = {far}: not allowed; allowed: a number of at least 2")


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


def _generate(film: Film, impurities: Sequence[Impurity], resolution: float, far: float) -> None:
    """Leave the mesh in gmsh's current model.

    gmsh compares lengths with fixed tolerances, so it works in units of the device's size.
    """
    extent = device_extent(film, impurities)
    edge = _add_geometry(film, extent, far)
    _set_cell_sizes(film, impurities, extent, resolution, edge)
    gmsh.model.mesh.generate(3)
    (x, y), size = extent
    gmsh.model.mesh.affineTransform([size, 0, 0, x, 0, size, 0, y, 0, 0, size, 0])


def _add_geometry(film: Film, extent: Extent, far: float) -> list[int]:
    """Build the half ball and the film in it; return the curves of the film's edge."""
    occ = gmsh.model.occ
    ball = occ.addSphere(0, 0, 0, far, angle1=0, angle2=math.pi / 2)
    disc: list[int] = []
    if isinstance(film.shape, Disc):
        radius = film.shape.radius / extent.size
        _, (_, parts) = occ.fragment([(3, ball)], [(2, occ.addDisk(0, 0, 0, radius, radius))])
        disc = [tag for _, tag in parts]
    occ.synchronize()
    surfaces = [tag for _, tag in gmsh.model.getBoundary([(3, ball)], oriented=False)]
    flat = [tag for tag in surfaces if abs(occ.getCenterOfMass(2, tag)[2]) < 1e-9 * far]
    parts = {
        "film": disc or flat,
        "plane": [tag for tag in flat if disc and tag not in disc],
        "far": [tag for tag in surfaces if tag not in flat],
    }
    gmsh.model.addPhysicalGroup(3, [ball], name="space")
    for name, tags in parts.items():
        if tags:
            gmsh.model.addPhysicalGroup(2, tags, name=name)
    edges = gmsh.model.getBoundary([(2, tag) for tag in disc], oriented=False)
    return [abs(tag) for _, tag in edges]


def _set_cell_sizes(
    film: Film,
    impurities: Sequence[Impurity],
    extent: Extent,
    resolution: float,
    edge: list[int],
) -> None:
    """Install h(x), the smallest of what impurities and edges ask for, as gmsh's only size."""
    formulas = []
    for size in sorted({impurity.size for impurity in impurities}):
        points = [_add_point(i, extent) for i in impurities if i.size == size]
        distance = _add_field("Distance", PointsList=points)
        formulas.append(impurity_cell_size(size / extent.size, resolution, f"F{distance}"))
    gmsh.model.occ.synchronize()
    if isinstance(film.shape, Disc):
        finest = finest_edge_cell(film.shape, film.pearl_length) / extent.size
        samples = math.ceil(2 * math.pi * resolution / finest)
        distance = _add_field("Distance", CurvesList=edge, Sampling=samples)
        formulas.append(edge_cell_size(finest, resolution, f"F{distance}"))
    sizes = [_add_field("MathEval", F=formula) for formula in formulas]
    gmsh.model.mesh.field.setAsBackgroundMesh(_add_field("Min", FieldsList=sizes))
    for source in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
        gmsh.option.setNumber(f"Mesh.MeshSize{source}", 0)


def _add_point(impurity: Impurity, extent: Extent) -> int:
    (x, y), (x0, y0) = impurity.position, extent.center
    return int(gmsh.model.occ.addPoint((x - x0) / extent.size, (y - y0) / extent.size, 0))


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
