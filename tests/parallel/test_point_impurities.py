"""Point impurities: one rank and all ranks find the same numbers."""

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Impurity,
    MaxwellLondon,
    Vortex,
    create_mesh,
    interaction_tensor,
    magnetic_field,
    magnetic_moment,
    sheet_current,
)
from pearlfem.errors import StudyError
from pearlfem.io.fields.nodal import nodal_values
from pearlfem.model.film import Hole
from pearlfem.observables.energy import mutual_energies
from pearlfem.observables.fields import flux_density
from pearlfem.observables.holes import hole_states
from pearlfem.quantities.units import ReducedUnits

WORLD = MPI.COMM_WORLD
FILM = Film(Disc(1.0), 1.0, holes=(Hole(Disc(0.35, center=(0.1, 0.0)), "hole"),))
POINTS = (Impurity((-0.55, 0.1), size=0.0), Impurity((0.2, 0.7), size=0.0, strength=2.0))
OTHERS = (
    Impurity((-0.3, -0.5), size=0.2, angle=30.0),
    Fluxoid("hole", 1),
    Vortex((0.4, -0.6), size=0.15),
)
ENERGY, FIELD = 1e-12, 1e-8  # solvers stop at 1e-9, of which energies carry the square


@pytest.fixture(scope="module")
def answers():
    """The solutions of each source, and of all, of all ranks together and of this one alone."""
    found = []
    for comm in (WORLD, MPI.COMM_SELF):
        mesh = create_mesh(FILM, [*POINTS, *OTHERS], resolution=0.05, far=10.0, comm=comm)
        problem = MaxwellLondon(FILM, mesh, degree=2)
        found.append((problem, problem.solve_each([*POINTS, *OTHERS])))
    yield [(each, problem.solve([*POINTS, *OTHERS])) for problem, each in found]
    for problem, _ in found:
        problem.destroy()


def difference(together, alone) -> float:
    """The largest difference on any rank, in units of the largest value; the same on every rank."""
    together, alone = np.asarray(together), np.asarray(alone)
    scale = WORLD.bcast(float(np.abs(alone).max()))
    return WORLD.allreduce(float(np.abs(together - alone).max()), op=MPI.MAX) / scale


def test_interaction_tensor(answers):
    assert difference(*(interaction_tensor(each[:4]) for each, _ in answers)) < ENERGY


def test_energies_with_other_sources(answers):
    energies = [mutual_energies([*each, together]) for each, together in answers]
    assert difference(*energies) < ENERGY


def test_fields(answers):
    def observed(solution):
        (hole,) = hole_states(solution)
        return [
            *sheet_current(solution, [(-0.7, -0.3)]).ravel(),
            *magnetic_field(solution, [(0.1, 0.1, 0.3), (-0.4, 0.3, -0.2)]).ravel(),
            *magnetic_moment(solution),
            hole.current,
            hole.flux,
            hole.fluxoid,
        ]

    assert difference(*(observed(together) for _, together in answers)) < FIELD


def test_fields_at_nodes_agree_between_neighbours(answers):
    # Exact fields are added on ghosts as on owned cells.
    (_, together), _ = answers
    B = flux_density(together)
    before = B.x.array.copy()
    B.x.scatter_forward()
    # Nodes that are the same up to round-off take the field at one of them.
    change = np.nanmax(np.abs(B.x.array - before) / (1 + np.abs(before)), initial=0.0)
    assert WORLD.allreduce(float(change), op=MPI.MAX) < 1e-9


def test_point_off_the_film_is_refused_on_every_rank(answers):
    (_, together), _ = answers
    with pytest.raises(StudyError, match="in hole 'hole'"):
        create_mesh(FILM, [Impurity((0.1, 0.1), size=0.0)], comm=WORLD)
    assert together.mesh.domain.comm.allreduce(1) == WORLD.size


def test_film_is_cut_into_the_same_pieces(answers):
    places, values = [], []
    for _, solution in answers:
        (found,) = nodal_values(solution, ReducedUnits()).films
        comm = solution.mesh.domain.comm
        nodes = np.concatenate(comm.allgather(found.nodes)).mean(axis=1)
        K = np.concatenate(comm.allgather(found.fields["K"])).mean(axis=1)
        order = np.lexsort(nodes.round(9).T)
        places.append(nodes[order])
        values.append(K[order] / (1 + np.linalg.norm(K[order], axis=1, keepdims=True)))
    assert places[0].shape == places[1].shape
    assert difference(*places) < 1e-12
    assert difference(*values) < 1e-6  # kernels come from tables, which end elsewhere on each rank


def test_fields_of_the_file_are_those_at_its_nodes(answers):
    (_, together), _ = answers
    (found,) = nodal_values(together, ReducedUnits()).films
    one = int(np.argmax(WORLD.allgather(len(found.nodes))))
    nodes = found.nodes[:: max(1, len(found.nodes) // 20), 3:].reshape(-1, 3)
    nodes = WORLD.bcast(nodes, root=one)
    own = found.fields["K"][:: max(1, len(found.nodes) // 20), 3:].reshape(-1, 3)[:, :2]
    K = sheet_current(together, nodes[:, :2])
    if WORLD.rank == one:
        # Nodes on a side belong to two facets, between which the smooth rest of K jumps.
        error = np.linalg.norm(own - K, axis=1) / np.linalg.norm(K, axis=1)
        assert np.median(error) < 1e-6
