"""Order after every test, and the small problems that many tests share, on any number of ranks."""

import faulthandler
import gc
import os
import tempfile
from pathlib import Path

import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_mesh

SECONDS_PER_TEST = 120  # on several ranks, where the slowest, a demo, takes twenty

_MEETING = MPI.COMM_WORLD.Dup()  # its own, so that it matches no call that a failed test left open


def pytest_configure(config):
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        config.stderr_of_all_tests = os.dup(2)
    if MPI.COMM_WORLD.rank > 0:  # pytest tidies its folder up, which two ranks cannot at once
        root = Path(tempfile.gettempdir(), f"pytest-ranks-{os.getuid()}", str(MPI.COMM_WORLD.rank))
        root.mkdir(parents=True, exist_ok=True)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(root)


def pytest_collection_modifyitems(items):
    """Put folders of long tests first: short ones then keep all workers busy to the end."""
    items.sort(key=lambda item: {"workflow", "physics"}.isdisjoint(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Show a failure at once: if the other ranks then wait for ever, the summary never comes."""
    report = yield
    if report.failed and MPI.COMM_WORLD.size > 1:
        text = f"\nrank {MPI.COMM_WORLD.rank}: {report.nodeid}\n{report.longreprtext}\n"
        os.write(item.config.stderr_of_all_tests, text.encode())
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """End all ranks, and show where they are, if they wait for each other for ever."""
    if MPI.COMM_WORLD.size > 1:
        stderr = item.config.stderr_of_all_tests
        faulthandler.dump_traceback_later(SECONDS_PER_TEST, exit=True, file=stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True, scope="module")
def freeze():
    """Keep what is there between two modules (imports, pytest's own) out of later collections.

    It lives to the end, or its end frees it: without this a collection takes 50 ms or more.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def collect_and_meet():
    """Collect garbage (freeing PETSc and MPI objects is collective), then wait for all ranks."""
    yield
    gc.collect()
    _MEETING.Barrier()


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
def mesh(film, impurities):
    """About 1,000 cells."""
    return create_mesh(film, impurities, resolution=0.05, far=5.0)


@pytest.fixture(scope="session")
def problem(film, mesh):
    problem = MaxwellLondon(film, mesh, degree=2)
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
