"""The output folder: a run never leaves a half-written result, not even when it is killed.

A result is several plain files in the folder ``DIR``. No system replaces several files at once, but
one symbolic link can be replaced at once. Unfinished work is in ``DIR/.pearlfem``:

    lock      locked by the process that writes; holds its name
    new/      the new result
    old/      the earlier one: hard links to its files
    now       a link to ``old``, then to ``new``

To publish a result:

1. Each file of both results becomes a link to ``.pearlfem/now/NAME``. Readers see no difference.
2. ``now`` is switched from ``old`` to ``new``.
3. Each link is replaced by the file that it points to.

A process that is killed at any moment leaves one complete result; the next run in the folder
removes links that are left. All files are on the disk before step 2, in case the power fails. For a
short time, a name that only one of the results has may be listed as a link to nothing, and opening
a file while its link is replaced may fail: a second try finds it.

If the file system has no links (FAT, some network shares), files are replaced one after the other.
summary.json is removed first and moved last, so a process that is killed leaves no result.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.results.lock import HIDDEN, lock, owner_of, remove_lock, unlock
from pearlfem.quantities.formats import FORMATS
from pearlfem.runtime.leftovers import tidied_on_abort
from pearlfem.runtime.parallel import on_root

SUMMARY = "summary.json"
PARTIAL = "partial.json"  # bounds of a study whose tolerance was not reached
PICTURE = "film.png"
PAGE = "report.html"
_NEW, _OLD, _NOW = "new", "old", "now"
_FILES = (
    r"(summary|partial)\.json|study(\.toml|_\d+_.+)|(interaction|solution)\.npz|probe_.+\.csv",
    r"film\.png|impurities\.vtu|result\.vtm|report\.html",
    *(each.files for each in FORMATS.values() if each.files),
)
_FOLDERS = tuple(each.folders for each in FORMATS.values() if each.folders)
_OUR_FOLDER = re.compile("|".join(_FOLDERS))
_OURS = re.compile("|".join((*_FILES, *_FOLDERS)))
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE}


@contextmanager
def result_folder(folder: Path, *, force: bool, comm: MPI.Comm) -> Iterator[Path]:
    """Yield a hidden folder inside ``folder`` to write into; publish its files if all goes well.

    If there is a summary, the result is complete. Files that are not of a result stay.

    Args:
        folder: Folder of the result; made if it does not exist.
        force: Replace the files of an earlier result.
        comm: Communicator of the ranks that write.

    Raises:
        StudyError: ``folder`` is not empty and ``force`` is not set; another process writes to it;
            or it cannot be written, because the disk is full, for example. Then an earlier result
            stays.

    Note:
        Collective. If the disk is full, only the ranks that notice it may raise the error.
    """
    held, created, owner = on_root(comm, lambda: _open(folder, force))
    try:
        with tidied_on_abort(partial(_abandon, folder, owner, created)):
            yield folder / HIDDEN / _NEW
            on_root(comm, lambda: _publish(folder))
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise _unwritable(folder, error) from error
    finally:
        # Not on_root: after an error the other ranks may not come here.
        if comm.rank == 0:
            _close(folder, held, created)


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Lock ``folder`` against other processes, and tidy up after one that was killed.

    Raises:
        StudyError: Another process writes to it, or it cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    try:
        held = lock(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        _settle(folder)
        yield
    finally:
        unlock(folder, held)


def _unwritable(folder: Path, error: OSError) -> StudyError:
    name = error.filename  # None if the error came while writing
    elsewhere = isinstance(name, str) and folder not in Path(name).parents
    what = name if elsewhere else f"output folder {folder}"
    return StudyError(f"{what}: cannot be written: {error.strerror}")


def _open(folder: Path, force: bool) -> tuple[int, bool, str]:
    """Lock ``folder`` and make the folder to write into; return the lock, if it is new, and us."""
    try:
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / HIDDEN).exists():  # otherwise links may be left: see ``_settle``
            _refuse_filled(folder, force)
        held = lock(folder)
        try:
            _settle(folder)
            _refuse_filled(folder, force)
            _earlier(folder)
            (folder / HIDDEN / _NEW).mkdir()
        except BaseException:
            _close(folder, held, created)
            raise
    except OSError as error:
        raise StudyError(f"output folder {folder}: cannot be written: {error.strerror}") from None
    return held, created, owner_of(folder)


def _refuse_filled(folder: Path, force: bool) -> None:
    if not force and any(path.name != HIDDEN for path in folder.iterdir()):
        raise StudyError(
            f"output folder {folder}: is not empty; allowed: a new or empty folder, "
            "or --force to replace the result in it"
        )


def _close(folder: Path, held: int, created: bool) -> None:
    with suppress(OSError):  # the next run in the folder tries again
        _settle(folder)
    unlock(folder, held)
    with suppress(OSError):
        if created:
            folder.rmdir()  # if it is empty


def _abandon(folder: Path, owner: str, created: bool) -> None:
    """Do what ``_close`` does, in place of the process ``owner``, if this still has the lock."""
    if owner_of(folder) == owner:
        _settle(folder)
        remove_lock(folder)
        if created:
            folder.rmdir()


def _publish(folder: Path) -> None:
    """Replace the earlier result by the new one."""
    hidden = folder / HIDDEN
    new = sorted(path.name for path in (hidden / _NEW).iterdir())
    old = _earlier(folder, new)
    for name in new:
        _sync(hidden / _NEW / name)
    if any(_OUR_FOLDER.fullmatch(name) for name in (*old, *new)):  # which have no hard links
        _replace(folder, new, old)
        return
    try:
        _keep(folder, old)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _replace(folder, new, old)
        return
    for path in (hidden / _NEW, hidden / _OLD, hidden):
        _sync(path)
    for name in sorted({*old, *new}):
        _point(folder / name, f"{HIDDEN}/{_NOW}/{name}", hidden)
    _sync(folder)
    _point(hidden / _NOW, _NEW, hidden)
    _sync(hidden)
    _settle(folder)


def _earlier(folder: Path, new: Collection[str] = ()) -> list[str]:
    """Return the names of the files of an earlier result, which the files ``new`` replace."""
    found = [path for path in folder.iterdir() if _OURS.fullmatch(path.name) or path.name in new]
    for path in found:
        if path.is_dir() and not _OUR_FOLDER.fullmatch(path.name):
            raise StudyError(f"{path}: is a folder; allowed: a file, which the result replaces")
    return sorted(path.name for path in found)


def _keep(folder: Path, names: list[str]) -> None:
    """Link the files of the earlier result into ``old``, and let ``now`` point there."""
    hidden = folder / HIDDEN
    (hidden / _OLD).mkdir()
    for name in names:
        os.link(folder / name, hidden / _OLD / name, follow_symlinks=False)
    _point(hidden / _NOW, _OLD, hidden)


def _point(path: Path, target: str, hidden: Path) -> None:
    """Make ``path`` a link to ``target``, in place of anything with this name."""
    link = hidden / "link"
    os.symlink(target, link)
    os.replace(link, path)


def _replace(folder: Path, new: list[str], old: list[str]) -> None:
    """Replace one file after the other; until the end there is no summary."""
    for name in sorted(old, key=lambda name: name != SUMMARY):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in sorted(new, key=lambda name: name == SUMMARY):
        os.replace(folder / HIDDEN / _NEW / name, folder / name)


def _settle(folder: Path) -> None:
    """Replace each of our links by the file that it points to, and remove unfinished work."""
    hidden = folder / HIDDEN
    for path in folder.iterdir():
        if path.is_symlink() and os.readlink(path) == f"{HIDDEN}/{_NOW}/{path.name}":
            shown = hidden / _NOW / path.name
            if os.path.lexists(shown):
                # A second link, not a move: a reader may be using the first at this moment.
                (hidden / "link").unlink(missing_ok=True)
                os.link(shown, hidden / "link", follow_symlinks=False)
                os.replace(hidden / "link", path)
            else:
                path.unlink()
    _sync(folder)
    for name in (_NOW, "link"):
        (hidden / name).unlink(missing_ok=True)
    for name in (_NEW, _OLD):
        shutil.rmtree(hidden / name, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; raises if it is full."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno != errno.EINVAL:  # this file system cannot
            raise
    finally:
        os.close(file)
