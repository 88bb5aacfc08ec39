"""Every demo runs on two ranks, one of them alone as well, and its asserts hold."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ALONE = "demo_vortex_impurity"  # one of the quickest
DEMOS = sorted((Path(__file__).parents[1] / "demos").glob("demo_*.py"))
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("demo", "ranks"),
    [*((demo, 1) for demo in DEMOS if demo.stem == ALONE), *((demo, 2) for demo in DEMOS)],
    ids=lambda value: value.stem if isinstance(value, Path) else str(value),
)
def test_demo_runs(demo, ranks, tmp_path):
    launcher = [MPIEXEC, "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run(
        [*launcher, sys.executable, demo],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("picture: ") == 1, "one rank speaks"
    assert (tmp_path / "results" / f"{demo.stem}.png").is_file()
