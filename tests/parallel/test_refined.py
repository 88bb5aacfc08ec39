"""Meshes that are cut on all ranks, or read from a file, give on one rank and on all the same."""

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
    sheet_current,
)
from pearlfem.errors import StudyError
from pearlfem.mesh.generate import write_mesh
from pearlfem.mesh.refined import refined
from pearlfem.model.sources.impurity import has_points
from pearlfem.runtime.parallel import on_root
from pearlfem.study.study import parse_study
from pearlfem.workflow.run import run_study

WORLD = MPI.COMM_WORLD
IMPURITIES = (Impurity((0.3, -0.1), size=0.3, angle=20.0), Impurity((-0.4, 0.2), size=0.4))
POINT = (Impurity((0.3, -0.1), size=0.0),)
WALLS = Walls("shield", (4.0, 5.0, 2.0), (0.0, 0.0, 0.3))
CASES = {
    "disc": (Film(Disc(1.0), 0.8), IMPURITIES, {}, "stream"),
    "plane": (Film(Plane(), 0.8), IMPURITIES[:1], {}, "stream"),
    "points": (Film(Disc(1.0), 0.8), POINT, {}, "stream"),
    "walls": (Film(Disc(1.0), 0.8), IMPURITIES, {"boundary": WALLS}, "stream"),
}


@pytest.mark.parametrize("name", CASES)
def test_energies_and_currents(name):
    film, sources, mesh, formulation = CASES[name]
    times = 2 if name == "plane" else 1
    found = []
    for comm in (WORLD, MPI.COMM_SELF):
        coarse = create_mesh(film, sources, resolution=0.03, far=3.0, comm=comm, **mesh)
        finer = refined(coarse, film, times, same_area=has_points(sources))
        problem = MaxwellLondon(film, finer, 1, formulation)
        solution = problem.solve(sources)
        found.append((finer.cells, free_energy(solution), sheet_current(solution, vertices(finer))))
        problem.destroy()
    (cells, energy, current), (same_cells, same_energy, same_current) = found
    difference = abs(energy - same_energy) / abs(same_energy)
    off = np.abs(current - same_current).max() / np.abs(same_current).max()
    assert WORLD.allreduce(int(cells != same_cells)) == 0
    assert WORLD.allreduce(difference, op=MPI.MAX) < 1e-10
    assert WORLD.allreduce(float(off), op=MPI.MAX) < 1e-6  # of the solver, as in test_walls


def vertices(mesh):
    """Some of the film, where K jumps: it is taken from the cell that comes first."""
    corners = np.concatenate(mesh.domain.comm.allgather(mesh.corners("film").reshape(-1, 2)))
    inside = corners[np.linalg.norm(corners - (0.3, 0.3), axis=1) < 0.3]
    inside = np.unique(inside.round(12), axis=0)
    return inside[:: max(1, len(inside) // 5)]


def test_neighbours_beyond_a_rank_are_there():
    film = Film(Disc(1.0), 0.8)
    mesh = refined(create_mesh(film, IMPURITIES, resolution=0.03, far=3.0), film, 1)
    topology = mesh.domain.topology
    topology.create_connectivity(2, 3)
    topology.create_connectivity(3, 2)
    own = topology.index_map(3).size_local
    facets = np.unique(topology.connectivity(3, 2).array.reshape(-1, 4)[:own])
    alone = facets[np.diff(topology.connectivity(2, 3).offsets)[facets] == 1]
    assert WORLD.allreduce(len(np.setdiff1d(alone, mesh.facets("film", "plane", "far")))) == 0
    around = [len(mesh.sides(name)) for name in ("film", "plane")]
    alone = create_mesh(film, IMPURITIES, resolution=0.03, far=3.0, comm=MPI.COMM_SELF)
    whole = [4 * len(alone.sides(name)) for name in ("film", "plane")]
    np.testing.assert_array_equal(WORLD.allreduce(np.array(around)), whole)


STUDY = """
[film]
shape = "disc"
radius = {radius}
pearl_length = 0.8
[[impurity]]
position = [0.3, 0.0]
size = 0.5
[mesh]
file = "disc.msh"
refinements = 1
[solve]
degree = 1
[output]
fields = "none"
picture = false
"""


def test_study_with_a_file(shared_tmp):
    film, sources = Film(Disc(1.0), 0.8), (Impurity((0.3, 0.0), size=0.5),)
    path = shared_tmp / "disc.msh"
    on_root(WORLD, lambda: write_mesh(path, film, sources, resolution=0.03, far=3.0))
    study = parse_study(STUDY.format(radius=1.0), folder=shared_tmp)
    summary = run_study(study, shared_tmp / "all", comm=WORLD)
    alone = on_root(WORLD, lambda: run_study(study, shared_tmp / "one", comm=MPI.COMM_SELF))
    energies = [each["free_energy"]["value"] for each in (summary, alone)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-10)
    wrong = parse_study(STUDY.format(radius=1.5), folder=shared_tmp)
    with pytest.raises(StudyError, match=r"mesh\.file = '.*disc\.msh': has 'plane' at"):
        run_study(wrong, shared_tmp / "wrong", comm=WORLD)
    damaged = path.with_name("damaged")

    def damage():
        damaged.mkdir()
        (damaged / "disc.msh").write_bytes(path.read_bytes()[:20000])

    on_root(WORLD, damage)
    broken = parse_study(STUDY.format(radius=1.0), folder=damaged)
    with pytest.raises(StudyError, match=r"mesh\.file = '.*disc\.msh': "):
        run_study(broken, shared_tmp / "broken", comm=WORLD)
