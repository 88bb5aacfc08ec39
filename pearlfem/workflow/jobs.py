"""The points of a sweep side by side: each job is a process, or several with MPI, of its own.

A job gets the numbers of its next points as a line of its standard input whenever it has done those
before, an empty line when there are no more, and ends at once when the input is closed: so no job
outlives the one that started it, however that ends.
"""

from __future__ import annotations

import math
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.results.sweep_folder import SweepFolder
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.signals import Terminated, termination_waits
from pearlfem.study.sweep import SweepPoint
from pearlfem.workflow.sweep import Outcome, Tell

_STANDARD_INPUT = 0
_INTERVAL = 0.2  # seconds between two looks at what has become of the points


class _Job:
    """A process and the points that it was given and has not done, in its order."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
        )
        self.points: list[SweepPoint] = []
        self.ends = False

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def give(self, points: Sequence[SweepPoint]) -> None:
        """Let it do ``points`` next, or end if there are none."""
        self.points, self.ends = list(points), not points
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(" ".join(str(p.number) for p in points).encode() + b"\n")
            self.process.stdin.flush()


def run_jobs(
    command: Sequence[str],
    points: Sequence[SweepPoint],
    folder: SweepFolder,
    tell: Tell,
    *,
    jobs: int,
    ranks: int = 1,
) -> list[SweepPoint]:
    """Run ``points`` in ``jobs`` processes at a time; return the points that have failed.

    SIGTERM is passed on, and the running points finish.

    Args:
        command: What a job runs: arguments of the program.
        points: In an order in which those beside each other can share work.
        folder: Where their results appear.
        tell: Called after each point.
        jobs: At most so many.
        ranks: Of each job.

    Raises:
        StudyError: There is no mpiexec for several ranks.
        RuntimeError: A job ended before its points were done.
        Terminated: SIGTERM came; finished points are kept.

    Note:
        Not collective: for a program on one rank.
    """
    program = [*_launcher(ranks), sys.executable, "-m", "pearlfem", *command]
    for point in points:
        folder.forget_failure(point)
    # The environment as it was before MPI was initialised here, which may have added to it.
    environment = {"OMP_NUM_THREADS": "1"} | dict(os.environ)
    started: list[_Job] = []
    with termination_waits(MPI.COMM_SELF) as terminated:
        try:
            for _ in range(min(jobs, len(points))):
                started.append(_Job(program, environment))
            failed, missing = _watch(started, points, folder, tell, terminated)
        finally:
            for job in started:
                assert job.process.stdin is not None
                with suppress(BrokenPipeError):
                    job.process.stdin.close()
            for job in started:
                job.process.wait()
        if terminated():
            done = len(points) - len(missing)
            raise Terminated(
                f"terminated (SIGTERM): {done} of {len(points)} points done; the same command goes "
                "on with the rest"
            )
    if missing:
        codes = ", ".join(str(job.process.returncode) for job in started)
        raise RuntimeError(f"{len(missing)} points are missing; the jobs ended with status {codes}")
    return failed


def _launcher(ranks: int) -> list[str]:
    if ranks == 1:
        return []
    # The one that belongs to the MPI in use lies beside the interpreter, or is the system's.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    mpiexec = shutil.which("mpiexec", path=path)
    if mpiexec is None:
        raise StudyError(f"--ranks {ranks}: mpiexec is not found; allowed: 1")
    return [mpiexec, "-n", str(ranks)]


def _watch(
    jobs: Sequence[_Job],
    points: Sequence[SweepPoint],
    folder: SweepFolder,
    tell: Tell,
    terminated: Callable[[], bool],
) -> tuple[list[SweepPoint], list[SweepPoint]]:
    """Give points to jobs that have none, and tell of each that is done, until all have ended.

    Returns:
        The points that have failed, and those without any outcome.
    """
    failed: list[SweepPoint] = []
    free, passed_on, running = list(points), False, True
    while running:
        running = any([job.runs for job in jobs])
        if terminated() and not passed_on:
            passed_on = True
            for job in jobs:
                job.process.send_signal(signal.SIGTERM)
        for job in jobs:
            while job.points and (outcome := _outcome(job.points[0], folder)):
                tell(outcome)
                if outcome.failure is not None:
                    failed.append(outcome.point)
                del job.points[0]
            if job.runs and not job.points and not job.ends:
                count = 0 if passed_on else next_count(len(free), len(jobs))
                job.give(free[:count])
                del free[:count]
        if running:
            time.sleep(_INTERVAL)
    return failed, free + [point for job in jobs for point in job.points]


def _outcome(point: SweepPoint, folder: SweepFolder) -> Outcome | None:
    """Return what has become of ``point``; None if nothing yet."""
    if folder.is_done(point):
        return Outcome(point)
    failure = folder.failure(point)
    return None if failure is None else Outcome(point, failure)


def next_count(free: int, jobs: int) -> int:
    """Return how many of the ``free`` points the next of ``jobs`` gets.

    Many while there are many, for those beside each other share work; one by one in the end, so
    that no job waits long for another.
    """
    return math.ceil(free / (2 * jobs))


def received_points(points: Sequence[SweepPoint], comm: MPI.Comm) -> Iterator[SweepPoint]:
    """Yield those of all ``points`` that this job is given, and end it with its parent.

    Note:
        Collective over ``comm``.
    """
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        with open(_STANDARD_INPUT, "rb", buffering=0, closefd=False) as stream:
            for line in stream:
                lines.put(line)
        os._exit(1)  # as by SIGKILL: results are whole or not there

    if comm.rank == 0:
        threading.Thread(target=listen, daemon=True).start()
    while numbers := on_root(comm, lambda: [int(word) for word in lines.get().split()]):
        yield from (points[number - 1] for number in numbers)
