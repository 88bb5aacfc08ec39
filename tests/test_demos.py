"""A demo is a program of its own; that all of them run is tested in ``parallel``."""

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[1] / "demos" / "demo_iron_selenide.py"  # the quickest


def test_demo_runs_as_a_program(tmp_path):
    command = [sys.executable, DEMO]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("picture: ") == 1
    assert (tmp_path / "results" / f"{DEMO.stem}.png").is_file()
