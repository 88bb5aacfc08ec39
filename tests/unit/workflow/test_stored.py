"""Solutions that are kept and read back."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from pearlfem import StudyError, free_energy, interaction_tensor, magnetic_field, sheet_current
from pearlfem.study.study import parse_study
from pearlfem.workflow.run import run_study
from pearlfem.workflow.stored import load_solution, save_solution

STUDY = """
[units]
length = "um"
field = "mT"
current = "mA"
[film]
shape = "disc"
radius = 1.0
pearl_length = 1.0
[[film.hole]]
name = "hole"
shape = "disc"
radius = 0.2
fluxoid = 1
[[impurity]]
position = [0.5, 0.0]
strength = 1e-9
size = {size}
angle = 30
{boundary}
[mesh]
resolution = 0.06
[solve]
degree = 2
formulation = "{formulation}"
[output]
fields = "none"
picture = false
solution = true
"""
BOX = '[boundary]\nkind = "shield"\nbox = [4, 4, 4]\ncenter = [0, 0, 0.4]'
POINTS = "x,y,z\n0.1,0.4,0.0\n-0.3,500 nm,0.2\n0.0,0.0,-0.3\n"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("result")
    text = STUDY.format(formulation="both", boundary="", size=0.2)
    return folder, run_study(parse_study(text), folder / "run")


def test_all_that_was_known_is_known_again(result):
    folder, summary = result
    for formulation, bound in (("stream", "lower"), ("vector", "upper")):
        study, problem, solution = load_solution(folder / "run", formulation)
        energy = study.units.from_reduced(free_energy(solution), "energy")
        assert energy == pytest.approx(summary["free_energy"][bound], rel=1e-10)
        assert problem.formulation == solution.formulation == formulation
        problem.destroy()


def test_new_loads_need_no_old_solve(result):
    folder, _ = result
    study, problem, solution = load_solution(folder / "run")
    (again,) = [problem.solve(study.sources)]
    points = np.array([[0.1, 0.4, 0.2], [0.5, 0.0, 0.3]])
    np.testing.assert_allclose(
        magnetic_field(solution, points), magnetic_field(again, points), rtol=1e-6
    )
    np.testing.assert_allclose(solution.unknowns, again.unknowns, atol=1e-7 * again.unknowns.max())
    tensor = interaction_tensor(problem.solve_each(study.impurities))
    assert tensor[0, 0, 0, 0] > 0
    problem.destroy()


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_space_on_both_sides_is_kept(tmp_path, formulation):
    text = STUDY.format(formulation=formulation, boundary=BOX, size=0.2)
    text = text.replace("degree = 2", "degree = 1")
    summary = run_study(parse_study(text), tmp_path / "run")
    study, problem, solution = load_solution(tmp_path / "run")
    energy = study.units.from_reduced(free_energy(solution), "energy")
    assert energy == pytest.approx(summary["free_energy"]["value"], rel=1e-10)
    problem.destroy()


def test_point_impurities_are_kept(tmp_path):
    text = STUDY.format(formulation="stream", boundary="", size=0.0)
    study = parse_study(text)
    run_study(study, tmp_path / "run")
    _, problem, solution = load_solution(tmp_path / "run")
    places = [(0.1, 0.4), (0.52, 0.01)]
    again = problem.solve(study.sources)
    np.testing.assert_allclose(
        sheet_current(solution, places), sheet_current(again, places), rtol=1e-6
    )
    problem.destroy()


def test_probe_prints_the_fields_at_points(result, call, tmp_path):
    folder, _ = result
    file = tmp_path / "points.csv"
    file.write_text(POINTS)
    code, out, _ = call("probe", folder / "run", "--points", file)
    assert code == 0
    header, *rows = csv.reader(out.splitlines())
    assert header[:6] == ["x [um]", "y [um]", "z [um]", "Bx [mT]", "By [mT]", "Bz [mT]"]
    study, problem, solution = load_solution(folder / "run")
    points = np.array([[0.1, 0.4, 0.0], [-0.3, 0.5, 0.2], [0.0, 0.0, -0.3]])
    B = study.units.from_reduced(magnetic_field(solution, points), "field")
    problem.destroy()
    np.testing.assert_allclose(np.array(rows)[:, :6].astype(float), np.hstack([points, B]))
    assert call("probe", folder / "run", "--points", file, "--out", tmp_path / "t.csv")[0] == 0
    assert (tmp_path / "t.csv").read_text() == out


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        ("x\n1\n", "row 1: column 'y' is missing"),
        ("x,y\n0.1,high\n", "row 2, column y = 'high': not allowed"),
        ("x,y,z\n0.1,0.1,nan\n", "row 2, column z = 'nan': not allowed"),
        ("x,y\n0.1\n", "row 2: has 1 cells"),
        ("x,y,z\n1e9,0,0\n", "outside"),
        ("", "empty"),
    ],
)
def test_bad_points_are_refused(result, call, tmp_path, points, fault):
    folder, _ = result
    file = tmp_path / "points.csv"
    file.write_text(points)
    code, out, err = call("probe", folder / "run", "--points", file)
    assert code == 2
    assert out == "" and fault in err


def test_what_is_not_kept_is_said(result, call, tmp_path):
    folder, _ = result
    file = tmp_path / "points.csv"
    file.write_text(POINTS)
    code, _, err = call("probe", tmp_path, "--points", file)
    assert code == 2 and "study.toml" in err
    (tmp_path / "study.toml").write_text((folder / "run/study.toml").read_text())
    code, _, err = call("probe", tmp_path, "--points", file)
    assert code == 2 and "solution.npz" in err and "output.solution = true" in err
    (tmp_path / "solution.npz").write_bytes((folder / "run/solution.npz").read_bytes()[:5000])
    code, _, err = call("probe", tmp_path, "--points", file)
    assert code == 2 and "solution.npz" in err


def test_other_formulation_is_refused(tmp_path):
    text = STUDY.format(formulation="stream", boundary="", size=0.2)
    run_study(parse_study(text), tmp_path / "run")
    with pytest.raises(
        StudyError, match="formulation = 'vector': not in the file; allowed: 'stream'"
    ):
        load_solution(tmp_path / "run", "vector")


def test_solution_in_a_periodic_space_is_refused(result, tmp_path):
    folder, _ = result
    _, problem, solution = load_solution(folder / "run", "stream")
    mesh = replace(problem.mesh, cell=object())
    with pytest.raises(StudyError, match="periodic space cannot be stored"):
        save_solution(tmp_path, mesh, 2, {"stream": solution})
    assert not any(tmp_path.iterdir())
    problem.destroy()


def test_periodic_space_is_refused_before_work():
    text = STUDY.format(formulation="stream", boundary="", size=0.2)
    head, _, tail = text.partition("[film]")
    _, _, tail = tail.partition("[mesh]")
    lattice = (
        '[film]\nshape = "plane"\npearl_length = 1.0\n[[impurity]]\nposition = [0, 0]\n'
        'strength = 1e-9\nsize = 0.2\n[boundary]\nkind = "periodic"\ncell = [[1, 0], [0, 1]]\n'
    )
    with pytest.raises(StudyError, match=r"output\.solution = true: not allowed with"):
        parse_study(head + lattice + "[mesh]" + tail)
