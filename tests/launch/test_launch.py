"""The program under a real launcher: one voice, and no rank left waiting.

Each start of two ranks takes some seconds, so there are few of these.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
PROGRAM = Path(sys.executable).parent / "pearlfem"
SECONDS = 30  # a hanging job is ended then; a start takes three

pytestmark = pytest.mark.skipif(MPIEXEC is None, reason="no mpiexec beside Python nor on PATH")


@pytest.fixture
def launch(tmp_path):
    """Run on two ranks; return exit code, stdout, stderr and seconds."""

    def run(*command):
        start = time.monotonic()
        job = subprocess.Popen(
            [MPIEXEC, "-n", "2", *command],
            cwd=tmp_path,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, err = job.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            job.terminate()  # the launcher then ends its ranks; killed, it would leave them behind
            job.communicate()
            raise
        return job.returncode, out, err, time.monotonic() - start

    return run


@pytest.fixture
def study(tmp_path, tiny_study):
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_study)
    return path


def test_help_is_printed_once(launch):
    code, out, err, _ = launch(PROGRAM, "--help")
    assert code == 0
    assert out.count("Usage: pearlfem") == 1
    assert err == ""


def test_bad_study_is_refused_with_one_message(launch, study, tmp_path):
    study.write_text(study.read_text().replace("degree = 2", "degree = 7"))
    code, out, err, _ = launch(PROGRAM, "run", study)
    assert code == 2
    assert out == ""
    assert err.count("solve.degree = 7") == 1
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


def test_run_has_one_voice_and_one_result(launch, study, tmp_path):
    code, out, err, _ = launch(PROGRAM, "run", study, "--out", "out")
    assert code == 0
    assert out.count("free energy") == 1
    assert err == ""
    assert (tmp_path / "out" / "summary.json").exists()


def test_error_on_one_rank_alone_ends_all_with_one_traceback(launch, study, tmp_path):
    # Rank 1 fails where rank 0 goes on to a collective call, and would wait there for ever.
    script = """
import sys
import pearlfem.workflow.assembly, pearlfem.cli.main
from mpi4py import MPI
create = pearlfem.workflow.assembly.create_mesh
def create_or_fail(*arguments, **options):
    if MPI.COMM_WORLD.rank == 1:
        raise ZeroDivisionError("nobody thought of this")
    return create(*arguments, **options)
pearlfem.workflow.assembly.create_mesh = create_or_fail
sys.argv = ["pearlfem", "run", "tiny.toml", "--out", "out"]
pearlfem.cli.main.main()
"""
    code, _, err, seconds = launch(sys.executable, "-c", script)
    assert code not in (0, 2, 3)
    assert err.count("Traceback") == 1
    assert err.count("ZeroDivisionError: nobody thought of this") == 1
    assert "rank 1" in err
    assert seconds < SECONDS / 2
    assert not (tmp_path / "out" / "summary.json").exists()


def test_file_that_is_not_a_mesh_is_refused_on_every_rank(launch, tmp_path):
    (tmp_path / "other.msh").write_text("no mesh\n")
    script = """
from pathlib import Path
from mpi4py import MPI
import pearlfem
try:
    pearlfem.read_mesh(Path("other.msh"))
except pearlfem.StudyError:
    MPI.COMM_WORLD.barrier()
    print("refused", flush=True)
"""
    code, out, err, _ = launch(sys.executable, "-c", script)
    assert (code, out.count("refused")) == (0, 2), err
