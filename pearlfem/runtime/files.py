"""Files that a study names, which may be anything."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 500_000_000  # bytes


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: There is none, or it is not a file (a pipe would wait, a device has no end), or one
            of more than ``LARGEST`` bytes.
    """
    try:
        found = path.stat()
    except ValueError:  # a zero byte in its name
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a file", str(path))
    if found.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"more than {LARGEST:,} bytes", str(path))
    return path.read_bytes()
