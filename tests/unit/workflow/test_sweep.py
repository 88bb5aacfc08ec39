"""pearlfem sweep: a folder for each point, a table of all, and nothing solved twice."""

import csv
import gc
import io
import json
import os
import re
import shutil
import signal
from itertools import chain

import numpy as np
import pytest
from mpi4py import MPI
from pyarrow import parquet
from rich.console import Console

import pearlfem.workflow.assembly
import pearlfem.workflow.sweep
from pearlfem.errors import ConvergenceError
from pearlfem.io.results import sweep_folder
from pearlfem.io.results.sweep_folder import SweepFolder
from pearlfem.io.results.sweep_rows import as_columns, result_cells
from pearlfem.runtime.progress import progress_shown
from pearlfem.runtime.signals import Terminated
from pearlfem.study.study import parse_study, read_study
from pearlfem.study.sweep import read_sweep
from pearlfem.workflow.reuse import reuse_key
from pearlfem.workflow.run import run_study
from pearlfem.workflow.sweep import in_order_of_work, parts, run_points

ANGLES = """
[[sweep.parameter]]
key = "impurity 1.angle"
values = [0, 40]
"""
LENGTHS = """
[[sweep.parameter]]
key = "film.pearl_length"
range = { start = 0.5, stop = 2.0, number = 2 }
"""
WORLD = MPI.COMM_WORLD


@pytest.fixture(scope="module")
def tiny(tiny_study):
    return tiny_study.replace("degree = 2", "degree = 1") + 'fields = "none"\n'


@pytest.fixture
def study(tmp_path, tiny):
    """Four points on two meshes, so ordered that they are not next to each other."""
    path = tmp_path / "tiny.toml"
    path.write_text(tiny + "[sweep]" + ANGLES + LENGTHS)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    """The folder of that sweep, made once; tests look at it, or change a copy of it."""
    path = tmp_path_factory.mktemp("finished") / "tiny.toml"
    path.write_text(tiny + "[sweep]" + ANGLES + LENGTHS)
    found = read_sweep(path)
    folder = SweepFolder(path.parent / "out", found)
    folder.open()
    assert run_points(in_order_of_work(found), folder, WORLD, lambda outcome: None) == []
    return folder.path


@pytest.fixture
def done(finished, tmp_path):
    """A copy of that folder, with its times."""
    return shutil.copytree(finished, tmp_path / "out")


@pytest.fixture
def meshes(monkeypatch):
    """Counts the meshes that are made."""
    made = []
    create = pearlfem.workflow.assembly.create_mesh

    def counted(*arguments, **options):
        made.append(options)
        return create(*arguments, **options)

    monkeypatch.setattr(pearlfem.workflow.assembly, "create_mesh", counted)
    return made


def rows(folder):
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def both_tables(folder):
    return [(folder / name).read_bytes() for name in ("table.csv", "table.parquet")]


def times(folder):
    """When each point was done."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/summary.json")}


def summary(folder, number):
    return json.loads((folder / f"{number:04}" / "summary.json").read_text())


# --- results


def test_table_has_what_the_summaries_have(call, study, tmp_path):
    code, out, err = call("sweep", study, "--out", "out")
    assert (code, err) == (0, "")
    folder = tmp_path / "out"
    table = rows(folder)
    assert [row["point"] for row in table] == ["1", "2", "3", "4"]
    assert [row["impurity 1.angle"] for row in table] == ["0", "0", "40", "40"]
    assert [row["film.pearl_length [L]"] for row in table] == ["0.5", "2.0", "0.5", "2.0"]
    unit = "[mu0 Gamma^2 / L]"
    for number, row in enumerate(table, start=1):
        found = summary(folder, number)
        assert float(row[f"free_energy {unit}"]) == found["free_energy"]["value"]
        assert float(row[f"free_energy.lower {unit}"]) == found["free_energy"]["lower"]
        tensor = np.array(found["interaction"]["tensor"])
        assert float(row[f"T_yx 1-2 {unit}"]) == tensor[0, 1, 1, 0]
        assert float(row[f"T_yy 2-2 {unit}"]) == tensor[1, 1, 1, 1]
        moment = [float(row[f"magnetic_moment_{axis} [Gamma L]"]) for axis in "xyz"]
        assert moment == found["magnetic_moment"]
        assert [int(row[name]) for name in ("cells", "dofs", "iterations")] == [
            found[name] for name in ("cells", "dofs", "iterations")
        ]
    assert not [name for name in table[0] if "second" in name or "rank" in name]
    assert (folder / "sweep.toml").read_text() == study.read_text()
    assert f"table: {os.path.join('out', 'table.csv')}" in out


def test_parquet_has_the_numbers_of_the_csv_file(finished):
    table = parquet.read_table(finished / "table.parquet").to_pylist()
    assert [{k: str(v) for k, v in row.items()} for row in table] == rows(finished)
    assert isinstance(table[0]["point"], int)
    assert isinstance(table[0]["film.pearl_length [L]"], float)


@pytest.mark.parametrize("formulation", ["stream", "both"])
def test_point_is_what_run_finds_for_its_study(call, study, tmp_path, formulation):
    text = study.read_text().replace("[solve]", f'[solve]\nformulation = "{formulation}"')
    study.write_text(text)
    assert call("sweep", study, "--out", "out")[0] == 0
    for number in range(1, 5):
        own = tmp_path / "out" / f"{number:04}"
        alone = run_study(read_study(own / "study.toml"), tmp_path / f"alone-{number}")
        shared = summary(tmp_path / "out", number)
        assert result_cells(shared) == pytest.approx(result_cells(alone), rel=1e-12, abs=1e-14)
        assert len(result_cells(shared)) == (23 if formulation == "stream" else 44)


def test_mesh_and_operator_are_made_once_where_only_sources_change(call, study, tmp_path, meshes):
    study.write_text(study.read_text().replace(LENGTHS, "") + STRENGTHS)
    assert call("sweep", study, "--out", "out")[0] == 0
    assert len(rows(tmp_path / "out")) == 4
    assert len(meshes) == 1
    made = [summary(tmp_path / "out", number)["seconds"] for number in range(1, 5)]
    assert [{"mesh", "assemble", "setup"} <= set(seconds) for seconds in made] == [
        True,
        *[False] * 3,
    ]


STRENGTHS = """
[[sweep.parameter]]
key = "impurity 2.strength"
values = [1.0, -2.0]
"""


def test_points_of_one_mesh_follow_each_other(call, study, tmp_path, meshes):
    found = read_sweep(study)
    assert [point.number for point in in_order_of_work(found)] == [1, 3, 2, 4]
    assert call("sweep", study, "--out", "out")[0] == 0
    assert len(meshes) == 2


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("angle = 30.0", "angle = 31.0", True),
        ("strength = 2.0", "strength = -3.0", True),
        ("picture = false", "picture = true", True),
        ("pearl_length = 1.0", "pearl_length = 1.5", False),
        ("[0.25, 0.1]", "[0.25, 0.2]", False),
        ("size = 0.4\n[mesh]", "size = 0.3\n[mesh]", False),
        ("degree = 1", "degree = 2", False),
        ("degree = 1", 'degree = 1\nformulation = "vector"', False),
        ("far = 5.0", "far = 6.0", False),
        ("[mesh]", '[boundary]\nkind = "shield"\nbox = [9, 9, 9]\n[mesh]', False),
        ("[film]", "[temperature]\nvalue = 5\ncritical = 9\n[film]", False),
    ],
)
def test_what_can_share_a_mesh(tiny, old, new, same):
    assert tiny.count(old) == 1
    assert (reuse_key(parse_study(tiny)) == reuse_key(parse_study(tiny.replace(old, new)))) == same


def test_fields_and_fluxoids_can_share_a_mesh(tiny):
    hole = (
        '[[film.hole]]\nname = "a"\nshape = "disc"\nradius = 0.5\ncenter = [0, 1.2]\nfluxoid = 1\n'
    )
    disc = tiny.replace('"plane"', '"disc"\nradius = 2').replace(
        "[[impurity]]", f"{hole}[[impurity]]", 1
    )
    field = disc.replace("[mesh]", "[applied]\nfield = [0, 0, 1]\n[mesh]")
    assert reuse_key(parse_study(disc)) == reuse_key(parse_study(field))
    assert reuse_key(parse_study(disc)) == reuse_key(
        parse_study(disc.replace("= 1\n[[i", "= 2\n[[i"))
    )
    assert reuse_key(parse_study(disc)) != reuse_key(parse_study(disc.replace("1.2]", "1.3]")))


def test_profiles_of_one_text_can_share_a_mesh(tiny):
    disc = tiny.replace('"plane"', '"disc"\nradius = 2').replace(
        "pearl_length = 1.0", 'pearl_length = { profile = "1 + x**2" }'
    )
    assert reuse_key(parse_study(disc)) == reuse_key(parse_study(disc))
    assert reuse_key(parse_study(disc)) != reuse_key(parse_study(disc.replace("x**2", "y**2")))


def test_refined_meshes_are_not_shared(tiny):
    assert reuse_key(parse_study(tiny.replace("degree = 1", "tolerance = 0.5"))) is None


# --- going on


def test_second_call_solves_only_what_is_missing(call, study, done, meshes):
    folder = done
    table, before = both_tables(folder), times(folder)
    code, out, _ = call("sweep", study, "--out", "out")
    assert (code, meshes) == (0, [])
    assert "4 points, 4 of them done already" in out
    (folder / "0001" / "summary.json").unlink()  # killed while it was published
    shutil.rmtree(folder / "0002")
    (folder / "table.csv").unlink()
    call("sweep", study, "--out", "out")
    assert both_tables(folder) == table
    after = times(folder)
    assert {name for name in after if after[name] != before[name]} == {"0001", "0002"}


def test_table_grows_with_each_point(study, tmp_path):
    found = read_sweep(study)
    folder = SweepFolder(tmp_path / "out", found)
    folder.open()
    seen = []
    run_points(found.points, folder, WORLD, lambda outcome: seen.append(rows(folder.path)))
    assert [len(each) for each in seen] == [1, 2, 3, 4]
    assert [row["point"] for row in seen[1]] == ["1", "2"]


def test_writer_of_the_table_sees_what_others_do_meanwhile(study, done, tmp_path, monkeypatch):
    folder, hidden = done, tmp_path / "hidden.json"
    table = both_tables(folder)
    (folder / "0003" / "summary.json").rename(hidden)
    write = sweep_folder._write_csv

    def late(columns, path):
        write(columns, path)
        if hidden.exists():  # another job publishes its point when the rows have been read
            hidden.rename(folder / "0003" / "summary.json")

    monkeypatch.setattr(sweep_folder, "_write_csv", late)
    SweepFolder(folder, read_sweep(study)).update_table()
    assert both_tables(folder) == table


def test_values_can_be_added(call, study, done):
    before = times(done)
    study.write_text(study.read_text().replace("[0, 40]", "[0, 40, 80]  # more"))
    assert call("sweep", study, "--out", "out")[0] == 0
    after = times(done)
    assert {name: after[name] for name in before} == before
    assert sorted(after) == [f"{number:04}" for number in range(1, 7)]


@pytest.mark.parametrize("change", [("[0, 40]", "[0, 50]"), ("[0, 40]", "[0]"), ('"tiny"', '"b"')])
def test_other_sweep_is_refused_and_forced(call, study, done, change):
    folder = done
    before = times(folder)
    study.write_text(study.read_text().replace(*change))
    code, _, err = call("sweep", study, "--out", "out")
    assert code == 2
    assert "out: holds points of another sweep" in err
    assert times(folder) == before
    assert call("sweep", study, "--out", "out", "--force")[0] == 0
    found = read_sweep(study)
    assert len(rows(folder)) == len(times(folder)) == len(found.points)
    for point in found.points:
        assert (folder / point.folder / "study.toml").read_text() == point.study.text
    same = [
        point.folder
        for point in found.points
        if times(folder)[point.folder] == before.get(point.folder)
    ]
    assert same == ([] if change[0] == '"tiny"' else ["0001", "0002"])


def test_change_in_a_file_makes_the_points_that_name_it_new(call, tiny, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("x,y\n0.3,-0.2\n")
    path = tmp_path / "tiny.toml"
    files = '[impurities]\nsize = 0.4\nfile = "a.csv"\n'
    values = '[[sweep.parameter]]\nkey = "impurities.file"\nvalues = ["a.csv", "b.csv"]\n'
    path.write_text(tiny + files + "[sweep]\n" + values)
    assert call("sweep", path, "--out", "out")[0] == 0
    before, table = times(tmp_path / "out"), rows(tmp_path / "out")
    (tmp_path / "b.csv").write_text("x,y\n0.5,-0.2\n")
    code, _, err = call("sweep", path, "--out", "out")
    assert code == 2 and "files that have changed, such as 0002" in err
    assert times(tmp_path / "out") == before
    assert call("sweep", path, "--out", "out", "--force")[0] == 0
    after = times(tmp_path / "out")
    assert after["0001"] == before["0001"] and after["0002"] != before["0002"]
    assert rows(tmp_path / "out")[0] == table[0] and rows(tmp_path / "out")[1] != table[1]


def test_folder_of_something_else_is_refused(call, no_mesh, study, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    code, _, err = call("sweep", study, "--out", "out")
    assert code == 2
    assert "is not empty, and no sweep" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_bad_point_is_refused_before_anything_happens(call, no_mesh, study, tmp_path):
    study.write_text(study.read_text().replace("[0, 40]", "[0, 'x']"))
    code, out, err = call("sweep", study, "--out", "out")
    assert (code, out) == (2, "")
    assert "point 3 (impurity 1.angle = 'x', film.pearl_length = 0.5)" in err
    assert "impurity 1.angle = 'x'" in err
    assert not (tmp_path / "out").exists()


def test_failed_point_is_left_out_and_tried_again(call, study, tmp_path, monkeypatch):
    run, folder = pearlfem.workflow.sweep.run_study, tmp_path / "out"

    def failing(study, *arguments, **options):
        if study.impurities[0].angle == 0 and study.film.pearl_length == 2:
            raise ConvergenceError("residual too large")
        return run(study, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(pearlfem.workflow.sweep, "run_study", failing)
        code, out, err = call("sweep", study, "--out", "out")
    assert code == 1
    words = "point 0002 (impurity 1.angle = 0, film.pearl_length = 2.0)"
    assert err.splitlines()[0] == f"pearlfem: {words}: residual too large"
    assert "1 points failed: 0002" in err.splitlines()[1]
    assert f"{words} FAILED" in out
    assert (folder / "0002" / "failed.txt").read_text() == "residual too large\n"
    assert [row["point"] for row in rows(folder)] == ["1", "3", "4"]
    assert call("sweep", study, "--out", "out")[0] == 0
    assert not (folder / "0002" / "failed.txt").exists()
    assert [row["point"] for row in rows(folder)] == ["1", "2", "3", "4"]


def test_termination_lets_the_running_point_finish(study, tmp_path, monkeypatch):
    run = pearlfem.workflow.sweep.run_study

    def terminated(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        return run(*arguments, **options)

    monkeypatch.setattr(pearlfem.workflow.sweep, "run_study", terminated)
    found = read_sweep(study)
    folder = SweepFolder(tmp_path / "out", found)
    folder.open()
    with pytest.raises(Terminated, match="1 points done"):
        run_points(found.points, folder, WORLD, lambda outcome: None)
    assert len(rows(folder.path)) == 1


def test_what_the_caller_has_kept_from_the_garbage_collector_stays_so(study, tmp_path):
    folder = SweepFolder(tmp_path / "out", read_sweep(study))
    folder.open()
    assert gc.get_freeze_count() > 0  # see conftest.py
    run_points((), folder, WORLD, lambda outcome: None)
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    run_points((), folder, WORLD, lambda outcome: None)
    assert gc.get_freeze_count() == 0
    gc.freeze()


# --- side by side


def test_parts_are_all_points_once():
    for count in range(1, 9):
        found = parts(list(range(7)), count)
        assert [*chain.from_iterable(found)] == list(range(7))
        assert {len(part) for part in found} <= {7 // count, 7 // count + 1}


def test_parts_together_make_the_table(call, study, finished, tmp_path):
    for part in ("2/2", "1/2"):
        assert call("sweep", study, "--out", "out", "--part", part)[0] == 0
        assert len(rows(tmp_path / "out")) == (2 if part == "2/2" else 4)
    assert both_tables(tmp_path / "out") == both_tables(finished)


@pytest.mark.parametrize("part", ["0/2", "3/2", "2", "1/x", ""])
def test_bad_part_is_refused(call, study, part):
    code, _, err = call("sweep", study, "--part", part)
    assert code == 2
    assert "K/N with 1 <= K <= N" in err


def test_jobs_make_the_same_table(call, study, finished, tmp_path):
    code, out, err = call("sweep", study, "--out", "out", "--jobs", "2")
    assert (code, err) == (0, "")
    assert "4 of 4 points" in out
    assert both_tables(tmp_path / "out") == both_tables(finished)


def test_failures_of_jobs_are_told_once(call, study, tmp_path):
    # The gap of so coarse a mesh cannot be closed with so few unknowns.
    text = study.read_text().replace("degree = 1", "degree = 1\ntolerance = 1e-9\nmax_dofs = 1")
    study.write_text(text)
    code, out, err = call("sweep", study, "--out", "out", "--jobs", "2")
    assert code == 1
    assert err.count("was not reached") == 4
    assert "4 points failed: 0001, 0002, 0003, 0004" in err
    assert out.count("FAILED") == 4
    assert not (tmp_path / "out" / "table.csv").exists()


# --- table and progress


def test_columns_are_of_one_kind_and_may_have_gaps():
    found = as_columns([{"a": 1, "b": 2, "c": "x"}, {"a": 2.5, "c": 1, "d": -0.0}])
    assert found == {"a": [1.0, 2.5], "b": [2, None], "c": ["x", "1"], "d": [None, 0.0]}
    assert [type(cell) for cell in found["a"]] == [float, float]
    assert str(found["d"][1]) == "0.0"


def test_summary_of_an_earlier_version_has_a_row(finished):
    content = summary(finished, 1)
    row = result_cells(content)
    for name in ("kinetic_energy", "field_energy", "largest_sheet_current"):
        del content[name]
    del content["units"]["energy"]
    left = result_cells(content)
    assert len(left) == len(row) - 5
    assert left.items() < row.items()


def test_progress_in_a_log_is_lines():
    file = io.StringIO()
    with progress_shown("points", 3, Console(file=file)) as show:
        for number in range(3):
            show(f"point {number} [a]")
    lines = file.getvalue().splitlines()
    assert len(lines) == 3
    pattern = r"point 1 \[a\]   2 of 3 points, \S+ points/s, \d:\d\d:\d\d left"
    assert re.fullmatch(pattern, lines[1])


def test_progress_on_a_terminal_is_a_bar():
    file = io.StringIO()
    with progress_shown("points", 3, Console(file=file, force_terminal=True, width=100)) as show:
        show("a")
        show("b")
    text = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", file.getvalue())
    assert "━" in text
    assert re.search(r"2/3 \S+ points/s, \d:\d\d:\d\d left", text)
