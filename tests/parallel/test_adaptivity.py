"""Refinement on several ranks: the same bounds as on one, and one result."""

import json

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import ConvergenceError, Disc, Film, Impurity, create_mesh, ring, run_study
from pearlfem.analytic import infinite_film
from pearlfem.mesh.round_edges import fit_round_edges
from pearlfem.mesh.sizes.adapted import gather
from pearlfem.mesh.sizes.edges import on_circle
from pearlfem.study.study import parse_study

WORLD = MPI.COMM_WORLD
STUDY = """\
[film]
shape = {shape}
pearl_length = 1.0
[[impurity]]
position = [0.25, 0.1]
angle = 30.0
size = 0.4
[mesh]
resolution = {resolution}
far = 20.0
[solve]
degree = {degree}
formulation = "{formulation}"
tolerance = {tolerance}
max_dofs = {max_dofs}
[output]
fields = "none"
picture = false
"""
DEFAULTS = {
    "shape": '"plane"',
    "resolution": 1.0,
    "degree": 2,
    "formulation": "both",
    "max_dofs": 50000,
}


def run(folder, comm, **values):
    study = parse_study(STUDY.format_map(DEFAULTS | values))
    return run_study(study, folder, comm=comm)


def first_round(folder, comm, **values):
    """What the first mesh of a study gives that goes no further."""
    with pytest.raises(ConvergenceError, match="more than max_dofs = 1"):
        run(folder, comm, tolerance=1e-8, max_dofs=1, **values)
    comm.barrier()
    partial = json.loads((folder / "partial.json").read_text())
    assert partial["ranks"] == comm.size
    (only,) = partial["rounds"]
    return only


@pytest.mark.parametrize("shape", ['"plane"', '"disc"\nradius = 1.0'])
@pytest.mark.parametrize("formulation", ["both", "stream", "vector"])
def test_first_round_is_the_same_on_one_rank_and_on_all(tmp_path, shared_tmp, shape, formulation):
    values = {"shape": shape, "resolution": 0.1, "formulation": formulation, "degree": 1}
    together = first_round(shared_tmp / "all", WORLD, **values)
    alone = first_round(tmp_path / f"alone-{WORLD.rank}", MPI.COMM_SELF, **values)
    alone = WORLD.bcast(alone)
    assert (together["cells"], together["dofs"]) == (alone["cells"], alone["dofs"])
    # the solver leaves 1e-10 of the energies, and 1e-5 of fields, which enter the estimate
    for key, tolerance in (("lower", 1e-8), ("upper", 1e-8), ("error", 1e-4)):
        assert (together[key] is None) is (alone[key] is None)
        if alone[key] is not None:
            assert together[key] == pytest.approx(alone[key], rel=tolerance)


def test_every_bracket_holds_the_exact_energy(shared_tmp):
    summary = run(shared_tmp / "out", WORLD, tolerance=2e-2)
    assert len(set(WORLD.allgather(json.dumps(summary["rounds"][-1]["lower"])))) == 1
    exact = infinite_film.self_energy(0.4, 1.0)
    assert len(summary["rounds"]) >= 2
    for bounds in (*WORLD.bcast(summary["rounds"]), WORLD.bcast(summary["free_energy"])):
        assert bounds["lower"] < exact < bounds["upper"]
    assert WORLD.bcast(summary["rounds"][-1]["error"]) <= 2e-2


def test_missed_tolerance_leaves_one_partial_result(shared_tmp):
    with pytest.raises(ConvergenceError) as failed:
        run(shared_tmp / "out", WORLD, tolerance=1e-8, max_dofs=10000)
    messages = WORLD.allgather(str(failed.value))
    assert len(set(messages)) == 1
    assert "max_dofs = 10,000" in messages[0]
    names = WORLD.bcast(sorted(path.name for path in (shared_tmp / "out").iterdir()))
    assert names == ["partial.json", "study.toml"]


def test_contributions_of_all_ranks_meet_on_the_first():
    film, impurity = Film(Disc(1.0), 1.0), Impurity((0.2, 0.0), size=0.4)
    for comm in (WORLD, MPI.COMM_SELF):
        mesh = create_mesh(film, [impurity], resolution=0.05, far=5.0, comm=comm)
        corners = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
        owned = mesh.domain.topology.index_map(3).size_local
        volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))[:owned] / 6
        found = gather(mesh, volumes, np.zeros(owned))
        assert all(comm.allgather((found is None) is (comm.rank > 0)))
        correct = True
        if found is not None:  # each cell has the error that its own corners give
            corners = found.vertices[found.cells]
            again = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
            correct = len(again) == mesh.cells and np.allclose(again, found.errors, rtol=1e-12)
        assert all(comm.allgather(correct))


@pytest.mark.parametrize("covering", [True, False])
def test_round_edges_are_the_same_on_one_rank_and_on_all(covering):
    center = (2.0, 1.0)
    film, impurity = Film(ring(0.4, 1.0, center), 1.0), Impurity((2.7, 1.0), size=0.4)
    found = []
    for comm in (WORLD, MPI.COMM_SELF):
        mesh = create_mesh(film, [impurity], resolution=0.05, far=5.0, comm=comm)
        moved = fit_round_edges(mesh, film, covering=covering)
        flat = np.flatnonzero(mesh.domain.geometry.x[:, 2] == 0)
        places = mesh.domain.geometry.x[flat, :2]
        edge = flat[np.any([on_circle(places, disc) for disc in film.discs], axis=0)]
        # owned and ghosts: both have moved
        points = np.concatenate(comm.allgather(moved.domain.geometry.x[edge, :2] - center))
        unique = np.unique(points.round(10), axis=0)
        found.append(unique[np.argsort(np.arctan2(*unique.T) + 10 * (np.hypot(*unique.T) > 0.7))])
    together, alone = found
    alone = WORLD.bcast(alone)
    assert all(WORLD.allgather(together.shape == alone.shape))
    assert np.abs(together - alone).max() < 1e-9
    radii = np.linalg.norm(alone, axis=1)
    inner, outer = radii[radii < 0.7], radii[radii > 0.7]
    on, beyond = (inner, outer) if covering else (outer, inner)
    assert on == pytest.approx(0.4 if covering else 1.0, rel=1e-9)
    assert beyond.min() > (1.0 if covering else 0.4) * (1 + 1e-6)
