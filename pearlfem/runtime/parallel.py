"""Work that one rank does for all, and errors that all ranks raise together.

After an exception on a single rank, the others would wait in the next collective call forever.
Everything that can fail on only one rank (files, gmsh, pictures) therefore goes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mpi4py import MPI

type _Attempt[T] = tuple[T | None, Exception | None]  # a result or an error


def on_root[T](comm: MPI.Comm, work: Callable[[], T]) -> T:
    """Run ``work`` on rank 0 and return its result, or raise its error, on every rank.

    Args:
        comm: Communicator; the call is collective over it.
        work: A function without arguments; its result and its errors must be picklable.

    Raises:
        Exception: The error that ``work`` raised, on every rank.
    """
    attempt = _attempt(work) if comm.rank == 0 else None
    result, error = cast(_Attempt[T], comm.bcast(attempt))
    if error is not None:
        raise error
    return cast(T, result)


def root_only[T](comm: MPI.Comm, work: Callable[[], T]) -> T | None:
    """Run ``work`` on rank 0, where its result stays; raise its error on every rank.

    It is for results that are large, or that other ranks do not need.

    Args:
        comm: Communicator; the call is collective over it.
        work: A function without arguments; its errors must be picklable.

    Returns:
        The result on rank 0, None on every other rank.

    Raises:
        Exception: The error that ``work`` raised, on every rank.
    """
    result, error = _attempt(work) if comm.rank == 0 else (None, None)
    error = comm.bcast(error)
    if error is not None:
        raise error
    return result


def together[T](comm: MPI.Comm, work: Callable[[], T]) -> T:
    """Run ``work`` on every rank; if it fails on any rank, raise the first error on all ranks.

    Args:
        comm: Communicator; the call is collective over it.
        work: A function without arguments and without collective calls.

    Raises:
        Exception: The error of the lowest rank that failed, on every rank.
    """
    result, error = _attempt(work)
    failed = [e for e in comm.allgather(error) if e is not None]
    if failed:
        raise failed[0]
    return cast(T, result)


def _attempt[T](work: Callable[[], T]) -> _Attempt[T]:
    """Return the result of ``work`` or its error."""
    try:
        return work(), None
    except Exception as error:
        return None, error
