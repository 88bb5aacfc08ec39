"""SIGTERM, by which a batch system says that time is up: it ends the work, or is asked about.

Some seconds after it comes SIGKILL, against which no program can do anything; results then are
whole all the same, see ``pearlfem.io.results.folder``.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mpi4py import MPI

EXIT_CODE = 128 + signal.SIGTERM  # 143, what shells report of a program that SIGTERM has ended


class Terminated(BaseException):
    """SIGTERM came; the command line ends with the message and exit code 143.

    Not an ``Exception``: what catches those to go on, or to tell other ranks, must not catch this.
    """


@contextmanager
def termination_raises() -> Iterator[None]:
    """Make SIGTERM raise ``Terminated`` in the main thread, so that what is open is tidied up.

    A call into compiled code ends first; the longest is gmsh's for the mesh.

    Raises:
        Terminated: At any place of the block, on the rank that got the signal.

    Note:
        Not collective. Only in the main thread; elsewhere it does nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated("terminated (SIGTERM)")

    with _handled(end):
        yield


@contextmanager
def termination_waits(comm: MPI.Comm) -> Iterator[Callable[[], bool]]:
    """Let the work of the block go on when SIGTERM comes, and yield a way to ask whether it has.

    For work of many steps of which the running one is to be finished::

        with termination_waits(comm) as terminated:
            for number, step in enumerate(steps):
                if terminated():
                    raise Terminated(f"terminated (SIGTERM): {number} of {len(steps)} steps done")
                do(step)

    A second SIGTERM does not wait.

    Args:
        comm: Communicator of all ranks that work on it.

    Yields:
        A function that returns, on every rank alike, whether SIGTERM came on any since the block
        began. It is collective over ``comm``.

    Raises:
        Terminated: At any place of the block when SIGTERM comes a second time.

    Note:
        Not collective itself. Only in the main thread; elsewhere the signal is not noticed.
    """
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came:
            raise Terminated("terminated (SIGTERM, twice)")
        came = True

    with _handled(note):
        yield lambda: bool(comm.allreduce(came, op=MPI.LOR))


def restore_handler() -> None:
    """Install the handler of SIGTERM again that a library has removed unasked, as gmsh does."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python knows handlers in the main thread only
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
