"""The same small problems on one rank and on all. Only tests that are the same on every rank.

A test here runs on all ranks at once. What it asserts has to be equal on all of them (reduced or
broadcast), or some ranks fail and the others wait for them in the next collective call.
"""

from typing import NamedTuple

import numpy as np
import pytest
from mpi4py import MPI
from numpy.typing import NDArray

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_half_space
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.solution import Solution

IMPURITIES = (
    Impurity((0.3, -0.3), size=0.3, angle=20.0),
    Impurity((1.2, 0.0), size=0.2, angle=-75.0, strength=-1.5),
)
FILMS = {"disc": Film(Disc(1.0, center=(0.5, -0.25)), 0.8), "plane": Film(Plane(), 0.8)}


class Answer(NamedTuple):
    """What one communicator has found."""

    space: TaggedMesh
    problem: MaxwellLondon
    each: list[Solution]
    all: Solution


def solve(film: Film, degree: int, comm: MPI.Comm) -> Answer:
    space = create_half_space(film, IMPURITIES, resolution=0.25, far=5.0, comm=comm)
    problem = MaxwellLondon(film, space, degree=degree)
    return Answer(space, problem, problem.solve_each(IMPURITIES), problem.solve(IMPURITIES))


@pytest.fixture(scope="session", params=[("disc", 1), ("disc", 2), ("plane", 3)], ids=str)
def answers(request):
    """The answers of all ranks together and of this one alone."""
    shape, degree = request.param
    # All together first: that compiles each form once, and the others find it in the cache.
    both = [solve(FILMS[shape], degree, comm) for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)]
    yield both
    for answer in both:
        answer.problem.destroy()


@pytest.fixture(scope="session")
def film_nodes(answers) -> NDArray[np.float64]:
    """Corners (x, y) of the film's facets, where K jumps between cells; the same on every rank."""
    _, alone = answers
    points = np.empty((0, 2))
    if MPI.COMM_WORLD.rank == 0:
        mesh, facets = alone.space.mesh, alone.space.facets("film")
        mesh.topology.create_connectivity(2, 0)
        mesh.topology.create_connectivity(0, 3)
        from dolfinx.mesh import entities_to_geometry

        nodes = np.unique(entities_to_geometry(mesh, 2, facets))
        points = mesh.geometry.x[nodes, :2]
    return MPI.COMM_WORLD.bcast(points)
