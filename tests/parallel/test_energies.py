"""Kinetic energy, energy of the field and largest current: the same on one rank and on all."""

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Open,
    UniformField,
    Walls,
    create_mesh,
    field_energy,
    free_energy,
    kinetic_energy,
    largest_sheet_current,
)

WORLD = MPI.COMM_WORLD
FILM = Film(Disc(1.0), 0.8, holes=(Hole(Disc(0.3, center=(0.1, 0.0)), "hole"),))
SOURCES = (Impurity((-0.6, 0.1), size=0.2, angle=30.0), Fluxoid("hole"))
BOUNDARIES = {  # mirrored, and meshed in full
    "open": (Open(), (*SOURCES, UniformField((0.0, 0.0, 0.5)))),
    "walls": (Walls("shield", (4.0, 3.0, 2.0), (0.3, 0.0, 0.3)), SOURCES),
}


@pytest.fixture(scope="module", params=BOUNDARIES)
def spaces(request):
    boundary, sources = BOUNDARIES[request.param]
    meshes = [
        create_mesh(FILM, sources, boundary=boundary, resolution=0.05, far=5.0, comm=comm)
        for comm in (WORLD, MPI.COMM_SELF)
    ]
    return meshes, sources


@pytest.fixture(scope="module", params=["stream", "vector"])
def answers(request, spaces):
    """The solutions of all ranks together and of this one alone."""
    meshes, sources = spaces
    degree = {"stream": 2, "vector": 1}[request.param]
    problems = [MaxwellLondon(FILM, mesh, degree, request.param) for mesh in meshes]
    yield [problem.solve(sources) for problem in problems]
    for problem in problems:
        problem.destroy()


def test_sum_is_the_free_energy_on_any_number_of_ranks(answers):
    for answer in answers:
        parts = kinetic_energy(answer), field_energy(answer)
        found = WORLD.allgather([sum(parts), *parts, free_energy(answer)])
        assert all(row[0] == pytest.approx(row[3], rel=1e-8) for row in found)


def test_energies_do_not_depend_on_the_ranks(answers):
    for energy in (kinetic_energy, field_energy):
        together, alone = (energy(answer) for answer in answers)
        assert len(set(WORLD.allgather(together))) == 1
        # Linear in the solver's error, 1e-9 in the energy norm, unlike the free energy.
        assert together == pytest.approx(WORLD.bcast(alone), rel=1e-7)


def test_largest_current_does_not_depend_on_the_ranks(answers):
    (together,), (alone,) = (largest_sheet_current(answer) for answer in answers)
    assert len(set(WORLD.allgather(together))) == 1
    alone = WORLD.bcast(alone)
    assert together.value == pytest.approx(alone.value, rel=1e-7)
    np.testing.assert_allclose(together[2:], alone[2:], rtol=1e-12)
