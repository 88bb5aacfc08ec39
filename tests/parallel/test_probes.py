"""One rank and all ranks measure the same with probes."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Walls, create_mesh
from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields
from pearlfem.io.results.probes import write_probe
from pearlfem.model.boundary import Open
from pearlfem.model.probes import CutProbe, GridProbe, LineProbe, LoopProbe, PointsProbe
from pearlfem.observables.tables import check_probes, measure
from pearlfem.quantities.units import ReducedUnits
from pearlfem.runtime.parallel import on_root
from pearlfem.solution import Solution

WORLD = MPI.COMM_WORLD
IMPURITY = Impurity((0.3, -0.1), size=0.3, angle=20.0)
FILM = Film(Disc(1.0), 0.8)
BOUNDARIES = {"open": Open(), "shield": Walls("shield", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))}
PROBES = (
    PointsProbe(name="points", points=[(0.1, 0.2), (0.5, -0.3, 0.4), (-0.3, 0.2, -0.2)]),
    LineProbe(name="line", start=(-1.5, 0.1), end=(1.5, -0.2), samples=7),
    GridProbe(name="grid", center=(0, 0), size=(1, 1), height=0.2, samples=(3, 2), loop_radius=0.3),
    LoopProbe(name="loop", center=(0.1, 0.2, 0.3), radius=0.5),
    CutProbe(name="cut", start=(-0.2, 0.1), end=(1.4, 0.3)),
    CutProbe(name="chord", start=(0.3, -0.6), end=(-0.1, 0.5)),
)
# Fields carry the solver's error as it is, 1e-9 and 1e-8 in the energy norm, and its hierarchy
# depends on the partition.
SOLVED = 1e-6
SAME = 1e-10  # the same potential: rounding, of B at cells at a distance of the device


class Answers(NamedTuple):
    """What all ranks together and this one alone have found."""

    together: Solution
    alone: Solution


@pytest.fixture(
    scope="module",
    params=[(b, f) for b in BOUNDARIES for f in ("stream", "vector")],
    ids="-".join,
)
def answers(request):
    boundary, formulation = request.param
    found, problems = [], []
    for comm in (WORLD, MPI.COMM_SELF):
        mesh = create_mesh(
            FILM, [IMPURITY], boundary=BOUNDARIES[boundary], resolution=0.03, far=3.0, comm=comm
        )
        problems.append(MaxwellLondon(FILM, mesh, 2, formulation))
        found.append(problems[-1].solve([IMPURITY]))
    yield Answers(*found)
    for problem in problems:
        problem.destroy()


def table(solution, probe):
    """Numbers only: a column for each quantity; NaN where there is no film becomes 0."""
    return np.nan_to_num(np.transpose([column.values for column in measure(solution, probe)]))


def stated(solution):
    """``solution`` with a potential that is the same function on any number of ranks."""
    potential = fem.Function(solution.potential.function_space)
    if not solution.stream_functions:
        potential.interpolate(lambda x: np.stack([np.cos(x[1]), np.sin(x[0] + x[2]), x[0] * x[1]]))
        return dataclasses.replace(solution, expand=lambda _: Fields(potential))
    potential.interpolate(lambda x: np.sin(x[0] - 2 * x[1]) * np.exp(-x[2]))
    g = fem.Function(potential.function_space)
    g.x.array[:] = 2 * potential.x.array
    return dataclasses.replace(solution, expand=lambda _: Fields(potential, (g,)))


def difference(together, alone):
    """The largest difference in units of the column's largest value, on any rank."""
    scale = WORLD.bcast(np.abs(alone).max(axis=0))
    wrong = np.abs(together - alone).max(axis=0) / np.where(scale > 0, scale, 1.0)
    return WORLD.allreduce(float(wrong.max()), op=MPI.MAX)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_one_and_all_measure_the_same(answers, probe):
    together, alone = (table(solution, probe) for solution in answers)
    assert difference(together, alone) < SOLVED


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_one_and_all_measure_the_same_to_rounding(answers, probe):
    together, alone = (table(stated(solution), probe) for solution in answers)
    assert difference(together, alone) < SAME
    assert WORLD.bcast(float(np.abs(alone[:, -1]).max())) > 1e-3


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_rank_has_the_same_table(answers, probe):
    rows = WORLD.allgather(table(answers.together, probe).tobytes())
    assert len(set(rows)) == 1


def test_probe_outside_is_refused_on_every_rank(answers):
    together, _ = answers
    probe = LoopProbe(name="far", center=(0, 0, 50), radius=1)
    for work in (
        lambda: measure(together, probe),
        lambda: check_probes(together.mesh, [probe]),
    ):
        with pytest.raises(StudyError, match=r"probe 'far'.*outside"):
            work()
    check_probes(together.mesh, PROBES)  # and all go on


def test_root_writes_the_file(answers, shared_tmp):
    columns = measure(answers.together, PROBES[3])
    path = on_root(WORLD, lambda: write_probe(shared_tmp, "loop", columns, ReducedUnits()))
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    expected = np.transpose([column.values for column in columns])
    assert WORLD.allreduce(int(np.array_equal(rows, expected)), op=MPI.MIN) == 1
