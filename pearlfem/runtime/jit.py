"""The cache of compiled code, which only one process writes at a time.

If another process has begun to compile a form, FFCx waits ten seconds for it and then fails. So two
runs that start together can fail on a slow machine, and a run that is killed while it compiles
spoils the cache for good. We therefore hold a lock while we compile: whatever is unfinished then
belongs to a dead process and can be removed.
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
    """Return the compiled UFL form, from the cache if possible.

    Raises:
        CompilationError: There is no compiler, or the cache cannot be written.

    Note:
        Collective: one rank compiles.
    """
    on_root(comm, lambda: _compile(form))
    compiled: fem.Form = fem.form(form, jit_options=_options())
    return compiled


def compiled_expression(expression: Any, points: Array, comm: MPI.Comm) -> fem.Expression:
    """Return the compiled UFL expression, from the cache if possible.

    Args:
        expression: The expression.
        points: Points of the reference cell or facet where it will be evaluated, ``(n, d)``.
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
    """Yield the folder of the cache, locked for this process and without unfinished forms.

    A read-only folder, as in a container image, is used as it is.

    Raises:
        CompilationError: Any error inside the block; the message explains what is needed.
    """
    folder = cache_folder()
    try:
        with _lock(folder) as locked:
            if locked:
                _remove_unfinished(folder)
            yield folder
    except Exception as error:
        raise CompilationError(
            f"code could not be compiled into {folder} ({type(error).__name__}: {error}); the "
            "first run needs a C compiler (CC) and a folder that can be written (XDG_CACHE_HOME); "
            "without a compiler, set XDG_CACHE_HOME to a folder that `pearlfem warmup` has filled "
            "on another machine"
        ) from None


def cache_folder() -> Path:
    """Return the folder of pearlfem's compiled code, which lies in the cache of DOLFINx."""
    return Path(get_options()["cache_dir"]) / "pearlfem"


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Wait for the lock of the folder, and yield whether this process has it.

    Nobody has it if the folder cannot be written, or if the file system does not support locks.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / "lock").open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)  # held until the file is closed
        except OSError:
            locked = False
        else:
            locked = True
        yield locked


def _remove_unfinished(folder: Path) -> None:
    """Remove unfinished forms; the process that began them is dead, or it would hold the lock."""
    for source in folder.glob("*.c"):
        if not source.with_suffix(".c.cached").exists():
            source.unlink()


def _compile(form_or_expression: Any) -> None:
    with compiling():
        ffcx_jit(MPI.COMM_SELF, form_or_expression, {"scalar_type": np.float64}, _options())


def _options() -> dict[str, Any]:
    return {"cache_dir": cache_folder()}
