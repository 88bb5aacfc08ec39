"""Fields as VTU files for ParaView: each film and space, on several ranks in pieces with a PVTU.

Cells are quadratic and share no points: K and B jump between cells, and are not smoothed.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import meshio
import numpy as np

from pearlfem.io.fields.blocks import label_units
from pearlfem.io.fields.nodal import NodalBlock, NodalValues
from pearlfem.runtime.parallel import together


def write_vtu(folder: Path, values: NodalValues) -> None:
    """Write all films and space.

    Raises:
        OSError: A file cannot be written (on every rank).

    Note:
        Collective.
    """
    write_films(folder, values)
    write_space(folder, values)


def write_films(folder: Path, values: NodalValues) -> tuple[Path, ...]:
    """Write the fields of each film: ``film.vtu``, or ``film.pvtu`` and a piece per rank.

    Returns:
        The file to open of each film.

    Raises:
        OSError: A file cannot be written (on every rank).

    Note:
        Collective.
    """
    return tuple(_write(folder, "triangle6", film, values) for film in values.films)


def write_space(folder: Path, values: NodalValues) -> Path:
    """Write the fields in space: ``space.vtu``, or ``space.pvtu`` and a piece per rank.

    Only for z ≥ 0 if space is mirror symmetric.

    Returns:
        The file to open.

    Raises:
        OSError: A file cannot be written (on every rank).

    Note:
        Collective.
    """
    return _write(folder, "tetra10", values.space, values)


def _write(folder: Path, cell_type: str, block: NodalBlock, values: NodalValues) -> Path:
    """Write this rank's cells, and on rank 0 the file that lists all pieces; return its path."""
    count, per_cell = block.nodes.shape[:2]
    grid = meshio.Mesh(
        block.nodes.reshape(-1, 3),
        [(cell_type, np.arange(count * per_cell).reshape(count, per_cell))],
        {
            name: each.reshape(count * per_cell, *each.shape[2:])
            for name, each in block.fields.items()
        },
    )
    units = {name: values.units[name] for name in block.fields}
    comm, name = values.comm, block.name

    def write(path: Path) -> Path:
        grid.write(path)
        label_units(path, units)
        return path

    if comm.size == 1:
        return write(folder / f"{name}.vtu")
    together(comm, lambda: write(folder / f"{name}_{comm.rank}.vtu"))
    path = folder / f"{name}.pvtu"
    pieces = [f"{name}_{rank}.vtu" for rank in range(comm.size)]
    together(comm, lambda: _write_pvtu(path, pieces, grid) if comm.rank == 0 else None)
    return path


def _write_pvtu(path: Path, pieces: list[str], block: meshio.Mesh) -> None:
    """Write the summary of a parallel VTU: the arrays' names and the pieces, no data."""
    root = ElementTree.Element(
        "VTKFile", type="PUnstructuredGrid", version="1.0", byte_order="LittleEndian"
    )
    grid = ElementTree.SubElement(root, "PUnstructuredGrid", GhostLevel="0")
    arrays = ElementTree.SubElement(grid, "PPointData")
    for name, values in block.point_data.items():
        components = str(1 if values.ndim == 1 else values.shape[1])
        ElementTree.SubElement(
            arrays, "PDataArray", type="Float64", Name=name, NumberOfComponents=components
        )
    points = ElementTree.SubElement(grid, "PPoints")
    ElementTree.SubElement(points, "PDataArray", type="Float64", NumberOfComponents="3")
    for piece in pieces:
        ElementTree.SubElement(grid, "Piece", Source=piece)
    ElementTree.ElementTree(root).write(path, xml_declaration=True)
