"""Checks that the launcher (mpiexec, srun) belongs to the MPI library in use.

If it does not, MPI reports no error: each rank believes that it is alone, and all do the same work.
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
    """The name of a launcher, and its variables for the number of ranks and of this rank."""

    name: str
    size: str
    rank: str


# Not Slurm's SLURM_NTASKS: it counts the tasks of the whole job, also in a script without srun.
_LAUNCHERS = (
    _Launcher("Open MPI's mpiexec", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    _Launcher("the mpiexec of MPICH or a relative of it", "PMI_SIZE", "PMI_RANK"),
    _Launcher("Slurm's srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
)


class WrongLauncherError(StudyError):
    """A launcher has started several ranks that do not find each other (exit code 2).

    Args:
        message: The reason, and what to do.
        rank: Number of this rank according to the launcher.
    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


def check_launcher(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to run as one of several ranks that do not find each other.

    Args:
        environment: Environment variables of this process.

    Raises:
        WrongLauncherError: The launcher has started several ranks, but MPI knows only one.

    Note:
        Not collective: in this case MPI knows no other ranks.
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
                f"that belongs to it{_beside_python()}. If the processes are meant to be "
                f"independent, start them with env -u {launcher.size}",
                rank,
            )


def explain_launcher(environment: Mapping[str, str] = os.environ) -> None:
    """Print an explanation before MPI ends the program with a message that few understand.

    This happens if Open MPI has started a program that uses MPICH, the library of the wheels.

    Args:
        environment: Environment variables of this process.

    Note:
        Not collective; call it before MPI starts.
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
    """Return the path of an mpiexec beside this Python, to be added to a message."""
    mpiexec = Path(sys.executable).parent / "mpiexec"
    return f": {mpiexec}" if mpiexec.exists() else ""
