"""Compiled code: one cache for all of it, which one process at a time writes.

FFCx waits ten seconds for what another process has begun to compile, and then refuses it: two runs
started together fail on a slow machine, and a run that was killed while it compiled spoils the
cache for good. Hence a lock around compilation, inside which nothing unfinished is anybody's.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx.jit import ffcx_jit, get_options
from mpi4py import MPI

from pearlfem.errors import CompilationError
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.parallel import on_root


def compiled_form(form: Any, comm: MPI.Comm) -> fem.Form:
    """Return a UFL form compiled, from the cache if it is there.

    Raises:
        CompilationError: There is no compiler, or the cache cannot be written.

    Note:
        Collective: one rank compiles.
    """
    on_root(comm, lambda: _compile(form))
    compiled: fem.Form = fem.form(form, jit_options=_options())
    return compiled


def compiled_expression(expression: Any, points: Array, comm: MPI.Comm) -> fem.Expression:
    """Return a UFL expression compiled, from the cache if it is there.

    Args:
        expression: What to evaluate.
        points: Where, in the reference cell or facet, ``(n, d)``.
        comm: Communicator of the mesh.

    Raises:
        CompilationError: There is no compiler, or the cache cannot be written.

    Note:
        Collective: one rank compiles.
    """
    on_root(comm, lambda: _compile((expression, points)))
    return fem.Expression(expression, points, comm, jit_options=_options())


@contextmanager
def compiling() -> Iterator[Path]:
    """Yield the folder of the cache, held by this process alone and without unfinished forms.

    A folder that is read only, such as an image's, is taken as it is.

    Raises:
        CompilationError: Whatever went wrong inside, explained.
    """
    folder = cache_folder()
    try:
        with _lock(folder) as locked:
            if locked:
                _remove_unfinished(folder)
            yield folder
    except Exception as error:
        raise CompilationError(
            f"code could not be compiled into {folder} ({type(error).__name__}: {error}); needed "
            "once: a C compiler (CC) and a folder to write to (XDG_CACHE_HOME); where there is no "
            "compiler, set XDG_CACHE_HOME to a folder that `pearlfem warmup` has filled elsewhere"
        ) from None


def cache_folder() -> Path:
    """Return the folder of compiled code, pearlfem's own within DOLFINx's."""
    return Path(get_options()["cache_dir"]) / "pearlfem"


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Wait for the folder's lock, and yield whether there is one.

    There is none if the folder cannot be written, or on a file system without locks.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / "lock").open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        except OSError:
            locked = False
        else:
            locked = True
        yield locked


def _remove_unfinished(folder: Path) -> None:
    """Remove forms that are not complete: their process is dead, or it would hold the lock."""
    for source in folder.glob("*.c"):
        if not source.with_suffix(".c.cached").exists():
            source.unlink()


def _compile(what: Any) -> None:
    with compiling():
        ffcx_jit(MPI.COMM_SELF, what, {"scalar_type": np.float64}, _options())


def _options() -> dict[str, Any]:
    return {"cache_dir": cache_folder()}
