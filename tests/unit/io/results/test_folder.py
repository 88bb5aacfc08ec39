"""The result's folder: all of a result or nothing, and the files of others stay."""

import pytest
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.results.folder import result_folder


def publish(folder, names, *, force=False):
    with result_folder(folder, force=force, comm=MPI.COMM_SELF) as stage:
        for name in names:
            (stage / name).write_text("new")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("exists", [False, True])
def test_result_appears_in_a_new_or_empty_folder(tmp_path, exists):
    folder = tmp_path / "a" / "b"
    if exists:
        folder.mkdir(parents=True)
    publish(folder, ["summary.json", "film.vtu"])
    assert names(folder) == ["film.vtu", "summary.json"]


def test_nothing_shows_before_all_of_it_is_there(tmp_path):
    with result_folder(tmp_path / "out", force=False, comm=MPI.COMM_SELF) as stage:
        (stage / "summary.json").write_text("new")
        assert not (tmp_path / "out" / "summary.json").exists()
        assert (tmp_path / "out") in stage.parents  # the same file system: moving is atomic
        assert stage.parent.name.startswith(".")


@pytest.mark.parametrize("exists", [False, True])
def test_failure_leaves_no_trace(tmp_path, exists):
    folder = tmp_path / "out"
    if exists:
        folder.mkdir()
    with (
        pytest.raises(RuntimeError, match="boom"),
        result_folder(folder, force=False, comm=MPI.COMM_SELF) as stage,
    ):
        (stage / "film.vtu").write_text("half")
        raise RuntimeError("boom")
    assert folder.exists() is exists
    assert not exists or names(folder) == []


def test_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StudyError, match=f"{tmp_path.name}.*not empty.*--force"):
        publish(tmp_path, ["summary.json"])
    assert names(tmp_path) == ["thesis.tex"]


def test_force_replaces_a_result_and_keeps_what_is_foreign(tmp_path):
    old = ["summary.json", "film.pvtu", "film_0.vtu", "film_7.vtu", "space_7.vtu", "film.png"]
    for name in [*old, "study.toml", "thesis.tex"]:
        (tmp_path / name).write_text("old")
    (tmp_path / "notes").mkdir()
    publish(tmp_path, ["summary.json", "film.vtu", "study.toml"], force=True)
    assert names(tmp_path) == ["film.vtu", "notes", "study.toml", "summary.json", "thesis.tex"]
    assert (tmp_path / "summary.json").read_text() == "new"
    assert (tmp_path / "thesis.tex").read_text() == "old"


@pytest.mark.parametrize("name", ["film_notes.vtu", "film-thickness.vtu", "spaceship.vtu"])
def test_force_takes_no_foreign_file_for_its_own(tmp_path, name):
    (tmp_path / name).write_text("mine")
    publish(tmp_path, ["summary.json"], force=True)
    assert (tmp_path / name).exists()


def test_failure_with_force_keeps_the_earlier_result(tmp_path):
    publish(tmp_path, ["summary.json", "film.vtu"])
    with (
        pytest.raises(RuntimeError, match="boom"),
        result_folder(tmp_path, force=True, comm=MPI.COMM_SELF),
    ):
        raise RuntimeError("boom")
    assert names(tmp_path) == ["film.vtu", "summary.json"]


def test_stage_of_a_killed_run_with_the_same_process_number_is_no_obstacle(tmp_path, monkeypatch):
    # In a container every run may be process 1.
    with result_folder(tmp_path, force=False, comm=MPI.COMM_SELF) as stage:
        left = stage.name
    (tmp_path / left).mkdir()
    publish(tmp_path, ["summary.json"], force=True)
    assert (tmp_path / "summary.json").exists()


@pytest.mark.parametrize("below", [False, True])
def test_file_cannot_be_the_folder_nor_hold_it(tmp_path, below):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(StudyError, match="cannot be written"):
        publish(path / "out" if below else path, ["summary.json"], force=True)
    assert path.read_text() == "mine"
