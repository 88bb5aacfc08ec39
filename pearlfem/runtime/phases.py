"""The phases of a run: the time that each takes, and a line when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str], None]  # called on every rank with a line about a finished phase


def silent(line: str) -> None:
    """Ignore the line: the default ``Progress``."""


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[Callable[[], float]]:
    """Add the wall-clock time of the block to ``seconds[phase]``.

    Args:
        seconds: The time of each phase so far.
        phase: Name of this phase.

    Yields:
        A clock: the time since the block began.
    """
    start = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - start

    yield elapsed
    seconds[phase] = seconds.get(phase, 0.0) + elapsed()
