"""One process at a time writes to a folder.

The lock is that of the operating system on the file ``.pearlfem/lock`` in it, so it ends with the
process, however that ends. Over NFS it holds between machines if the server has locks, as usual; on
file systems without any (Lustre mounted without ``flock``) nothing keeps two processes apart.
"""

from __future__ import annotations

import fcntl
import os
import platform
from contextlib import suppress
from pathlib import Path

from pearlfem.errors import StudyError

HIDDEN = ".pearlfem"
_NAME = "lock"
_TRIES = 100  # more than processes that end in this very moment


def lock(folder: Path) -> int:
    """Lock ``folder``, which exists, and return what ``unlock`` needs.

    Raises:
        StudyError: Another process has it; tells which.
        OSError: ``folder`` cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    path = folder / HIDDEN / _NAME
    for _ in range(_TRIES):
        path.parent.mkdir(exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the other process has just removed the hidden folder
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(file, 1000, 0).decode(errors="replace").strip()
            os.close(file)
            raise StudyError(
                f"output folder {folder}: {who or 'another process'} writes to it; allowed: to "
                "wait until that has ended, or another folder"
            ) from None
        except OSError:
            pass  # a file system without locks
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                os.truncate(file, 0)
                os.pwrite(file, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)
                return file
        os.close(file)  # a lock that has been removed is nobody's
    raise StudyError(f"output folder {folder}: other processes write to it")


def unlock(folder: Path, held: int) -> None:
    """Give the lock back that ``lock`` has returned; remove the hidden folder if it is empty."""
    with suppress(OSError):
        (folder / HIDDEN / _NAME).unlink()
        (folder / HIDDEN).rmdir()
    os.close(held)
