"""The fields of a solution at VTK's nodes, for all output formats."""

from __future__ import annotations

from typing import NamedTuple

import basix
import numpy as np
import numpy.typing as npt
from dolfinx import fem
from mpi4py import MPI

from pearlfem.formulation.film import FilmMesh
from pearlfem.io.fields.fine_film import Pieces, split_near
from pearlfem.mesh.sizes.grading import device_extent
from pearlfem.observables.lookup import function_of, is_known
from pearlfem.observables.point_impurities.fields import distinct_nodes, point_moments
from pearlfem.observables.point_impurities.kernels import exact_film_fields
from pearlfem.quantities.arrays import Array, Int64Array
from pearlfem.quantities.results import ARRAYS, FIELDS
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.solution import Solution

# VTK's quadratic tetrahedron: its vertices, then the mid-points of these edges.
_TETRA_EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))
_TETRA_MIRROR = [0, 2, 1, 3, 6, 5, 4, 7, 9, 8]
_TRIANGLE_MIRROR = [0, 2, 1, 5, 4, 3]


class NodalBlock(NamedTuple):
    """Quadratic cells that share no nodes, and fields at these.

    Args:
        name: Name of its file, without the ending.
        nodes: VTK's nodes of n tetrahedra ``(n, 10, 3)``, or of n triangles ``(n, 6, 3)`` [length].
        fields: Values at the nodes, ``(n, 10 or 6, …)``.
    """

    name: str
    nodes: Array
    fields: dict[str, Array]


class NodalValues(NamedTuple):
    """The fields of a solution at VTK's nodes of the cells and facets that this rank owns.

    Nodes are in the order that VTK needs: no cell is inside out, and facets are seen from above.

    Args:
        space: The cells, and the fields in them.
        films: The facets of each film, and the fields on them.
        comm: Communicator of all ranks.
        units: Name of the unit of each field.
    """

    space: NodalBlock
    films: tuple[NodalBlock, ...]
    comm: MPI.Comm
    units: dict[str, str]


def nodal_values(solution: Solution, units: Units | ReducedUnits) -> NodalValues:
    """Return the fields of a solution at VTK's nodes, in ``units``.

    Note:
        Collective.
    """
    domain = solution.mesh.domain
    cells = np.arange(domain.topology.index_map(domain.topology.dim).size_local)
    corners = domain.geometry.x[domain.geometry.dofmaps[0][cells]]
    middles = [(corners[:, a] + corners[:, b]) / 2 for a, b in _TETRA_EDGES]
    nodes = np.concatenate([corners, np.stack(middles, axis=1)], axis=1)
    fields = {
        field.name: _at_nodes(function_of(field.nodes)(solution), cells)
        for field in FIELDS
        if not field.on_film and is_known(field, solution)
    }
    space = NodalBlock("space", nodes, fields)
    films = tuple(_film_block(solution, film, nodes) for film in solution.films)
    _turn(space, _TETRA_MIRROR)
    for film in films:
        _turn(film, _TRIANGLE_MIRROR)
    for block in (space, *films):
        for name in block.fields:
            block.fields[name] = units.from_reduced(block.fields[name], ARRAYS[name])
    return NodalValues(space, films, solution.mesh.comm, array_units(units))


def array_units(units: Units | ReducedUnits) -> dict[str, str]:
    """Return the names of the units of all arrays in the files, and that of ``length``."""
    return {name: units.name(kind) for name, kind in ARRAYS.items()}


def _film_block(solution: Solution, film: FilmMesh, nodes: Array) -> NodalBlock:
    """Return the fields on a film at the nodes of its facets; finer near point impurities.

    Args:
        solution: The solution.
        film: The film.
        nodes: Nodes of all cells, ``(n, 10, 3)``.
    """
    above, facets = film.sides.T
    corners_and_middles = _facet_nodes()[facets]

    def on_film(function: fem.Function) -> Array:
        values = _at_nodes(function, above)
        return np.asarray(values[np.arange(len(above))[:, None], corners_and_middles])

    places = nodes[above[:, None], corners_and_middles]
    fields = {
        field.name: on_film(function_of(field.nodes)(solution, film))
        for field in FIELDS
        if field.on_film and is_known(field, solution)
    }
    if point_moments(solution):
        places, fields = _finer(solution, film, places, fields)
    for name, values in fields.items():
        if values.shape[2:] == (2,):  # VTK has no vectors of two components
            fields[name] = np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1)
    name = f"film {film.layer.name}" if film.layer.name else "film"
    return NodalBlock(name, places, fields)


def _finer(
    solution: Solution, film: FilmMesh, places: Array, fields: dict[str, Array]
) -> tuple[Array, dict[str, Array]]:
    """Return nodes and fields, with the facets near point impurities cut into pieces.

    The exact fields of the points are added at the nodes of the pieces. A field that has no exact
    part is left out: near a point it would be wrong.
    """
    points = np.array([position for position, _ in point_moments(solution)])
    scale = device_extent(film.film, [drive.source for drive in solution.drives]).size
    pieces = _split(film, places[:, :3, :2], points, 0.2 * scale)
    places = pieces.interpolated(places)
    places[..., 2] = film.height
    distinct, which = distinct_nodes(places[..., :2].reshape(-1, 2))
    exact = exact_film_fields(solution, distinct)._asdict()
    finer = {}
    for name in [name for name in fields if name in exact]:
        finer[name] = pieces.interpolated(fields[name])
        finer[name] += exact[name][which].reshape(finer[name].shape)
    return places, finer


def _split(film: FilmMesh, corners: Array, points: Array, scale: float) -> Pieces:
    """Return this rank's part of ``split_near`` of the whole film, so that all pieces fit."""
    comm, geometry = film.comm, film.mesh.domain.geometry
    nodes = film.mesh.nodes(film.group, height=film.height)
    vertices = geometry.input_global_indices[nodes].astype(np.int64)
    all_corners = comm.allgather(corners)
    all_vertices = np.concatenate(comm.allgather(vertices))
    pieces = split_near(all_vertices, np.concatenate(all_corners), points, scale)
    facets = pieces.facets - sum(len(each) for each in all_corners[: comm.rank])
    mine = (facets >= 0) & (facets < len(corners))
    return Pieces(facets[mine], pieces.corners[mine])


def _at_nodes(function: fem.Function, cells: npt.NDArray[np.integer]) -> Array:
    """Return a discontinuous function of degree 2 at VTK's nodes of ``cells``."""
    dofs = function.function_space.dofmap.list[cells][:, _vtk_order()]
    return np.asarray(function.x.array.reshape(-1, *function.ufl_shape)[dofs])


def _vtk_order() -> list[int]:
    """Return the positions of VTK's ten nodes among those of DOLFINx, which follow basix."""
    edges = [set(edge) for edge in basix.topology(basix.CellType.tetrahedron)[1]]
    return [0, 1, 2, 3, *(4 + edges.index(set(edge)) for edge in _TETRA_EDGES)]


def _facet_nodes() -> Int64Array:
    """Return the six nodes of each facet of a quadratic tetrahedron, in VTK's order, ``(4, 6)``."""
    edges = [set(edge) for edge in _TETRA_EDGES]
    rows = []
    for a, b, c in basix.topology(basix.CellType.tetrahedron)[2]:
        rows.append([a, b, c, *(4 + edges.index(e) for e in ({a, b}, {b, c}, {c, a}))])
    return np.array(rows)


def _turn(block: NodalBlock, mirror: list[int]) -> None:
    """Renumber in place the nodes of tetrahedra that are inside out, or triangles face down."""
    nodes = block.nodes
    sides = nodes[:, 1:4] - nodes[:, :1]
    if nodes.shape[1] == 10:
        inverted = np.linalg.det(sides) < 0
    else:
        inverted = np.cross(sides[:, 0], sides[:, 1])[:, 2] < 0
    for values in (nodes, *block.fields.values()):
        values[inverted] = values[inverted][:, mirror]
