"""Solutions kept in a file, and read back on any number of ranks.

The mesh is kept as it was made; of each formulation the functions, as values at the nodes of each
cell, which depend neither on the numbering of dofs nor on the orientation of edges. Reading
assembles the operator anew, but solves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.mesh import Mesh
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields
from pearlfem.io.results.arrays import read_arrays
from pearlfem.io.results.impurities import INTERACTION, read_angles
from pearlfem.io.results.study import STUDY
from pearlfem.mesh.arrays import mesh_arrays, mesh_from_arrays
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.parallel import on_root, root_only
from pearlfem.solution import FormulationName, Solution
from pearlfem.study.study import Study, read_study, with_angles

SOLUTION = "solution.npz"

_Arrays = dict[str, npt.NDArray[Any]]


class Stored(NamedTuple):
    """What was kept: the study, its problem, assembled, and the solution for all sources."""

    study: Study
    problem: MaxwellLondon
    solution: Solution


def save_solution(
    folder: Path,
    mesh: TaggedMesh,
    degree: int,
    solutions: Mapping[FormulationName, Solution],
) -> None:
    """Write ``solution.npz``.

    Args:
        folder: Where to.
        mesh: The mesh as it was given to ``MaxwellLondon``.
        degree: Of the elements.
        solutions: The solution of each formulation.

    Raises:
        StudyError: The space is periodic.
        OSError: It cannot be written.

    Note:
        Collective. Rank 0 gathers everything: about 300 bytes per cell and formulation.
    """
    comm = mesh.domain.comm
    arrays, order = mesh_arrays(mesh)
    for name, solution in solutions.items():
        fields = solution.expand(solution.unknowns)  # without lifts, which belong to the sources
        for part, function in fields._asdict().items():
            if function is None or (mesh.mirrored and part == "stream_function"):
                continue  # in a half space g is twice the potential
            nodal = _nodal_function(function.function_space.mesh, degree, function.ufl_shape)
            nodal.interpolate(function)
            own = mesh.domain.topology.index_map(3).size_local
            values = nodal.x.array[_dofs(nodal)[:own]]
            gathered = comm.gather(values)
            if gathered is not None:
                arrays[f"{name}_{part}"] = np.concatenate(gathered)[order]
    on_root(comm, lambda: _write(folder / SOLUTION, arrays))


def solved_study(folder: Path) -> Study:
    """Return the study of a result, with its moments as they were in the end.

    Raises:
        StudyError: ``folder`` holds no result.

    Note:
        Not collective: call it on one rank.
    """
    study = read_study(folder / STUDY)
    if (folder / INTERACTION).is_file():
        study = with_angles(study, read_angles(folder / INTERACTION))
    return study


def load_solution(
    folder: Path,
    formulation: FormulationName | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Stored:
    """Read the solution of a result, on any number of ranks.

    Args:
        folder: That of the result, of a study with ``output.solution = true``.
        formulation: Which of those kept; by default the stream formulation if it is there.
        comm: Communicator of all ranks that work on it.

    Raises:
        StudyError: The file cannot be read, or does not hold ``formulation``.

    Note:
        Collective over ``comm``.
    """
    path = folder / SOLUTION
    study = on_root(comm, lambda: solved_study(folder))
    arrays = root_only(comm, lambda: _read(path)) or {}
    names = comm.bcast(list(arrays))
    kept = [name for name in get_args(FormulationName) if f"{name}_potential" in names]
    if not kept or formulation not in (None, *kept):
        raise StudyError(f"{path}: formulation = {formulation!r}: not in it, but {kept}")
    name = formulation or kept[0]
    mesh, degree = mesh_from_arrays(arrays, comm), study.solve.degree
    problem = MaxwellLondon(study.film, mesh, degree, name)
    potential, g = f"{name}_potential", f"{name}_stream_function"
    fields = Fields(
        _function(problem.mesh, degree, arrays.get(potential)),
        _function(problem.mesh, degree, arrays.get(g)) if g in names else None,
    )
    return Stored(study, problem, problem.restore(study.sources, fields))


def _function(mesh: TaggedMesh, degree: int, values: Array | None) -> fem.Function:
    """Return the function with rank 0's ``values`` at the nodes of all cells, in the file's order.

    Shape ``(m, n, k)``, k = 1 or 3 components.
    """
    domain = mesh.domain
    wanted = domain.comm.gather(domain.topology.original_cell_index)
    parts = None
    if values is not None and wanted is not None:
        parts = [values[cells] for cells in wanted]
    rows = domain.comm.scatter(parts)
    function = _nodal_function(domain, degree, () if rows.shape[2] == 1 else rows.shape[2:])
    function.x.array[_dofs(function)] = rows
    return function


def _nodal_function(domain: Mesh, degree: int, shape: tuple[int, ...]) -> fem.Function:
    """Return a discontinuous function: those of any element of ``degree`` are among them."""
    return fem.Function(fem.functionspace(domain, ("Discontinuous Lagrange", degree, shape)))


def _dofs(function: fem.Function) -> Int32Array:
    """Return where the values of each cell, ghosts as well, stand in the function's array."""
    blocks, size = function.function_space.dofmap.list, function.function_space.dofmap.bs
    return np.asarray(size * blocks[:, :, None] + np.arange(size), dtype=np.int32)


def _write(path: Path, arrays: _Arrays) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _read(path: Path) -> _Arrays:
    if not path.is_file():
        raise StudyError(f"{path}: is missing; a study with output.solution = true leaves it")
    return read_arrays(path)
