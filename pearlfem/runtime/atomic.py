"""A file that is written as a whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path`` to write to, which replaces it when all went well.

    What is not a file, such as a terminal, is yielded itself.

    Raises:
        OSError: It cannot be written.

    Note:
        Not collective: call it on one rank. Killed, it leaves the hidden file.
    """
    real = path.resolve()
    if real.exists() and not real.is_file():
        yield real
        return
    # Processes on other machines may write the same file, with the same number.
    part = real.with_name(f".{real.stem}.{uuid.uuid4().hex}{real.suffix}")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(real)
    finally:
        part.unlink(missing_ok=True)
