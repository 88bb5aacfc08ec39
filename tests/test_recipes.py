"""The recipes of pearlfem/README.md, followed literally in a copy of the package."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

import pearlfem

PACKAGE = Path(pearlfem.__file__).parent
CHANGE = re.compile(r"# (?P<file>\S+?)(, (?P<how>at the end of|in place of|after) (?P<what>.+))?")
FILES = {"observable": 2, "output format": 2, "source": 3}  # that a recipe makes or changes
TIMEOUT = 100  # seconds; a start takes two


def recipes():
    """The code blocks of each recipe."""
    found, name = {}, None
    tokens = MarkdownIt("commonmark").parse((PACKAGE / "README.md").read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            match = re.fullmatch(r"How to add an? (.+)", token.content)
            name = match and match[1]
        if token.type == "fence" and name:
            found.setdefault(name, []).append(token.content)
    return {name: found[name] for name in FILES}


def follow(folder, block):
    """Make or change a file in ``folder`` as ``block`` says; return its name."""
    first, _, code = block.partition("\n")
    change = CHANGE.fullmatch(first)
    path = folder / change["file"]
    if change["how"] is None:
        assert not path.exists()
        path.write_text(code, encoding="utf-8")
        return change["file"]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = [k for k, line in enumerate(lines) if line.strip().startswith(change["what"])]
    if change["how"] == "at the end of":
        at = next(k for k in range(at, len(lines)) if lines[k].strip() in (")", "}"))
        lines[at:at] = [code]
    else:
        lines[at : at + 1] = [code] if change["how"] == "in place of" else [lines[at], code]
    path.write_text("".join(lines), encoding="utf-8")
    return change["file"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package, in which all recipes were followed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "pearlfem", ignore=shutil.ignore_patterns("__pycache__"))
    for name, blocks in recipes().items():
        assert len({follow(folder, block) for block in blocks}) == FILES[name]
    return folder


@pytest.fixture(scope="module")
def program(copy):
    """Runs the program of the copy in its folder; returns what it prints."""

    def run(*arguments):
        command = [sys.executable, "-m", "pearlfem", *arguments]
        environment = os.environ | {"PYTHONPATH": str(copy)}
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def result(copy, program, tiny_study):
    """A result with a new source, a new number and a new format, and what its run printed."""
    whirl = "[[whirl]]\nposition = [0.1, 0.5]\nsize = 0.4\nstrength = 2.0\n"
    (copy / "tiny.toml").write_text(tiny_study + 'fields = "npz"\n' + whirl)
    printed = program("run", "tiny.toml", "--out", "out")
    program("report", "out")
    return copy / "out", json.loads((copy / "out" / "summary.json").read_text()), printed


def test_observable_is_in_summary_terminal_and_report(result):
    folder, summary, printed = result
    value = summary["mean_sheet_current"]
    assert 0 < value < summary["largest_sheet_current"][0]["value"]
    assert f"mean sheet current: {value:.6g} Gamma / L^2" in printed
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert re.search(r"mean sheet current.*?<td>" + re.escape(f"{value:.6g}"), page)


@pytest.fixture(scope="module")
def table(copy, program, result):
    """The table of a sweep over the strength of the new source; the first point is ``result``."""
    sweep = '[sweep]\n[[sweep.parameter]]\nkey = "whirl 1.strength"\nvalues = [2.0, 4.0, 6.0]\n'
    (copy / "sweep.toml").write_text((copy / "tiny.toml").read_text() + sweep)
    program("sweep", "sweep.toml", "--out", "sweep")
    with (copy / "sweep" / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_observable_is_in_the_table_of_a_sweep(table, result):
    found = [float(row["mean_sheet_current [Gamma / L^2]"]) for row in table]
    assert found[0] == pytest.approx(result[1]["mean_sheet_current"], rel=1e-12)
    assert found == sorted(found)


def test_output_format_leaves_its_files_and_replaces_them(copy, program, result):
    folder, summary, _ = result
    names = {path.name for path in folder.iterdir()}
    assert {"film_0.npz", "space_0.npz", "impurities.vtu"} <= names
    assert not {"film.vtu", "space.vtu", "result.vtm"} & names
    with np.load(folder / "film_0.npz") as film, np.load(folder / "space_0.npz") as space:
        assert set(film.files) == {"nodes", "K", "B_z", "g"}
        assert len(space["B"]) == summary["cells"]
    again = shutil.copytree(folder, copy / "again")
    text = (copy / "tiny.toml").read_text().replace('"npz"', '"none"')
    (copy / "none.toml").write_text(text)
    program("run", "none.toml", "--out", "again", "--force")
    assert sorted(path.name for path in again.iterdir()) == [
        "interaction.npz",
        "study.toml",
        "summary.json",
    ]


def test_output_format_is_in_the_help(program):
    assert re.search(r'fields = "vtu" .*"npz" \(NumPy arrays\)', program("--help"))


def test_source_drives_currents_in_proportion_to_its_strength(table, result):
    moments = np.array([float(row["magnetic_moment_z [Gamma L]"]) for row in table])
    first, second = np.diff(moments)
    assert abs(first) > 0.1 * abs(moments[0])
    assert second == pytest.approx(first, rel=1e-6)  # solvers stop at 1e-9
    _, summary, _ = result
    parts = summary["kinetic_energy"] + summary["field_energy"]
    assert parts == pytest.approx(summary["free_energy"]["value"], rel=1e-8)
