"""Code compiled ahead of time, and what may go wrong when it is compiled."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from pearlfem import inductance, run_study
from pearlfem.runtime import jit
from pearlfem.study.study import parse_study
from pearlfem.workflow.warmup import warm_up

DEVICE = """
[film]
shape = "disc"
radius = 2.0
pearl_length = { profile = "1 + 0.1 * x" }
[[film.hole]]
name = "round"
shape = "disc"
radius = 0.4
fluxoid = 1
[[film.hole]]
name = "square"
shape = "rectangle"
size = [0.4, 0.4]
center = [1.2, 0.0]
[[vortex]]
position = [-1.2, 0.0]
size = 0.3
[applied]
field = [0.0, 0.0, 1.0]
[[output.probe]]
name = "line"
kind = "line"
start = [-3.0, 0.0, 0.5]
end = [3.0, 0.0, 0.5]
samples = 5
"""
POINTS = """
[film]
shape = "disc"
radius = 1.0
pearl_length = 1.0
[impurities]
size = 0.0
[impurities.random]
number = 3
seed = 1
"""
LATTICE = """
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.0, 0.0]
size = 0.3
[boundary]
kind = "periodic"
cell = [[1, 0], [0.5, 1]]
"""
TWO_SIDED = """
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.0, 0.0]
size = 0.3
[boundary]
kind = "magnetic-wall"
box = [3.0, 3.0, 3.0]
center = [0.0, 0.0, 0.5]
"""
STUDIES = [
    (DEVICE, "both"),
    (DEVICE, "vector"),
    (POINTS, "stream"),
    (LATTICE, "both"),
    (TWO_SIDED, "vector"),
]
SOLVE = """
[mesh]
resolution = 0.2
[solve]
degree = 1
formulation = "{}"
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The empty folder that is now the cache; compilers do not optimise, which takes its time."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(jit, "cache_folder", lambda: folder)
    options = {"cache_dir": folder, "cffi_extra_compile_args": ["-O0"]}
    monkeypatch.setattr(jit, "_options", lambda: options)
    return folder


@pytest.mark.slow  # everything is compiled
def test_nothing_is_left_to_compile(tmp_path, cache):
    warm_up(degrees=(1,))
    compiled = set(cache.glob("*.c"))
    assert len(compiled) > 10
    for number, (study, formulation) in enumerate(STUDIES):
        run_study(parse_study(study + SOLVE.format(formulation)), tmp_path / str(number))
    device = parse_study(DEVICE + SOLVE.format("both"))
    inductance(device.film, mesh=device.mesh, solve=device.solve)
    assert set(cache.glob("*.c")) == compiled


def test_compilation_that_was_killed_is_done_again(tmp_path, cache):
    study = parse_study(TWO_SIDED + SOLVE.format("stream"))
    run_study(study, tmp_path / "first")
    victims = sorted(cache.glob("libffcx_*.c"))[:2]
    for victim in victims:  # what FFCx leaves behind when it is killed
        victim.write_text("half of a fi")
        victim.with_suffix(".c.cached").unlink()
        for library in cache.glob(f"{victim.stem}*.so"):
            library.unlink()
    run_study(study, tmp_path / "second")
    for victim in victims:
        assert victim.with_suffix(".c.cached").exists()
        assert victim.stat().st_size > 1000


OTHER = """
import sys
from pathlib import Path
from pearlfem.runtime import jit
jit.cache_folder = lambda: Path(sys.argv[1])
print("begins", flush=True)
with jit.compiling():
    print("compiles", flush=True)
    sys.stdin.read()
"""


def other_process(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"begins\n"
    return process


def test_one_process_at_a_time_compiles(cache):
    with jit.compiling():
        process = other_process(cache)
        assert select.select([process.stdout], [], [], 1.0) == ([], [], [])
    assert process.stdout.readline() == b"compiles\n"
    process.kill()  # the lock ends with it
    with jit.compiling() as folder:
        assert folder == cache
    process.communicate()


@pytest.mark.parametrize("lacking", ["compiler", "cache"])
def test_what_compilation_needs_is_said(tmp_path, lacking):
    study = tmp_path / "study.toml"
    study.write_text(TWO_SIDED + SOLVE.format("stream"))
    cache = tmp_path / "cache"
    if lacking == "cache":
        cache.write_text("a file, and no folder")
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    if lacking == "compiler":
        environment["CC"] = "/no/such/compiler"
    program = Path(sys.executable).parent / "pearlfem"
    command = [program, "run", study, "--out", tmp_path / "out"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert "code could not be compiled into" in done.stderr
    assert "CC" in done.stderr and "XDG_CACHE_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_read_only_cache_is_used_as_it_is(tmp_path, cache, monkeypatch):
    study = parse_study(TWO_SIDED + SOLVE.format("stream"))
    run_study(study, tmp_path / "first")

    (cache / "lock").unlink()
    (cache / "lock").mkdir()  # cannot be opened, by the superuser neither
    monkeypatch.setattr(jit, "_remove_unfinished", None)  # would be an error
    run_study(study, tmp_path / "second")
