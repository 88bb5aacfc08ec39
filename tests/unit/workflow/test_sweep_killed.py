"""A sweep that is killed again and again ends with the table of one that never was."""

import csv
import json
import random
import subprocess
import sys
import time
from contextlib import suppress

import pytest

POINTS = 24
SWEEP = """
[sweep]
[[sweep.parameter]]
key = "film.pearl_length"
range = { start = 0.3, stop = 3.0, number = 3, spacing = "log" }
[[sweep.parameter]]
key = "impurity 1.angle"
range = { start = 0, stop = 180, number = 8 }
"""
INPUTS = ("point", "film.pearl_length [L]", "impurity 1.angle")
TIMEOUT = 100  # seconds


@pytest.fixture(scope="module")
def study(tmp_path_factory, tiny_study):
    path = tmp_path_factory.mktemp("killed") / "tiny.toml"
    path.write_text(tiny_study.replace("degree = 2", "degree = 1") + SWEEP)
    return path


@pytest.fixture(scope="module")
def never_killed(study):
    folder = study.parent / "whole"
    subprocess.run(command(study, folder), stdout=subprocess.DEVNULL, timeout=TIMEOUT, check=True)
    return folder


def command(study, folder, *options):
    return [sys.executable, "-m", "pearlfem", "sweep", study, "--out", folder, *options]


def rows(folder):
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def done(folder):
    """When each point was done."""
    found = {}
    for path in folder.glob("*/summary.json"):
        with suppress(FileNotFoundError):  # for a moment it is listed, and not yet there
            found[path.parent.name] = path.stat().st_mtime_ns
    return found


def live(arguments, folder, points, extra):
    """Start the program and kill it some time after it has done so many points."""
    before, start = len(done(folder)), time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    while len(done(folder)) < before + points and process.poll() is None:
        assert time.monotonic() < start + TIMEOUT
        time.sleep(0.01)
    time.sleep(extra)
    process.kill()
    return process.wait()


def check_what_is_there(folder, earlier):
    """Nothing is half there, and nothing was solved again."""
    now = done(folder)
    assert {name: now[name] for name in earlier} == earlier
    for name in now:
        assert json.loads((folder / name / "summary.json").read_text())["converged"]
        assert (folder / name / "space.vtu").read_text().rstrip().endswith("</VTKFile>")
    if (folder / "table.csv").exists():
        numbers = [int(row["point"]) for row in rows(folder)]
        assert numbers == sorted(numbers)
        assert all(None not in row.values() for row in rows(folder))
        assert len(now) - 2 <= len(numbers) <= len(now)  # the last ones of two jobs may be missing
    return now


@pytest.mark.parametrize(
    ("kills", "jobs"),
    [
        pytest.param(2, (), id="alone"),
        pytest.param(2, ("--jobs", "2"), id="jobs"),
        pytest.param(10, (), id="alone, often", marks=pytest.mark.slow),
    ],
)
def test_killed_sweep_ends_with_the_table_of_one_never_killed(study, never_killed, kills, jobs):
    folder, chance = study.parent / f"killed{kills}{len(jobs)}", random.Random(len(jobs))
    earlier, arguments = {}, command(study, folder, *jobs)
    for _ in range(kills):
        # From before the first point on; 0.25 s is about two points.
        code = live(arguments, folder, chance.randrange(3), chance.uniform(0.0, 0.25))
        assert code == -9, "it was still running"
        if jobs:
            time.sleep(0.2)  # they end when they notice
        earlier = check_what_is_there(folder, earlier)
    assert 0 < len(earlier) < POINTS
    subprocess.run(arguments, stdout=subprocess.DEVNULL, timeout=TIMEOUT, check=True)
    assert len(check_what_is_there(folder, earlier)) == POINTS
    assert not [path for path in folder.glob("*/*") if path.is_symlink() or path.name[0] == "."]
    expected = rows(never_killed)
    for row, other in zip(rows(folder), expected, strict=True):
        assert [row[name] for name in INPUTS] == [other[name] for name in INPUTS]
        numbers, others = ({k: float(v) for k, v in each.items()} for each in (row, other))
        assert numbers == pytest.approx(others, rel=1e-10, abs=1e-13)
    print(f"{len(earlier)} points in {kills} lives; the same bytes:", end=" ")
    print((folder / "table.csv").read_bytes() == (never_killed / "table.csv").read_bytes())
