"""Solutions kept in a file, and read back on any number of ranks.

The file has the mesh and, for each formulation, the values of its functions at the nodes of each
cell: these depend neither on the numbering of dofs nor on the orientation of edges. Reading a file
assembles the operator again, but solves nothing.
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
from pearlfem.runtime.files import AnyPath
from pearlfem.runtime.parallel import on_root, root_only
from pearlfem.solution import FormulationName, Solution
from pearlfem.study.study import Study, read_study, with_angles

SOLUTION = "solution.npz"

_Arrays = dict[str, npt.NDArray[Any]]


class Stored(NamedTuple):
    """A solution that was kept; numbers computed from it are in reduced units.

    Args:
        study: The study, with its moments as they were in the end. ``study.units.from_reduced``
            converts reduced numbers to its units.
        problem: Its problem in one formulation, assembled again.
        solution: The solution for all sources together.
    """

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
        folder: Folder of the file.
        mesh: The mesh as it was given to ``MaxwellLondon``.
        degree: Degree of the elements.
        solutions: The solution of each formulation.

    Raises:
        StudyError: The space is periodic.
        OSError: The file cannot be written.

    Note:
        Collective. Rank 0 gathers everything: about 300 bytes per cell and formulation.
    """
    comm = mesh.domain.comm
    arrays, order = mesh_arrays(mesh)
    for name, solution in solutions.items():
        fields = solution.expand(solution.unknowns)  # without lifts, which belong to the sources
        functions = {"potential": fields.potential}
        if not mesh.mirrored:  # in a half space g is twice the potential
            functions |= {_jump(k): g for k, g in enumerate(fields.stream_functions)}
        for part, function in functions.items():
            nodal = _nodal_function(function.function_space.mesh, degree, function.ufl_shape)
            nodal.interpolate(function)
            owned = mesh.domain.topology.index_map(3).size_local
            values = comm.gather(nodal.x.array[_dofs(nodal)[:owned]])
            if values is not None:
                arrays[f"{name}_{part}"] = np.concatenate(values)[order]
    on_root(comm, lambda: _write(folder / SOLUTION, arrays))


def solved_study(folder: AnyPath) -> Study:
    """Return the study of a result, with its moments as they were in the end.

    Raises:
        StudyError: ``folder`` holds no result.

    Note:
        Not collective: call it on one rank.
    """
    folder = Path(folder)
    study = read_study(folder / STUDY)
    if (folder / INTERACTION).is_file():
        study = with_angles(study, read_angles(folder / INTERACTION))
    return study


def load_solution(
    folder: AnyPath,
    formulation: FormulationName | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Stored:
    """Read the solution of a result, on any number of ranks.

    Args:
        folder: Folder of a result whose study had ``output.solution = true``.
        formulation: The formulation; by default the stream formulation if the file has it.
        comm: Communicator of all ranks that work on it.

    Returns:
        The study, its problem, which the caller destroys, and the solution, in reduced units.

    Raises:
        StudyError: The file cannot be read, or does not have ``formulation``.

    Note:
        Collective over ``comm``.
    """
    path = Path(folder) / SOLUTION
    study = on_root(comm, lambda: solved_study(folder))
    arrays = root_only(comm, lambda: _read(path)) or {}
    names = comm.bcast(list(arrays))
    kept = [name for name in get_args(FormulationName) if f"{name}_potential" in names]
    if not kept or formulation not in (None, *kept):
        raise StudyError(
            f"{path}: formulation = {formulation!r}: not in the file; allowed: "
            f"{', '.join(map(repr, kept)) or 'none'}"
        )
    name, degree = formulation or kept[0], study.solve.degree
    mesh = mesh_from_arrays(arrays, study.film, comm)
    problem = MaxwellLondon(study.film, mesh, degree, name)
    jumps = [f"{name}_{_jump(k)}" for k in range(len(problem.films))]
    fields = Fields(
        _function(problem.mesh, degree, arrays.get(f"{name}_potential")),
        tuple(_function(problem.mesh, degree, arrays.get(jump)) for jump in jumps if jump in names),
    )
    return Stored(study, problem, problem.restore(study.sources, fields))


def _jump(film: int) -> str:
    """Return what the file calls the stream function of a film, by its number."""
    return f"stream_function_{film}" if film else "stream_function"


def _function(mesh: TaggedMesh, degree: int, values: Array | None) -> fem.Function:
    """Return a function from its values at the nodes of all cells.

    Args:
        mesh: The mesh.
        degree: Degree of the elements.
        values: On rank 0, the values in the file's order of cells, shape ``(m, n, k)`` with n nodes
            and k = 1 or 3 components; None on every other rank.

    Note:
        Collective.
    """
    domain = mesh.domain
    cells_of_ranks = domain.comm.gather(domain.topology.original_cell_index)
    parts = None
    if values is not None and cells_of_ranks is not None:
        parts = [values[cells] for cells in cells_of_ranks]
    rows = domain.comm.scatter(parts)
    function = _nodal_function(domain, degree, () if rows.shape[2] == 1 else rows.shape[2:])
    function.x.array[_dofs(function)] = rows
    return function


def _nodal_function(domain: Mesh, degree: int, shape: tuple[int, ...]) -> fem.Function:
    """Return a discontinuous function, which can be any function of elements of ``degree``."""
    return fem.Function(fem.functionspace(domain, ("Discontinuous Lagrange", degree, shape)))


def _dofs(function: fem.Function) -> Int32Array:
    """Return the indices of the values of each cell, ghosts included, in the function's array."""
    blocks, size = function.function_space.dofmap.list, function.function_space.dofmap.bs
    return np.asarray(size * blocks[:, :, None] + np.arange(size), dtype=np.int32)


def _write(path: Path, arrays: _Arrays) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _read(path: Path) -> _Arrays:
    if not path.is_file():
        raise StudyError(f"{path}: is missing; only a study with output.solution = true writes it")
    return read_arrays(path)
