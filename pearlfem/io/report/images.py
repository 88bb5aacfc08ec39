"""Pictures inside the page, as data and not as files."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pearlfem.errors import StudyError
from pearlfem.io.report.text import greek
from pearlfem.quantities.arrays import Array

_SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
# Blue, white, red: the sign is easy to see.
_STOPS = np.array([(22, 61, 125), (96, 156, 205), (250, 250, 250), (226, 122, 98), (131, 18, 36)])


class Map(NamedTuple):
    """Numbers on a grid as a picture; white is zero, red is ``largest``, blue its negative."""

    name: str
    unit: str
    largest: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    source: str


def read_png(path: Path) -> str | None:
    """Return the picture as a data URI; None if there is no file.

    Raises:
        StudyError: The file is not a complete PNG file, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror}") from None
    if not content.startswith(_SIGNATURE) or not content.endswith(_END):
        raise StudyError(f"{path}: is damaged: not a complete PNG file")
    return _uri(content)


def grid_map(
    name: str, unit: str, x: Sequence[float], y: Sequence[float], values: Sequence[float]
) -> Map | None:
    """Return ``values`` as a picture; None if their points are not all points of a grid."""
    xs, columns = np.unique(x, return_inverse=True)
    ys, rows = np.unique(y, return_inverse=True)
    if min(len(xs), len(ys)) < 2 or len(xs) * len(ys) != len(values):
        return None
    grid = np.full((len(ys), len(xs)), np.nan)
    grid[len(ys) - 1 - rows, columns] = values  # the first row of a picture is at the top
    known = np.abs(grid[np.isfinite(grid)])
    largest = float(known.max()) if known.size else 0.0
    pixels = _colors(grid / (largest or 1.0))
    ranges = (float(xs[0]), float(xs[-1])), (float(ys[0]), float(ys[-1]))
    return Map(greek(name), unit, largest, *ranges, _uri(_png(pixels)))


def _colors(parts: Array) -> npt.NDArray[np.uint8]:
    """Return the colours of numbers from −1 to 1, grey for NaN, shape ``(…, 3)``."""
    where = 2 * np.nan_to_num(parts) + 2
    low = np.clip(where.astype(int), 0, 3)
    mixed = _STOPS[low] + (where - low)[..., None] * (_STOPS[low + 1] - _STOPS[low])
    mixed[np.isnan(parts)] = 190
    return np.asarray(mixed.round(), np.uint8)


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return RGB ``pixels``, shape ``(height, width, 3)``, as a PNG file."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
