"""Time and memory of the pair study over sizes, degrees and formulations.

    python tests/benchmarks/scaling.py [--largest DOFS]        # or under mpiexec

Prints the tables as they grow and writes them to results/scaling-RANKS.md; plot_scaling.py draws
them. Beside each problem of up to a million dofs stands Poisson's equation by bare DOLFINx, with as
many dofs, of the same degree and of degree 1: ratios are those of assembly, set-up and the solution
of one load.
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
from unittest.mock import patch

from benchmark_report import Report
from mpi4py import MPI
from petsc4py import PETSc
from poisson import poisson

from pearlfem import Film, Impurity, MaxwellLondon, Plane, create_mesh
from pearlfem.io.fields.nodal import nodal_values
from pearlfem.io.fields.vtu import write_films, write_space
from pearlfem.mesh import generate as mesh_module
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.quantities.units import ReducedUnits
from pearlfem.solution import FormulationName, Solution
from pearlfem.solvers.multigrid import TOLERANCE

COMM = MPI.COMM_WORLD
FILM = Film(Plane(), pearl_length=1.0)
IMPURITIES = [Impurity((x, 0.0), size=0.1) for x in (-0.25, 0.25)]  # as in demos/pair.toml
RESOLUTIONS: dict[tuple[FormulationName, int], tuple[float, ...]] = {  # 50k to 2M dofs
    ("stream", 3): (0.8, 1.0, 1.5, 2.3, 3.0),
    ("stream", 2): (1.5, 2.3),
    ("stream", 1): (3.2,),
    ("vector", 3): (0.5, 0.63, 0.93, 1.42),
    ("vector", 2): (0.92, 1.35),
    ("vector", 1): (1.67,),
}
DOFS_PER_CELL = {  # on these meshes
    "stream": {1: 0.17, 2: 1.36, 3: 4.62},
    "vector": {1: 1.21, 2: 6.57, 3: 19.3},
}
LARGEST_CUBE = 1.1e6  # dofs: at 2.1 million of degree 3, GAMG on 2 ranks took more than 20 GB
PHASES = ("mesh", "distribute", "assemble", "set-up", "solve", "each of 4", "output")
HEADINGS = (
    *("formulation", "degree", "dofs", "cells", *PHASES, "iterations"),
    *("MB: mesh", "solve", "output", "kB per dof", "without idle"),
)
YARDSTICK_HEADINGS = (
    *("formulation", "degree", "dofs", "assemble", "set-up", "solve"),
    *("Poisson: assemble", "set-up", "solve", "iterations", "ratio"),
    *("of degree 1: total", "iterations", "ratio"),
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
    coarse = create_mesh(FILM, IMPURITIES, resolution=0.3)
    for formulation, degree in RESOLUTIONS:
        measure(coarse, formulation, degree)  # compiles
        poisson(1000, degree, TOLERANCE)
    del coarse
    reset_peak()
    idle = peak()
    heading = "Pair study: phases in µs per dof, memory of all ranks together"
    report.table(f"{heading} (idle: {idle:.0f} MB)", *HEADINGS)
    start, worked = time.perf_counter(), time.process_time()
    found = []
    for (formulation, degree), resolutions in RESOLUTIONS.items():
        for resolution in resolutions:
            reset_peak()
            meshing, mesh = make_mesh(resolution)
            if DOFS_PER_CELL[formulation][degree] * mesh.cells < 1.1 * largest:
                solve = add_row(report, meshing, mesh, formulation, degree, idle)
                found.append((formulation, degree, solve))
            del mesh
    report.table("Beside Poisson's equation: µs per dof", *YARDSTICK_HEADINGS)
    for formulation, degree, solve in found:
        if solve.dofs < LARGEST_CUBE:
            compare(report, formulation, degree, solve)
    share = (time.process_time() - worked) / (time.perf_counter() - start)
    share = COMM.allreduce(share, op=MPI.MIN)
    report.add(f"\nEvery rank had a core for at least {share:.0%} of the time.")
    report.write(f"scaling-{COMM.size}")


def add_row(
    report: Report,
    seconds: dict[str, float],
    mesh: TaggedMesh,
    formulation: FormulationName,
    degree: int,
    idle: float,
) -> Solve:
    """Measure one problem on a mesh that took ``seconds``."""
    mesh_megabytes = peak()
    found = measure(mesh, formulation, degree)
    found = found._replace(seconds=seconds | found.seconds)
    report.row(
        formulation,
        degree,
        f"{found.dofs:,}",
        f"{mesh.cells:,}",
        *(f"{1e6 * found.seconds[phase] / found.dofs:.1f}" for phase in PHASES),
        found.iterations,
        *(f"{megabytes:.0f}" for megabytes in (mesh_megabytes, *found[3:])),
        f"{1024 * found.solve_megabytes / found.dofs:.2f}",
        f"{1024 * (found.solve_megabytes - idle) / found.dofs:.2f}",
    )
    return found


def compare(report: Report, formulation: FormulationName, degree: int, found: Solve) -> None:
    """Add a row with Poisson's equation in as many dofs."""
    own = [found.seconds[phase] / found.dofs for phase in ("assemble", "set-up", "solve")]
    alike = poisson(found.dofs, degree, TOLERANCE)
    reset_peak()
    plain = alike if degree == 1 else poisson(found.dofs, 1, TOLERANCE)
    report.row(
        formulation,
        degree,
        f"{found.dofs:,}",
        *(f"{1e6 * seconds:.1f}" for seconds in (*own, *alike[:3])),
        alike.iterations,
        f"{sum(own) / sum(alike[:3]):.2f}",
        f"{1e6 * sum(plain[:3]):.1f}",
        plain.iterations,
        f"{sum(own) / sum(plain[:3]):.2f}",
    )


def make_mesh(resolution: float) -> tuple[dict[str, float], TaggedMesh]:
    """Return the times of gmsh and of the distribution over ranks, and the mesh."""
    inside = 0.0

    def distribute(*arguments: object) -> TaggedMesh:
        nonlocal inside
        inside, mesh = timed(lambda: original(*arguments))
        return mesh

    original = mesh_module.distribute
    with patch.object(mesh_module, "distribute", distribute):
        whole, mesh = timed(lambda: create_mesh(FILM, IMPURITIES, resolution=resolution))
    return {"mesh": whole - inside, "distribute": inside}, mesh


def measure(mesh: TaggedMesh, formulation: FormulationName, degree: int) -> Solve:
    """Assemble, set up, solve for one load, then for all moments, and write the fields of one."""
    reset_peak()
    problem = MaxwellLondon(FILM, mesh, degree, formulation)
    alone, _ = timed(lambda: problem.solve(IMPURITIES))
    solving, solutions = timed(lambda: problem.solve_each(IMPURITIES))
    solve_megabytes = peak()
    reset_peak()
    writing, _ = timed(lambda: write_fields(solutions[0]))
    seconds = {
        "assemble": problem.seconds["assemble"],
        "set-up": problem.seconds["setup"],
        "solve": alone,
        "each of 4": solving / len(solutions),
        "output": writing,
    }
    iterations = max(solution.iterations for solution in solutions)
    problem.destroy()
    return Solve(problem.dofs, iterations, seconds, solve_megabytes, peak())


def write_fields(solution: Solution) -> None:
    """Write what ``pearlfem run`` does, but for the picture, and delete it."""
    with tempfile.TemporaryDirectory() as own:
        folder = Path(COMM.bcast(own))
        values = nodal_values(solution, ReducedUnits())
        write_films(folder, values)
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
