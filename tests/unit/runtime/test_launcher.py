"""Ranks that a launcher has started and that do not find each other."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pearlfem.runtime.launcher import WrongLauncherError, check_launcher, explain_launcher

ALONE = {  # all correct: a single process, or a launcher that starts one rank
    "plain": {},
    "one rank of MPICH": {"PMI_SIZE": "1", "PMI_RANK": "0"},
    "one rank of Open MPI": {"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"},
    "batch script without srun": {"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_JOBID": "7"},
    "srun of one task": {"SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"},
    "not a number": {"PMI_SIZE": "many"},
    "empty": {"PMI_SIZE": ""},
}
SEVERAL = {
    "PMI_SIZE": {"PMI_SIZE": "2", "PMI_RANK": "1"},
    "OMPI_COMM_WORLD_SIZE": {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"},
    "SLURM_STEP_NUM_TASKS": {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"},
}


@pytest.mark.parametrize("environment", ALONE.values(), ids=ALONE)
def test_single_process_is_accepted(environment):
    check_launcher(environment)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_ranks_that_are_alone_are_refused(name):
    with pytest.raises(WrongLauncherError) as caught:
        check_launcher(SEVERAL[name])
    assert caught.value.rank == 1
    for word in (f"{name} = 2", "2 ranks", "mpiexec that belongs to it", f"env -u {name}"):
        assert word in str(caught.value)


@pytest.mark.parametrize("rank", [0, 1])
def test_program_ends_before_any_work_and_one_rank_speaks(tmp_path, tiny_study, rank):
    (tmp_path / "tiny.toml").write_text(tiny_study)
    environment = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": str(rank)}
    done = subprocess.run(
        [sys.executable, "-c", "import pearlfem.cli.main as c; c.main()", "run", "tiny.toml"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    # mpi4py prints a warning, too
    told = "pearlfem: Open MPI's mpiexec has started 2 ranks" in done.stderr
    assert told == (rank == 0)
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


OPEN_MPI = shutil.which("mpiexec.openmpi")


@pytest.mark.skipif(OPEN_MPI is None, reason="no Open MPI on PATH")
@pytest.mark.skipif(not importlib.util.find_spec("dolfinx_solver"), reason="MPI is not MPICH")
def test_other_mpiexec_is_explained(tmp_path):
    program = Path(sys.executable).parent / "pearlfem"
    options = ["--allow-run-as-root", "--oversubscribe", "-n", "2"]
    command = [OPEN_MPI, *options, program, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stderr.count("pearlfem: Open MPI's mpiexec has started this") == 1
    assert str(Path(sys.executable).parent / "mpiexec") in done.stderr


def test_no_explanation_without_a_problem(capsys):
    explain_launcher({})
    explain_launcher({"PMI_SIZE": "2", "PMI_RANK": "0"})
    assert capsys.readouterr().err == ""
