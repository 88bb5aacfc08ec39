"""The start of the program: what it says if it cannot start, or is interrupted while it loads."""

import os
import signal
import subprocess
import sys

import pytest

from pearlfem.runtime.start import DOLFINX, InstallationError, loaded, loading

PROGRAM = [sys.executable, "-m", "pearlfem", "--version"]


def start(folder, modules, command=PROGRAM, **environment):
    """Run a command in which ``modules``, by name, hide the installed ones."""
    for name, text in modules.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    path = os.pathsep.join(p or os.getcwd() for p in (str(folder), *sys.path))
    return subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


MISSING = {
    "MPI": (
        {
            "dolfinx_solver.py": "raise ImportError",
            "mpi4py/__init__.py": "",
            "mpi4py/MPI.py": "raise RuntimeError('cannot load MPI library:\\nlibmpi.so.12')",
        },
        "do not load here (cannot load MPI library: libmpi.so.12)",
    ),
    "DOLFINx": ({"dolfinx.py": "raise ImportError('no C++')"}, "do not load here (no C++)"),
    "version": ({"dolfinx.py": "__version__ = '0.9.0'"}, "DOLFINx 0.9.0 will not do"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_told_in_a_sentence(name, tmp_path):
    modules, words = MISSING[name]
    done = start(tmp_path, modules)
    assert done.returncode == 1
    assert done.stderr.startswith(f"pearlfem: DOLFINx {DOLFINX}, PETSc and MPI are needed, and ")
    for word in (words, "pip install 'pearlfem[wheel]'", "conda"):
        assert word in done.stderr
    assert done.stderr.count("\n") == 1


def test_other_programs_get_an_exception(tmp_path):
    modules, words = MISSING["DOLFINx"]
    done = start(tmp_path, modules, [sys.executable, "-c", "import pearlfem"])
    assert "InstallationError: DOLFINx" in done.stderr and words in done.stderr
    assert "Traceback" in done.stderr


INTERRUPT = f"import os, time; os.kill(os.getpid(), {signal.SIGINT:d}); time.sleep(60)"


@pytest.mark.parametrize("rank", ["0", "1"])
def test_interrupt_while_it_loads_ends_it_at_once(tmp_path, rank):
    done = start(tmp_path, {"dolfinx_solver.py": INTERRUPT}, PMI_RANK=rank)
    assert done.returncode == 130
    assert done.stderr == ("pearlfem: interrupted\n" if rank == "0" else "")


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        ("python -m pearlfem run", True),
        ("python -u -m pearlfem", True),
        ("python /usr/bin/pearlfem run", True),
        ("python -m pytest pearlfem", False),
        ("python -c pearlfem", False),
        ("python my.py pearlfem", False),
        ("python", False),
    ],
)
def test_only_the_command_line_changes_what_interrupts_do(command, ours):
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)  # as a program starts
    before = signal.getsignal(signal.SIGINT), sys.excepthook
    try:
        with loading(command.split()):
            pass
        assert (signal.getsignal(signal.SIGINT) != before[0]) == ours
        assert (sys.excepthook != before[1]) == ours
        loaded()
        assert signal.getsignal(signal.SIGINT) == before[0]
    finally:
        signal.signal(signal.SIGINT, earlier)
        sys.excepthook = before[1]


def test_error_is_an_import_error():
    assert issubclass(InstallationError, ImportError)
