"""Meshes made anew, from what each cell adds to the error, until the energy is as good as asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mpi4py import MPI

from pearlfem.mesh.generate import create_mesh
from pearlfem.mesh.sizes.adapted import SizeField, adapted_sizes, gather
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.observables.cell_errors import averaged_fields, cell_fields, cell_gaps, film_energies
from pearlfem.observables.energy import free_energy
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.parallel import on_root
from pearlfem.solution import FormulationName, Solution
from pearlfem.study.study import Study
from pearlfem.workflow.memory import check_memory, memory_needed

MAX_ROUNDS = 10
FIRST_RESOLUTION = 0.3  # of the first mesh, in units of the study's …
LEAST_RESOLUTION = 0.2  # … but below this the cells may be too coarse for a source
_SOLVER_SHARE = 1e-2  # of the tolerance, left to the iterative solver
# What a mesh is made for, in units of the tolerance. The first one falls short of it most; of later
# ones it is known how far the last one fell short.
_FIRST_AIM, _NEXT_AIM = 0.3, 0.7
_MOST_GROWTH = 6  # of the number of cells in one round: a coarse mesh knows little of a fine one


@dataclass(frozen=True)
class Round:
    """What one mesh gave.

    Args:
        cells: Number of cells.
        dofs: Number of unknowns of all formulations together.
        lower: Free energy of the stream formulation [μ0Γ²/length], None without it.
        upper: Free energy of the vector formulation, None without it.
        error: Relative to the energy: the gap between both, or the estimate for one.
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
    """The rounds, and the mesh and the problems of the last one.

    ``shortfall`` tells why the tolerance was not reached; None if it was.
    """

    rounds: tuple[Round, ...]
    mesh: TaggedMesh
    problems: dict[FormulationName, MaxwellLondon]
    shortfall: str | None


def refine(
    study: Study,
    tolerance: float,
    formulations: Sequence[FormulationName],
    comm: MPI.Comm,
    progress: Callable[[str], None],
) -> Assembly:
    """Solve for all sources together on better and better meshes.

    With both formulations the relative error is their gap, which is guaranteed. With one it is an
    estimate: the energy of the difference between the fields and their averages over neighbouring
    cells (see ``pearlfem.observables.cell_errors``).

    Raises:
        StudyError: Cells are too coarse for a source, or too many for the memory.
        ConvergenceError: An iterative solver failed.

    Note:
        Collective over ``comm``.
    """
    start = time.perf_counter()
    resolution = max(FIRST_RESOLUTION * study.mesh.resolution, LEAST_RESOLUTION)
    check_memory(study, formulations, resolution, comm)
    sizes: SizeField | None = None
    rounds: list[Round] = []
    aim = expected = _FIRST_AIM * tolerance
    while True:
        mesh = create_mesh(
            study.film,
            study.sources,
            boundary=study.boundary,
            resolution=resolution,
            far=study.mesh.far,
            sizes=sizes,
            comm=comm,
        )
        problems = _problems(study, mesh, tolerance, formulations)
        solutions = {name: problem.solve(study.sources) for name, problem in problems.items()}
        gaps, densities = _contributions(list(solutions.values()))
        energies = {name: free_energy(solution) for name, solution in solutions.items()}
        now = Round(
            mesh.cells,
            sum(problem.dofs for problem in problems.values()),
            energies.get("stream"),
            energies.get("vector"),
            _relative_error(energies, comm.allreduce(gaps.sum())),
            time.perf_counter() - start,
        )
        rounds.append(now)
        progress(f"round {len(rounds):2}   {now}")
        if now.error <= tolerance:
            return Assembly(tuple(rounds), mesh, problems, None)
        if len(rounds) > 1:
            aim = tolerance * min(_FIRST_AIM, _NEXT_AIM * expected / now.error)
        sizes, cells, share = _next_sizes(study, mesh, gaps, densities, now, aim / now.error)
        expected = share * now.error
        shortfall = _limit(study, rounds, cells, formulations, comm)
        if shortfall:
            return Assembly(tuple(rounds), mesh, problems, shortfall)
        for problem in problems.values():
            problem.destroy()


def _problems(
    study: Study, mesh: TaggedMesh, tolerance: float, formulations: Sequence[FormulationName]
) -> dict[FormulationName, MaxwellLondon]:
    # The vector formulation gives F as the small difference of two energies where r0 ≪ ξ.
    largest = max((core.size for s in study.sources for core in s.cores), default=0.0)
    share = _SOLVER_SHARE * min(1.0, study.film.least_pearl_length / max(largest, 1e-300))
    return {
        name: MaxwellLondon(study.film, mesh, study.solve.degree, name, share * tolerance)
        for name in formulations
    }


def _contributions(
    solutions: Sequence[Solution],
) -> tuple[Array, Array]:
    """Return each owned cell's part of the error, and the film's energy per area in it."""
    first, last = solutions[0], solutions[-1]
    own = cell_fields(first)
    other = averaged_fields(first) if last is first else cell_fields(last)
    return cell_gaps(own, other, first.films), film_energies(own, first.films)


def _relative_error(energies: dict[FormulationName, float], estimate: float) -> float:
    """Return gap or estimate in units of the least that the energy can be."""
    values = energies.values()
    error = max(values) - min(values) if len(energies) == 2 else estimate
    return error / min(values) if min(values) > 0 else float("inf")


def _next_sizes(
    study: Study,
    mesh: TaggedMesh,
    gaps: Array,
    densities: Array,
    last: Round,
    share: float,
) -> tuple[SizeField | None, int, float]:
    """Return sizes at which ``share`` of the error is left, or more if that is too far to go.

    Returns:
        The sizes, on rank 0, the number of cells, and the share that is left.
    """
    most = min(_MOST_GROWTH * last.cells, last.cells * study.solve.max_dofs // last.dofs)
    now = gather(mesh, gaps, densities)
    found: list[SizeField] = []

    def work() -> tuple[int, float]:
        assert now is not None
        left = share
        while True:
            sizes = adapted_sizes(
                now,
                study.film,
                study.sources,
                degree=study.solve.degree,
                target=left * now.errors.sum(),
                boundary=study.boundary,
            )
            if sizes.count <= most or left >= 0.5:
                found.append(sizes)
                return sizes.count, left
            left = min(1.5 * left, 0.5)

    cells, left = on_root(mesh.domain.comm, work)
    return (found[0] if found else None), cells, left


def _limit(
    study: Study,
    rounds: Sequence[Round],
    cells: int,
    formulations: Sequence[FormulationName],
    comm: MPI.Comm,
) -> str | None:
    """Return which limit forbids a next mesh of ``cells``, or None."""
    if len(rounds) == MAX_ROUNDS:
        return f"{MAX_ROUNDS} rounds were made, and no more are"
    dofs = round(rounds[-1].dofs * cells / rounds[-1].cells)
    if dofs > study.solve.max_dofs:
        return (
            f"the next mesh would have {dofs:,} dofs, more than max_dofs = {study.solve.max_dofs:,}"
        )
    memory = memory_needed(study, formulations, cells, comm)
    if memory.needed > memory.available:
        return f"the next mesh would need {memory}"
    return None
