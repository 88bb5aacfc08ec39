"""Killed before any one of its operations on files, a publication leaves a whole result."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.results import folder as folder_module
from pearlfem.io.results.folder import result_folder

OLD = {"summary.json": "old", "film.pvtu": "old", "film_0.vtu": "old", "study.toml": "old"}
NEW = {"summary.json": "new", "film.vtu": "new", "study.toml": "new", "probe_a.csv": "new"}
FOREIGN = {"thesis.tex": "mine"}

# Of one result the first script writes the next one, a process for each operation before which it
# is killed; os._exit is what a kill is to files: nothing is tidied up.
KILLED = """
import os, sys
from pathlib import Path
from mpi4py import MPI
from pearlfem.io.results.folder import result_folder
sys.path.insert(0, sys.argv[2])
import test_publication as test

CHANGES = ("open", "os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir")
count, last = 0, -1
def hook(event, arguments):
    global count
    if event in CHANGES and last >= 0:
        count += 1
        if count > last:
            os._exit(9)
sys.addaudithook(hook)
base = Path(sys.argv[1])
for number in range(10_000):
    (base / f"{number}").mkdir(parents=True)
    test.write(base / f"{number}", test.OLD | test.FOREIGN)
    child = os.fork()
    if child == 0:
        last = number
        test.publish(base / f"{number}", test.NEW)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(number)
"""


def write(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)


def publish(folder, files, comm=MPI.COMM_SELF):
    with result_folder(folder, force=True, comm=comm) as stage:
        write(stage, files)


def seen(folder):
    """What a reader finds that knows nothing of us."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def is_plain(folder):
    return all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders in which a process was killed, before each operation once."""
    base = tmp_path_factory.mktemp("killed")
    arguments = [sys.executable, "-c", KILLED, str(base), str(Path(__file__).parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return [base / str(number) for number in range(int(done.stdout))], base / done.stdout.strip()


def test_killed_process_leaves_the_old_result_or_the_new_one(killed):
    stopped, finished = killed
    states = [seen(folder) for folder in stopped]
    assert [state for state in states if state not in (OLD | FOREIGN, NEW | FOREIGN)] == []
    # The new one from one moment on: the single operation that publishes.
    which = [state["summary.json"] for state in states]
    assert which == sorted(which, reverse=True)
    assert set(which) == {"old", "new"}
    assert len(stopped) > 30
    assert seen(finished) == NEW | FOREIGN
    assert is_plain(finished)


def test_next_process_tidies_up_without_changing_what_is_seen(killed):
    for folder in killed[0]:
        before = seen(folder)
        with (
            pytest.raises(StudyError, match="not empty"),
            result_folder(folder, force=False, comm=MPI.COMM_SELF),
        ):
            pytest.fail("a folder with a result")
        assert seen(folder) == before
        assert is_plain(folder)


def test_next_process_publishes_after_a_killed_one(killed):
    for folder in killed[0][::3]:
        publish(folder, {"summary.json": "third", "space.vtu": "third"})
        assert seen(folder) == {"summary.json": "third", "space.vtu": "third"} | FOREIGN
        assert is_plain(folder)


def test_reader_always_finds_one_result(tmp_path):
    write(tmp_path, {"summary.json": "0", "film.vtu": "0"})
    found, ended = [], threading.Event()

    def read():
        while not ended.is_set():
            try:
                text = (tmp_path / "summary.json").read_text()
            except FileNotFoundError:  # opened while its link went: see the module
                text = (tmp_path / "summary.json").read_text()
            found.append(int(text))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(1, 40):
            publish(tmp_path, {"summary.json": str(number), "film.vtu": str(number)})
    finally:
        ended.set()
        reader.join()
    assert found == sorted(found)
    assert found[-1] in (38, 39)  # it has not ended before


@pytest.mark.parametrize("call", ["os.link", "os.symlink", "os.replace", "os.fsync"])
@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_disk_that_is_full_when_publishing_leaves_the_old_result(
    tmp_path, monkeypatch, call, number
):
    name = call.removeprefix("os.")
    real, calls = getattr(os, name), iter(range(1000))

    def fail(*arguments, **options):
        if next(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    write(tmp_path, OLD | FOREIGN)
    try:
        with result_folder(tmp_path, force=True, comm=MPI.COMM_SELF) as stage:
            write(stage, NEW)
            monkeypatch.setattr(os, name, fail)
    except StudyError as error:
        assert str(tmp_path) in str(error) and "No space left" in str(error)
    monkeypatch.undo()
    assert seen(tmp_path) in (OLD | FOREIGN, NEW | FOREIGN)
    publish(tmp_path, {"summary.json": "third"})
    assert seen(tmp_path) == {"summary.json": "third"} | FOREIGN


@pytest.mark.parametrize("call", ["link", "symlink"])
def test_file_system_without_links_gets_its_files_too(tmp_path, monkeypatch, call):
    def fail(*arguments, **options):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    write(tmp_path, OLD | FOREIGN)
    monkeypatch.setattr(os, call, fail)
    publish(tmp_path, NEW)
    assert seen(tmp_path) == NEW | FOREIGN
    assert is_plain(tmp_path)


def test_without_links_the_summary_goes_first_and_comes_last(tmp_path, monkeypatch):
    write(tmp_path, OLD)
    states = []
    for name in ("unlink", "replace"):
        real = getattr(os, name)

        def note(*arguments, real=real, **options):
            states.append(seen(tmp_path))
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, note)
    (tmp_path / ".pearlfem" / "new").mkdir(parents=True)
    write(tmp_path / ".pearlfem" / "new", NEW)
    folder_module._replace(tmp_path, sorted(NEW), sorted(OLD))
    states.append(seen(tmp_path))
    assert all(state in (OLD, NEW) for state in states if "summary.json" in state)
    assert states[-1] == NEW


def test_folder_in_the_place_of_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "film.vtu").mkdir()
    with pytest.raises(StudyError, match=r"film\.vtu: is a folder"):
        publish(tmp_path, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["film.vtu"]
