"""Two films at different heights on one rank and on all."""

import numpy as np
import pytest
from helpers import OnFilm
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Hole,
    Impurity,
    MaxwellLondon,
    create_mesh,
    free_energy,
    hole_states,
    magnetic_field,
    sheet_current,
)
from pearlfem.model.layers import Layer

LAYERS = (
    Layer(Film(Disc(1.0), 0.8, (Hole(Disc(0.3), "h"),)), 0.0, "a"),
    Layer(Film(Disc(0.8, (0.2, 0.1)), 1.5), 0.5, "b"),
)
SOURCES = (
    OnFilm(Impurity((0.6, 0.1), size=0.3, angle=20.0), "a"),
    OnFilm(Impurity((0.1, 0.0), size=0.3, angle=70.0), "b"),
)


@pytest.fixture(scope="module")
def meshes():
    """The meshes of all ranks together and of this one alone."""
    return [
        create_mesh(LAYERS, SOURCES, resolution=0.05, far=3.0, comm=comm)
        for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    ]


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_energies_currents_and_fields(meshes, formulation):
    answers = []
    for mesh in meshes:
        problem = MaxwellLondon(LAYERS, mesh, 1, formulation)
        solution = problem.solve(SOURCES)
        (hole,) = hole_states(solution)
        points = [(0.6, 0.2), (0.1, -0.3)]
        answers.append(
            [
                np.array([free_energy(solution), hole.current]),
                *(sheet_current(solution, points, name) for name in "ab"),
                magnetic_field(solution, [(0.2, 0.1, z) for z in (-0.4, 0.0, 0.25, 0.5, 0.9)]),
            ]
        )
        problem.destroy()
    for together, alone in zip(*answers, strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-7 * np.abs(alone).max())
