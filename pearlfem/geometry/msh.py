"""The cells of a named group in a gmsh file (.msh, version 2.2 or 4.1, text or binary).

Each count in the file is compared with the size of the rest of the file, and node numbers are only
looked up, never used as sizes. So a damaged file cannot cost much memory or time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pearlfem.errors import StudyError
from pearlfem.geometry.words import listed

Numbers = npt.NDArray[Any]

# Number of nodes of each type of element, up to fourth order.
_NODES = {1: 2, 2: 3, 3: 4, 4: 4, 5: 8, 6: 6, 7: 5, 8: 3, 9: 6, 10: 9, 11: 10, 12: 27, 13: 18}
_NODES |= {14: 14, 15: 1, 16: 8, 17: 20, 18: 15, 19: 13, 20: 9, 21: 10, 22: 12, 23: 15, 26: 4}
_NODES |= {27: 5, 29: 20, 30: 35, 36: 16, 37: 25, 39: 12, 40: 16, 92: 64, 93: 125}
# Number of corners of each type of flat element, and its order.
_FLAT = {2: (3, 1), 3: (4, 1), 9: (3, 2), 10: (4, 2), 16: (4, 2), 20: (3, 3), 21: (3, 3)}
_FLAT |= {22: (3, 4), 23: (3, 4), 36: (4, 3), 37: (4, 4), 39: (4, 3), 40: (4, 4)}


class _Block(NamedTuple):
    """Elements of one type that belong to the same groups."""

    kind: int
    groups: Numbers
    nodes: Numbers  # (n, nodes of the type)


def cells_of_group(data: bytes, group: str, name: str) -> list[Numbers]:
    """Return the corners of all triangles and quadrilaterals of a group.

    Nodes on the edges of cells of higher order count as corners, so no curved edge is lost.

    Args:
        data: The whole file.
        group: Name of a physical group of surfaces.
        name: Name of the file for messages.

    Returns:
        Arrays of shape ``(n, k, 3)``, for each k: cells, corners in order, (x, y, z).

    Raises:
        StudyError: The data is not a gmsh file, is damaged or cut off; the group does not exist, is
            empty.
    """
    try:
        version, is_text = _format(data)
        surfaces = dict(_names_of_surfaces(data))
        if group not in surfaces:
            names = listed(map(repr, sorted(surfaces)))
            if not surfaces:
                names += (
                    f', for the file names none; in gmsh, Physical Surface("{group:.50}") = {{…}} '
                    "before meshing names one"
                )
            raise StudyError(f"{name}: no group of surfaces {group!r}; allowed: {names}")
        read_nodes, read_blocks = _READERS[version]
        blocks = [
            block
            for block in read_blocks(data, is_text)
            if surfaces[group] in np.abs(block.groups) and block.kind in _FLAT
        ]
        tags, points = read_nodes(data, is_text)
        order = np.argsort(tags)
        tags, points = tags[order], points[order]
        cells = [_points_of(block.nodes[:, _ring(block.kind)], tags, points) for block in blocks]
    except _DamagedError as error:
        raise StudyError(f"{name}: not a valid gmsh file: {error}") from None
    if not cells:
        raise StudyError(f"{name}: group {group!r} is empty; allowed: triangles and quadrilaterals")
    return cells


def _ring(kind: int) -> list[int]:
    """Return the places of the nodes around a flat element: corners come first, then edges."""
    corners, order = _FLAT[kind]
    on_edge = order - 1
    edges = [range(corners + k * on_edge, corners + (k + 1) * on_edge) for k in range(corners)]
    return [node for k, edge in enumerate(edges) for node in (k, *edge)]


class _DamagedError(Exception):
    """A file that breaks the format."""


class _Section:
    """Reads the numbers of a section one after the other, from text or binary data."""

    def __init__(self, data: bytes, key: str, is_text: bool, has_count: bool = False) -> None:
        self.key, self._at = key, 0
        self._content = _content(data, key)
        if has_count:  # a line of text, also in binary files
            line, _, self._content = self._content.partition(b"\n")
            self.count = int(_floats(line.split(), key)[:1].sum())
        self._text = _floats(self._content.split(), key) if is_text else None

    def take(self, count: int, kind: str) -> Numbers:
        """Return the next ``count`` numbers; in binary data they have the NumPy type ``kind``."""
        size = 1 if self._text is not None else np.dtype(kind).itemsize
        whole = self._content if self._text is None else self._text
        if not 0 <= count * size <= len(whole) - self._at:
            raise _DamagedError(f"${self.key} is cut off")
        start, self._at = self._at, self._at + count * size
        if self._text is None:
            return np.frombuffer(self._content, kind, count, start)
        part = self._text[start : self._at]
        return part if kind == "f8" else part.astype(int)

    def one(self, kind: str) -> int:
        """Return the next number."""
        return int(self.take(1, kind)[0])


def _floats(words: list[bytes], key: str) -> Numbers:
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        raise _DamagedError(f"${key} contains something that is not a number") from None


def _content(data: bytes, key: str) -> bytes:
    start = re.search(rb"^\$%b *\r?\n" % key.encode(), data, re.MULTILINE)
    end = data.find(b"$End" + key.encode(), start.end() if start else 0)
    if not start or end < 0:
        raise _DamagedError(f"${key} or $End{key} is missing")
    return data[start.end() : end]


def _format(data: bytes) -> tuple[str, bool]:
    """Return the version of the format, and whether the numbers are text."""
    words, _, rest = _content(data, "MeshFormat").partition(b"\n")
    version, mode, size = [*words.split(), b"", b"", b""][:3]
    is_text = mode == b"0"
    if version not in (b"2.2", b"4.1") or size != b"8" or mode not in (b"0", b"1"):
        raise _DamagedError(f"format {words[:20]!r}; allowed: version 2.2 or 4.1, text or binary")
    if not is_text and rest[:4] != np.int32(1).tobytes():
        raise _DamagedError("its binary numbers have another byte order than this machine's")
    return version.decode(), is_text


def _names_of_surfaces(data: bytes) -> Iterator[tuple[str, int]]:
    if b"$PhysicalNames" in data:
        for line in _content(data, "PhysicalNames").splitlines()[1:]:
            entry = re.fullmatch(rb'\s*2\s+(\d{1,9})\s+"(.*)"\s*', line)
            if entry:
                yield entry[2].decode(errors="replace"), int(entry[1])


def _points_of(nodes: Numbers, tags: Numbers, points: Numbers) -> Any:
    """Return the coordinates of ``nodes``; ``tags`` are the sorted numbers of all nodes."""
    index = np.searchsorted(tags, nodes).clip(max=len(tags) - 1)
    if not len(tags) or not np.array_equal(tags[index], nodes):
        raise _DamagedError("a cell has a node that is not in the file")
    return points[index]


def _nodes_2(data: bytes, is_text: bool) -> tuple[Numbers, Numbers]:
    """Return the numbers of the nodes, and their coordinates of shape ``(n, 3)``."""
    section = _Section(data, "Nodes", is_text, has_count=True)
    if is_text:
        table = section.take(4 * section.count, "f8").reshape(-1, 4)
        return table[:, 0].astype(int), table[:, 1:]
    rows = section.take(28 * section.count, "u1").reshape(-1, 28)
    return rows[:, :4].copy().view("i4").ravel(), rows[:, 4:].copy().view("f8")


def _blocks_2(data: bytes, is_text: bool) -> Iterator[_Block]:
    section = _Section(data, "Elements", is_text, has_count=True)
    nodes_of: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    left = section.count
    while left > 0:
        if is_text:  # each element: number, type, count of tags
            _, kind, tags = section.take(3, "i4").tolist()
            size, skipped = 1, 0
        else:  # type, count of elements, count of tags; then the elements, each with its number
            kind, size, tags = section.take(3, "i4").tolist()
            skipped = 1
        if kind not in _NODES or size < 1 or tags < 1:
            raise _DamagedError(f"{size} elements of type {kind} with {tags} tags")
        row = skipped + tags + _NODES[kind]
        for numbers in section.take(size * row, "i4").reshape(size, row).tolist():
            nodes_of[kind, numbers[skipped]].append(numbers[skipped + tags :])
        left -= size
    for (kind, group), nodes in nodes_of.items():
        yield _Block(kind, np.array([group]), np.array(nodes))


def _nodes_4(data: bytes, is_text: bool) -> tuple[Numbers, Numbers]:
    """Return the numbers of the nodes, and their coordinates of shape ``(n, 3)``."""
    section = _Section(data, "Nodes", is_text)
    blocks, *_ = section.take(4, "u8")
    tags, points = [np.empty(0, int)], [np.empty((0, 3))]
    for _ in range(int(blocks)):
        _, _, is_parametric = section.take(3, "i4")
        if is_parametric:
            raise _DamagedError("nodes with parametric coordinates; allowed: only x, y, z")
        count = section.one("u8")
        tags.append(section.take(count, "u8").astype(int))
        points.append(section.take(3 * count, "f8").reshape(-1, 3))
    return np.concatenate(tags), np.concatenate(points)


def _blocks_4(data: bytes, is_text: bool) -> Iterator[_Block]:
    groups = _groups_of_entities(data, is_text)
    section = _Section(data, "Elements", is_text)
    blocks, *_ = section.take(4, "u8")
    for _ in range(int(blocks)):
        dimension, entity, kind = section.take(3, "i4").tolist()
        if kind not in _NODES:
            raise _DamagedError(f"elements of type {kind}")
        row = 1 + _NODES[kind]
        rows = section.take(row * section.one("u8"), "u8").reshape(-1, row)
        yield _Block(kind, groups.get((dimension, entity), np.empty(0)), rows[:, 1:].astype(int))


def _groups_of_entities(data: bytes, is_text: bool) -> dict[tuple[int, int], Numbers]:
    """Return the physical groups of each entity, by dimension and number.

    A group that contains a surface turned around has the negative number.
    """
    groups = {}
    for key in ("Entities", "PartitionedEntities"):
        is_partitioned = key != "Entities"
        if is_partitioned and b"$PartitionedEntities" not in data:
            continue
        section = _Section(data, key, is_text)
        if is_partitioned:
            section.take(1, "u8")  # the number of parts
            section.take(2 * section.one("u8"), "i4")  # ghosts
        for dimension, count in enumerate(section.take(4, "u8")):
            for _ in range(int(count)):
                tag = section.one("i4")
                if is_partitioned:
                    section.take(2, "i4")  # the entity that it is a piece of
                    section.take(section.one("u8"), "i4")  # the parts that have it
                section.take(6 if dimension else 3, "f8")  # a bounding box, or a point
                groups[dimension, tag] = section.take(section.one("u8"), "i4")
                if dimension:
                    section.take(section.one("u8"), "i4")  # the entities on its boundary
    return groups


_READERS = {"2.2": (_nodes_2, _blocks_2), "4.1": (_nodes_4, _blocks_4)}
