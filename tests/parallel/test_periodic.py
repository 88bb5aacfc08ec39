"""In a periodic cell one rank and all find the same, whichever walls lie between the ranks."""

import json

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Film,
    Impurity,
    MaxwellLondon,
    Periodic,
    Plane,
    create_mesh,
    free_energy,
    interaction_tensor,
    magnetic_field,
    run_study,
    sheet_current,
)
from pearlfem.mesh.sizes.adapted import gather
from pearlfem.study.study import parse_study

WORLD = MPI.COMM_WORLD
FILM, PERIODIC = Film(Plane(), 0.8), Periodic(((1.0, 0.2), (-0.1, 1.3)))
IMPURITIES = (
    Impurity((0.3, -0.1), size=0.2, angle=20.0),
    Impurity((2.1, 0.9), size=0.15, strength=-1.5),
)
STUDY = """\
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.1, 0.0]
angle = 30.0
size = 0.2
[boundary]
kind = "periodic"
cell = [[1.0, 0.0], [0.3, 1.0]]
[solve]
formulation = "both"
degree = 1
tolerance = 0.2
[output]
picture = false
"""


def difference(together, alone) -> float:
    """The largest difference on any rank, in units of the largest value; the same on every rank."""
    scale = WORLD.bcast(float(np.abs(alone).max()))
    return WORLD.allreduce(float(np.abs(together - alone).max()), op=MPI.MAX) / scale


def mesh(comm):
    return create_mesh(FILM, IMPURITIES, boundary=PERIODIC, resolution=0.2, comm=comm)


@pytest.mark.parametrize(("formulation", "degree"), [("stream", 3), ("vector", 1), ("vector", 2)])
def test_energies_currents_and_fields(formulation, degree):
    results = []
    for comm in (WORLD, MPI.COMM_SELF):
        problem = MaxwellLondon(FILM, mesh(comm), degree, formulation)
        solution = problem.solve(IMPURITIES)
        results.append(
            (
                interaction_tensor(problem.solve_each(IMPURITIES)),
                free_energy(solution),
                sheet_current(solution, [(0.23, 0.17), (4.51, -0.55)]),
                magnetic_field(solution, [(5.11, 0.22, z) for z in (0.3, 0.0, -0.3)]),
            )
        )
        problem.destroy()
    tensor, energy, *fields = (difference(*pair) for pair in zip(*results, strict=True))
    # Energies carry the solver's error squared, fields as it is: 1e-9 and 1e-8 in the energy norm.
    assert tensor < 1e-11
    assert energy < 1e-11
    assert max(fields) < 1e-6


def test_same_nodes_vertices_and_cells():
    together, alone = mesh(WORLD), mesh(MPI.COMM_SELF)
    for dimension in (0, 3):
        numbers = [s.domain.topology.index_map(dimension).size_global for s in (together, alone)]
        assert numbers[0] == WORLD.bcast(numbers[1])
    gathered = [
        gather(s, *np.zeros((2, s.domain.topology.index_map(3).size_local)))
        for s in (together, alone)
    ]
    same = True
    if WORLD.rank == 0:
        shapes = [
            sorted(now.vertices[now.cells].mean(axis=1).round(9).tolist()) for now in gathered
        ]
        same = shapes[0] == shapes[1] and len(gathered[0].vertices) == len(gathered[1].vertices)
    assert WORLD.bcast(same)


def test_ghosts_have_the_places_of_their_owners():
    domain = mesh(WORLD).domain
    nodes = domain.geometry.index_map()
    domain.topology.create_entities(2)
    owned = domain.topology.index_map(3).size_local
    local = domain.geometry.dofmaps[0]
    volumes = np.abs(np.linalg.det(np.diff(domain.geometry.x[local], axis=1))) / 6
    total = WORLD.allreduce(volumes[:owned].sum())
    area = abs(np.linalg.det(PERIODIC.cell))
    assert total == pytest.approx(area * PERIODIC.height, rel=1e-9)
    every = np.zeros((nodes.size_global, 3))
    every[nodes.local_range[0] : nodes.local_range[1]] = domain.geometry.x[: nodes.size_local]
    WORLD.Allreduce(MPI.IN_PLACE, every)
    numbers = nodes.local_to_global(np.arange(len(domain.geometry.x), dtype=np.int32))
    wrong = np.abs(every[numbers] - domain.geometry.x).max(initial=0.0)
    assert WORLD.allreduce(float(wrong), op=MPI.MAX) == 0.0


def test_run_to_a_tolerance(shared_tmp):
    folder = shared_tmp / "out"
    summary = run_study(parse_study(STUDY), folder, comm=WORLD)
    WORLD.barrier()
    energy = summary["free_energy"]
    assert summary["magnetic_moment"] is None
    assert 0 < energy["upper"] - energy["lower"] < 0.2 * energy["lower"]
    assert WORLD.bcast(json.loads((folder / "summary.json").read_text())["converged"])
