"""The mesh and the assembled problems of a film: one mesh, generated or read, or adapted ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.from_file import mesh_from_file
from pearlfem.mesh.generate import create_mesh
from pearlfem.mesh.refined import CELLS_PER_CELL, refined
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.checks import check_task
from pearlfem.model.film import Film
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.probes import Probe
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.tables import check_probes
from pearlfem.problem import MaxwellLondon
from pearlfem.runtime.phases import Progress, silent, timed
from pearlfem.solution import FormulationName
from pearlfem.workflow.adaptivity import Assembly, refine
from pearlfem.workflow.memory import check_memory, most_cells

_OPEN = Open()
_MESH = MeshOptions()
_SOLVE = SolveOptions()


def assemble(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary = _OPEN,
    mesh: MeshOptions = _MESH,
    solve: SolveOptions = _SOLVE,
    probes: Sequence[Probe] = (),
    seconds: dict[str, float] | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = silent,
) -> Assembly:
    """Return a mesh and its problems; with a tolerance, those of the last round of ``refine``.

    Args:
        film: The film.
        sources: Where, and how finely, cells are needed.
        boundary: Open space, walls, or a cell that repeats itself.
        mesh: The mesh: generated or read, and refined.
        solve: Formulations and degree, or a tolerance.
        probes: Refused before anything is assembled if they reach out of a single mesh.
        seconds: Takes the wall-clock time of each phase.
        comm: Communicator over which the mesh is distributed.
        progress: Called on every rank with a line for each finished phase.

    Raises:
        StudyError: The arguments do not go together, the file is no mesh of this film, or a mesh
            would not fit into memory or is too coarse for a source.
        ConvergenceError: An iterative solver failed.

    Note:
        Collective over ``comm``.
    """
    seconds = {} if seconds is None else seconds
    if solve.tolerance is not None:
        with timed(seconds, "refine"):
            return refine(
                film,
                sources,
                boundary=boundary,
                mesh=mesh,
                solve=solve,
                comm=comm,
                progress=progress,
            )
    check_task(film, sources, boundary=boundary, mesh=mesh, solve=solve)
    with timed(seconds, "mesh"):
        tagged = _single_mesh(film, sources, boundary, mesh, solve, comm)
    progress(f"mesh      {seconds['mesh']:6.1f} s   {tagged.cells:,} cells")
    check_probes(tagged, probes)
    problems: dict[FormulationName, MaxwellLondon] = {}
    for name in solve.formulations:
        problem = problems[name] = MaxwellLondon(film, tagged, solve.degree, name)
        for phase, taken in problem.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + taken
        progress(
            f"assemble  {sum(problem.seconds.values()):6.1f} s   {problem.dofs:,} dofs of degree "
            f"{solve.degree}, {name} formulation"
        )
    return Assembly((), tagged, problems, None)


def _single_mesh(
    film: Film,
    sources: Sequence[Source],
    boundary: Boundary,
    mesh: MeshOptions,
    solve: SolveOptions,
    comm: MPI.Comm,
) -> TaggedMesh:
    """Return the mesh, generated or read, and refined; refuse one that would not fit into memory.

    Note:
        Collective over ``comm``.
    """
    same_area = has_points(sources)
    growth = CELLS_PER_CELL**mesh.refinements
    if mesh.file is None:
        resolution, far = mesh.resolution, mesh.far
        coarse = estimated_cells(
            film,
            sources,
            boundary=boundary,
            resolution=resolution,
            far=far,
            most=most_cells(sources, solve, comm) / growth,
        )
        check_memory(growth * coarse, sources, mesh=mesh, solve=solve, comm=comm)
        tagged = create_mesh(
            film, sources, boundary=boundary, resolution=resolution, far=far, comm=comm
        )
    else:
        tagged = _read(mesh.file, film, boundary, same_area, comm)
        check_memory(growth * tagged.cells, sources, mesh=mesh, solve=solve, comm=comm)
    return refined(tagged, film, mesh.refinements, same_area=same_area)


def _read(file: str, film: Film, boundary: Boundary, same_area: bool, comm: MPI.Comm) -> TaggedMesh:
    try:
        return mesh_from_file(Path(file), film, boundary, same_area=same_area, comm=comm)
    except StudyError as error:  # on all ranks
        raise StudyError(f"mesh.file = {file!r}: {error}") from None
