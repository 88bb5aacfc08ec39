"""Long calls of compiled code that a signal can leave."""

from __future__ import annotations

import threading
from collections.abc import Callable

_INTERVAL = 0.1  # seconds between two looks at signals
_STACK = 64 * 2**20  # bytes; a thread may have much less than the main thread

_ends: list[threading.Event] = []  # set when the present call, or an abandoned one, has returned


def interruptible[T](work: Callable[[], T]) -> T:
    """Return ``work()``, and raise at once what the handler of a signal raises meanwhile.

    Python runs handlers of signals between two steps of its main thread, so a call of compiled code
    delays them until it returns. Here another thread makes this call, and the main thread waits.

    After such an error the abandoned call goes on until it returns; see ``has_abandoned_work`` and
    ``finish_abandoned_work``.

    Args:
        work: A function that spends its time in compiled code that releases Python's lock.

    Raises:
        BaseException: What ``work`` raised, or what the handler of a signal raised.

    Note:
        Not collective. Other threads than the main thread, which have no handlers, call ``work``.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    end = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        end.set()

    stack = threading.stack_size(_STACK)
    _ends[:] = [end]  # before the thread begins, because a handler may raise at any time from then
    try:
        threading.Thread(target=run, daemon=True).start()
    finally:
        threading.stack_size(stack)
    while not end.wait(_INTERVAL):
        pass
    _ends.clear()
    if errors:
        raise errors[0]
    return results[0]


def has_abandoned_work() -> bool:
    """Return whether a call that a signal has left is still going on."""
    return any(not end.is_set() for end in _ends)


def finish_abandoned_work() -> bool:
    """Wait until no call that a signal has left is going on: its library is not free before.

    Returns:
        Whether there has been such a call since the last time.
    """
    for end in _ends:
        while not end.wait(_INTERVAL):
            pass
    found = bool(_ends)
    _ends.clear()
    return found
