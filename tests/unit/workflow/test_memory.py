"""Memory known before it is used."""

import json
import types

import psutil
import pytest
from mpi4py import MPI

from pearlfem import (
    ConvergenceError,
    Fluxoid,
    Impurity,
    MeshOptions,
    SolveOptions,
    StudyError,
    run_study,
)
from pearlfem.mesh.generate import write_mesh
from pearlfem.study.study import parse_study
from pearlfem.workflow.assembly import assemble
from pearlfem.workflow.memory import Memory, check_memory, memory_needed

GIB = 2**30
PAIR = (Impurity((-0.25, 0.0), size=0.4), Impurity((0.25, 0.1), size=0.4))
OTHERS = (Fluxoid("a"), Fluxoid("b"))


def needed(formulation="stream", degree=2, sources=PAIR, cells=1e4):
    solve = SolveOptions(formulation=formulation, degree=degree)
    return memory_needed(cells, sources, solve, MPI.COMM_SELF).needed


def check(cells, mesh=MeshOptions()):  # noqa: B008
    check_memory(cells, PAIR, mesh=mesh, solve=SolveOptions(degree=2), comm=MPI.COMM_SELF)


@pytest.fixture
def free(monkeypatch):
    """Set the memory that is free."""

    def set_bytes(number):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda: types.SimpleNamespace(available=number)
        )

    return set_bytes


# --- what a solution needs


def test_memory_is_proportional_to_the_cells():
    assert needed(cells=3e5) == pytest.approx(3 * needed(cells=1e5))


def test_memory_grows_with_the_degree():
    for name in ("stream", "vector"):
        one, two, three = (needed(name, degree) for degree in (1, 2, 3))
        assert one < two < three


def test_memory_grows_with_the_impurities():
    assert needed(sources=10 * PAIR) > needed()


def test_all_other_sources_together_count_as_half_an_impurity():
    # An impurity is solved for along x and along y, all others at once.
    extra = needed(sources=PAIR) - needed(sources=PAIR[:1])
    for others in (OTHERS, OTHERS[:1]):
        assert needed(sources=(*PAIR, *others)) - needed() == pytest.approx(extra / 2, rel=1e-9)


def test_both_formulations_take_the_most():
    stream, vector, both = (needed(name) for name in ("stream", "vector", "both"))
    assert stream < vector < both < stream + vector  # the mesh is the same


def test_memory_is_that_of_the_node(free):
    free(3 * GIB)
    assert memory_needed(1e4, PAIR, SolveOptions(), MPI.COMM_SELF).available == 3 * GIB


def test_memory_is_told_in_gib():
    assert str(Memory(1.5 * GIB, 0.25 * GIB)) == "about 1.5 GiB of memory; 0.25 are free"


# --- what is refused


def test_mesh_that_fits_is_accepted(free):
    enough = needed(cells=1e4)
    free(enough)
    check(1e4)
    free(enough - 1)
    with pytest.raises(StudyError, match="GiB"):
        check(1e4)


@pytest.mark.parametrize(
    ("mesh", "keys", "remedies"),
    [
        (
            MeshOptions(resolution=0.75),
            "mesh.resolution = 0.75",
            "a lower resolution, a lower degree, "
            "larger cores of sources, a longer Pearl length, a smaller film (is its unit right?)",
        ),
        (
            MeshOptions(resolution=0.75, refinements=2),
            "mesh.resolution = 0.75 with mesh.refinements = 2",
            "a lower resolution, fewer refinements, a lower degree, "
            "larger cores of sources, a longer Pearl length, a smaller film (is its unit right?)",
        ),
        (MeshOptions(file="a.msh"), "mesh.file = 'a.msh'", "a coarser mesh, a lower degree"),
        (
            MeshOptions(file="a.msh", refinements=1),
            "mesh.file = 'a.msh' with mesh.refinements = 1",
            "a coarser mesh, fewer refinements, a lower degree",
        ),
    ],
)
def test_refusal_names_keys_numbers_and_remedies(free, mesh, keys, remedies):
    free(GIB / 1024)
    with pytest.raises(StudyError) as refused:
        check(1e4, mesh)
    message = str(refused.value)
    assert message.startswith(f"{keys}: makes about 1e+04 cells, which need about ")
    assert message.endswith(f"0.000977 are free (degree 2); allowed: {remedies}")


@pytest.mark.parametrize("tolerance", ["", "tolerance = 1e-3"])
def test_run_is_refused_before_anything_is_meshed(tiny_study, tmp_path, no_mesh, tolerance):
    text = tiny_study.replace("resolution = 0.5", "resolution = 1000.0")
    text = text.replace("degree = 2", f"degree = 2\n{tolerance}")
    with pytest.raises(StudyError, match=r"mesh\.resolution = 1000: .*GiB"):
        run_study(parse_study(text), tmp_path / "out", comm=MPI.COMM_SELF)
    assert not (tmp_path / "out").exists()


def test_refinements_count_before_anything_is_meshed(plane_film, free, no_mesh):
    free(GIB / 16)  # enough for the coarse mesh, of about 500 cells
    check(1e3, MeshOptions(resolution=0.5))
    mesh = MeshOptions(resolution=0.5, far=5.0, refinements=3)
    with pytest.raises(StudyError, match=r"mesh\.refinements = 3: .*GiB"):
        assemble(plane_film, PAIR, mesh=mesh, solve=SolveOptions(degree=2), comm=MPI.COMM_SELF)


def test_refinements_of_a_mesh_file_count(plane_film, free, tmp_path):
    path = tmp_path / "coarse.msh"
    cells = write_mesh(path, plane_film, PAIR, resolution=0.5, far=5.0)
    free(10 * needed(cells=cells))
    solve = SolveOptions(degree=2)
    mesh = MeshOptions(file=str(path), refinements=1)
    assembly = assemble(plane_film, PAIR, mesh=mesh, solve=solve, comm=MPI.COMM_SELF)
    assert assembly.mesh.cells == 8 * cells
    assembly.destroy()
    mesh = MeshOptions(file=str(path), refinements=2)
    with pytest.raises(
        StudyError, match=r"mesh\.file = .*coarse\.msh' with mesh\.refinements = 2: "
    ):
        assemble(plane_film, PAIR, mesh=mesh, solve=solve, comm=MPI.COMM_SELF)


def test_refinement_for_a_tolerance_stops_at_the_memory_that_is_free(tiny_study, tmp_path, free):
    # The first mesh fits, of 0.3 times the resolution; what the tolerance asks for does not.
    text = tiny_study.replace("degree = 2", "degree = 2\ntolerance = 1e-6")
    text = text.replace("resolution = 0.5", "resolution = 1.0")
    free(GIB / 256)
    with pytest.raises(ConvergenceError, match=r"the next mesh would need .* GiB"):
        run_study(parse_study(text), tmp_path / "out", comm=MPI.COMM_SELF)
    partial = json.loads((tmp_path / "out" / "partial.json").read_text())
    assert "0.00391 are free" in partial["shortfall"]
