"""The output folder: nothing of a result shows before all of it is there."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.parallel import on_root

SUMMARY = "summary.json"
PARTIAL = "partial.json"  # bounds of a study whose tolerance was not reached
_STAGE = ".unfinished-"  # what a killed run leaves is no result, and in nobody's way
_OURS = re.compile(
    r"(film|space)(\.p?vtu|_\d+\.vtu)|impurities\.vtu|interaction\.npz|film\.png"
    r"|result\.vtm|(film|space)\.bp|study(\.toml|_\d+_.+)|partial\.json|probe_.+\.csv"
)


@contextmanager
def result_folder(folder: Path, *, force: bool, comm: MPI.Comm) -> Iterator[Path]:
    """Yield a hidden folder inside ``folder`` to write into; publish its files when all went well.

    The summary moves last, so that its presence means success. Files of other origin stay.

    Args:
        folder: Where the result belongs; made if missing.
        force: Replace the files of an earlier result.
        comm: Communicator of the ranks that write.

    Raises:
        StudyError: ``folder`` holds something and ``force`` is not set, or cannot be written.

    Note:
        Collective.
    """
    stage, created = on_root(comm, lambda: _open(folder, force))
    try:
        yield stage
        on_root(comm, lambda: _publish(stage, folder))
    finally:
        # Not on_root: on the way out of an error the other ranks may not be here.
        if comm.rank == 0:
            shutil.rmtree(stage, ignore_errors=True)
            if created and not any(folder.iterdir()):
                folder.rmdir()


def _open(folder: Path, force: bool) -> tuple[Path, bool]:
    """Return the new stage, and whether ``folder`` is new as well."""
    try:
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if not force and any(not p.name.startswith(_STAGE) for p in folder.iterdir()):
            raise StudyError(
                f"output folder {folder}: is not empty; allowed: a new or empty folder, "
                "or --force to replace the result in it"
            )
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
    except OSError as error:
        raise StudyError(f"output folder {folder}: cannot be written: {error.strerror}") from None
    return stage, created


def _publish(stage: Path, folder: Path) -> None:
    (folder / SUMMARY).unlink(missing_ok=True)
    for old in folder.iterdir():
        if _OURS.fullmatch(old.name):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in sorted(stage.iterdir(), key=lambda path: path.name == SUMMARY):
        path.replace(folder / path.name)
