"""What must be tidied up if this rank aborts all others.

Usually the rank that made something removes it, when an exception passes by. A rank that waits for
another one inside MPI never gets there: then the rank that aborts all tidies up for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_works: list[Callable[[], None]] = []


@contextmanager
def tidied_on_abort(work: Callable[[], None]) -> Iterator[None]:
    """Call ``work`` if this process aborts all ranks in the block, or later for an error in it.

    Args:
        work: Tidies up; it must not mind if this has been done.

    Note:
        Not collective.
    """
    _works.append(work)
    yield
    _works.remove(work)  # not after an error, which ends the program


def tidy_up() -> None:
    """Tidy up, the latest first; call it just before all ranks are aborted (not collective)."""
    while _works:
        with suppress(Exception):
            _works.pop()()
