"""The start of the program: a sentence in place of a traceback if it is ended, or cannot start.

To load everything takes seconds. Meanwhile Ctrl-C ends the program at once, as there is nothing to
tidy up yet: an exception in the middle of an import may be lost, or end in a crash.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType

from pearlfem.runtime.launcher import explain_launcher

INTERRUPTED = 128 + signal.SIGINT  # 130, as shells report a program that Ctrl-C has ended
DOLFINX = "0.11"
_LONGEST = 300  # characters of a reason
# Variables of launchers with the number of this rank.
_RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")


class InstallationError(ImportError):
    """DOLFINx, PETSc or MPI is not there; the message says what to install, and how."""


@contextmanager
def loading(program: Sequence[str] = sys.orig_argv) -> Iterator[None]:
    """Prepare to load everything; the block loads DOLFINx' wheel, which may not be there.

    The command line ends at Ctrl-C from now on, until ``loaded``, and tells in a sentence what is
    missing. Other programs get exceptions.

    Args:
        program: The command that has started this process.

    Raises:
        InstallationError: DOLFINx, PETSc or MPI is missing, does not load, or has another version.

    Note:
        Not collective; it starts MPI.
    """
    if _is_ours(program) and threading.current_thread() is threading.main_thread():
        sys.excepthook = _tell
        signal.signal(signal.SIGINT, _end)
    explain_launcher()
    with suppress(ImportError):
        yield
    try:
        for name in ("mpi4py.MPI", "petsc4py", "dolfinx"):
            import_module(name)
    except (ImportError, OSError, RuntimeError) as error:  # mpi4py raises the last without MPI
        reason = " ".join(str(error).split())[:_LONGEST]
        raise InstallationError(_advice(f"do not load here ({reason})")) from None
    version = sys.modules["dolfinx"].__version__
    if not version.startswith(f"{DOLFINX}."):
        raise InstallationError(_advice(f"DOLFINx {version} will not do"))


def loaded() -> None:
    """Let Ctrl-C raise ``KeyboardInterrupt`` again: everything is loaded, and work begins."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _advice(fault: str) -> str:
    return (
        f"DOLFINx {DOLFINX}, PETSc and MPI are needed, and {fault}. Install them as wheels: "
        "pip install 'pearlfem[wheel]', or pip install '.[wheel]' in the folder of its source; or "
        f"install pearlfem where DOLFINx {DOLFINX} is already (conda, a DOLFINx image)"
    )


def _is_ours(program: Sequence[str]) -> bool:
    """Return whether a command is ``…/pearlfem …`` or ``python -m pearlfem …``."""
    following = program[1:]
    while following[:1] and following[0].startswith("-") and following[0] not in ("-m", "-c"):
        following = following[1:]
    is_module = following[:2] == ["-m", "pearlfem"]
    return is_module or (bool(following) and Path(following[0]).name == "pearlfem")


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, InstallationError):
        sys.__excepthook__(kind, error, trace)
    elif _speaks():
        print(f"pearlfem: {error}", file=sys.stderr, flush=True)


def _end(number: int, frame: FrameType | None) -> None:
    if _speaks():
        os.write(2, b"pearlfem: interrupted\n")
    os._exit(INTERRUPTED)


def _speaks() -> bool:
    """Return whether this is the first rank, or the only one."""
    return all(os.environ.get(name, "0") == "0" for name in _RANKS)
