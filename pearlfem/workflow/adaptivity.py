"""Adaptive refinement: mesh after mesh, each from the errors of the last, down to a tolerance."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.generate import create_mesh
from pearlfem.mesh.sizes.adapted import Contributions, SizeField, affordable_sizes, gather
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.checks import check_task
from pearlfem.model.film import Film
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.sources.base import Source
from pearlfem.observables.cell_errors import averaged_fields, cell_fields, cell_gaps, film_energies
from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.energy import free_energy
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.parallel import root_only
from pearlfem.runtime.phases import Progress, silent
from pearlfem.solution import FormulationName, Solution
from pearlfem.workflow.memory import check_memory, memory_needed, most_cells

_OPEN = Open()
_MESH = MeshOptions()
_SOLVE = SolveOptions(formulation="both", tolerance=1e-4)

MAX_ROUNDS = 10
FIRST_RESOLUTION = 0.3  # of the first mesh, in units of the resolution that is asked for …
LEAST_RESOLUTION = 0.2  # … but no lower, for then cells may be too coarse for a source
# Cells along edges follow the tolerance. Up to this one their resolution is that of all cells; for
# a larger one they grow like its root, at most as if the resolution counted twice.
_EDGE_TOLERANCE = 1e-2
_SOLVER_SHARE = 1e-2  # of the tolerance, left to the iterative solver
# The error that a new mesh aims at, in units of the tolerance. The first prediction is the least
# reliable; later ones are corrected by how far the last one was off.
_FIRST_AIM, _NEXT_AIM = 0.3, 0.7
_MOST_GROWTH = 6  # of the number of cells in one round: a coarse mesh says little about a fine one


@dataclass(frozen=True)
class Round:
    """The result of one mesh.

    Args:
        cells: Number of cells.
        dofs: Number of unknowns of all formulations together.
        lower: Free energy of the stream formulation [μ0Γ²/length], None without it.
        upper: Free energy of the vector formulation [μ0Γ²/length], None without it.
        error: Relative error of the energy: the gap between both, or the estimate for one.
        seconds: Wall-clock time since the first round began.
    """

    cells: int
    dofs: int
    lower: float | None
    upper: float | None
    error: float
    seconds: float

    def __str__(self) -> str:
        """Return the round as a line of progress."""
        bounds = "".join(
            f"   {name} {value:.9g}"
            for name, value in (("lower", self.lower), ("upper", self.upper))
            if value is not None
        )
        kind = "estimate" if self.lower is None or self.upper is None else "gap"
        return (
            f"{self.cells:,} cells   {self.dofs:,} dofs{bounds}   {kind} {self.error:.1e}"
            f"   {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class Assembly:
    """A mesh with its assembled problems, and the rounds of refinement that led to it.

    Args:
        rounds: One for each adapted mesh; none for a single mesh.
        mesh: The last mesh.
        problems: The problem of each formulation on this mesh.
        shortfall: Why the tolerance was not reached; None if it was.
    """

    rounds: tuple[Round, ...]
    mesh: TaggedMesh
    problems: dict[FormulationName, MaxwellLondon]
    shortfall: str | None

    @property
    def guaranteed(self) -> bool:
        """Whether the energies of all problems are bounds, as far as Pearl lengths matter."""
        return all(problem.guaranteed for problem in self.problems.values())

    def destroy(self) -> None:
        """Free the problems; their solutions lose their operator (collective)."""
        for problem in self.problems.values():
            problem.destroy()


def refine(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary = _OPEN,
    mesh: MeshOptions = _MESH,
    solve: SolveOptions = _SOLVE,
    comm: MPI.Comm = MPI.COMM_WORLD,
    progress: Progress = silent,
) -> Assembly:
    """Solve for all sources together on better and better meshes, until the energy is good enough.

    With both formulations the relative error of the free energy is at most their gap, which is
    guaranteed. With one formulation it is an estimate: the energy of the difference between the
    fields and their averages over neighbouring cells (see ``pearlfem.observables.cell_errors``).

    Args:
        film: The film.
        sources: All sources, but no point impurities, whose fields have no finite energy.
        boundary: Open space, walls, or a cell that repeats itself.
        mesh: ``far``, and ``resolution``, of which the first mesh has 0.3 (along edges of the film
            less, if the tolerance is larger than 1e-2).
        solve: The tolerance, the formulations and their degree, and the most unknowns that a mesh
            may have. By default both formulations and a tolerance of 1e-4.
        comm: Communicator over which meshes are distributed.
        progress: Called on every rank with a line for each mesh.

    Returns:
        The bounds of all meshes, and the last mesh with its problems. These solve to 1/100 of the
        tolerance, and the caller destroys them. ``shortfall`` tells if the tolerance was not
        reached.

    Raises:
        StudyError: Film, sources, boundary and options do not go together, or cells are too coarse
            for a source, or too many for the memory.
        ConvergenceError: An iterative solver failed.

    Note:
        Collective over ``comm``.

    Example:
        >>> assembly = refine(film, sources, solve=SolveOptions(formulation="both", tolerance=1e-3))
        >>> assembly.rounds[-1].lower, assembly.rounds[-1].upper
    """
    if solve.tolerance is None:
        raise StudyError("solve.tolerance: missing, but needed: a relative error of the energy")
    check_task(film, sources, boundary=boundary, mesh=mesh, solve=solve)
    start = time.perf_counter()
    resolution = max(FIRST_RESOLUTION * mesh.resolution, LEAST_RESOLUTION)
    far = mesh.far
    share = min(1.0, max(resolution, math.sqrt(_EDGE_TOLERANCE / solve.tolerance)))
    cells = estimated_cells(
        film,
        sources,
        boundary=boundary,
        resolution=resolution,
        far=far,
        edge_share=share,
        most=most_cells(sources, solve, comm),
    )
    check_memory(cells, sources, mesh=mesh, solve=solve, comm=comm)
    create = partial(
        create_mesh,
        boundary=boundary,
        resolution=resolution,
        far=far,
        edge_share=share,
        comm=comm,
    )
    sizes: SizeField | None = None
    rounds: list[Round] = []
    aim = expected = _FIRST_AIM * solve.tolerance
    while True:
        tagged = create(film, sources, sizes=sizes)
        problems = _problems(film, sources, tagged, solve)
        last, errors = _solve(problems, sources, tagged, start)
        rounds.append(last)
        progress(f"round {len(rounds):2}   {last}")
        assembly = Assembly(tuple(rounds), tagged, problems, None)
        if last.error <= solve.tolerance:
            return assembly
        if len(rounds) > 1:
            aim = solve.tolerance * min(_FIRST_AIM, _NEXT_AIM * expected / last.error)
        sizes, cells, share = _next_sizes(
            errors, last, film, sources, boundary, solve, aim / last.error, comm
        )
        expected = share * last.error
        shortfall = _limit(rounds, cells, sources, solve, comm)
        if shortfall is not None:
            return replace(assembly, shortfall=shortfall)
        assembly.destroy()


def _problems(
    film: Film, sources: Sequence[Source], mesh: TaggedMesh, solve: SolveOptions
) -> dict[FormulationName, MaxwellLondon]:
    assert solve.tolerance is not None
    # The vector formulation gives F as the small difference of two energies where r0 ≪ ξ.
    largest = max((core.size for source in sources for core in source.cores), default=0.0)
    share = _SOLVER_SHARE * min(1.0, film.least_pearl_length / max(largest, 1e-300))
    tolerance = share * solve.tolerance
    return {
        name: MaxwellLondon(film, mesh, solve.degree, name, tolerance)
        for name in solve.formulations
    }


def _solve(
    problems: Mapping[FormulationName, MaxwellLondon],
    sources: Sequence[Source],
    mesh: TaggedMesh,
    start: float,
) -> tuple[Round, Contributions | None]:
    """Return the result of a mesh, and what its cells contribute to the error, on rank 0."""
    solutions = {name: problem.solve(sources) for name, problem in problems.items()}
    gaps, densities = _errors_of_cells(list(solutions.values()))
    energies = {name: free_energy(solution) for name, solution in solutions.items()}
    estimate = mesh.domain.comm.allreduce(gaps.sum())
    guaranteed = all(problem.guaranteed for problem in problems.values())
    result = Round(
        mesh.cells,
        sum(problem.dofs for problem in problems.values()),
        energies.get("stream"),
        energies.get("vector"),
        _relative_error(list(energies.values()), estimate, guaranteed),
        time.perf_counter() - start,
    )
    return result, gather(mesh, gaps, densities)


def _errors_of_cells(solutions: Sequence[Solution]) -> tuple[Array, Array]:
    """Return each owned cell's part of the error, and the film's energy per area in it."""
    first, last = solutions[0], solutions[-1]
    fields = cell_fields(first)
    others = averaged_fields(first) if last is first else cell_fields(last)
    return cell_gaps(fields, others, first.films), film_energies(fields, first.films)


def _relative_error(energies: Sequence[float], estimate: float, guaranteed: bool) -> float:
    """Return the gap, or the estimate without bounds, in units of the least possible energy.

    Args:
        energies: The lower and the upper bound, or one of them.
        estimate: An estimate of the gap that is not negative.
        guaranteed: Whether the energies are bounds.

    Raises:
        CrossingError: The bounds cross.
    """
    error = estimate
    if len(energies) == 2:
        gap = float(gaps_of(energies[0], energies[1], "free energy", guaranteed))
        error = gap if guaranteed else max(gap, estimate)
    return error / min(energies) if min(energies) > 0 else float("inf")


def _next_sizes(
    errors: Contributions | None,
    last: Round,
    film: Film,
    sources: Sequence[Source],
    boundary: Boundary,
    solve: SolveOptions,
    share: float,
    comm: MPI.Comm,
) -> tuple[SizeField | None, int, float]:
    """Return sizes at which ``share`` of the error is left, or more if that is too far to go.

    Returns:
        The sizes, on rank 0, their number of cells, and the share that is left.
    """
    most = min(_MOST_GROWTH * last.cells, last.cells * solve.max_dofs // last.dofs)

    def work() -> tuple[SizeField, float]:
        assert errors is not None  # on rank 0
        return affordable_sizes(
            errors, film, sources, degree=solve.degree, share=share, most=most, boundary=boundary
        )

    sizes, share = root_only(comm, work) or (None, share)
    cells, share = comm.bcast((sizes.count if sizes is not None else 0, share))
    return sizes, cells, share


def _limit(
    rounds: Sequence[Round],
    cells: float,
    sources: Sequence[Source],
    solve: SolveOptions,
    comm: MPI.Comm,
) -> str | None:
    """Return which limit forbids a next mesh of ``cells``, or None (collective)."""
    if len(rounds) == MAX_ROUNDS:
        return f"{MAX_ROUNDS} rounds were made, the most that are allowed"
    dofs = round(rounds[-1].dofs * cells / rounds[-1].cells)
    if dofs > solve.max_dofs:
        return f"the next mesh would have {dofs:,} dofs, more than max_dofs = {solve.max_dofs:,}"
    memory = memory_needed(cells, sources, solve, comm)
    return None if memory.suffices else f"the next mesh would need {memory}"
