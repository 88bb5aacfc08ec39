"""Films from files: GDSII and DXF drawings, and the outline of a group of a gmsh mesh.

No code in a file is ever executed. Any problem with a file raises a ``StudyError`` that names it.
"""

from __future__ import annotations

import contextlib
import graphlib
import io
import logging
import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.dxf import closed_curves, entities_of_layers
from pearlfem.geometry.gds import check_gds
from pearlfem.geometry.msh import cells_of_group
from pearlfem.geometry.outlines import LARGEST, TOLERANCE, checked_polygon, filled, joined, nested
from pearlfem.runtime.files import AnyPath, read_file

_MOST_CORNERS = 1_000_000  # after all references are resolved
_GRID_STEPS = 0.75  # corners nearer than this are one: rounding moves each by up to √½ = 0.71 steps

# Unit in metres for each $INSUNITS code of DXF files.
_DXF_UNITS = {
    **{1: 0.0254, 2: 0.3048, 3: 1609.344, 8: 2.54e-8, 9: 2.54e-5, 10: 0.9144},
    **{4: 1e-3, 5: 1e-2, 6: 1.0, 7: 1e3, 11: 1e-10, 12: 1e-9, 13: 1e-6, 14: 0.1},
}


class Drawing(NamedTuple):
    """A film as drawn: ``geometry`` in the file's coordinates, and their ``unit`` in metres.

    ``unit`` is None if the file does not name it.
    """

    geometry: shapely.MultiPolygon
    unit: float | None


def read_gds(path: AnyPath, cell: str | None, layer: int, datatype: int | None = None) -> Drawing:
    """Return the area of all polygons, boxes and paths on a layer of a GDSII file.

    Cells inserted by reference are included. Coordinates in the file are whole numbers, so they are
    exact only to its grid (its "precision", often 1 nm): corners less than 0.75 grid steps apart
    are merged, and so are corners and edges. A polygon covers every point that it winds around. A
    hole that a cut of zero width joins to the outside remains a hole.

    Args:
        path: The file.
        cell: Name of the cell; None for the only cell that no other cell refers to.
        layer: Number of the layer.
        datatype: Number of the datatype; None for all.

    Returns:
        The film in user units, and this unit.

    Raises:
        StudyError: The file cannot be read or is damaged; the cell does not exist, or there are
            several to choose from; the layer is empty; parts meet in single points.
    """
    import gdstk

    with _reading(path, "GDSII") as data:
        check_gds(data, str(path))
        library = gdstk.read_gds(str(path))
        grid = library.precision / library.unit
        if not all(math.isfinite(length) and length > 0 for length in (grid, library.unit)):
            raise StudyError(
                f"{path}: unit = {library.unit:g} m, grid = {grid:g} units; allowed: finite "
                "numbers > 0"
            )
        top = _gds_cell(library, cell, str(path))
        name = f"{path}, cell {top.name!r}, layer {layer}"
        name += "" if datatype is None else f", datatype {datatype}"
        outlines = _gds_outlines(top, layer, datatype, name)
    areas = [part for points in outlines for part in shapely.get_parts(filled(points))]
    return Drawing(joined(areas, name, _GRID_STEPS * grid), library.unit)


def read_dxf(path: AnyPath, layer: str) -> Drawing:
    """Return the area that the closed curves on a layer of a DXF file enclose.

    A curve inside another one is a hole, and a curve inside a hole is film again. A curve that is
    drawn twice counts once. Arcs become polygons with corners on the arc, exact to 1e-5 of the size
    of the layer and to 1e-3 of the radius.

    Args:
        path: The file, text or binary.
        layer: Name of the layer, in upper or lower case.

    Returns:
        The film in the file's coordinates, and their unit ($INSUNITS).

    Raises:
        StudyError: The file cannot be read or is damaged; the layer is empty, or has something that
            is not a curve; curves are open or cross; parts meet in single points.
    """
    from ezdxf.filemanagement import readfile

    name = f"{path}, layer {layer!r}"
    with _reading(path, "DXF") as data:
        if not data.rstrip(b"\0\x1a \t\r\n").endswith(b"EOF"):
            raise StudyError(f"{path}: not a complete DXF file: it does not end with EOF")
        document = readfile(path)
        layers = entities_of_layers(document, str(path))
        keys = [key for key in layers if key.lower() == layer.lower()]
        if not keys:
            listed = ", ".join(map(repr, sorted(layers))) or "none"
            raise StudyError(f"{name}: nothing is drawn on this layer; allowed: {listed}")
        entities = [entity for key in keys for entity in layers[key]]
        curves, tolerance = closed_curves(entities, name)
        code = document.header.get("$INSUNITS", 0)
    if code and code not in _DXF_UNITS:
        raise StudyError(f"{path}: $INSUNITS = {code}: unknown; allowed: 0 to {max(_DXF_UNITS)}")
    outlines = [checked_polygon(curve, name=name) for curve in curves]
    return Drawing(nested(outlines, name, 2 * tolerance), _DXF_UNITS.get(code))


def read_mesh_outline(path: AnyPath, group: str) -> Drawing:
    """Return the area that a named group of triangles and quadrilaterals of a gmsh mesh covers.

    Its outline consists of the edges that belong to a single cell.

    Args:
        path: The file (.msh, version 2.2 or 4.1).
        group: Name of the physical group.

    Returns:
        The film in the file's coordinates; the file does not name their unit.

    Raises:
        StudyError: The file cannot be read or is damaged; the group does not exist or is not in a
            plane z = const; cells overlap or do not fit together; parts meet in single points.
    """
    name = f"{path}, group {group!r}"
    with _reading(path, "gmsh") as data:
        cells = cells_of_group(data, group, str(path))
        corners = np.concatenate([block.reshape(-1, 3) for block in cells])
        size, height = np.ptp(corners, axis=0)[:2].max(), np.ptp(corners[:, 2])
        if not height <= TOLERANCE * size:
            raise StudyError(f"{name}: extends over {height:g} in z; allowed: a plane z = const")
        area = _covered([block[..., :2] for block in cells], name)
    return Drawing(joined([area], name), None)


@contextlib.contextmanager
def _reading(path: AnyPath, kind: str) -> Iterator[bytes]:
    """Yield the file's content; turn all errors inside the block into a StudyError.

    What libraries print inside the block does not reach the terminal.
    """
    try:
        data = read_file(Path(path))
        with _silence():
            yield data
    except StudyError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise StudyError(f"{path}: cannot be read as a {kind} file: {reason}") from None
    except Exception as error:  # with a damaged file, libraries may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        reason = reason.encode(
            errors="backslashreplace"
        ).decode()  # may hold bytes that are no text
        raise StudyError(f"{path}: not a valid {kind} file: {reason}") from None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep warnings, logs and prints off the terminal, also those of C++ code."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    log = logging.getLogger("ezdxf")
    disabled = log.disabled
    printed = io.StringIO()
    os.dup2(nowhere, 2)
    log.disabled = True
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        log.disabled = disabled
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _gds_cell(library: Any, cell: str | None, name: str) -> Any:
    cells = {each.name: each for each in library.cells}
    tops = {each.name: each for each in library.top_level()}
    if cell is None and len(tops) == 1:
        return next(iter(tops.values()))
    if cell is None:
        listed = ", ".join(map(repr, sorted(tops or cells))) or "none"
        raise StudyError(
            f"{name}: does not have exactly one top cell; allowed: one of {listed}, by name"
        )
    if cell not in cells:
        listed = ", ".join(map(repr, sorted(cells))) or "none"
        raise StudyError(f"{name}: has no cell {cell!r}; allowed: {listed}")
    return cells[cell]


def _gds_outlines(top: Any, layer: int, datatype: int | None, name: str) -> list[Any]:
    """Return the corners of all polygons on a layer, each of shape ``(n, 2)``."""
    cells = _gds_hierarchy(top, name)
    corners = {cell.name: _gds_corners(cell) for cell in cells}
    present = set().union(*corners.values())
    chosen = sorted(tag for tag in present if tag[0] == layer and datatype in (None, tag[1]))
    if not chosen:
        listed = ", ".join(f"{number}/{kind}" for number, kind in sorted(present)) or "none"
        raise StudyError(f"{name}: no polygons; allowed (layer/datatype): {listed}")
    total: dict[str, int] = {}
    for cell in cells:  # each after the cells that it refers to
        total[cell.name] = sum(corners[cell.name][tag] for tag in chosen)
        for reference in cell.references:
            copies = max(1, reference.repetition.size)
            total[cell.name] += (1 + total[reference.cell.name]) * copies
    if total[top.name] > _MOST_CORNERS:
        raise StudyError(f"{name}: {total[top.name]} corners; allowed: {_MOST_CORNERS}")
    outlines = [
        polygon.points
        for number, kind in chosen
        for polygon in top.get_polygons(layer=number, datatype=kind)
    ]
    if not all(np.all(np.abs(points) < LARGEST) for points in outlines):
        raise StudyError(f"{name}: a coordinate is not finite; allowed: below {LARGEST:g}")
    return outlines


def _gds_corners(cell: Any) -> Counter[tuple[int, int]]:
    """Return the number of corners on each layer and datatype, without those of references."""
    corners: Counter[tuple[int, int]] = Counter()
    for polygon in cell.polygons:
        corners[polygon.layer, polygon.datatype] += polygon.size
    for path in cell.paths:
        corners[path.layers[0], path.datatypes[0]] += 2 * path.size
    return corners


def _gds_hierarchy(top: Any, name: str) -> list[Any]:
    """Return ``top`` and all cells below it, each after the cells that it refers to."""
    cells: dict[str, Any] = {}
    waiting = [top]
    while waiting:
        cell = waiting.pop()
        if isinstance(cell, str):
            raise StudyError(f"{name}: refers to cell {cell!r}, which is not in the file")
        if cell.name not in cells:
            cells[cell.name] = cell
            waiting += [reference.cell for reference in cell.references]
    graph = {key: {each.cell.name for each in cell.references} for key, cell in cells.items()}
    try:
        return [cells[key] for key in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as error:
        raise StudyError(
            f"{name}: cells refer to each other in a circle: {', '.join(error.args[1])}"
        ) from None


def _covered(cells: Sequence[Any], name: str) -> Any:
    """Return the area inside the edges that belong to a single cell."""
    corners = [block @ [1, 1j] for block in cells]  # (x, y) as complex numbers, which can be sorted
    vertices = np.unique(np.concatenate([block.ravel() for block in corners]))
    nodes = [np.searchsorted(vertices, block) for block in corners]
    edges = [np.stack([n, np.roll(n, -1, axis=1)], axis=-1).reshape(-1, 2) for n in nodes]
    # An edge (a, b) with a < b as the one number a n + b, so that equal edges can be counted.
    keys, times = np.unique(np.sort(np.concatenate(edges)) @ [len(vertices), 1], return_counts=True)
    ends = vertices[np.column_stack(np.divmod(keys[times == 1], len(vertices)))]
    area = shapely.build_area(shapely.multilinestrings(np.stack([ends.real, ends.imag], axis=-1)))
    total = sum(shapely.area(shapely.polygons(block)).sum() for block in cells)
    if not abs(area.area - total) <= TOLERANCE * total:
        raise StudyError(
            f"{name}: its cells cover {area.area:.9g}, but their areas add up to {total:.9g}; "
            "allowed: cells that do not overlap"
        )
    return area
