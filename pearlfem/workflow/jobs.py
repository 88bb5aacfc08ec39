"""The points of a sweep side by side: each job is a process of its own, or several with MPI.

Whenever a job has done its points, a line on its standard input gives it the numbers of the next
ones; an empty line means that there are no more. A job ends at once when its input is closed, so no
job outlives the program that started it, however that ends.
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
_INTERVAL = 0.2  # seconds between two looks at the points


class _Job:
    """A process, and the points that it still has to do, in their order."""

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
        """Give it the points to do next; none lets it end."""
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
    """Run ``points`` in several processes at a time; return the points that failed.

    SIGTERM is passed on to the jobs, and the running points finish.

    Args:
        command: Arguments of the program that each job runs.
        points: The points; neighbours in this order can share work.
        folder: Folder of the results.
        tell: Called after each point.
        jobs: Largest number of jobs at a time.
        ranks: MPI ranks of each job.

    Raises:
        StudyError: mpiexec, which several ranks need, is not found.
        RuntimeError: A job ended before its points were done.
        Terminated: SIGTERM came; finished points are kept.

    Note:
        Not collective: for a program on one rank.
    """
    program = [*_launcher(ranks), sys.executable, "-m", "pearlfem", *command]
    for point in points:
        folder.forget_failure(point)
    # os.environ is a copy from before MPI was initialised, which may have set more variables.
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
                f"terminated (SIGTERM): {done} of {len(points)} points done; run the same command "
                "again for the rest"
            )
    if missing:
        codes = ", ".join(str(job.process.returncode) for job in started)
        raise RuntimeError(f"{len(missing)} points are missing; the jobs ended with status {codes}")
    return failed


def _launcher(ranks: int) -> list[str]:
    if ranks == 1:
        return []
    # The mpiexec of the MPI in use lies beside the interpreter, or is the system's.
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
    """Give points to idle jobs and tell of each finished point, until all jobs have ended.

    Returns:
        The points that failed, and those without an outcome.
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
    """Return the outcome of ``point``, None if there is none yet."""
    if folder.is_done(point):
        return Outcome(point)
    failure = folder.failure(point)
    return None if failure is None else Outcome(point, failure)


def next_count(free: int, jobs: int) -> int:
    """Return how many of the ``free`` points one of ``jobs`` jobs gets next.

    Many at first, because neighbours share work; one by one at the end, so that no job waits long
    for another.
    """
    return math.ceil(free / (2 * jobs))


def received_points(points: Sequence[SweepPoint], comm: MPI.Comm) -> Iterator[SweepPoint]:
    """Yield the points that this job is given, and end the job when its parent ends.

    Args:
        points: All points of the sweep.
        comm: Communicator of the job.

    Note:
        Collective over ``comm``.
    """
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        with open(_STANDARD_INPUT, "rb", buffering=0, closefd=False) as stream:
            for line in stream:
                lines.put(line)
        os._exit(1)  # as by SIGKILL: a result is whole or not there

    if comm.rank == 0:
        threading.Thread(target=listen, daemon=True).start()
    while numbers := on_root(comm, lambda: [int(word) for word in lines.get().split()]):
        yield from (points[number - 1] for number in numbers)
