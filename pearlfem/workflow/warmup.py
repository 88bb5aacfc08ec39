"""All code compiled ahead of time: for images, login nodes, and machines without a compiler.

Compiled forms depend on the formulation, on the degree, on whether space is mirror symmetric in z,
on whether it is open, on whether the Pearl length is a function, and on nothing else in a study. So
one small study of each kind compiles all of them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from mpi4py import MPI

from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.phases import Progress, silent
from pearlfem.study.study import parse_study
from pearlfem.workflow.run import run_study

_STUDY = """
[film]
shape = "rectangle"
size = [2.0, 2.0]
pearl_length = {length}
[[film.hole]]
name = "hole"
shape = "rectangle"
size = [0.7, 0.7]
[[impurity]]
position = [-0.7, 0.0]
size = 0.3
[boundary]
{boundary}
[mesh]
resolution = 0.1
far = 3.0
[solve]
formulation = "{formulation}"
degree = {degree}
{more}
[output]
picture = false
"""
_KINDS = (  # formulation, and more of [solve]
    ("stream", ""),
    ("vector", ""),
    ("both", "tolerance = 0.9"),  # refinement has forms of its own
)
_WALLS = 'kind = "shield"\nbox = [3.0, 3.0, 3.0]\ncenter = [0.0, 0.0, {}]'
_SPACES = {  # with and without mirror symmetry; in open space fields are those of the currents
    "open": 'kind = "open"',
    "mirror symmetric": _WALLS.format(0.0),
    "any": _WALLS.format(0.5),
}
_LENGTHS = ("1.0", '{ profile = "1 + 0.1*x" }')


def warm_up(
    degrees: Sequence[int] = (1, 2, 3),
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = silent,
) -> None:
    """Compile all that studies with elements of ``degrees`` need and that the cache does not have.

    Args:
        degrees: Degrees of the elements.
        comm: Communicator of all ranks.
        progress: Called on every rank with a line for each formulation and degree.

    Raises:
        CompilationError: There is no compiler, or the cache cannot be written.

    Note:
        Collective over ``comm``.
    """
    folder = Path(on_root(comm, lambda: tempfile.mkdtemp(prefix="pearlfem-")))
    try:
        for degree, (formulation, more), space in product(degrees, _KINDS, _SPACES):
            for length in _LENGTHS:
                text = _STUDY.format(
                    boundary=_SPACES[space],
                    length=length,
                    formulation=formulation,
                    degree=degree,
                    more=more,
                )
                run_study(parse_study(text), folder, force=True, comm=comm)
            progress(f"compiled: degree {degree}, formulation {formulation}, {space} space")
    finally:
        if comm.rank == 0:
            shutil.rmtree(folder, ignore_errors=True)
