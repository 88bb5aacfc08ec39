"""Whether the program that started the ranks belongs to the MPI library that they use.

If it does not, each rank is alone in its own world, without an error: all do the same work.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pearlfem.errors import StudyError


class _Launcher(NamedTuple):
    """What a launcher is called, and the variables in which it tells a rank about itself."""

    name: str
    size: str
    rank: str


# Of Slurm not SLURM_NTASKS: it is that of the whole job, also in a script that runs no srun.
_LAUNCHERS = (
    _Launcher("Open MPI's mpiexec", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    _Launcher("the mpiexec of MPICH or a relative of it", "PMI_SIZE", "PMI_RANK"),
    _Launcher("Slurm's srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
)


class WrongLauncherError(StudyError):
    """A launcher has started several ranks that do not find each other (exit code 2).

    Args:
        message: Why, and what to do.
        rank: This one, according to the launcher.
    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


def check_launcher(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to be one of several ranks that do not know of each other.

    Args:
        environment: Variables of this process.

    Raises:
        WrongLauncherError: A launcher says that there are several, and MPI that there is one.

    Note:
        Not collective: in this case there is nobody to meet.
    """
    from mpi4py import MPI  # which starts MPI

    if MPI.COMM_WORLD.size > 1:
        return
    for launcher in _LAUNCHERS:
        size, rank = (_number(environment.get(name, "")) for name in launcher[1:])
        if size > 1:
            raise WrongLauncherError(
                f"{launcher.name} has started {size} ranks ({launcher.size} = {size}), but each "
                f"is alone: the MPI library here is another one ({_library()}). Use the mpiexec "
                f"that belongs to it{_beside_python()}. Processes that are meant to work alone are "
                f"started with env -u {launcher.size}",
                rank,
            )


def explain_launcher(environment: Mapping[str, str] = os.environ) -> None:
    """Explain why MPI is about to end the program, in words that few understand.

    It does if the wheel's library, MPICH, finds itself started by Open MPI.

    Args:
        environment: Variables of this process.

    Note:
        Not collective; to be called before MPI starts.
    """
    launcher = _LAUNCHERS[0]
    if (
        environment.get(launcher.rank) == "0"
        and "mpi4py.MPI" not in sys.modules
        and importlib.util.find_spec("dolfinx_solver")
    ):
        print(
            f"pearlfem: {launcher.name} has started this, but the MPI library here is MPICH, which "
            f"does not find the other ranks. Use the mpiexec that belongs to it{_beside_python()}",
            file=sys.stderr,
            flush=True,
        )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _library() -> str:
    from mpi4py import MPI

    return " ".join(MPI.Get_library_version().splitlines()[0].split())


def _beside_python() -> str:
    found = Path(sys.executable).parent / "mpiexec"
    return f": {found}" if found.exists() else ""
