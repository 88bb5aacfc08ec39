"""SIGTERM, the signal of a batch system that time is up: it stops the work now or after a step.

Some seconds later SIGKILL follows, which no program can catch. A run that is killed never leaves a
half-written result either; see ``pearlfem.io.results.folder``.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mpi4py import MPI

EXIT_CODE = 128 + signal.SIGTERM  # 143, as shells report a program that SIGTERM has ended


class Terminated(BaseException):
    """SIGTERM has come; the command line ends with the message and exit code 143.

    It is not an ``Exception``, because code that catches those in order to go on, or to tell other
    ranks, must not catch this.
    """


@contextmanager
def termination_raises() -> Iterator[None]:
    """Make SIGTERM raise ``Terminated`` in the block, so that it can clean up.

    A call of compiled code finishes first, unless it goes through ``interruptible``.

    Raises:
        Terminated: Anywhere in the block, on the rank that received the signal.

    Note:
        Not collective. It works in the main thread only; in other threads it does nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated("terminated (SIGTERM)")

    with _handled(end):
        yield


@contextmanager
def termination_waits(comm: MPI.Comm) -> Iterator[Callable[[], bool]]:
    """Let the block go on when SIGTERM comes, and yield a function that tells whether it has come.

    It is for work of many steps, of which the current one shall be finished::

        with termination_waits(comm) as terminated:
            for number, step in enumerate(steps):
                if terminated():
                    raise Terminated(f"terminated (SIGTERM): {number} of {len(steps)} steps done")
                do(step)

    A second SIGTERM ends the block at once.

    Args:
        comm: Communicator of all ranks that do this work.

    Yields:
        A function that returns whether any rank has received SIGTERM since the block began; the
        answer is the same on all ranks. It is collective over ``comm``.

    Raises:
        Terminated: Anywhere in the block, when SIGTERM comes a second time.

    Note:
        Not collective itself. It works in the main thread only; other threads do not notice the
        signal.
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
    """Install Python's handler of SIGTERM again, after a library such as gmsh has replaced it."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python allows handlers in the main thread only
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
