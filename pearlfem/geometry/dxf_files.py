"""The document in a DXF file, also where its program did not keep to the format.

Left alone is what follows the end of the file. Programs that write entities of later versions into
files of the oldest one (KLayout) leave out the markers of their parts; these are put in. Other
faults are mended as well as ``ezdxf`` can.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pearlfem.errors import StudyError
from pearlfem.geometry.words import shortened

_END = re.compile(rb"^[ \t]*0[ \t]*\r?\n[ \t]*EOF[ \t]*\r?$", re.MULTILINE)
_BINARY = b"AutoCAD Binary DXF"
# The marker before the data of an entity that the oldest version of DXF does not know, and the
# codes of the data that all entities have.
_MARKERS = {"LWPOLYLINE": "AcDbPolyline", "HATCH": "AcDbHatch"}
_COMMON = {"5", "6", "8", "48", "60", "62", "67", "102", "330", "360", "370", "420"}


def read_document(path: Path, data: bytes, name: str) -> tuple[Any, list[str]]:
    """Return the document (``ezdxf``) in a file, and warnings about what was mended in it.

    Args:
        path: The file.
        data: Its content.
        name: Its name for messages.

    Raises:
        StudyError: The file is cut off, or has faults that cannot be mended.
        Exception: The file is damaged (``ezdxf`` may raise anything).
    """
    from ezdxf.filemanagement import read, readfile

    if data.startswith(_BINARY):
        if not data.rstrip(b"\0\x1a \t\r\n").endswith(b"EOF"):
            raise StudyError(f"{name}: not a complete DXF file: it does not end with EOF")
        return readfile(path), []
    end = _END.search(data)
    if end is None:
        raise StudyError(f"{name}: not a complete DXF file: it does not end with EOF")
    try:
        return readfile(path), []
    except Exception as error:  # with a damaged file, the library may raise anything
        fault = error
    text = data[: end.end()].decode("utf-8", errors="surrogateescape")
    marked = "\n".join(_marked(text.splitlines())) + "\n"
    try:
        return read(io.StringIO(marked)), []
    except Exception:
        return _recovered(data[: end.end()], name, fault)


def _marked(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a file, with the markers that are missing before parts of entities."""
    missing = None
    for code, value in zip(lines[::2], lines[1::2], strict=False):
        if missing and code.strip() not in _COMMON:
            if code.strip() != "100":
                yield from ("100", missing)
            missing = None
        yield from (code, value)
        if code.strip() == "0" and (missing := _MARKERS.get(value.strip())):
            yield from ("100", "AcDbEntity")


def _recovered(data: bytes, name: str, fault: Exception) -> tuple[Any, list[str]]:
    from ezdxf import recover
    from ezdxf.lldxf.const import DXFError

    document, auditor = recover.read(io.BytesIO(data))
    if auditor.has_errors:
        raise StudyError(
            f"{name}: {shortened(auditor.errors[0].message)}; allowed: a sound DXF file"
        )
    found = [shortened(entry.message) for entry in auditor.fixes]
    reason = shortened(str(fault)) if isinstance(fault, DXFError) else "its structure is damaged"
    return document, [
        f"{name}: the file has faults ({(found or [reason])[0]}), which were mended as well as "
        "possible; compare the area and the picture with what you drew"
    ]
