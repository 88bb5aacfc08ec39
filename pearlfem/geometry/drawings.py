"""Films from files: GDSII, OASIS and DXF drawings, and the outline of a group of a gmsh mesh.

No code in a file is ever executed. Any problem with a file raises a ``StudyError`` that names it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.dxf import Layer, flat_layer
from pearlfem.geometry.dxf_entities import entities_of_layer
from pearlfem.geometry.dxf_files import read_document
from pearlfem.geometry.gds import check_gds
from pearlfem.geometry.kinds import DXF, GDSII, GMSH, OASIS, kind_of, unpacked
from pearlfem.geometry.layouts import layout_outlines, read_library
from pearlfem.geometry.msh import cells_of_group
from pearlfem.geometry.nesting import nested, with_fills
from pearlfem.geometry.outlines import TOLERANCE, checked_polygon, joined
from pearlfem.geometry.winding import filled
from pearlfem.geometry.words import shortened
from pearlfem.runtime.files import AnyPath, read_file

_GRID_STEPS = 0.75  # corners nearer than this are one: rounding moves each by up to √½ = 0.71 steps

# Unit in metres for each $INSUNITS code of DXF files.
_DXF_UNITS = {
    **{1: 0.0254, 2: 0.3048, 3: 1609.344, 8: 2.54e-8, 9: 2.54e-5, 10: 0.9144},
    **{4: 1e-3, 5: 1e-2, 6: 1.0, 7: 1e3, 11: 1e-10, 12: 1e-9, 13: 1e-6, 14: 0.1},
}


class DrawingWarning(UserWarning):
    """Something in a drawing was left out or mended."""


class Drawing(NamedTuple):
    """A film as drawn: ``geometry`` in the file's coordinates, and their ``unit`` in metres.

    ``unit`` is None if the file does not name it.
    """

    geometry: shapely.MultiPolygon
    unit: float | None


def read_gds(path: AnyPath, cell: str | None, layer: int, datatype: int | None = None) -> Drawing:
    """Return the area of all polygons, boxes and paths on a layer of a GDSII or OASIS file.

    Cells inserted by reference are included. Coordinates in the file are whole numbers, so they are
    exact only to its grid (its "precision", often 1 nm): corners less than 0.75 grid steps apart
    are merged, and so are corners and edges. A polygon covers every point that it winds around. A
    hole that a cut of zero width joins to the outside remains a hole.

    Args:
        path: The file, which may be packed (gzip).
        cell: Name of the cell; None for the only cell that no other cell refers to, or the only one
            of these with something on the layer.
        layer: Number of the layer.
        datatype: Number of the datatype; None for all.

    Returns:
        The film in user units, and this unit.

    Raises:
        StudyError: The file cannot be read or is damaged; the cell does not exist, or there are
            several to choose from; the layer is empty; parts meet in single points.
    """
    with _reading(path, GDSII, OASIS) as (data, plain):
        kind = kind_of(data)
        if kind != OASIS:
            check_gds(data, str(path))
        library = read_library(plain, kind == OASIS, str(path))
        outlines, name = layout_outlines(library, cell, layer, datatype, str(path))
    areas = [part for points in outlines for part in shapely.get_parts(filled(points))]
    grid = library.precision / library.unit
    return Drawing(joined(areas, name, _GRID_STEPS * grid), library.unit)


def read_dxf(path: AnyPath, layer: str, gap: float | None = None) -> Drawing:
    """Return the area that the curves on a layer of a DXF file enclose, and that hatches fill.

    A curve inside another one is a hole, and a curve inside a hole is film again. A curve that is
    drawn twice counts once. Hatches and solids are film. Arcs become polygons with corners on the
    arc, exact to 1e-5 of the size of the layer and to 1e-3 of the radius.

    Args:
        path: The file, text or binary, which may be packed (gzip).
        layer: Name of the layer, in upper or lower case.
        gap: Ends of lines that are nearer than this meet [unit of the file]; None for 1e-6 of the
            size of the layer.

    Returns:
        The film in the file's coordinates, and their unit ($INSUNITS).

    Raises:
        StudyError: The file cannot be read or is damaged; the layer is empty or hidden, or has
            something that is not a curve; curves are open or cross; parts meet in single points.
    """
    name = f"{path}, layer {shortened(repr(layer))}"
    with _reading(path, DXF) as (data, plain):
        document, warned = read_document(plain, data, str(path))
        entities = entities_of_layer(document, layer, str(path))
        drawn = flat_layer(entities, name, gap)
        code = document.header.get("$INSUNITS", 0)
    if code and code not in _DXF_UNITS:
        raise StudyError(f"{path}: $INSUNITS = {code}: unknown; allowed: 0 to {max(_DXF_UNITS)}")
    for text in (*warned, *drawn.warnings):
        warnings.warn(text, DrawingWarning, stacklevel=2)
    return Drawing(_dxf_area(drawn, name), _DXF_UNITS.get(code))


def _dxf_area(drawn: Layer, name: str) -> shapely.MultiPolygon:
    def area(curves: Sequence[Any]) -> shapely.MultiPolygon:
        polygons = [checked_polygon(curve, name=name) for curve in curves]
        rings = [ring for polygon in polygons for ring in shapely.get_rings(polygon)]
        return nested([shapely.Polygon(ring) for ring in rings], name, same)

    same = 2 * drawn.deviation
    fills = [area(rings) for rings in drawn.fills if rings]
    if not fills:
        return area(drawn.curves)
    enclosed = area(drawn.curves) if drawn.curves else shapely.MultiPolygon()
    return with_fills(enclosed, fills, name, same)


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
    with _reading(path, GMSH) as (data, _):
        cells = cells_of_group(data, group, str(path))
        corners = np.concatenate([block.reshape(-1, 3) for block in cells])
        size, height = np.ptp(corners, axis=0)[:2].max(), np.ptp(corners[:, 2])
        if not height <= TOLERANCE * size:
            raise StudyError(f"{name}: extends over {height:g} in z; allowed: a plane z = const")
        area = _covered([block[..., :2] for block in cells], name)
    return Drawing(joined([area], name), None)


@contextlib.contextmanager
def _reading(path: AnyPath, *kinds: str) -> Iterator[tuple[bytes, Path]]:
    """Yield the file's content, unpacked, and a file with just this for libraries.

    All errors inside the block become a StudyError. What libraries print inside the block does not
    reach the terminal.
    """
    allowed = f"a {' or '.join(kinds)} file"
    try:
        packed = read_file(Path(path))
        data = unpacked(packed)
        if (kind := kind_of(data)) not in (*kinds, None):
            raise StudyError(f"{path}: is a {kind} file; allowed: {allowed}")
        with tempfile.TemporaryDirectory() as folder, _silence():
            plain = Path(path) if data is packed else Path(folder, "unpacked")
            if data is not packed:
                plain.write_bytes(data)
            yield data, plain
    except StudyError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise StudyError(f"{path}: cannot be read as {allowed}: {reason}") from None
    except Exception as error:  # with a damaged file, libraries may raise anything
        # Only a library's own errors are words for people.
        is_known = type(error).__module__.startswith("ezdxf")
        reason = shortened(str(error), 200) if is_known else "its content is damaged"
        reason = reason.encode(
            errors="backslashreplace"
        ).decode()  # may hold bytes that are no text
        raise StudyError(f"{path}: not a valid {' or '.join(kinds)} file: {reason}") from None


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
