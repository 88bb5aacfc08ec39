"""The progress of long work: a bar on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def progress_shown(
    noun: str, total: int, console: Console | None = None
) -> Iterator[Callable[[str], None]]:
    """Yield a function to call after each of ``total`` steps, with a text about this step.

    A terminal shows a bar with the rate and the time left. Otherwise each step prints a line with
    the text, the rate and the time left.

    Args:
        noun: Name of the steps, in the plural.
        total: Number of steps.
        console: Where to print; None for standard output.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    start, done = time.perf_counter(), 0

    def pace() -> str:
        return _pace(noun, done, total, time.perf_counter() - start)

    if not console.is_terminal:

        def print_line(text: str) -> None:
            nonlocal done
            done += 1
            console.print(f"{text}   {done} of {total} {noun}, {pace()}", markup=False)

        yield print_line
        return
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*parts, TextColumn("{task.fields[pace]}"), console=console) as bar:
        task = bar.add_task(noun, total=total, pace="")

        def advance(text: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, advance=1, pace=pace())

        yield advance


def _pace(noun: str, done: int, total: int, seconds: float) -> str:
    """Return rate and time left as a text, with the shortest unit in which the rate is >= 1."""
    rate = done / max(seconds, 1e-9)
    units = (("s", 1), ("min", 60))
    unit, length = next((u for u in units if rate * u[1] >= 1), ("h", 3600))
    left = timedelta(seconds=round((total - done) / rate))
    return f"{rate * length:.3g} {noun}/{unit}, {left} left"
