"""Order after every test, and the small problems that many tests share, on any number of ranks."""

import gc
import sys
import time
from pathlib import Path

import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_half_space

SECONDS_TO_WAIT = 60.0  # for ranks that are still in a test; the slowest takes a few seconds

_MEETING = MPI.COMM_WORLD.Dup()  # its own, so that it matches no call that a failed test left open


def pytest_collection_finish():
    # What the imports made lives to the end: without it a collection takes 1 ms instead of 50.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def collect_and_meet():
    """Collect garbage (freeing PETSc and MPI objects is collective), then wait for all ranks.

    A rank that failed arrives here alone while the others may wait in a collective call for ever;
    it then ends them all.
    """
    yield
    gc.collect()
    request = _MEETING.Ibarrier()
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not request.Test():
        if time.monotonic() > deadline:
            print(f"rank {MPI.COMM_WORLD.rank} waits for the others in vain", file=sys.stderr)
            MPI.COMM_WORLD.Abort(1)
        time.sleep(1e-4)


@pytest.fixture
def shared_tmp(tmp_path: Path) -> Path:
    """An empty folder that is the same one on every rank."""
    return MPI.COMM_WORLD.bcast(tmp_path)


@pytest.fixture(scope="session")
def film() -> Film:
    return Film(Disc(1.0, center=(0.5, -0.25)), pearl_length=0.8)


@pytest.fixture(scope="session")
def impurities() -> tuple[Impurity, ...]:
    """Different in everything; the second so near the edge that its profile reaches it."""
    return (
        Impurity((0.3, -0.3), size=0.3, angle=20.0),
        Impurity((1.2, 0.0), size=0.2, angle=-75.0, strength=-1.5),
    )


@pytest.fixture(scope="session")
def space(film, impurities):
    """About 600 cells."""
    return create_half_space(film, impurities, resolution=0.2, far=5.0)


@pytest.fixture(scope="session")
def problem(film, space):
    problem = MaxwellLondon(film, space, degree=2)
    yield problem
    problem.destroy()


@pytest.fixture(scope="session")
def solutions(problem, impurities):
    """Both moments of both impurities."""
    return problem.solve_each(impurities)


@pytest.fixture(scope="session")
def solution(problem, impurities):
    """All impurities together."""
    return problem.solve(impurities)


@pytest.fixture(scope="session")
def plane_film() -> Film:
    return Film(Plane(), pearl_length=1.0)


@pytest.fixture(scope="session")
def tiny_study() -> str:
    """A study of about 500 cells that takes a tenth of a second."""
    return """\
title = "tiny"
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [-0.25, 0.0]
angle = 30.0
size = 0.4
[[impurity]]
position = [0.25, 0.1]
strength = 2.0
size = 0.4
[mesh]
resolution = 0.5
far = 5.0
[solve]
degree = 2
[output]
picture = false
"""
