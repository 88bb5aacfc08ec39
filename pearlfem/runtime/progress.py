"""How far a long work is: a bar on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def progress_shown(
    what: str, total: int, console: Console | None = None
) -> Iterator[Callable[[str], None]]:
    """Yield what is to be called after each of ``total`` steps with words about it.

    On a terminal there is a bar with the rate and the time that is left; elsewhere a line for each
    step, with the same.

    Args:
        what: The steps, in the plural.
        total: How many there will be.
        console: Where to; standard output by default.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    start, done = time.perf_counter(), 0

    def pace() -> str:
        return _pace(what, done, total, time.perf_counter() - start)

    if not console.is_terminal:

        def line(words: str) -> None:
            nonlocal done
            done += 1
            console.print(f"{words}   {done} of {total} {what}, {pace()}", markup=False)

        yield line
        return
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*parts, TextColumn("{task.fields[pace]}"), console=console) as bar:
        task = bar.add_task(what, total=total, pace="")

        def advance(words: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, advance=1, pace=pace())

        yield advance


def _pace(what: str, done: int, total: int, seconds: float) -> str:
    """Return rate and time left in words."""
    rate = done / max(seconds, 1e-9)
    per = next((p for p in (("s", 1), ("min", 60)) if rate * p[1] >= 1), ("h", 3600))
    left = timedelta(seconds=round((total - done) / rate))
    return f"{rate * per[1]:.3g} {what}/{per[0]}, {left} left"
