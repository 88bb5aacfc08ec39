"""A lock, so that only one process at a time writes to a folder.

It is a lock of the operating system on the file ``.pearlfem/lock`` in the folder, so it ends with
the process, however that ends. Over NFS it works between machines if the server has locks, as most
have. On file systems without locks (Lustre mounted without ``flock``) nothing is locked.
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
_TRIES = 100  # more than the number of processes that end at the same moment


def lock(folder: Path) -> int:
    """Lock ``folder``, which exists, and return what ``unlock`` needs.

    Raises:
        StudyError: Another process has the lock; names it.
        OSError: ``folder`` cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    path = folder / HIDDEN / _NAME
    for _ in range(_TRIES):
        path.parent.mkdir(exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # another process has just removed the hidden folder
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
        os.close(file)  # the locked file was removed: try again
    raise StudyError(f"output folder {folder}: other processes write to it")


def owner_of(folder: Path) -> str:
    """Return the name of the process that has locked ``folder``; "" if there is none."""
    with suppress(OSError):
        return (folder / HIDDEN / _NAME).read_text(errors="replace").strip()
    return ""


def remove_lock(folder: Path) -> None:
    """Remove the lock, and the hidden folder if it is empty."""
    with suppress(OSError):
        (folder / HIDDEN / _NAME).unlink()
        (folder / HIDDEN).rmdir()


def unlock(folder: Path, held: int) -> None:
    """Release the lock that ``lock`` returned; remove the hidden folder if it is empty."""
    remove_lock(folder)
    os.close(held)
