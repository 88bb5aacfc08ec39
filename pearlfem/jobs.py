"""The points of a sweep side by side: each job is a process, or several with MPI, of its own.

A job gets the numbers of its points on the first line of its standard input, and ends at once when
that is closed: so no job outlives the one that started it, however that ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.sweep_folder import SweepFolder
from pearlfem.model.sweep import Point
from pearlfem.signals import Terminated, termination_waits
from pearlfem.sweep import Outcome, Tell

_STANDARD_INPUT = 0
_INTERVAL = 0.2  # seconds between two looks at what has become of the points


def run_jobs(
    command: Sequence[str],
    shares: Sequence[Sequence[Point]],
    folder: SweepFolder,
    tell: Tell,
    *,
    ranks: int = 1,
) -> list[Point]:
    """Run a job for each of ``shares``; return the points that have failed.

    SIGTERM is passed on, and the running points finish.

    Args:
        command: What a job runs: arguments of the program.
        shares: The points of each job.
        folder: Where their results appear.
        tell: Called after each point.
        ranks: Of each job.

    Raises:
        StudyError: There is no mpiexec for several ranks.
        RuntimeError: A job ended before its points were done.
        Terminated: SIGTERM came; finished points are kept.

    Note:
        Not collective: for a program on one rank.
    """
    program = [*_launcher(ranks), sys.executable, "-m", "pearlfem", *command]
    points = [point for share in shares for point in share]
    for point in points:
        folder.forget_failure(point)
    # The environment as it was before MPI was initialised here, which may have added to it.
    environment = {"OMP_NUM_THREADS": "1"} | dict(os.environ)
    processes: list[subprocess.Popen[bytes]] = []
    with termination_waits(MPI.COMM_SELF) as terminated:
        try:
            for share in filter(None, shares):
                processes.append(_start(program, share, environment))
            failed, missing = _watch(processes, points, folder, tell, terminated)
        finally:
            for process in processes:
                assert process.stdin is not None
                with suppress(BrokenPipeError):
                    process.stdin.close()
            for process in processes:
                process.wait()
        if terminated():
            done = len(points) - len(missing)
            raise Terminated(
                f"terminated (SIGTERM): {done} of {len(points)} points done; the same command goes "
                "on with the rest"
            )
    if missing:
        codes = ", ".join(str(process.returncode) for process in processes)
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


def _start(
    program: Sequence[str], share: Sequence[Point], environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(" ".join(str(point.number) for point in share).encode() + b"\n")
        process.stdin.flush()
    return process


def _watch(
    processes: Sequence[subprocess.Popen[bytes]],
    points: Sequence[Point],
    folder: SweepFolder,
    tell: Tell,
    terminated: Callable[[], bool],
) -> tuple[list[Point], list[Point]]:
    """Tell of each point that is done or has failed until all processes have ended.

    Returns:
        The points that have failed, and those without any outcome.
    """
    failed: list[Point] = []
    pending, passed_on, running = list(points), False, True
    while running:
        running = any(process.poll() is None for process in processes)
        if terminated() and not passed_on:
            passed_on = True
            for process in processes:
                process.send_signal(signal.SIGTERM)
        for point in list(pending):
            failure = None if folder.is_done(point) else folder.failure(point)
            if failure is not None:
                failed.append(point)
            elif not folder.is_done(point):
                continue
            pending.remove(point)
            tell(Outcome(point, failure))
        if running:
            time.sleep(_INTERVAL)
    return failed, pending


def receive_share(points: Sequence[Point]) -> list[Point]:
    """Return those of all ``points`` that this job was given, and end it with its parent.

    Note:
        Not collective: for rank 0.
    """
    with open(_STANDARD_INPUT, "rb", buffering=0, closefd=False) as stream:
        numbers = [int(word) for word in stream.readline().split()]

    def wait_for_end() -> None:
        if not os.read(_STANDARD_INPUT, 1):
            os._exit(1)  # as by SIGKILL: results are whole or not there

    threading.Thread(target=wait_for_end, daemon=True).start()
    return [points[number - 1] for number in numbers]
