"""The file for ParaView, ``result.vtm``, and the units in it and in each file that it names.

``result.vtm`` is one data set; its blocks are films, space and impurities, each with its file. (A
``.pvd`` would work too, but it is a series in time: its parts have numbers and no names.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

RESULT = "result.vtm"
_FILE = re.compile(r"(?P<block>.+?)(_\d+)?\.vtu")
_LAST = ("space", "impurities")  # blocks after those of the films


def write_blocks(folder: Path, units: Mapping[str, str]) -> Path:
    """Write ``result.vtm``, which names the ``.vtu`` files that are in ``folder``; return its path.

    A field of several ranks is a block of pieces, because VTK's reader of ``.vtm`` knows no
    ``.pvtu``. Units are field data: a text "unit of K" for the array K.

    Args:
        folder: Folder of the files.
        units: Name of the unit of each array, and of ``length``.

    Raises:
        OSError: It cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    root = ElementTree.Element("VTKFile", type="vtkMultiBlockDataSet", version="1.0")
    blocks = ElementTree.SubElement(root, "vtkMultiBlockDataSet")
    fields = ElementTree.SubElement(root, "FieldData")
    for array, unit in units.items():
        where = {"type": "String", "Name": f"unit of {array}", "NumberOfTuples": "1"}
        text = ElementTree.SubElement(fields, "Array", where, format="ascii")
        text.text = " ".join(str(code) for code in [*unit.encode(), 0])
    for index, name in enumerate(_block_names(folder)):
        whole = f"{name}.vtu"
        if (folder / whole).is_file():
            where = {"index": str(index), "name": name, "file": whole}
            ElementTree.SubElement(blocks, "DataSet", where)
            continue
        block = ElementTree.SubElement(blocks, "Block", index=str(index), name=name)
        for rank in range(len(list(folder.glob(f"{name}_*.vtu")))):
            piece = {"index": str(rank), "name": f"rank {rank}", "file": f"{name}_{rank}.vtu"}
            ElementTree.SubElement(block, "DataSet", piece)
    path = folder / RESULT
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path


def _block_names(folder: Path) -> list[str]:
    """Return the names of all blocks in ``folder``, those of films first."""
    found = {match["block"] for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    last = [name for name in _LAST if name in found]
    return [*sorted(found - set(last)), *last]


def label_units(path: Path, units: Mapping[str, str]) -> None:
    """Add the units of its arrays to a ``.vtu`` file, as VTK's information ``UNITS_LABEL``.

    Args:
        path: A file with its data inline.
        units: Name of the unit of each array.

    Raises:
        OSError: The file cannot be read or written.
    """
    content, labels = path.read_bytes(), {}
    for name, unit in units.items():
        if found := re.search(rb'<DataArray [^>]*Name="%s"' % name.encode(), content):
            # After the data: VTK expects them right behind the tag.
            labels[content.index(b"</DataArray>", found.end())] = _information(unit)
    ends = sorted(labels)
    with path.open("wb") as file:  # in parts, because the file may be very large
        for start, end in zip([0, *ends], [*ends, len(content)], strict=True):
            file.write(memoryview(content)[start:end])
            file.write(labels.get(end, b""))


def _information(unit: str) -> bytes:
    key = ElementTree.Element("InformationKey", name="UNITS_LABEL", location="vtkDataArray")
    key.text = unit
    return ElementTree.tostring(key)
