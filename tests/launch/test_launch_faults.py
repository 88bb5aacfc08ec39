"""Faults under a real launcher: no rank hangs, and the earlier result stays."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
SECONDS = 40  # a hanging job is ended then; a start takes three
EARLIER = {"summary.json": "earlier", "film.vtu": "earlier", "thesis.tex": "mine"}

pytestmark = pytest.mark.skipif(MPIEXEC is None, reason="no mpiexec beside Python nor on PATH")

# The program, with something happening on one rank (or on all) in the middle of a run.
FAULT = """
import os, sys, time
import {module}, pearlfem.cli.main
from mpi4py import MPI
from pearlfem.errors import StudyError
real = {module}.{name}
def fault(*arguments, **options):
    if MPI.COMM_WORLD.rank in {ranks}:
        {what}
    return real(*arguments, **options)
{module}.{name} = fault
sys.argv = ["pearlfem", "run", "tiny.toml", "--out", "out", "--force"]
pearlfem.cli.main.main()
"""


@pytest.fixture
def folder(tmp_path, tiny_study):
    (tmp_path / "tiny.toml").write_text(tiny_study)
    (tmp_path / "out").mkdir()
    for name, text in EARLIER.items():
        (tmp_path / "out" / name).write_text(text)
    return tmp_path


def start(folder, what, ranks=(1,), where="pearlfem.workflow.answers.mutual_energies"):
    module, _, name = where.rpartition(".")
    script = FAULT.format(module=module, name=name, ranks=ranks, what=what)
    return subprocess.Popen(
        [MPIEXEC, "-n", "2", sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(job):
    try:
        out, err = job.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        job.terminate()  # the launcher then ends its ranks; killed, it would leave them behind
        job.communicate()
        raise
    return job.returncode, out, err


def seen(folder):
    return {p.name: p.read_text() for p in (folder / "out").iterdir() if p.is_file()}


@pytest.mark.parametrize("rank", [0, 1])
def test_error_in_the_middle_of_solving_ends_all(folder, rank):
    # mutual_energies is collective: the other rank waits in it.
    code, _, err = finish(start(folder, 'raise ZeroDivisionError("unforeseen")', ranks=(rank,)))
    assert code not in (0, 2, 3)
    assert err.count("ZeroDivisionError: unforeseen") == 1
    assert f"rank {rank}: unforeseen error" in err
    assert seen(folder) == EARLIER
    assert not (folder / "out" / ".pearlfem").exists()  # also if rank 0, which made it, waits


def test_interrupt_of_all_ranks_is_told_once(folder):
    code, out, err = finish(start(folder, "raise KeyboardInterrupt", ranks=(0, 1)))
    assert code == 130
    assert [line for line in err.splitlines() if line] == ["pearlfem: interrupted"]
    assert "Traceback" not in out and "BAD TERMINATION" not in out
    assert seen(folder) == EARLIER
    assert not (folder / "out" / ".pearlfem").exists()


def test_refusal_by_one_rank_alone_ends_all_with_its_message(folder):
    # All ranks should raise it together, and wait for each other then: here one would for ever.
    code, _, err = finish(start(folder, 'raise StudyError("one rank alone refuses")'))
    assert code not in (0, 3)
    assert "rank 1: one rank alone refuses" in err
    assert "Traceback" not in err
    assert seen(folder) == EARLIER


def test_killed_rank_takes_the_others_with_it(folder):
    code, _, _ = finish(start(folder, "os._exit(9)"))
    assert code != 0
    assert seen(folder) == EARLIER


def test_full_disk_on_one_rank_is_told(folder):
    what = 'raise OSError(28, "No space left on device")'
    code, _, err = finish(start(folder, what, where="pearlfem.workflow.write.write_fields"))
    assert code == 2
    assert "output folder out: cannot be written: No space left on device" in err
    assert "Traceback" not in err
    assert seen(folder) == EARLIER


def test_sigterm_to_the_launcher_ends_all_with_143(folder):
    job = start(folder, 'print("here", flush=True); time.sleep(60)', ranks=(0, 1))
    while "here" not in (line := job.stdout.readline()) and line:
        pass
    begin = time.monotonic()
    job.send_signal(signal.SIGTERM)
    code, _, err = finish(job)
    assert code == 143
    assert err.count("pearlfem: rank 0: terminated (SIGTERM)") == 1
    assert time.monotonic() - begin < 5.0
    assert seen(folder) == EARLIER
    assert sorted(EARLIER) == sorted(path.name for path in (folder / "out").iterdir())
