"""Long calls of compiled code that a signal can leave."""

from __future__ import annotations

import threading
from collections.abc import Callable

_INTERVAL = 0.1  # seconds between two looks at signals
_STACK = 64 * 2**20  # bytes; a thread may have much less than the main thread

_threads: list[threading.Thread] = []  # the one that makes the present call, or an abandoned one


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

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
    finally:
        threading.stack_size(before)
    _threads[:] = [thread]
    while thread.is_alive():
        thread.join(_INTERVAL)
    _threads.clear()
    if errors:
        raise errors[0]
    return results[0]


def has_abandoned_work() -> bool:
    """Return whether a call that a signal has left is still going on."""
    return any(thread.is_alive() for thread in _threads)


def finish_abandoned_work() -> bool:
    """Wait until no call that a signal has left is going on: its library is not free before.

    Returns:
        Whether there has been such a call since the last time.
    """
    for thread in _threads:
        while thread.is_alive():
            thread.join(_INTERVAL)
    found = bool(_threads)
    _threads.clear()
    return found
