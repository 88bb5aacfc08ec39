"""Between walls, with space meshed as a whole, one rank and all find the same."""

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    Walls,
    create_mesh,
    free_energy,
    magnetic_field,
    sheet_current,
)

WORLD = MPI.COMM_WORLD
IMPURITIES = (
    Impurity((0.3, -0.1), size=0.3, angle=20.0),
    Impurity((-0.4, 0.2), size=0.2, strength=-1.5),
)
SPACES = {
    "disc": (Film(Disc(1.0), 0.8), Walls("shield", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))),
    "contact": (Film(Plane(), 0.8), Walls("shield", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))),
    "box": (Film(Plane(), 0.8), Walls("magnetic-wall", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))),
}


def difference(together, alone) -> float:
    """The largest difference on any rank, in units of the largest value; the same on every rank."""
    scale = WORLD.bcast(float(np.abs(alone).max()))
    return WORLD.allreduce(float(np.abs(together - alone).max()), op=MPI.MAX) / scale


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_energies_currents_and_fields(name, formulation):
    film, walls = SPACES[name]
    resolution = 0.03 if film.bounded else 0.2  # the edge asks for finer cells anyway
    results = []
    for comm in (WORLD, MPI.COMM_SELF):
        mesh = create_mesh(film, IMPURITIES, boundary=walls, resolution=resolution, comm=comm)
        problem = MaxwellLondon(film, mesh, 2, formulation)
        solution = problem.solve(IMPURITIES)
        points = [(0.11, 0.22, z) for z in (0.3, 0.0, -0.3)]
        results.append(
            (
                free_energy(solution),
                sheet_current(solution, [(0.23, 0.17), (0.51, -0.55)]),
                magnetic_field(solution, points),
            )
        )
        problem.destroy()
    energy, current, field = (difference(*pair) for pair in zip(*results, strict=True))
    # Energies carry the solver's error squared, fields as it is: 1e-9 and 1e-8 in the energy norm.
    assert energy < 1e-11
    assert current < 1e-6
    assert field < 1e-6
