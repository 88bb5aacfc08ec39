"""One rank and all ranks find the same numbers."""

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    MaxwellLondon,
    create_mesh,
    free_energy,
    interaction_tensor,
    magnetic_field,
    magnetic_moment,
    sheet_current,
    stream_function,
    superpose,
)
from pearlfem.errors import StudyError

WORLD = MPI.COMM_WORLD
# Energies carry the solver's error squared: rounding is left. Fields carry it as it is, 1e-9 in the
# energy norm, and the multigrid hierarchy depends on the partition.
ENERGY, FIELD = 1e-13, 1e-8


def difference(together, alone) -> float:
    """The largest difference on any rank, in units of the largest value; the same on every rank."""
    together, alone = np.asarray(together), np.asarray(alone)
    scale = WORLD.bcast(float(np.abs(alone).max()))
    assert scale > 0
    return WORLD.allreduce(float(np.abs(together - alone).max()), op=MPI.MAX) / scale


def spread(value) -> float:
    """How far the values of the ranks lie apart; the same on every rank."""
    return float(np.ptp(np.array(WORLD.allgather(np.asarray(value).tolist())), axis=0).max())


def test_every_rank_has_cells(answers):
    together, _ = answers
    topology = together.mesh.domain.topology
    assert WORLD.allreduce(topology.index_map(3).size_local, op=MPI.MIN) > 0


def test_sizes_are_counted_over_all_ranks(answers):
    together, alone = answers
    assert spread([together.mesh.cells, together.problem.dofs]) == 0
    assert together.mesh.cells == alone.mesh.cells
    assert together.problem.dofs == alone.problem.dofs


@pytest.mark.parametrize("group", ["film", "plane", "far"])
def test_every_facet_of_a_group_is_owned_by_one_rank(answers, group):
    together, alone = answers
    topology = together.mesh.domain.topology
    owned = together.mesh.facets(group) < topology.index_map(2).size_local
    assert WORLD.allreduce(int(owned.sum())) == len(alone.mesh.facets(group))


def test_interaction_tensor(answers):
    tensors = [interaction_tensor(answer.each) for answer in answers]
    assert difference(*tensors) < ENERGY
    assert spread(tensors[0]) == 0


def test_free_energy(answers):
    energies = [free_energy(answer.all) for answer in answers]
    assert difference(*energies) < ENERGY
    assert spread(energies[0]) == 0


def test_free_energy_of_superposition(answers):
    m = [component for i in range(2) for component in (0.6, -0.8 + i)]
    assert difference(*(free_energy(superpose(answer.each, m)) for answer in answers)) < ENERGY


def test_magnetic_moment(answers):
    moments = [magnetic_moment(answer.all) for answer in answers]
    assert difference(*moments) < FIELD
    assert spread(moments[0]) == 0


def test_iterations_are_about_the_same(answers):
    # The hierarchy depends on the partition, but not its quality.
    counts = WORLD.bcast([answer.all.iterations for answer in answers])
    assert abs(counts[0] - counts[1]) <= max(3, 0.3 * counts[1])


@pytest.mark.parametrize("observable", [sheet_current, stream_function])
def test_observables_on_the_film_even_between_cells(answers, film_nodes, observable):
    values = [observable(answer.all, film_nodes) for answer in answers]
    assert difference(*values) < FIELD
    assert spread(values[0]) == 0


def test_field_in_space(answers, film_nodes):
    z = np.linspace(-2.0, 2.0, len(film_nodes))
    points = np.column_stack([0.6 * film_nodes, z])
    values = [magnetic_field(answer.all, points) for answer in answers]
    assert difference(*values) < FIELD
    assert spread(values[0]) == 0


def test_point_outside_is_refused_on_every_rank(answers):
    together, _ = answers
    with pytest.raises(StudyError, match="outside"):
        stream_function(together.all, [(0.0, 0.0), (1e3, 0.0)])
    assert magnetic_field(together.all, [(0.0, 0.0, 0.1)]).shape == (1, 3)  # and all go on


def test_ghosts_of_the_potential_are_up_to_date(answers):
    together, _ = answers
    for solution in (together.all, superpose(together.each, [1.0, 2.0, 3.0, 4.0])):
        before = solution.potential.x.array.copy()
        solution.potential.x.scatter_forward()
        stale = np.abs(solution.potential.x.array - before).max()
        assert WORLD.allreduce(float(stale), op=MPI.MAX) == 0.0


def test_vector_formulation(film, impurities):
    tensors = []
    for comm in (MPI.COMM_SELF, MPI.COMM_WORLD):
        mesh = create_mesh(film, impurities, resolution=0.05, far=5.0, comm=comm)
        problem = MaxwellLondon(film, mesh, 2, "vector")
        tensors.append(interaction_tensor(problem.solve_each(impurities)))
        problem.destroy()
    alone, together = tensors
    # A carries gradients of no energy and of any size, and F is the small difference of two
    # energies: round-off is larger than in the stream formulation (2e-12 measured), 1e-8 promised.
    assert difference(together, alone) < 1e-10
