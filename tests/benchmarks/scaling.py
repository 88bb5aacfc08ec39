"""Time and memory of the pair study over sizes and degrees.

    python tests/benchmarks/scaling.py [--largest DOFS]        # or under mpiexec

Prints the table as it grows and writes it to results/scaling-RANKS.md. Each row ends with Poisson's
equation, with as many dofs of the same degree on as many ranks, by bare DOLFINx: the ratio is that
of assembly, set-up and the solution of one load.
"""

import argparse
import ctypes
import gc
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmark_report import Report
from mpi4py import MPI
from petsc4py import PETSc
from poisson import poisson

from pearlfem import Film, Impurity, MaxwellLondon, Plane, create_space
from pearlfem.io.vtu import nodal_values, write_film, write_space
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.units import ReducedUnits
from pearlfem.solution import Solution
from pearlfem.solvers.multigrid import TOLERANCE

COMM = MPI.COMM_WORLD
FILM = Film(Plane(), pearl_length=1.0)
IMPURITIES = [Impurity((x, 0.0), size=0.1) for x in (-0.25, 0.25)]  # as in demos/pair.toml
RESOLUTIONS = (0.8, 1.0, 1.5, 2.3, 3.0, 3.5)
SMALLEST = 4e4
DOFS_PER_CELL = {1: 0.18, 2: 1.4, 3: 4.6}  # on these meshes
HEADINGS = (
    *("degree", "dofs", "cells", "mesh", "assemble", "set-up", "solve", "each of 4", "output"),
    *("iterations", "MB: mesh", "solve", "output", "kB per dof"),
    *("Poisson: assemble", "set-up", "solve", "iterations", "ratio"),
)


class Solve(NamedTuple):
    """What one problem took: seconds for each phase, and the largest memory of all ranks."""

    dofs: int
    iterations: int
    seconds: dict[str, float]
    solve_megabytes: float
    output_megabytes: float


def main() -> None:
    """Fill the report."""
    parser = argparse.ArgumentParser(description="Time and memory of the pair study.")
    parser.add_argument("--largest", type=float, default=2e6, metavar="DOFS", help="default 2e6")
    largest = parser.parse_args().largest
    report = Report(f"Scaling on {COMM.size} rank{'s' if COMM.size > 1 else ''}")
    for degree in DOFS_PER_CELL:
        measure(create_space(FILM, IMPURITIES, resolution=0.3), degree)  # compiles
        poisson(1000, degree, TOLERANCE)
    reset_peak()
    idle = peak()
    heading = "Pair study: phases in µs per dof, memory of all ranks together"
    report.table(f"{heading} (idle: {idle:.0f} MB)", *HEADINGS)
    start, worked = time.perf_counter(), time.process_time()
    for resolution in RESOLUTIONS:
        add_rows(report, resolution, largest, idle)
    share = (time.process_time() - worked) / (time.perf_counter() - start)
    share = COMM.allreduce(share, op=MPI.MIN)
    report.add(f"\nEvery rank had a core for at least {share:.0%} of the time.")
    report.write(f"scaling-{COMM.size}")


def add_rows(report: Report, resolution: float, largest: float, idle: float) -> None:
    """Mesh once, and add a row for each degree whose number of dofs is within the limits."""
    reset_peak()
    meshing, space = timed(lambda: create_space(FILM, IMPURITIES, resolution=resolution))
    mesh_megabytes = peak()
    for degree, dofs_per_cell in DOFS_PER_CELL.items():
        if not SMALLEST < dofs_per_cell * space.cells < 1.1 * largest:
            continue
        found = measure(space, degree)
        yardstick = poisson(found.dofs, degree, TOLERANCE)
        own = sum(found.seconds[phase] for phase in ("assemble", "setup", "solve")) / found.dofs
        phases = (meshing, *found.seconds.values())
        report.row(
            degree,
            f"{found.dofs:,}",
            f"{space.cells:,}",
            *(f"{1e6 * seconds / found.dofs:.1f}" for seconds in phases),
            found.iterations,
            f"{mesh_megabytes:.0f}",
            f"{found.solve_megabytes:.0f}",
            f"{found.output_megabytes:.0f}",
            f"{1024 * (found.solve_megabytes - idle) / found.dofs:.2f}",
            *(f"{1e6 * seconds:.1f}" for seconds in yardstick[:3]),
            yardstick.iterations,
            f"{own / sum(yardstick[:3]):.2f}",
        )


def measure(space: TaggedMesh, degree: int) -> Solve:
    """Assemble, set up, solve for one source, then for all moments, and write the fields of one."""
    reset_peak()
    problem = MaxwellLondon(FILM, space, degree)
    alone, _ = timed(lambda: problem.solve(IMPURITIES))
    solving, solutions = timed(lambda: problem.solve_each(IMPURITIES))
    solve_megabytes = peak()
    reset_peak()
    writing, _ = timed(lambda: write_fields(solutions[0]))
    each = solving / len(solutions)
    seconds = problem.seconds | {"solve": alone, "each of 4": each, "output": writing}
    iterations = max(solution.iterations for solution in solutions)
    problem.destroy()
    return Solve(problem.dofs, iterations, seconds, solve_megabytes, peak())


def write_fields(solution: Solution) -> None:
    """Write what ``pearlfem run`` does, but for the picture, and delete it."""
    with tempfile.TemporaryDirectory() as own:
        folder = Path(COMM.bcast(own))
        values = nodal_values(solution, ReducedUnits())
        write_film(folder, values)
        write_space(folder, values)
        COMM.barrier()


def timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """Return the time until all ranks have done ``work``, and its result."""
    COMM.barrier()
    start = time.perf_counter()
    result = work()
    COMM.barrier()
    return time.perf_counter() - start, result


def reset_peak() -> None:
    """Return free memory to the system and forget the peak (Linux; elsewhere it stays)."""
    gc.collect()
    PETSc.garbage_cleanup(COMM)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the largest resident memory since ``reset_peak``, summed over ranks [MB]."""
    return COMM.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    main()
