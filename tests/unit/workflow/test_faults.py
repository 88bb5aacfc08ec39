"""What goes wrong around a run: signals, full and read-only disks, two runs at once, damage.

Afterwards the earlier result is there as it was, and the message says what happened.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

SECONDS = 60  # a start takes two

# The program, stopped when the study is read and its folder is open.
STOPPED = """
import sys, time
import pearlfem.workflow.assembly, pearlfem.cli.main
def wait(*arguments, **options):
    print("open", flush=True)
    time.sleep(60)
pearlfem.workflow.assembly.create_mesh = wait
sys.argv = ["pearlfem", *sys.argv[1:]]
pearlfem.cli.main.main()
"""


@pytest.fixture
def study(tmp_path, tiny_study):
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_study)
    return path


@pytest.fixture(scope="module")
def result(tmp_path_factory, tiny_study):
    """The content of a finished run's files."""
    base = tmp_path_factory.mktemp("result")
    (base / "tiny.toml").write_text(tiny_study.replace("picture = false", "picture = true"))
    done = start(base, "run", "tiny.toml", "--out", "out")
    assert done.returncode == 0, done.stderr
    return content(base / "out")


@pytest.fixture
def earlier(tmp_path, result):
    """A folder with that result."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name, data in result.items():
        (folder / name).write_bytes(data)
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def start(folder, *arguments, before=()):
    command = [
        *before,
        sys.executable,
        "-c",
        "from pearlfem.cli.main import main; main()",
        *arguments,
    ]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def assert_refused(done, *words, code=2):
    status, out, err = done if isinstance(done, tuple) else (done.returncode, "", done.stderr)
    assert status == code, err
    assert "Traceback" not in out + err
    assert err.startswith("pearlfem: ")
    for word in words:
        assert word in err


@contextmanager
def running(folder, *arguments):
    """A program that has opened its output folder and now takes its time."""
    job = subprocess.Popen(
        [sys.executable, "-c", STOPPED, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert job.stdout.readline() == "open\n", job.stderr.read()
        yield job
    finally:
        job.kill()
        job.communicate()


# --- signals


def test_sigterm_ends_a_run_at_once_and_leaves_nothing(study, tmp_path):
    with running(tmp_path, "run", "tiny.toml", "--out", "new") as job:
        job.send_signal(signal.SIGTERM)
        _, err = job.communicate(timeout=SECONDS / 4)
    assert job.returncode == 143
    assert err == "pearlfem: terminated (SIGTERM)\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_run_leaves_the_earlier_result(call, study, earlier, result, tmp_path, number):
    with running(tmp_path, "run", "tiny.toml", "--out", "out", "--force") as job:
        assert seen(earlier) == result
        job.send_signal(number)
        job.wait(SECONDS / 4)
    assert seen(earlier) == result
    assert (earlier / ".pearlfem" / "lock").exists() == (number == signal.SIGKILL)
    code, _, err = call("run", "tiny.toml", "--out", "out", "--force")
    assert code == 0, err
    assert not (earlier / ".pearlfem").exists()
    assert not (earlier / "film.png").exists()  # the new result has none


def seen(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_handler_of_sigterm_survives_gmsh():
    from mpi4py import MPI

    from pearlfem.mesh.tagged import gmsh_session
    from pearlfem.runtime.signals import Terminated, termination_raises

    with pytest.raises(Terminated), termination_raises(), gmsh_session(MPI.COMM_SELF):
        os.kill(os.getpid(), signal.SIGTERM)


# --- two at once


def test_others_are_refused_while_a_run_writes_and_told_by_whom(call, study, earlier, tmp_path):
    with running(tmp_path, "run", "tiny.toml", "--out", "out", "--force") as job:
        for command in (("run", "tiny.toml", "--out", "out", "--force"), ("plot", "out")):
            assert_refused(call(*command), "output folder out", f"process {job.pid} on ")


# --- disks

MOUNT = ["unshare", "--mount", "sh", "-c"]
CAN_MOUNT = (
    os.geteuid() == 0
    and subprocess.run(
        [*MOUNT, "mount -t tmpfs none /mnt"], capture_output=True, check=False
    ).returncode
    == 0
    if sys.platform == "linux"
    else False
)
needs_mount = pytest.mark.skipif(not CAN_MOUNT, reason="needs root, to mount a small disk")


def on_disk(tmp_path, options, *arguments):
    """Run the program where ``out`` is a disk with a copy of ``keep``; what is on it comes back."""
    (tmp_path / "back").mkdir()
    script = (
        "mkdir -p keep out && mount -t tmpfs -o size=8m none out && cp -a keep/. out && "
        f'mount -o remount,{options} out && {{ "$@"; code=$?; cp -a out/. back; exit $code; }}'
    )
    return start(tmp_path, *arguments, before=[*MOUNT, script, "sh"])


@needs_mount
@pytest.mark.parametrize("room", [4, 100])
def test_full_disk_is_told_and_leaves_the_earlier_result(study, earlier, result, tmp_path, room):
    earlier.rename(tmp_path / "keep")
    size = sum(-(-len(data) // 4096) * 4 for data in result.values()) + room  # kB, in whole pages
    done = on_disk(tmp_path, f"size={size}k", "run", "tiny.toml", "--out", "out", "--force")
    assert_refused(done, "output folder out: cannot be written: No space left on device")
    assert content(tmp_path / "back") == result


@needs_mount
def test_read_only_disk_is_told_before_any_work(study, earlier, result, tmp_path):
    earlier.rename(tmp_path / "keep")
    done = on_disk(tmp_path, "ro", "run", "tiny.toml", "--out", "out/new")
    assert_refused(done, "output folder out/new: cannot be written: Read-only file system")
    assert done.stdout == ""
    assert content(tmp_path / "back") == result


@needs_mount
def test_picture_on_a_read_only_disk_is_refused(study, earlier, result, tmp_path):
    earlier.rename(tmp_path / "keep")
    done = on_disk(tmp_path, "ro", "plot", "out")
    assert_refused(done, "output folder out: cannot be written: Read-only file system")
    assert content(tmp_path / "back") == result


@needs_mount
def test_mesh_on_a_full_disk_is_told_and_leaves_the_earlier_one(study, tmp_path):
    # gmsh writes what there is room for, and says nothing.
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "tiny.msh").write_text("earlier")
    done = on_disk(tmp_path, "size=20k", "mesh", "tiny.toml", "--out", "out/tiny.msh", "--force")
    assert_refused(done, "mesh file out/tiny.msh: cannot be written: No space left on device")
    assert content(tmp_path / "back") == {"tiny.msh": b"earlier"}


# --- damaged results


@pytest.mark.parametrize("size", [0, 1, 100, -1])
@pytest.mark.parametrize("name", ["interaction.npz", "film.vtu", "study.toml"])
def test_result_that_is_cut_off_is_told_by_name(call, earlier, name, size):
    data = (earlier / name).read_bytes()
    (earlier / name).write_bytes(data[:size] if size >= 0 else data[: len(data) // 2])
    before = content(earlier)
    done = call("plot", earlier)
    assert_refused(done, f"{earlier}/{name}")
    assert content(earlier) == before


@pytest.mark.parametrize("name", ["interaction.npz", "film.vtu"])
@pytest.mark.parametrize("seed", range(6))
def test_result_with_other_bytes_is_told_or_drawn(call, earlier, name, seed):
    rng = np.random.default_rng(seed)
    data = bytearray((earlier / name).read_bytes())
    for place in rng.integers(len(data), size=20):
        data[place] = rng.integers(256)
    (earlier / name).write_bytes(data)
    code, out, err = call("plot", earlier)
    assert code in (0, 2)
    assert "Traceback" not in out + err
    assert code == 0 or str(earlier / name) in err


def test_arrays_that_need_pickle_are_not_loaded(call, earlier, tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    np.savez(earlier / "interaction.npz", angles=np.array([Harmful()], dtype=object))
    assert_refused(call("plot", earlier), "interaction.npz")
    assert not (tmp_path / "harm").exists()


def test_angles_of_other_impurities_are_told(call, earlier):
    np.savez(earlier / "interaction.npz", angles=np.array([1.0, 2.0, 3.0]))
    assert_refused(call("plot", earlier), "interaction.npz")


@pytest.mark.parametrize("angles", [[1.0, np.nan], [np.inf, 0.0], [[1.0, 2.0]]])
def test_angles_that_are_none_are_told(call, earlier, angles):
    np.savez(earlier / "interaction.npz", angles=np.array(angles))
    assert_refused(call("plot", earlier), "interaction.npz")


def test_result_is_json_without_nan(earlier):
    def refuse(name):
        raise AssertionError(name)

    json.loads((earlier / "summary.json").read_text(), parse_constant=refuse)
