"""Random problems with bounds: films, holes, regions, sources, in any unit of length.

    python tests/random_problems.py FIRST LAST

solves the problems of these numbers, and prints those that break a bound, cross or fail.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from references import disc

from pearlfem import (
    ConvergenceError,
    CurrentLoop,
    Dipole,
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Open,
    Polygon,
    Region,
    StudyError,
    UniformField,
    Vortex,
    create_mesh,
    free_energy,
)
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.model.sources.base import Source

MOST_CELLS = {1: 12_000, 2: 5_000, 3: 2_000}  # by degree: a second or two each
FAR = 6.0
OPEN = Open()
REFERENCE_ERROR = 1e-8  # relative; tests/references says where it is smaller


@dataclass(frozen=True)
class Problem:
    """A problem in a unit of length L, and F·L if it is known otherwise.

    Args:
        name: What it is, for messages.
        film: The film.
        sources: The sources.
        length: L: the film and its sources are of size 1 times this.
        degree: Of the elements.
        resolution: Of the mesh.
        exact: Returns F·L; None if it is not known.
        error: Relative error of ``exact``.
    """

    name: str
    film: Film
    sources: tuple[Source, ...]
    length: float
    degree: int
    resolution: float
    exact: Callable[[], float] | None
    error: float


@dataclass(frozen=True)
class Answer:
    """F·L by both formulations, and by another method if there is one."""

    lower: float
    upper: float
    exact: float | None
    error: float

    @property
    def faults(self) -> list[str]:
        """What is wrong with the bounds."""
        found = [] if self.lower <= self.upper else ["crossing"]
        if self.exact is not None:
            allowed = self.error * abs(self.exact)
            if not self.lower <= self.exact + allowed:
                found.append(f"lower is {self.lower / self.exact - 1:.1e} too large")
            if not self.upper >= self.exact - allowed:
                found.append(f"upper is {1 - self.upper / self.exact:.1e} too small")
        return found


def random_problem(number: int) -> Problem:
    """The problem of this number, always the same; small enough for seconds."""
    random = np.random.default_rng(number)
    while True:
        kind = (_disc, _rectangle, _eccentric, _regions)[random.integers(4)]
        length = 10.0 ** random.uniform(-12, 12)
        # Edges are graded to r0: below 3e-3 there are too many cells, and counting them takes long.
        ratio = 10.0 ** random.uniform(-2.5, 9)
        problem = kind(random, length, ratio)
        problem = replace(problem, name=f"{problem.name}, r0 = {ratio:.3g}, L = {length:.3g}")
        cells = estimated_cells(
            problem.film, problem.sources, resolution=problem.resolution, far=FAR, boundary=OPEN
        )
        if cells < MOST_CELLS[problem.degree]:
            return problem


def solve(problem: Problem) -> Answer:
    """Solve by both formulations."""
    mesh = create_mesh(problem.film, problem.sources, resolution=problem.resolution, far=FAR)
    energies = []
    for formulation in ("stream", "vector"):
        discrete = MaxwellLondon(problem.film, mesh, problem.degree, formulation)
        energies.append(free_energy(discrete.solve(problem.sources)) * problem.length)
        discrete.destroy()
    return Answer(*energies, problem.exact and problem.exact(), problem.error)


def _problem(
    random: np.random.Generator,
    film: Film,
    sources: Sequence[Source],
    length: float,
    exact: Callable[[], float] | None = None,
    error: float = 0.0,
) -> Problem:
    shape = type(film.shape).__name__.lower()
    kinds = ", ".join(type(source).__name__.lower() for source in sources)
    degree, resolution = int(random.integers(1, 4)), float(random.uniform(0.1, 0.3))
    return Problem(
        f"{shape} with {kinds}, degree {degree}",
        film,
        tuple(sources),
        length,
        degree,
        resolution,
        exact,
        REFERENCE_ERROR + error,
    )


def _disc(random: np.random.Generator, length: float, ratio: float) -> Problem:
    """A disc with a field, an impurity or a vortex, against the spectral method."""
    radius, angle = random.uniform(0.0, 0.6), random.uniform(0.0, 2 * np.pi)
    place = (radius * math.cos(angle), radius * math.sin(angle))
    size, turn = random.uniform(0.1, 0.3), random.uniform(0.0, 360.0)
    here = (place[0] * length, place[1] * length)
    ours, theirs = [
        (UniformField((0.0, 0.0, 1.0 / length**2)), disc.Field()),
        (Impurity(here, size * length, turn), disc.Impurity(place, size, turn)),
        (Vortex(here, size * length), disc.Vortex(place, size)),
    ][random.integers(3)]
    film = Film(Disc(length), ratio * length)

    def exact() -> float:
        return float(disc.mutual_energies(ratio, [theirs])[0, 0]) / 2

    return _problem(random, film, [ours], length, exact if ratio > 0.01 else None)


def _rectangle(random: np.random.Generator, length: float, ratio: float) -> Problem:
    """A rectangle of any aspect up to 70, turned by any angle, with a source of any kind."""
    width = length / 70.0 ** random.uniform(0.0, 1.0)
    turn = np.exp(1j * random.uniform(0.0, np.pi))
    ends = 0.5 * turn * np.array([-length - 1j * width, length - 1j * width])
    corners = [*ends, *-ends]
    x, y = random.uniform(-0.3, 0.3, 2) * (length, width)
    place = turn * complex(x, y)
    here, size = (place.real, place.imag), random.uniform(0.1, 0.2) * width
    sources: list[Source] = [
        UniformField((0.0, 0.0, 1.0 / length**2)),
        Impurity(here, size, float(random.uniform(0.0, 360.0))),
        Vortex(here, size),
        CurrentLoop((*here, width), 0.5 * width, 1.0 / length),
        Dipole((*here, width), (0.0, width, width)),
    ]
    film = Film(Polygon(tuple((c.real, c.imag) for c in corners)), ratio * length)
    return _problem(random, film, [sources[random.integers(len(sources))]], length)


def _eccentric(random: np.random.Generator, length: float, ratio: float) -> Problem:
    """A disc with a hole anywhere that holds a flux quantum; r0 → ∞ is conformal to a ring."""
    hole = random.uniform(0.04, 0.27)
    shift = random.uniform(0.0, 0.9 - hole)
    opening = Hole(Disc(hole * length, (shift * length, 0.0)), "hole")
    film = Film(Disc(length), ratio * length, holes=(opening,))

    def exact() -> float:
        return math.acosh((1 + hole**2 - shift**2) / (2 * hole)) / (2 * math.pi * ratio)

    # The field that the limit leaves out is a part of 1/ratio of the energy.
    known = exact if ratio > 1e5 else None
    return _problem(random, film, [Fluxoid("hole")], length, known, 2.0 / ratio)


def _regions(random: np.random.Generator, length: float, ratio: float) -> Problem:
    """A disc with a part that screens more, or less, in a field.

    No impurity: its a = (Γ/κ)(m × ẑ) f changes with κ, so F need not grow with κ. Where its profile
    crosses the round edge of a region, the polygon in its place may break the bounds.
    """
    place = tuple((random.uniform(-0.4, 0.4, 2) * length).tolist())
    other = ratio * length * 10.0 ** random.uniform(-2, 2)
    region = Region(Disc(random.uniform(0.15, 0.35) * length, place), other)
    film = Film(Disc(length), ratio * length, regions=(region,))
    return _problem(random, film, [UniformField((0.0, 0.0, 1.0 / length**2))], length)


def main() -> None:
    """Solve the problems of the given numbers, and report."""
    counts = dict.fromkeys(("solved", "compared", "faulty", "failed", "refused"), 0)
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        problem = random_problem(number)
        try:
            answer = solve(problem)
        except (ConvergenceError, StudyError) as error:
            kind = "failed" if isinstance(error, ConvergenceError) else "refused"
            counts[kind] += 1
            print(f"{number}: {problem.name}: {error}", flush=True)
            continue
        counts["solved"] += 1
        counts["compared"] += answer.exact is not None
        if answer.faults:
            counts["faulty"] += 1
            print(f"{number}: {problem.name}: {', '.join(answer.faults)}: {answer}", flush=True)
        if number % 20 == 0:
            print(number, counts, flush=True)
    print(counts)


if __name__ == "__main__":
    main()
