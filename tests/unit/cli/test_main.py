"""The command line: help, refusals, exit codes, and what a run leaves on disk."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import gmsh
import numpy as np
import pytest
import pyvista

import pearlfem
from pearlfem.formulation import weights
from pearlfem.observables.energy import mutual_energies
from pearlfem.quantities.rounding import rounded
from pearlfem.solvers import multigrid
from pearlfem.workflow import answers
from pearlfem.workflow.comparison import Comparison

PROGRAM = Path(sys.executable).parent / "pearlfem"
COMMANDS = ("run", "sweep", "plot", "report", "mesh", "check")
TIMEOUT = 100  # seconds; a start takes two

BAD_STUDIES = {
    "unknown key": ("pearl_length = 1.0", "pearl_length = 1.0\nspam = 1", "film.spam = 1"),
    "later key": ("degree = 2", "degree = 2\nunits = 1", "solve.units = 1"),
    "bad value": ("pearl_length = 1.0", "pearl_length = -1.0", "film.pearl_length = -1.0"),
    "bad degree": ("degree = 2", "degree = 7", "solve.degree = 7"),
    "too hot": (
        "[film]",
        "[temperature]\nvalue = 9.5\ncritical = 9.2\n[film]",
        "temperature.value = 9.5: not allowed",
    ),
    "not TOML": ("[film]", "[film", "not a TOML file"),
    "outside": ('"plane"', '"disc"\nradius = 0.2', "impurity 1: position = [-0.25, 0.0]"),
}


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def study(tmp_path, tiny_study):
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_study)
    return path


@pytest.fixture(scope="module")
def result(tmp_path_factory, tiny_study):
    """A finished run of the real program, with fields and picture."""
    folder = tmp_path_factory.mktemp("run")
    text = tiny_study.replace("picture = false", "picture = true")
    (folder / "tiny.toml").write_text(text)
    program = [PROGRAM, "run", "tiny.toml"]
    done = subprocess.run(
        program, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "results" / "tiny", text, done.stdout


@pytest.fixture(scope="module")
def summary(result):
    return json.loads((result[0] / "summary.json").read_text())


def tree(folder):
    return sorted(
        (str(path.relative_to(folder)), path.stat().st_mtime_ns) for path in folder.rglob("*")
    )


def assert_refused(answer, *words):
    """Exit code 2, nothing on stdout, one message on stderr that has the words."""
    code, out, err = answer
    assert code == 2
    assert out == ""
    assert err.startswith("pearlfem: ")
    assert err.count("pearlfem: ") == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err


# --- help


def test_installed_program_gives_help():
    done = subprocess.run(
        [PROGRAM, "--help"], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_holds_a_study_that_can_be_run(call, option):
    code, out, _ = call(option)
    assert code == 0
    example = out.partition("A study file:\n")[2].partition("\n\n")[0]
    study = pearlfem.study.study.parse_study("\n".join(line[4:] for line in example.splitlines()))
    assert study.impurities
    # Every table of the file is in the example.
    assert set(tomllib.loads(study.text)) >= {"title", "film", "impurity", "mesh", "solve"}


def test_help_is_what_one_gets_without_a_command(call):
    assert call()[:2] == call("--help")[:2]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert f"pearlfem {command}" in out


def test_version_is_told(call):
    code, out, _ = call("--version")
    assert code == 0
    assert "0." in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["fly"], "fly"),
        (["run"], "STUDY.toml"),
        (["run", "--fast", "a.toml"], "--fast"),
        (["run", "a.toml", "b.toml"], "b.toml"),
        (["plot"], "DIR"),
        (["mesh", "a.toml", "--out"], "--out"),
    ],
)
def test_wrong_usage_is_refused(call, arguments, word):
    assert_refused(call(*arguments), word)


# --- studies that are refused


@pytest.mark.parametrize("command", ["run", "mesh"])
@pytest.mark.parametrize("case", BAD_STUDIES)
def test_bad_study_is_refused_before_anything_happens(call, no_mesh, study, command, case):
    old, new, message = BAD_STUDIES[case]
    assert study.read_text().count(old) == 1
    study.write_text(study.read_text().replace(old, new))
    before = tree(study.parent)
    assert_refused(call(command, study), message, str(study))
    assert tree(study.parent) == before


@pytest.mark.parametrize("command", ["run", "mesh"])
@pytest.mark.parametrize("name", ["nowhere.toml", "", "folder", "latin.toml"])
def test_study_that_cannot_be_read_is_refused(call, no_mesh, tmp_path, command, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.toml").write_bytes(b'title = "f\xfcr"')
    before = tree(tmp_path)
    assert_refused(call(command, tmp_path / name), name)
    assert tree(tmp_path) == before


# --- output folders


@pytest.mark.parametrize("name", ["summary.json", "thesis.tex", ".hidden"])
def test_folder_that_is_not_empty_is_refused(call, no_mesh, study, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    before = tree(tmp_path)
    assert_refused(call("run", study, "--out", "out"), "out", "--force")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("out", ["file", "file/out", "/dev/null/out"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_path_that_cannot_be_a_folder_is_refused(call, no_mesh, study, tmp_path, out, force):
    (tmp_path / "file").write_text("mine")
    before = tree(tmp_path)
    assert_refused(call("run", study, "--out", out, *force), out)
    assert tree(tmp_path) == before


def test_force_replaces_a_result_and_keeps_foreign_files(call, study, tmp_path):
    out = tmp_path / "out"
    assert call("run", study, "--out", out)[0] == 0
    (out / "thesis.tex").write_text("mine")
    (out / "film_5.vtu").write_text("a piece of an earlier run on six ranks")
    study.write_text(study.read_text().replace('title = "tiny"', 'title = "second"'))
    assert call("run", study, "--out", out, "--force")[0] == 0
    assert json.loads((out / "summary.json").read_text())["title"] == "second"
    assert (out / "thesis.tex").read_text() == "mine"
    assert sorted(path.name for path in out.iterdir()) == [
        *("film.vtu", "impurities.vtu", "interaction.npz", "result.vtm", "space.vtu"),
        *("study.toml", "summary.json", "thesis.tex"),
    ]


# --- runs that fail


@pytest.mark.parametrize("exists", [False, True])
def test_run_that_does_not_converge_leaves_nothing(call, study, tmp_path, monkeypatch, exists):
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    code, _, err = call("run", study, "--out", out)
    assert code == 3
    assert err.startswith("pearlfem: ")
    assert "residuals: " in err
    assert "e-0" in err.partition("residuals: ")[2]  # numbers
    assert "Traceback" not in err
    assert out.exists() is exists
    assert not exists or list(out.iterdir()) == []


def test_run_that_does_not_converge_keeps_an_earlier_result(call, study, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert call("run", study, "--out", out)[0] == 0
    before = tree(out)
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    assert call("run", study, "--out", out, "--force")[0] == 3
    assert tree(out) == before


def test_unforeseen_error_is_told_in_full_and_leaves_nothing(call, study, tmp_path, monkeypatch):
    def initialize(*arguments, **options):
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(gmsh, "initialize", initialize)
    code, _, err = call("run", study, "--out", tmp_path / "out")
    assert code == 1
    assert err.count("Traceback") == 1
    assert "nobody thought of this" in err
    assert not (tmp_path / "out").exists()


def test_bounds_that_cross_are_an_error_and_no_result(call, study, tmp_path, monkeypatch):
    def too_large(solutions):
        return (2.0 if solutions[0].formulation == "stream" else 1.0) * mutual_energies(solutions)

    monkeypatch.setattr(answers, "mutual_energies", too_large)
    study.write_text(study.read_text().replace("degree = 2", 'degree = 2\nformulation = "both"'))
    code, _, err = call("run", study, "--out", tmp_path / "out")
    assert code == 1
    assert "please report it" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "summary.json").exists()


def test_profile_without_bounds_is_not_called_guaranteed(call, study, tmp_path, monkeypatch):
    text = study.read_text().replace("resolution = 0.5", "resolution = 0.25")
    text = text.replace("degree = 2", 'degree = 1\nformulation = "both"')
    profile = '{ profile = "1 + 0.1*x" }'
    study.write_text(text.replace('"plane"', '"disc"\nradius = 2.0').replace("1.0\n", profile, 1))
    study.write_text(study.read_text().replace(profile, profile + "\n"))
    out = tmp_path / "out"
    for known in (True, False):
        if not known:  # as for a Python function
            monkeypatch.setattr(weights, "enclosure_of", lambda profile: None)
        code, text, err = call("run", study, "--out", out, "--force")
        assert code == 0, err
        summary = json.loads((out / "summary.json").read_text())
        assert summary["free_energy"]["guaranteed"] is known
        assert summary["interaction"]["guaranteed"] is known
        assert call("report", out)[0] == 0
        page = (out / "report.html").read_text()
        for words, told in (("guaranteed between", text), ("Guaranteed between", page)):
            assert (words in told) is known
        assert ("not guaranteed" in text) is not known
        assert ("not guaranteed" in page) is not known


def test_interrupt_ends_the_run_without_a_traceback(study, tmp_path):
    script = """
import sys
import pearlfem.cli.main
import gmsh
def initialize(*arguments, **options):
    raise KeyboardInterrupt
gmsh.initialize = initialize
sys.argv = ["pearlfem", "run", "tiny.toml", "--out", "out"]
pearlfem.cli.main.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 130  # 128 + SIGINT, as shells have it
    assert "Traceback" not in done.stderr
    assert "unforeseen" not in done.stderr
    assert not (tmp_path / "out" / "summary.json").exists()


# --- what a run leaves: the contract of other tools


def test_run_leaves_the_files_of_the_contract(result):
    folder, text, _ = result
    assert sorted(path.name for path in folder.iterdir()) == [
        *("film.png", "film.vtu", "impurities.vtu", "interaction.npz", "result.vtm"),
        *("space.vtu", "study.toml", "summary.json"),
    ]
    assert (folder / "study.toml").read_text() == text


def test_run_tells_the_couplings_and_where_the_result_is(result, summary):
    _, _, out = result
    assert f"{rounded(summary['free_energy']['value'], side='lower')} mu0 Gamma^2 / L" in out
    assert f"kinetic energy of the currents: {summary['kinetic_energy']:.6g} mu0" in out
    assert f"magnetic moment, z: {summary['magnetic_moment'][2]:.6g} Gamma L" in out
    assert f"{summary['largest_sheet_current'][0]['value']:.6g}" in out
    for word in ("self-energy", "T_xx", "results/tiny", "summary.json", "film.png"):
        assert word in out


def test_summary_has_the_keys_of_the_contract(summary):
    assert set(summary) >= {
        *("schema", "title", "converged", "free_energy", "interaction", "magnetic_moment"),
        *("holes", "rounds", "cells", "dofs", "iterations", "ranks", "seconds", "versions"),
        *("units", "temperature", "order"),
    }
    assert set(summary["free_energy"]) == {"value", "lower", "upper", "unit", "guaranteed"}
    assert set(summary["interaction"]) == {"tensor", "lower", "upper", "unit", "guaranteed"}
    assert set(summary["seconds"]) == {"mesh", "assemble", "setup", "solve", "output", "total"}


def test_temperature_is_that_of_pearl_length_and_strengths_scaled_by_hand(call, study, tiny_study):
    warm = tiny_study + "[temperature]\nvalue = 4.6\ncritical = 9.2\n"
    w = 0.834037684716  # clean, bcs_weight.csv at T/Tc = 0.5
    by_hand = (
        tiny_study.replace("pearl_length = 1.0", f"pearl_length = {1 / w!r}")
        .replace("strength = 2.0", f"strength = {2 * w!r}")
        .replace("angle = 30.0", f"angle = 30.0\nstrength = {w!r}")
    )
    found = []
    for name, text in (("warm", warm), ("by_hand", by_hand)):
        study.write_text(text)
        assert call("run", study, "--out", name)[0] == 0
        found.append(json.loads(Path(name, "summary.json").read_text()))
    assert found[0]["temperature"] == {
        "value": 4.6,
        "critical": 9.2,
        "unit": "Theta",
        "weight": "clean",
        "factor": pytest.approx(w, abs=1e-12),
    }
    assert found[1]["temperature"] is None
    tensors = [one["interaction"]["tensor"] for one in found]
    np.testing.assert_allclose(tensors[0], tensors[1], rtol=1e-10, atol=1e-11)


def test_summary_has_the_types_of_the_contract(summary):
    assert summary["schema"] == 1
    assert summary["title"] == "tiny"
    assert summary["converged"] is True
    assert summary["holes"] == []
    assert summary["ranks"] == 1
    for key in ("cells", "dofs", "iterations"):
        assert type(summary[key]) is int
        assert summary[key] > 0
    assert all(type(seconds) is float for seconds in summary["seconds"].values())
    assert all(type(version) is str for version in summary["versions"].values())
    assert type(summary["free_energy"]["unit"]) is str
    assert type(summary["interaction"]["unit"]) is str


def test_stream_formulation_fills_the_lower_bound_alone(summary):
    energy = summary["free_energy"]
    assert energy["value"] == energy["lower"] > 0
    assert energy["upper"] is None


def test_summary_has_a_tensor_that_adds_up_to_the_energy(summary):
    tensor = np.array(summary["interaction"]["tensor"])
    assert tensor.shape == (2, 2, 2, 2)
    angles = np.radians([30.0, 0.0])
    m = np.column_stack([np.cos(angles), np.sin(angles)])
    energy = 0.5 * np.einsum("ia,ijab,jb", m, tensor, m)  # F = ½ Σ m_i·T_ij·m_j
    assert energy == pytest.approx(summary["free_energy"]["value"], rel=1e-12)  # rounding


def test_moment_of_a_flat_film_is_along_z(summary):
    mx, my, mz = summary["magnetic_moment"]
    assert mx == my == 0.0
    assert mz != 0.0


def test_phases_take_no_longer_than_the_total(summary):
    seconds = dict(summary["seconds"])
    total = seconds.pop("total")
    assert all(value >= 0 for value in seconds.values())
    assert sum(seconds.values()) <= total


def test_fields_are_read_by_pyvista(result, summary):
    film, mesh = (pyvista.read(result[0] / name) for name in ("film.vtu", "space.vtu"))
    assert set(film.point_data) == {"K", "g", "B_z"}
    assert set(mesh.point_data) == {"B", "psi"}
    assert mesh.n_cells == summary["cells"]
    for grid in (film, mesh):
        for array in grid.point_data.values():
            assert np.all(np.isfinite(array))
            assert np.abs(array).max() > 0


def test_picture_is_an_image(result):
    assert min(pyvista.read(result[0] / "film.png").dimensions[:2]) >= 800


@pytest.mark.parametrize(
    ("fields", "picture", "left"),
    [
        ("none", "false", []),
        ("none", "true", ["film.png"]),
        ("vtu", "false", ["film.vtu", "impurities.vtu", "result.vtm", "space.vtu"]),
    ],
)
def test_output_is_what_was_asked_for(call, study, tmp_path, fields, picture, left):
    output = f'[output]\nfields = "{fields}"\npicture = {picture}\n'
    study.write_text(study.read_text().partition("[output]")[0] + output)
    code, out, _ = call("run", study, "--out", "out")
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted([*left, "interaction.npz", "study.toml", "summary.json"])
    assert ("film.png" in out) is (picture == "true")


# --- plot


def test_plot_draws_the_picture_again(call, result, tmp_path):
    folder = tmp_path / "again"
    folder.mkdir()
    for path in result[0].iterdir():
        if path.name != "film.png":
            (folder / path.name).write_bytes(path.read_bytes())
    code, out, _ = call("plot", folder)
    assert code == 0
    assert f"{folder}/film.png" in out
    again, first = (pyvista.read(place / "film.png") for place in (folder, result[0]))
    assert again.dimensions == first.dimensions


@pytest.mark.parametrize("name", ["empty", "nowhere", "file"])
def test_plot_needs_a_result(call, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    before = tree(tmp_path)
    assert_refused(call("plot", tmp_path / name), name)
    assert tree(tmp_path) == before


def test_plot_needs_the_study_as_well(call, result, tmp_path):
    (tmp_path / "film.vtu").write_bytes((result[0] / "film.vtu").read_bytes())
    assert_refused(call("plot", tmp_path), "study.toml")


# --- report


def test_report_makes_a_page_of_the_result(call, result, tmp_path, summary):
    folder = tmp_path / "again"
    shutil.copytree(result[0], folder)
    code, out, err = call("report", folder)
    assert (code, err) == (0, "")
    assert out == f"page: {folder}/report.html\n"
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert summary["title"] in text
    assert f"{summary['free_energy']['value']:.9g}".replace("-", "−") in text
    picture = base64.b64encode((result[0] / "film.png").read_bytes()).decode()
    assert picture in text
    assert {path.name for path in folder.iterdir()} - {p.name for p in result[0].iterdir()} == {
        "report.html"
    }


@pytest.mark.parametrize("name", ["empty", "nowhere", "file"])
def test_report_needs_a_result(call, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    before = tree(tmp_path)
    assert_refused(call("report", tmp_path / name), name, "summary.json")
    assert tree(tmp_path) == before


def test_report_names_the_file_that_is_damaged(call, result, tmp_path):
    folder = tmp_path / "again"
    shutil.copytree(result[0], folder)
    (folder / "interaction.npz").unlink()
    assert_refused(call("report", folder), f"{folder}/interaction.npz: is missing")


# --- mesh


def test_mesh_is_written_with_its_groups(call, study, tmp_path):
    study.write_text(study.read_text().replace('"plane"', '"disc"\nradius = 1.0'))
    code, out, _ = call("mesh", study)
    assert code == 0
    assert "tiny.msh" in out
    mesh = pearlfem.read_mesh(tmp_path / "tiny.msh")
    assert set(mesh.groups) == {"film", "plane", "far"}
    assert f"{mesh.cells:,} cells" in out
    for group in mesh.groups:
        assert mesh.facets(group).size > 0


def test_mesh_is_that_of_the_run(call, study, tmp_path, summary):
    assert call("mesh", study, "--out", "mine.msh")[0] == 0
    assert pearlfem.read_mesh(tmp_path / "mine.msh").cells == summary["cells"]


def test_mesh_overwrites_only_by_force(call, study, tmp_path):
    path = tmp_path / "tiny.msh"
    path.write_text("mine")
    assert_refused(call("mesh", study, "--out", path), str(path), "--force")
    assert path.read_text() == "mine"
    assert call("mesh", study, "--out", path, "--force")[0] == 0
    assert path.read_text().startswith("$MeshFormat")


def test_mesh_is_the_coarse_one_that_a_run_refines(call, study, tmp_path):
    plain = study.read_text()
    refined = plain.replace("[mesh]\n", "[mesh]\nrefinements = 1\n")
    study.write_text(refined)
    assert call("mesh", study, "--out", "coarse.msh")[0] == 0
    kept = [line for line in refined.splitlines() if not line.startswith(("resolution", "far"))]
    study.write_text("\n".join(kept).replace("[mesh]", '[mesh]\nfile = "coarse.msh"'))
    assert call("run", study, "--out", "again")[0] == 0
    cells = json.loads((tmp_path / "again" / "summary.json").read_text())["cells"]
    assert cells == 8 * pearlfem.read_mesh(tmp_path / "coarse.msh").cells
    assert "study_1_coarse.msh" in {path.name for path in (tmp_path / "again").iterdir()}
    assert_refused(
        call("mesh", study, "--out", "more.msh"), f"mesh.file = '{tmp_path / 'coarse.msh'}'"
    )
    (tmp_path / "coarse.msh").write_text("$MeshFormat\n4.1 0 8\n")
    assert_refused(call("run", study, "--out", "third"), f"mesh.file = '{tmp_path / 'coarse.msh'}'")


@pytest.mark.parametrize("out", ["nowhere/x.msh", "/dev/null/x.msh", "x.docx", "x"])
def test_mesh_that_cannot_be_written_is_refused(call, no_mesh, study, tmp_path, out):
    before = tree(tmp_path)
    assert_refused(call("mesh", study, "--out", out), out)
    assert tree(tmp_path) == before


def test_mesh_that_fails_leaves_no_file(call, no_mesh, study, tmp_path):
    assert call("mesh", study)[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


# --- check


@pytest.mark.parametrize(("difference", "code"), [(1e-6, 0), (1e-2, 1), (float("nan"), 1)])
def test_check_fails_when_a_number_is_too_far_off(call, monkeypatch, difference, code):
    rows = [
        Comparison("first", 1.0, 1.0, 1.0, 1e-4),
        Comparison("second", 1.0 + difference, 1.0, 1.0, 1e-4),
    ]
    monkeypatch.setattr("pearlfem.cli.main.check_solver", lambda *arguments: rows)
    status, out, _ = call("check")
    assert status == code
    assert "first" in out
    assert "second" in out
    assert f"{2 - code} of 2" in out


def test_program_is_the_one_of_this_package():
    # What the subprocesses above run is what the other tests import.
    assert PROGRAM.is_file()
    where = [sys.executable, "-c", "import pearlfem; print(pearlfem.__file__)"]
    done = subprocess.run(where, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert os.path.samefile(done.stdout.strip(), pearlfem.__file__)
