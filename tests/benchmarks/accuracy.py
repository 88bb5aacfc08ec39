"""Errors of couplings and self-energies at default settings, against exact theory.

    python tests/benchmarks/accuracy.py        # or under mpiexec

Pairs on the infinite film for all ratios of impurity size, distance and Pearl length, and the discs
of tests/data. Prints the tables as they grow and writes them to results/accuracy.md.
"""

import csv
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from benchmark_report import Report

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_mesh, interaction_tensor
from pearlfem.analytic import infinite_film

DATA = Path(__file__).parents[1] / "data"
SIZES = (0.02, 0.05, 0.1, 0.2, 0.5)
PAIR_STUDY = (0.1, 0.5)  # size and distance of demos/pair.toml


class Answer(NamedTuple):
    """Interaction tensor of a study, and what it cost."""

    tensor: npt.NDArray[np.float64]
    dofs: int
    iterations: int
    seconds: float

    @property
    def cost(self) -> tuple[str, int, str]:
        return f"{self.dofs:,}", self.iterations, f"{self.seconds:.1f}"


def solve(film: Film, impurities: Sequence[Impurity], resolution: float = 1.0) -> Answer:
    """Mesh, assemble and solve for both moments of each impurity."""
    start = time.perf_counter()
    mesh = create_mesh(film, impurities, resolution=resolution)
    problem = MaxwellLondon(film, mesh)
    solutions = problem.solve_each(impurities)
    tensor = interaction_tensor(solutions)
    seconds = time.perf_counter() - start
    answer = Answer(tensor, problem.dofs, max(s.iterations for s in solutions), seconds)
    problem.destroy()
    return answer


def distances(size: float) -> list[float]:
    """Return the distances of a pair in Pearl lengths, none below four sizes."""
    wanted = {4 * size, 10 * size, 1.0, 5.0, 20.0} | ({0.5} if size == PAIR_STUDY[0] else set())
    return sorted(r for r in wanted if r >= 4 * size)


def add_pairs(report: Report) -> Iterator[Answer | float]:
    """Add the pairs on the infinite film; yield what is to be summed up."""
    columns = ("ξ/r0", "r/r0", "T_xx", "T_yy", "self-energy", "dofs", "iterations", "seconds")
    report.table("Infinite film: relative errors of two impurities along x", *columns)
    film = Film(Plane(), pearl_length=1.0)
    for size, r in ((xi, r) for xi in SIZES for r in distances(xi)):
        impurities = [Impurity((x, 0.0), size=size) for x in (-r / 2, r / 2)]
        exact = infinite_film.interaction_tensor(
            [i.position for i in impurities], 1.0, [1.0, 1.0], [size, size]
        )
        answer = solve(film, impurities)
        errors = relative_errors(answer.tensor, exact)
        report.row(f"{size:g}", f"{r:g}", *(f"{e:+.1e}" for e in errors), *answer.cost)
        yield answer
        yield from errors


def relative_errors(
    tensor: npt.NDArray[np.float64], exact: npt.NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return those of T_xx, of T_yy, and the worst of the four self-energies."""
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = tensor / exact - 1
    selves = [relative[i, i, a, a] for i in (0, 1) for a in (0, 1)]
    return relative[0, 1, 0, 0], relative[0, 1, 1, 1], max(selves, key=abs)


def add_disc_centres(report: Report) -> Iterator[Answer | float]:
    """Add one impurity at the centre of a disc of radius 1."""
    columns = ("ξ/R", "r0/R", "self-energy", "dofs", "iterations", "seconds")
    report.table("Disc: relative error of an impurity at the centre", *columns)
    for size, r0, exact in read_table("disc_impurity_centre.csv"):
        answer = solve(Film(Disc(1.0), r0), [Impurity((0.0, 0.0), size=size)])
        energies = answer.tensor[0, 0].diagonal() / 2 / unit_energy(r0)
        error = max(energies / exact - 1, key=abs)
        report.row(f"{size:g}", f"{r0:g}", f"{error:+.1e}", *answer.cost)
        yield answer
        yield error


def add_disc_pairs(report: Report) -> Iterator[Answer | float]:
    """Add two impurities at (±s, 0) in a disc of radius 1."""
    energies = ("T_xx", "T_yy", "self-energy x", "self-energy y")
    columns = ("ξ/R", "s/R", "r0/R", *energies, "dofs", "iterations", "seconds")
    report.table("Disc: relative errors of two impurities at (±s, 0)", *columns)
    for size, s, r0, *exact in read_table("disc_pairs.csv"):
        film = Film(Disc(1.0), r0)
        answer = solve(film, [Impurity((x, 0.0), size=size) for x in (-s, s)])
        own, pair = (answer.tensor[0, j].diagonal() / unit_energy(r0) for j in (0, 1))
        errors = np.array([*pair, *(own / 2)]) / exact - 1
        report.row(*(f"{x:g}" for x in (size, s, r0)), *(f"{e:+.1e}" for e in errors), *answer.cost)
        yield answer
        yield from errors


def read_table(name: str) -> Iterator[list[float]]:
    """Yield the rows of a table of tests/data without its heading."""
    with (DATA / name).open(encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        yield from ([float(cell) for cell in row] for row in rows)


def unit_energy(pearl_length: float) -> float:
    """Return J*/R² = μ0 Γ² r0 / 4πR² for μ0 = Γ = R = 1."""
    return pearl_length / (4 * math.pi)


def main() -> None:
    """Fill the report."""
    report = Report("Accuracy at default settings")
    solve(Film(Plane(), 1.0), [Impurity((0.0, 0.0), size=1.0)], resolution=0.3)  # compiles
    for part in (add_pairs, add_disc_centres, add_disc_pairs):
        found = list(part(report))
        worst = max((e for e in found if not isinstance(e, Answer)), key=abs)
        most = max(a.iterations for a in found if isinstance(a, Answer))
        report.add(f"\nWorst error {worst:+.1e}; at most {most} iterations.")
    report.write("accuracy")


if __name__ == "__main__":
    main()
