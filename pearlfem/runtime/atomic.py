"""Files that are written completely or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a hidden path to write to; it replaces ``path`` if the block ends without an error.

    If ``path`` exists and is not a file (a terminal, say), it is yielded itself.

    Raises:
        OSError: The file cannot be written.

    Note:
        Not collective: call it on one rank. A process that is killed leaves the hidden file behind.
    """
    real = path.resolve()
    if real.exists() and not real.is_file():
        yield real
        return
    # A random name, because a process on another machine may have the same process number.
    part = real.with_name(f".{real.stem}.{uuid.uuid4().hex}{real.suffix}")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(real)
    finally:
        part.unlink(missing_ok=True)
