"""The guaranteed gap against the true errors, wherever an exact value is known.

    python tests/benchmarks/effectivity.py        # or under mpiexec

Prints the table as it grows and writes it to results/effectivity.md. The effectivity is the gap in
units of the larger of the two true errors: 1 if one bound is exact, 2 if both are equally far off.
"""

import csv
import math
from pathlib import Path

from benchmark_report import Report
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Open,
    Plane,
    Walls,
    create_mesh,
    interaction_tensor,
)
from pearlfem.analytic import between_walls, infinite_film

COMM = MPI.COMM_WORLD
TABLE = Path(__file__).parents[1] / "data" / "disc_impurity_centre.csv"
INF = math.inf


def main() -> None:
    """Fill the report."""
    report = Report("The gap and the true errors of the self-energy of one impurity")
    headings = ("gap", "lower − exact", "upper − exact", "mean − exact", "effectivity")
    report.table("Relative to the exact value", "case", "degree", "dofs", *headings)
    for name, film, impurity, boundary, far, exact in cases():
        for degree, resolution in ((1, 0.7), (2, 0.5), (3, 0.4)):
            mesh = create_mesh(film, [impurity], boundary=boundary, resolution=resolution, far=far)
            errors, dofs = [], 0
            for formulation in ("stream", "vector"):
                problem = MaxwellLondon(film, mesh, degree, formulation)
                tensor = interaction_tensor(problem.solve_each([impurity]))
                errors.append(tensor[0, 0, 0, 0] / 2 / exact - 1)
                dofs += problem.dofs
                problem.destroy()
            lower, upper = errors
            gap = upper - lower
            assert lower <= 0 <= upper
            effectivity = gap / max(-lower, upper)
            numbers = (f"{gap:.1e}", *(f"{e:+.1e}" for e in (lower, upper, (lower + upper) / 2)))
            report.row(name, degree, f"{dofs:,}", *numbers, f"{effectivity:.2f}")
    report.write("effectivity")


def cases():
    """Yield name, film, impurity, boundary, far and the exact self-energy."""
    impurity = Impurity((0.0, 0.0), size=0.1)
    for r0 in (0.01, 1.0, 100.0):
        exact = infinite_film.self_energy(0.1, r0)
        yield f"plane, ξ = {0.1 / r0:g} r0", Film(Plane(), r0), impurity, Open(), 100.0, exact
    with TABLE.open() as table:
        for row in csv.DictReader(table):
            r0, size = float(row["r0_over_R"]), float(row["xi_over_R"])
            exact = float(row["F_self"]) * r0 / (4 * math.pi)  # J* = r0/4π in reduced units
            film = Film(Disc(1.0), r0)
            name = f"disc, r0 = {r0:g} R, ξ = {size:g} R"
            yield name, film, Impurity((0.0, 0.0), size), Open(), 100.0, exact
    for kind in ("shield", "magnetic-wall"):
        for above, below in ((0.5, 0.5), (0.3, 0.7)):
            exact = between_walls.self_energy(0.1, 1.0, 1.0, wall=kind, above=above, below=below)
            walls = Walls(kind, (INF, INF, above + below), (0.0, 0.0, (above - below) / 2))
            name = f"{kind}s {above:g} above, {below:g} below, ξ = 0.1 r0"
            yield name, Film(Plane(), 1.0), impurity, walls, 10.0, exact


if __name__ == "__main__":
    main()
