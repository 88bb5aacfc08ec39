"""The points of a sweep, one after another; points that can share mesh and operator do so."""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.io.results.sweep_folder import SweepFolder
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.signals import Terminated, termination_waits
from pearlfem.study.sweep import Sweep, SweepPoint
from pearlfem.workflow.reuse import Assembler, reuse_key
from pearlfem.workflow.run import run_study


class Outcome(NamedTuple):
    """A finished point.

    Args:
        point: The point.
        failure: Why it has no result; None if it has one.
    """

    point: SweepPoint
    failure: str | None = None


Tell = Callable[[Outcome], None]


def in_order_of_work(sweep: Sweep) -> list[SweepPoint]:
    """Return all points; those that can share mesh and operator stand together."""
    groups: dict[Hashable, list[SweepPoint]] = {}
    for point in sweep.points:
        key = reuse_key(point.study)
        groups.setdefault(point.number if key is None else key, []).append(point)
    return [point for group in groups.values() for point in group]


def parts(points: Sequence[SweepPoint], count: int) -> list[list[SweepPoint]]:
    """Return ``points`` cut into ``count`` parts of as equal length as possible."""
    ends = [len(points) * k // count for k in range(count + 1)]
    return [list(points[a:b]) for a, b in pairwise(ends)]


def run_points(
    points: Iterable[SweepPoint], folder: SweepFolder, comm: MPI.Comm, tell: Tell
) -> list[SweepPoint]:
    """Solve ``points`` in their order; return those that failed.

    Points that another job has done meanwhile are skipped. After SIGTERM the running point
    finishes.

    Args:
        points: The points.
        folder: Folder of the results, already open.
        comm: Communicator of all ranks that work on them.
        tell: Called on every rank after each point.

    Raises:
        Terminated: SIGTERM came; all points before it are kept.

    Note:
        Collective over ``comm``.
    """
    assembler = Assembler()
    failed: list[SweepPoint] = []
    with _rest_frozen(), termination_waits(comm) as terminated:
        for number, point in enumerate(points):
            if terminated():
                raise Terminated(
                    f"terminated (SIGTERM): {number} points done; run the same command again for "
                    "the rest"
                )
            if on_root(comm, partial(folder.is_done, point)):
                continue
            outcome = _run_point(point, folder, assembler, comm)
            if outcome.failure is not None:
                failed.append(point)
            tell(outcome)
            gc.collect()  # on all ranks together, because it frees objects of PETSc and MPI
            PETSc.garbage_cleanup(comm)
    assembler.destroy()
    return failed


@contextmanager
def _rest_frozen() -> Iterator[None]:
    """Leave the objects of today out of the collections after each point: they all stay."""
    if gc.get_freeze_count():  # by the caller, who unfreezes them
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _run_point(
    point: SweepPoint, folder: SweepFolder, assembler: Assembler, comm: MPI.Comm
) -> Outcome:
    result = folder.path / point.folder
    failure: str | None = None
    try:
        # Forced, because a killed run may have left files without a summary.
        run_study(point.study, result, force=True, assembler=assembler, comm=comm)
    except (ConvergenceError, StudyError) as error:
        failure = str(error)

    def record() -> None:
        if failure is None:
            folder.forget_failure(point)
        else:
            folder.note_failure(point, failure)
        folder.update_table()

    on_root(comm, record)
    return Outcome(point, failure)
