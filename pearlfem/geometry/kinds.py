"""What a file is, by its first bytes; so a wrong one can be called by its name."""

from __future__ import annotations

import gzip
import io
import re
import zlib

from pearlfem.runtime.files import LARGEST

GDSII, OASIS, DXF, GMSH = "GDSII", "OASIS", "DXF", "gmsh"

_BEGINNINGS = [
    (rb"\x00\x06\x00\x02", GDSII),
    (rb"%SEMI-OASIS\n", OASIS),
    (rb"AutoCAD Binary DXF", DXF),
    (rb"\s*(999\s*\n.*\n\s*)*0\s*\n\s*SECTION", DXF),
    (rb"\s*\$MeshFormat", GMSH),
    (rb"AC10\d\d", "DWG"),
    (rb"HEADER \d+\s+BGNLIB", "GDSII text"),
    (rb"\s*\(CIF|\s*DS \d+ ", "CIF"),
    (rb"%PDF", "PDF"),
    (rb"PK\x03\x04", "ZIP"),
    (rb"\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg", "SVG"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM", "picture"),
]
_MOST_SEARCHED = 4096  # bytes


def kind_of(data: bytes) -> str | None:
    """Return the kind of a file with this content; None if it is not known."""
    beginning = data[:_MOST_SEARCHED].removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return next((kind for words, kind in _BEGINNINGS if re.match(words, beginning)), None)


def unpacked(data: bytes) -> bytes:
    """Return the content of a gzip file; other data as it is.

    Raises:
        OSError: The data is damaged, or has more than ``LARGEST`` bytes.
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise OSError("the gzip data is damaged or not complete") from None
    if len(content) > LARGEST:
        raise OSError(f"more than {LARGEST:,} bytes when unpacked")
    return content
