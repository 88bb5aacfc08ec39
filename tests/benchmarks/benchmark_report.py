"""Markdown reports of the benchmarks: printed line by line as they grow, written at the end."""

import os
import platform
from pathlib import Path

from mpi4py import MPI

from pearlfem.io.results.summary import versions

RESULTS = Path(__file__).parent / "results"


class Report:
    """Lines of Markdown that rank 0 prints at once and ``write`` saves."""

    def __init__(self, title: str) -> None:
        self._lines: list[str] = []
        self.add(f"# {title}\n\n{_environment()}")

    def add(self, text: str) -> None:
        self._lines.append(text)
        if MPI.COMM_WORLD.rank == 0:
            print(text, flush=True)

    def table(self, heading: str, *columns: str) -> None:
        """Start a table; its rows follow."""
        self.add(f"\n{heading}\n")
        self.row(*columns)
        self.row(*("---:" for _ in columns))

    def row(self, *cells: object) -> None:
        self.add("| " + " | ".join(str(cell) for cell in cells) + " |")

    def write(self, name: str) -> None:
        """Save as ``results/NAME.md``."""
        if MPI.COMM_WORLD.rank == 0:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.md").write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def _environment() -> str:
    """Return versions and machine: what can change a number or a time."""
    software = ", ".join(f"{name} {number}" for name, number in versions().items())
    machine = f"{platform.platform()}, {_processor()}, {os.cpu_count()} cores"
    return f"{software}.\n\n{machine}."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
