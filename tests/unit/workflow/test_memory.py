"""Memory known before it is used."""

import json
import types

import psutil
import pytest
from mpi4py import MPI

import pearlfem.workflow.adaptivity
import pearlfem.workflow.assembly
from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study
from pearlfem.workflow.memory import Memory, check_memory, memory_needed
from pearlfem.workflow.run import run_study

GIB = 2**30


def study(text, **values):
    """The tiny study with other values."""
    for key, value in values.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{key} ="))
        text = text.replace(line, f"{key} = {value}")
    return parse_study(text)


def needed(study, *formulations, cells=1e4):
    return memory_needed(study, formulations, cells, MPI.COMM_SELF).needed


@pytest.fixture
def free(monkeypatch):
    """Set the memory that is free."""

    def set_bytes(number):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda: types.SimpleNamespace(available=number)
        )

    return set_bytes


@pytest.fixture
def no_mesh(monkeypatch):
    def create_mesh(*arguments, **options):
        raise AssertionError("it comes to meshing")

    for module in (pearlfem.workflow.assembly, pearlfem.workflow.adaptivity):
        monkeypatch.setattr(module, "create_mesh", create_mesh)


def test_memory_goes_with_the_cells(tiny_study):
    what = study(tiny_study)
    assert needed(what, "stream", cells=3e5) == pytest.approx(3 * needed(what, "stream", cells=1e5))


def test_memory_grows_with_the_degree(tiny_study):
    for name in ("stream", "vector"):
        one, two, three = (needed(study(tiny_study, degree=p), name) for p in (1, 2, 3))
        assert one < two < three


def test_memory_grows_with_the_impurities(tiny_study):
    one = "[[impurity]]\nposition = [{}, 0.0]\nsize = 0.4\n"
    more = tiny_study + "".join(one.format(k / 100) for k in range(20))
    assert needed(parse_study(more), "stream") > needed(study(tiny_study), "stream")


def test_both_formulations_take_the_most(tiny_study):
    what = study(tiny_study)
    stream, vector, both = (
        needed(what, *names) for names in (["stream"], ["vector"], ["stream", "vector"])
    )
    assert stream < vector < both < stream + vector  # the mesh is the same


def test_memory_is_that_of_the_node(tiny_study, free):
    free(3 * GIB)
    assert memory_needed(study(tiny_study), ["stream"], 1e4, MPI.COMM_SELF).available == 3 * GIB


def test_memory_is_told_in_gib():
    assert str(Memory(1.5 * GIB, 0.25 * GIB)) == "about 1.5 GiB of memory; 0.25 are free"


def test_study_that_fits_is_accepted(tiny_study, free):
    free(GIB)
    check_memory(study(tiny_study), ["stream"], 1.0, MPI.COMM_SELF)


def test_study_that_does_not_fit_is_refused_with_the_numbers(tiny_study, free):
    free(GIB / 1024)
    with pytest.raises(StudyError) as refused:
        check_memory(study(tiny_study, resolution=0.75), ["stream"], 0.75, MPI.COMM_SELF)
    message = str(refused.value)
    assert message.startswith("mesh.resolution = 0.75: ")
    for words in ("cells", "0.000977 are free", "degree 2", "allowed: a lower resolution"):
        assert words in message


def test_resolution_beyond_all_memory_is_refused(tiny_study):
    with pytest.raises(StudyError, match=r"mesh\.resolution = 1000: .*GiB"):
        check_memory(study(tiny_study, resolution=1000.0), ["stream"], 1000.0, MPI.COMM_SELF)


@pytest.mark.parametrize("tolerance", ["", "tolerance = 1e-3"])
def test_run_is_refused_before_anything_is_meshed(tiny_study, tmp_path, no_mesh, tolerance):
    text = tiny_study.replace("resolution = 0.5", "resolution = 1000.0")
    text = text.replace("degree = 2", f"degree = 2\n{tolerance}")
    with pytest.raises(StudyError, match=r"mesh\.resolution = 1000"):
        run_study(parse_study(text), tmp_path / "out", comm=MPI.COMM_SELF)
    assert not (tmp_path / "out").exists()


def test_tolerance_stops_at_the_memory_that_is_free(tiny_study, tmp_path, free):
    # The first mesh fits, of 0.3 times the resolution; what the tolerance asks for does not.
    text = tiny_study.replace("degree = 2", "degree = 2\ntolerance = 1e-6")
    text = text.replace("resolution = 0.5", "resolution = 1.0")
    free(GIB / 256)
    with pytest.raises(pearlfem.ConvergenceError, match=r"the next mesh would need .* GiB"):
        run_study(parse_study(text), tmp_path / "out", comm=MPI.COMM_SELF)
    partial = json.loads((tmp_path / "out" / "partial.json").read_text())
    assert "0.00391 are free" in partial["shortfall"]


def test_refinements_count_in_what_a_mesh_needs(tiny_study, free, tmp_path, no_mesh):
    text = tiny_study.replace("resolution = 0.5", "resolution = 0.5\nrefinements = 3")
    assert "refinements" in text
    free(GIB / 16)  # enough for the coarse mesh
    check_memory(parse_study(tiny_study), ["stream"], 0.5, MPI.COMM_SELF)
    with pytest.raises(StudyError, match=r"mesh\.refinements = 3: .*GiB"):
        run_study(parse_study(text), tmp_path / "out", comm=MPI.COMM_SELF)
