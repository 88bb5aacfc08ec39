"""Paths as callers give them, and reading of files that a study names: these may be anything."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

AnyPath = str | os.PathLike[str]

LARGEST = 500_000_000  # bytes


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: The file does not exist, is not a regular file (a pipe may never answer, a device
            may never end), or has more than ``LARGEST`` bytes.
    """
    try:
        status = path.stat()
    except ValueError:  # a zero byte in the name
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a file", str(path))
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"more than {LARGEST:,} bytes", str(path))
    return path.read_bytes()
