"""Work that one rank does for all, and errors that all ranks raise together.

After an exception on a single rank, the others would wait in the next collective call forever.
Everything that can fail on only one rank (files, gmsh, pictures) therefore goes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mpi4py import MPI


def on_root[T](comm: MPI.Comm, work: Callable[[], T]) -> T:
    """Run ``work`` on rank 0 and return its result, or raise its error, on every rank.

    Args:
        comm: Communicator; the call is collective over it.
        work: A function without arguments; its result and its errors must be picklable.

    Raises:
        Exception: The error that ``work`` raised, on every rank.
    """
    result: T | None = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            result = work()
        except Exception as caught:
            error = caught
    result, error = comm.bcast((result, error))
    if error is not None:
        raise error
    return cast(T, result)


def together[T](comm: MPI.Comm, work: Callable[[], T]) -> T:
    """Run ``work`` on every rank; if it fails on any rank, raise the first error on all ranks.

    Args:
        comm: Communicator; the call is collective over it.
        work: A function without arguments and without collective calls.

    Raises:
        Exception: The error of the lowest rank that failed, on every rank.
    """
    result: T | None = None
    error: Exception | None = None
    try:
        result = work()
    except Exception as caught:
        error = caught
    failed = [e for e in comm.allgather(error) if e is not None]
    if failed:
        raise failed[0]
    return cast(T, result)
