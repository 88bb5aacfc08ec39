"""A check that a GDSII file is complete, made before a library reads it.

A GDSII file is a sequence of records: length, kind, type of data, data. Libraries trust that every
element has all the records it needs; a damaged file can crash the whole program.
"""

from __future__ import annotations

from collections.abc import Iterator

from pearlfem.errors import StudyError

_HEADER, _LIBRARY, _UNITS, _LIBRARY_END = 0x00, 0x01, 0x03, 0x04
_STRUCTURE, _STRUCTURE_NAME, _STRUCTURE_END, _STRUCTURE_CLASS = 0x05, 0x06, 0x07, 0x34
_LAYER, _DATATYPE, _XY, _END, _NAME, _GRID = 0x0D, 0x0E, 0x10, 0x11, 0x12, 0x13
_TEXT_TYPE, _STRING, _NODE_TYPE, _PROPERTY, _VALUE, _BOX_TYPE = 0x16, 0x19, 0x2A, 0x2B, 0x2C, 0x2E
# Bits of a transformation: scale or angle are absolute, not relative to the parent cell.
_TRANSFORMATION, _ABSOLUTE = 0x1A, 0x06

# Names, tables and masks of a library, which do not change its polygons.
_OF_LIBRARY = {0x02, 0x1F, 0x20, 0x22, 0x23, *range(0x36, 0x3C)}
# For each element: records that must come before its points, and the least number of points.
_ELEMENTS = {
    0x08: ({_LAYER, _DATATYPE}, 3),  # boundary
    0x09: ({_LAYER, _DATATYPE}, 1),  # path
    0x0A: ({_NAME}, 1),  # reference
    0x0B: ({_NAME, _GRID}, 3),  # array of references
    0x0C: ({_LAYER, _TEXT_TYPE}, 1),  # text
    0x15: ({_LAYER, _NODE_TYPE}, 1),  # node
    0x2D: ({_LAYER, _BOX_TYPE}, 3),  # box
}
# Bytes of data in the other records of an element; strings may have any length.
_BYTES = {
    **dict.fromkeys((_LAYER, _DATATYPE, _TEXT_TYPE, _NODE_TYPE, _BOX_TYPE, _PROPERTY), 2),
    **dict.fromkeys((_TRANSFORMATION, 0x17, 0x21, 0x26), 2),  # presentation, path type, flags
    **dict.fromkeys((_GRID, 0x0F, 0x2F, 0x30, 0x31), 4),  # grid, width, plex, extensions of a path
    **dict.fromkeys((0x1B, 0x1C), 8),  # magnification, angle
}

_Records = Iterator[tuple[int, bytes, int]]


def check_gds(data: bytes, name: str) -> None:
    """Refuse data that is not a complete GDSII file.

    Args:
        data: The whole file.
        name: Name of the file for messages.

    Raises:
        StudyError: The data is not GDSII, is cut off or damaged, or has references with absolute
            magnification or angle, which libraries do not support. The message names the byte.
    """
    try:
        _check_library(_records(data))
    except _DamagedError as error:
        raise StudyError(f"{name}: not a complete GDSII file: {error}") from None


class _DamagedError(Exception):
    def __init__(self, fault: str, position: int) -> None:
        super().__init__(f"{fault} at byte {position}")


def _records(data: bytes) -> _Records:
    """Yield the kind of each record, its data, and its position in the file."""
    start = 0
    while start + 4 <= len(data):
        length = int.from_bytes(data[start : start + 2])
        if length < 4 or length % 2 or start + length > len(data):
            break
        yield data[start + 2], data[start + 4 : start + length], start
        start += length
    raise _DamagedError("no complete record", start)


def _check_library(records: _Records) -> None:
    for expected in (_HEADER, _LIBRARY):
        kind, _, position = next(records)
        if kind != expected:
            raise _DamagedError("no header", position)
    has_units = False
    for kind, content, position in records:
        if kind == _UNITS and len(content) == 16:
            has_units = True
        elif kind == _STRUCTURE and has_units:
            _check_structure(records)
        elif kind == _LIBRARY_END and has_units:
            return
        elif kind not in _OF_LIBRARY:
            raise _DamagedError(f"unexpected record {kind:#04x}", position)


def _check_structure(records: _Records) -> None:
    kind, content, position = next(records)
    if kind != _STRUCTURE_NAME or not content:
        raise _DamagedError("a cell without a name", position)
    for kind, _, position in records:
        if kind == _STRUCTURE_END:
            return
        if kind in _ELEMENTS:
            _check_element(records, *_ELEMENTS[kind])
        elif kind != _STRUCTURE_CLASS:
            raise _DamagedError(f"unexpected record {kind:#04x}", position)


def _check_element(records: _Records, needed: set[int], points: int) -> None:
    seen: set[int] = set()
    for kind, content, position in records:
        size = len(content)
        if kind == _END and _XY in seen:
            return
        if kind == _XY:
            fits = size % 8 == 0 and size >= 8 * points and needed <= seen
        elif kind in (_STRING, _VALUE, _NAME):
            fits = size > 0 or kind != _NAME
        else:  # only properties may follow the points
            fits = _BYTES.get(kind) == size and (kind == _PROPERTY or _XY not in seen)
        if kind == _TRANSFORMATION and fits and content[1] & _ABSOLUTE:
            raise _DamagedError("absolute magnification or angle", position)
        if not fits:
            raise _DamagedError(f"unexpected record {kind:#04x} of {size} bytes", position)
        seen.add(kind)
