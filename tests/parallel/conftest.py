"""The same small problems on one rank and on all. Only tests that are the same on every rank.

A test here runs on all ranks at once. What it asserts has to be equal on all of them (reduced or
broadcast), or some ranks fail and the others wait for them in the next collective call.

On one rank alone they compare a problem with itself, so there they are slow tests.
"""

from pathlib import Path
from typing import NamedTuple

import basix.ufl
import dolfinx
import numpy as np
import pytest
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray

from pearlfem import Disc, Film, Impurity, MaxwellLondon, Plane, create_mesh
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.solution import Solution

IMPURITIES = (
    Impurity((0.3, -0.3), size=0.3, angle=20.0),
    Impurity((1.2, 0.0), size=0.2, angle=-75.0, strength=-1.5),
)
FILMS = {
    "disc": Film(Disc(1.0, center=(0.5, -0.25)), 0.8),
    "plane": Film(Plane(), 0.8),
    "layers": Film(Plane(), 0.8),
}


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(items):
    for item in items:
        if MPI.COMM_WORLD.size == 1 and item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


class Answer(NamedTuple):
    """What one communicator has found."""

    mesh: TaggedMesh
    problem: MaxwellLondon
    each: list[Solution]
    all: Solution


def layered_box(comm: MPI.Comm) -> TaggedMesh:
    """A box of which each rank has a layer, so that all but the lowest have no film."""
    nodes, cells, layers = np.empty((0, 3)), np.empty((0, 4), np.int64), np.empty(0, np.int32)
    if comm.rank == 0:
        box = dmesh.create_box(MPI.COMM_SELF, [[-1.5, -2.0, 0.0], [2.5, 2.0, 3.0]], [9, 9, 6])
        nodes, cells = box.geometry.x, box.geometry.dofmaps[0].astype(np.int64)
        layers = (nodes[cells].mean(axis=1)[:, 2] / 3.0 * comm.size).astype(np.int32)

    def partition(*_):
        return dolfinx.graph.adjacencylist(layers.reshape(-1, 1))._cpp_object

    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    box = dmesh.create_mesh(comm, cells, element, nodes, partition)
    box.topology.create_connectivity(2, 3)
    film = dmesh.locate_entities_boundary(box, 2, lambda x: np.isclose(x[2], 0.0))
    outer = dmesh.exterior_facet_indices(box.topology)  # sorted
    tags = dmesh.meshtags(box, 2, outer, np.where(np.isin(outer, film), 1, 2).astype(np.int32))
    return TaggedMesh(box, tags, {"film": 1, "far": 2})


def solve(shape: str, degree: int, comm: MPI.Comm) -> Answer:
    film = FILMS[shape]
    if shape == "layers":
        mesh = layered_box(comm)
    else:
        resolution = 0.06 if film.bounded else 0.2  # edges ask for finer cells anyway
        mesh = create_mesh(film, IMPURITIES, resolution=resolution, far=5.0, comm=comm)
    problem = MaxwellLondon(film, mesh, degree=degree)
    return Answer(mesh, problem, problem.solve_each(IMPURITIES), problem.solve(IMPURITIES))


@pytest.fixture(
    scope="session", params=[("layers", 1), ("disc", 2), ("plane", 3)], ids="{0[0]}-{0[1]}".format
)
def answers(request):
    """The answers of all ranks together and of this one alone."""
    # All together first: that compiles each form once, and the others find it in the cache.
    both = [solve(*request.param, comm) for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)]
    yield both
    for answer in both:
        answer.problem.destroy()


@pytest.fixture(scope="session")
def film_nodes(answers) -> NDArray[np.float64]:
    """Corners (x, y) of the film's facets, where K jumps between cells; the same on every rank."""
    _, alone = answers
    domain, facets = alone.mesh.domain, alone.mesh.facets("film")
    domain.topology.create_connectivity(2, 3)
    nodes = np.unique(dmesh.entities_to_geometry(domain, 2, facets))
    return MPI.COMM_WORLD.bcast(domain.geometry.x[nodes, :2])
