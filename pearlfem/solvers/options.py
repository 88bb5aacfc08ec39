"""PETSc options for a single object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from petsc4py import PETSc

Options = Mapping[str, str | float]

# One V-cycle of algebraic multigrid, so accurate that only the levels above limit convergence.
GAMG: Options = {
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.02,
    "mg_levels_ksp_max_it": 3,
    "mg_levels_pc_type": "jacobi",
}
_number = count()


def configure(target: PETSc.KSP | PETSc.PC, options: Options) -> None:
    """Apply ``options`` to ``target`` and to nothing else."""
    prefix = f"pearlfem_{next(_number)}_"
    target.setOptionsPrefix(prefix)
    with _temporary_options(prefix, options):
        target.setFromOptions()


@contextmanager
def _temporary_options(prefix: str, options: Options) -> Iterator[None]:
    """Keep ``options`` in PETSc's global database during the block only."""
    database = PETSc.Options()
    for name, value in options.items():
        database.setValue(prefix + name, value)
    try:
        yield
    finally:
        for name in options:
            database.delValue(prefix + name)
