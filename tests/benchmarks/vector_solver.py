"""Iterations of the vector formulation's solver over sizes, degrees and Pearl lengths.

    python tests/benchmarks/vector_solver.py [--sizes DOFS ...]        # or under mpiexec

Prints the table as it grows and writes it to results/vector_solver-RANKS.md.
"""

import argparse
import time

from benchmark_report import Report
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, MaxwellLondon, create_mesh
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.model.boundary import Open

COMM = MPI.COMM_WORLD
DISC = Disc(1.0)
IMPURITY = Impurity((0.3, 0.0), size=0.2, angle=30.0)
PEARL_LENGTHS = (0.01, 1.0, 100.0)  # in units of the radius
DOFS_PER_CELL = {1: 1.21, 2: 6.57, 3: 19.3}
FAR = 30.0


def main() -> None:
    """Fill the report."""
    parser = argparse.ArgumentParser(description="Iterations of the vector formulation.")
    parser.add_argument("--sizes", type=float, nargs="+", default=[5e4, 1.5e5, 5e5], metavar="DOFS")
    sizes = parser.parse_args().sizes
    report = Report(f"Vector formulation on {COMM.size} rank{'s' if COMM.size > 1 else ''}")
    headings = [f"iterations at r0 = {r0:g} R" for r0 in PEARL_LENGTHS]
    report.table(
        "CG to 1e-8 in the natural norm", "degree", "dofs", *headings, "µs per dof and iteration"
    )
    for degree in DOFS_PER_CELL:
        for size in sizes:
            add_row(report, degree, size)
    report.write(f"vector_solver-{COMM.size}")


def add_row(report: Report, degree: int, size: float) -> None:
    """Solve on one mesh for all Pearl lengths."""
    largest = Film(DISC, max(PEARL_LENGTHS))  # the mesh does not resolve r0 = 0.01 at the edge
    mesh = create_mesh(largest, [IMPURITY], resolution=resolution(degree, size), far=FAR)
    counts, seconds, dofs = [], 0.0, 0
    for pearl_length in PEARL_LENGTHS:
        problem = MaxwellLondon(Film(DISC, pearl_length), mesh, degree, "vector")
        start = time.perf_counter()
        counts.append(problem.solve([IMPURITY]).iterations)
        seconds += time.perf_counter() - start
        dofs = problem.dofs
        problem.destroy()
    rate = 1e6 * seconds / sum(counts) / dofs
    report.row(degree, f"{dofs:,}", *counts, f"{rate:.2f}")


def resolution(degree: int, size: float) -> float:
    """Return the resolution at which there are about ``size`` dofs."""
    low, high = 0.05, 20.0
    while high > 1.01 * low:
        middle = (low * high) ** 0.5
        cells = estimated_cells(
            Film(DISC, 1.0), [IMPURITY], boundary=Open(), resolution=middle, far=FAR
        )
        if cells * DOFS_PER_CELL[degree] < size:
            low = middle
        else:
            high = middle
    return low


if __name__ == "__main__":
    main()
