"""Field files of several ranks hold every cell once, and a run leaves one whole result."""

import json

import numpy as np
import pytest
import pyvista
from dolfinx import mesh as dmesh
from helpers import write_film
from mpi4py import MPI

from pearlfem import run_study
from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.io.fields.nodal import nodal_values
from pearlfem.io.fields.vtu import write_space
from pearlfem.io.fields.vtx import write_vtx
from pearlfem.quantities.units import ReducedUnits
from pearlfem.solvers import multigrid
from pearlfem.study.study import parse_study

WORLD = MPI.COMM_WORLD
SUFFIX = ".vtu" if WORLD.size == 1 else ".pvtu"


@pytest.fixture
def study(tiny_study):
    return parse_study(tiny_study)


def names(folder):
    """What is in a folder; the same on every rank, and after all of them have come here."""
    WORLD.barrier()
    return WORLD.bcast(sorted(path.name for path in folder.iterdir()))


def files(stem):
    """Names of the files in which ``stem`` is written."""
    if WORLD.size == 1:
        return [f"{stem}.vtu"]
    return sorted([f"{stem}.pvtu", *(f"{stem}_{rank}.vtu" for rank in range(WORLD.size))])


def rows(places, *values):
    """Places, each with its values, in an order that depends on the places alone."""
    places = np.asarray(places).reshape(-1, 3)
    table = np.hstack([places, *(np.asarray(value).reshape(len(places), -1) for value in values)])
    return table[np.lexsort(places.round(9).T)]


def corner_places(grid, corners):
    """Middles of a grid's cells."""
    (cells,) = grid.cells_dict.values()
    return grid.points[cells[:, :corners]].mean(axis=1)


# VTK reads the same files on every rank, so what these tests assert is equal on all of them.


def test_film_is_written_once(answers, shared_tmp):
    together, alone = answers
    path = write_film(shared_tmp, nodal_values(together.all, ReducedUnits()))
    assert path == shared_tmp / f"film{SUFFIX}"
    assert names(shared_tmp) == files("film")
    topology, facets = alone.mesh.domain.topology, alone.mesh.facets("film")
    topology.create_connectivity(2, 3)
    nodes = dmesh.entities_to_geometry(alone.mesh.domain, 2, facets)
    expected = alone.mesh.domain.geometry.x[nodes].mean(axis=1)
    grid = pyvista.read(path)
    assert grid.n_cells == len(facets)
    np.testing.assert_allclose(rows(corner_places(grid, 3)), rows(expected), atol=1e-12)


def test_space_is_written_once(answers, shared_tmp):
    together, alone = answers
    path = write_space(shared_tmp, nodal_values(together.all, ReducedUnits()))
    assert path == shared_tmp / f"space{SUFFIX}"
    assert names(shared_tmp) == files("space")
    expected = alone.mesh.domain.geometry.x[alone.mesh.domain.geometry.dofmaps[0]].mean(axis=1)
    grid = pyvista.read(path)
    assert grid.n_cells == alone.mesh.cells
    np.testing.assert_allclose(rows(corner_places(grid, 4)), rows(expected), atol=1e-12)


@pytest.mark.parametrize(
    ("write", "arrays", "corners"), [(write_film, "K g B_z", 3), (write_space, "B psi", 4)]
)
def test_written_values_are_those_of_one_rank(answers, shared_tmp, write, arrays, corners):
    together, alone = answers
    (shared_tmp / f"alone_{WORLD.rank}").mkdir()
    grids = [
        pyvista.read(write(shared_tmp, nodal_values(together.all, ReducedUnits()))),
        pyvista.read(
            write(shared_tmp / f"alone_{WORLD.rank}", nodal_values(alone.all, ReducedUnits()))
        ),
    ]
    for name in arrays.split():
        # The mean over each cell, as the order of its corners may differ.
        means = []
        for grid in grids:
            (cells,) = grid.cells_dict.values()
            means.append(rows(corner_places(grid, corners), grid[name][cells].mean(axis=1)))
        scale = np.abs(grids[1][name]).max()
        worst = np.abs(means[0] - means[1])[:, 3:].max() / scale
        assert WORLD.allreduce(float(worst), op=MPI.MAX) < 1e-8  # the solver's 1e-9


def test_pieces_name_the_arrays_of_the_whole(answers, shared_tmp):
    together, _ = answers
    values = nodal_values(together.all, ReducedUnits())
    for write, arrays in ((write_film, {"K", "g", "B_z"}), (write_space, {"B", "psi"})):
        assert set(pyvista.read(write(shared_tmp, values)).point_data) == arrays


def test_rank_without_film_is_no_obstacle(answers, shared_tmp):
    together, _ = answers
    path = write_film(shared_tmp, nodal_values(together.all, ReducedUnits()))
    pieces = [p for p in names(shared_tmp) if p != path.name] or [path.name]
    assert sum(pyvista.read(shared_tmp / piece).n_cells for piece in pieces) == (
        pyvista.read(path).n_cells
    )


def test_folder_that_is_missing_is_an_error_on_every_rank(answers, shared_tmp):
    together, _ = answers
    values = nodal_values(together.all, ReducedUnits())
    for write in (write_film, write_space):
        with pytest.raises(OSError, match="nowhere"):
            write(shared_tmp / "nowhere", values)


# --- a study from end to end


@pytest.mark.parametrize("picture", [False, True])
def test_run_leaves_the_whole_result(tiny_study, shared_tmp, picture):
    text = tiny_study.replace("picture = false", f"picture = {str(picture).lower()}")
    summary = run_study(parse_study(text), shared_tmp / "out")
    expected = [*files("film"), *files("space"), "impurities.vtu", "interaction.npz", "result.vtm"]
    expected += ["study.toml", "summary.json"]
    assert names(shared_tmp / "out") == sorted([*expected, *(["film.png"] if picture else [])])
    written = json.loads((shared_tmp / "out" / "summary.json").read_text())
    assert written["ranks"] == WORLD.size
    assert written["converged"] is True
    for key in ("free_energy", "interaction", "magnetic_moment", "cells", "dofs", "iterations"):
        assert WORLD.allgather(summary[key]) == [written[key]] * WORLD.size
    assert (shared_tmp / "out" / "study.toml").read_text() == text
    assert pyvista.read(shared_tmp / "out" / f"space{SUFFIX}").n_cells == written["cells"]


def test_run_finds_the_numbers_of_one_rank(study, shared_tmp):
    together = run_study(study, shared_tmp / "all")
    alone = run_study(study, shared_tmp / f"alone_{WORLD.rank}", comm=MPI.COMM_SELF)
    assert names(shared_tmp) == ["all", *(f"alone_{rank}" for rank in range(WORLD.size))]
    tensors = [np.array(summary["interaction"]["tensor"]) for summary in (together, alone)]
    worst = np.abs(tensors[0] - tensors[1]).max() / np.abs(tensors[1]).max()
    assert WORLD.allreduce(float(worst), op=MPI.MAX) < 1e-13  # rounding; see test_one_and_all
    assert WORLD.allreduce(int(together["cells"] == alone["cells"])) == WORLD.size


def test_second_run_is_refused_on_every_rank_and_forced_on_all(study, shared_tmp):
    run_study(study, shared_tmp)
    (shared_tmp / "film_9.vtu").touch()
    with pytest.raises(StudyError, match="not empty"):
        run_study(study, shared_tmp)
    run_study(study, shared_tmp, force=True)
    assert names(shared_tmp) == sorted(
        [
            *(*files("film"), *files("space"), "impurities.vtu", "interaction.npz"),
            *("result.vtm", "study.toml", "summary.json"),
        ]
    )


def test_run_that_does_not_converge_leaves_nothing(study, shared_tmp, monkeypatch):
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    with pytest.raises(ConvergenceError, match="residual"):
        run_study(study, shared_tmp / "out")
    assert names(shared_tmp) == []


def test_vtx_of_several_ranks_holds_what_one_rank_writes(answers, shared_tmp):
    adios2 = pytest.importorskip("adios2")
    together, alone = (nodal_values(each.all, ReducedUnits()) for each in answers)
    write_vtx(shared_tmp, together)
    assert names(shared_tmp) == ["film.bp", "space.bp"]
    for name, nodes, fields in (*alone.films, alone.space):
        found: dict = {}
        if WORLD.rank == 0:
            with adios2.Stream(str(shared_tmp / f"{name}.bp"), "rra") as file:
                for array in ("geometry", *fields):
                    blocks = file.all_blocks_info(array)[0]  # a rank may have no cell of the film
                    full = [k for k, one in enumerate(blocks) if int(one["Count"].split(",")[0])]
                    parts = [file.read(array, block_id=k) for k in full]
                    found[array] = np.concatenate(parts)
        found = WORLD.bcast(found)
        # The mean over each cell, as the order of its nodes may differ.
        means = {
            array: values.reshape(len(nodes), nodes.shape[1], -1).mean(axis=1)
            for array, values in found.items()
        }
        table = rows(means.pop("geometry"), *means.values())
        expected = rows(nodes.mean(axis=1), *(each.mean(axis=1) for each in fields.values()))
        scale = np.abs(expected).max(axis=0) + 1e-12
        np.testing.assert_allclose(table / scale, expected / scale, atol=1e-7)
