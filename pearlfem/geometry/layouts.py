"""The outlines on a layer of a GDSII or OASIS layout, with the cells that it refers to."""

from __future__ import annotations

import graphlib
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import LARGEST
from pearlfem.geometry.paths import Ends, outlines_with_cuts, path_area
from pearlfem.geometry.words import listed, shortened

_MOST_CORNERS = 1_000_000  # after all references are resolved
_OASIS_END = 256  # bytes of the last record, whose kind is 2
# To read an OASIS file: seconds, bytes.
_PATIENCE, _MOST_MEMORY = 120, 4_000_000_000
# KLayout keeps notes on other cells in this one, as references; it is no part of the layout.
_NOTES = "$$$CONTEXT_INFO$$$"


def read_library(path: Path, is_oasis: bool, name: str) -> Any:
    """Return the library (``gdstk``) in a file; an OASIS file is read by another process first.

    Raises:
        StudyError: The grid or the unit is not a positive number; a damaged OASIS file.
    """
    import gdstk

    if is_oasis and not _is_sound_oasis(path):
        raise StudyError(f"{name}: not a complete OASIS file, or a damaged one")
    library = gdstk.read_oas(path) if is_oasis else gdstk.read_gds(path)
    if not all(
        math.isfinite(length) and length > 0 for length in (library.precision, library.unit)
    ):
        raise StudyError(
            f"{name}: unit = {library.unit:g} m, grid = {library.precision:g} m; allowed: finite "
            "numbers > 0"
        )
    return library


def layout_outlines(
    library: Any, cell: str | None, layer: int, datatype: int | None, name: str
) -> tuple[list[Any], str]:
    """Return the corners of all polygons on a layer, each of shape ``(n, 2)``, and a name for them.

    Args:
        library: The library (``gdstk``); its paths are replaced by polygons.
        cell: Name of the cell; None for the only top cell, or the only one with this layer.
        layer: Number of the layer.
        datatype: Number of the datatype; None for all.
        name: Name of the file for messages.

    Raises:
        StudyError: There is no such cell or layer, or several to choose from; two cells have the
            same name, or refer to a missing cell or to each other; there are too many corners.
    """
    cells = _cells(library, name)
    tag = f"layer {layer}" + ("" if datatype is None else f", datatype {datatype}")
    top = _top(cells, cell, layer, datatype, name)
    name = f"{name}, cell {shortened(repr(top.name))}, {tag}"
    below = _hierarchy(top, name)
    _expand_paths(below, name)
    corners = {each.name: _corners(each) for each in below}
    chosen = _chosen(set().union(*corners.values()), layer, datatype)
    if not chosen:
        present = sorted(set().union(*corners.values()))
        tags = listed(f"{number}/{kind}" for number, kind in present)
        raise StudyError(f"{name}: no polygons; allowed (layer/datatype): {tags}")
    total: dict[str, int] = {}
    for each in below:  # each after the cells that it refers to
        total[each.name] = sum(corners[each.name][tag] for tag in chosen)
        for reference in each.references:
            total[each.name] += (1 + total[reference.cell.name]) * _copies(reference)
    if total[top.name] > _MOST_CORNERS:
        raise StudyError(f"{name}: {total[top.name]} corners; allowed: {_MOST_CORNERS}")
    outlines = [
        polygon.points
        for number, kind in chosen
        for polygon in top.get_polygons(layer=number, datatype=kind)
    ]
    if not all(np.all(np.abs(points) < LARGEST) for points in outlines):
        raise StudyError(f"{name}: a coordinate is not finite; allowed: below {LARGEST:g}")
    return outlines, name


def _is_sound_oasis(path: Path) -> bool:
    """Return whether another process can read an OASIS file: a damaged one may end the process.

    Its records have no lengths, so that a check as that of GDSII would be a second reader.
    """
    if path.read_bytes()[-_OASIS_END:][:1] != b"\x02":
        return False
    program = (
        "import resource, sys, gdstk;"
        f"resource.setrlimit(resource.RLIMIT_AS, ({_MOST_MEMORY}, {_MOST_MEMORY}));"
        "gdstk.read_oas(sys.argv[1])"
    )
    command = [sys.executable, "-P", "-W", "error", "-c", program, str(path)]
    try:
        found = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return False
    return found.returncode == 0 and b"rror" not in found.stderr


def _cells(library: Any, name: str) -> dict[str, Any]:
    cells = [each for each in library.cells if each.name != _NOTES]
    names = Counter(each.name for each in cells)
    for twice in sorted(each for each, times in names.items() if times > 1)[:1]:
        raise StudyError(
            f"{name}: has several cells {shortened(repr(twice))}; allowed: different names"
        )
    return {each.name: each for each in cells}


def _top(
    cells: dict[str, Any], cell: str | None, layer: int, datatype: int | None, name: str
) -> Any:
    if cell is not None:
        if cell not in cells:
            names = listed(map(repr, sorted(cells)))
            raise StudyError(f"{name}: has no cell {shortened(repr(cell))}; allowed: {names}")
        return cells[cell]
    inner = {each.cell_name for one in cells.values() for each in one.references}
    tops = sorted(set(cells) - inner)
    if len(tops) > 1:  # programs leave cells of libraries, and empty ones, in their files
        present = {top: _present(_hierarchy(cells[top], name)) for top in tops}
        tops = [top for top in tops if _chosen(present[top], layer, datatype)] or tops
    if len(tops) != 1:
        names = listed(map(repr, tops or sorted(cells)))
        raise StudyError(
            f"{name}: does not have exactly one top cell; allowed: one of {names}, by name"
        )
    return cells[tops[0]]


def _hierarchy(top: Any, name: str) -> list[Any]:
    """Return ``top`` and all cells below it, each after the cells that it refers to."""
    cells: dict[str, Any] = {}
    waiting = [top]
    while waiting:
        cell = waiting.pop()
        if isinstance(cell, str):
            raise StudyError(
                f"{name}: refers to cell {shortened(repr(cell))}, which is not in the file"
            )
        if cell.name not in cells:
            cells[cell.name] = cell
            waiting += [reference.cell for reference in cell.references]
    graph = {key: {each.cell.name for each in cell.references} for key, cell in cells.items()}
    try:
        return [cells[key] for key in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as error:
        raise StudyError(
            f"{name}: cells refer to each other in a circle: {listed(error.args[1])}"
        ) from None


def _present(cells: list[Any]) -> set[tuple[int, int]]:
    """Return the layers and datatypes on which cells have polygons or paths."""
    polygons = {(each.layer, each.datatype) for cell in cells for each in cell.polygons}
    return polygons | {(each.layers[0], each.datatypes[0]) for cell in cells for each in cell.paths}


def _chosen(
    present: set[tuple[int, int]], layer: int, datatype: int | None
) -> list[tuple[int, int]]:
    return sorted(tag for tag in present if tag[0] == layer and datatype in (None, tag[1]))


def _expand_paths(cells: list[Any], name: str) -> None:
    """Replace all paths by polygons; the library's own are wrong where a path covers itself."""
    import gdstk

    scales = {each.magnification for cell in cells for each in cell.references}
    for cell in cells:
        for path in cell.paths:
            if not path.scale_width and scales - {1.0}:
                raise StudyError(
                    f"{name}: cell {shortened(repr(cell.name))} has a path of absolute width, and "
                    "references are scaled; allowed: one of both"
                )
            # A file has only paths with one centre line and one width.
            area = path_area(path.spine(), abs(float(path.widths()[0, 0])), _ends(path))
            for outline in outlines_with_cuts(area):
                polygon = gdstk.Polygon(outline, path.layers[0], path.datatypes[0])
                polygon.repetition = path.repetition
                cell.add(polygon)
        cell.remove(*cell.paths)


def _ends(path: Any) -> Ends:
    (kind,), half = path.ends, float(path.widths()[0, 0]) / 2
    if isinstance(kind, str):
        return {"flush": Ends(), "extended": Ends(half, half)}.get(kind, Ends(are_round=True))
    return Ends(*kind)


def _corners(cell: Any) -> Counter[tuple[int, int]]:
    """Return the number of corners on each layer and datatype, without those of references."""
    corners: Counter[tuple[int, int]] = Counter()
    for polygon in cell.polygons:
        corners[polygon.layer, polygon.datatype] += polygon.size * _copies(polygon)
    return corners


def _copies(element: Any) -> int:
    return int(max(1, element.repetition.size))
