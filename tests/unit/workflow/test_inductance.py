"""The inductance matrix of holes: in Python, on the command line, and as a file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pearlfem import (
    ConvergenceError,
    Film,
    Hole,
    MeshOptions,
    Plane,
    Rectangle,
    SolveOptions,
    StudyError,
    inductance,
)
from pearlfem.cli.tables import inductance_table
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.solvers import multigrid
from pearlfem.workflow.inductance import Inductance, write_inductance

STUDY = """\
[units]
length = "um"
inductance = "pH"
[film]
shape = "rectangle"
size = [3.0, 2.0]
pearl_length = 0.5
[[film.hole]]
name = "left"
shape = "rectangle"
size = [0.6, 0.8]
center = [-0.7, 0.0]
fluxoid = 1
[[film.hole]]
name = "right"
shape = "rectangle"
size = [0.4, 0.4]
center = [0.8, 0.1]
[mesh]
resolution = 0.1
far = 10.0
[solve]
formulation = "stream"
degree = 1
[applied]
field = [0.0, 0.0, "3 uT"]
"""
# The film of this study in Python, in µm.
FILM = Film(
    Rectangle((3.0, 2.0)),
    pearl_length=0.5,
    holes=(
        Hole(Rectangle((0.6, 0.8), center=(-0.7, 0.0)), "left"),
        Hole(Rectangle((0.4, 0.4), center=(0.8, 0.1)), "right"),
    ),
)
COARSE = MeshOptions(resolution=0.1, far=10.0)
UNITS = Units(length="um", inductance="pH")
PH = 4e-7 * np.pi * 1e-6 / 1e-12  # of 1 μ0 µm, with μ0 in H/m to 1e-9


def solve(formulation="both", **options):
    return SolveOptions(formulation=formulation, degree=1, **options)


@pytest.fixture(scope="module")
def found():
    return inductance(FILM, mesh=COARSE, solve=solve())


# --- the matrix


def test_matrix_is_symmetric_and_positive(found):
    assert found.holes == ("left", "right")
    for matrix in (found.matrix, found.lower, found.upper):
        assert matrix.shape == (2, 2)
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12)
    assert np.linalg.eigvalsh(found.matrix).min() > 0


def test_holes_side_by_side_have_a_negative_mutual_inductance(found):
    # A current around one hole comes back through the other one against its own sense.
    assert found.matrix[0, 1] < 0
    assert abs(found.matrix[0, 1]) < np.sqrt(found.matrix[0, 0] * found.matrix[1, 1])


def test_larger_hole_has_the_larger_inductance(found):
    assert found.lower[0, 0] > found.upper[1, 1]


def test_bounds_are_around_the_matrix_and_near_to_it(found):
    assert np.all(found.lower < found.matrix)
    assert np.all(found.matrix < found.upper)
    np.testing.assert_allclose(found.matrix, (found.lower + found.upper) / 2, rtol=1e-12)
    # What such coarse cells of degree 1 leave.
    gap = found.upper - found.lower
    assert np.all(gap < 0.3 * np.sqrt(np.outer(*2 * [np.diag(found.matrix)])))


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_one_formulation_bounds_from_one_side(found, formulation):
    one = inductance(FILM, mesh=COARSE, solve=solve(formulation))
    assert (one.lower, one.upper) == (None, None)
    # L⁻¹ is bounded from below by the stream formulation, so L is from above.
    bound = np.diag(found.upper if formulation == "stream" else found.lower)
    np.testing.assert_allclose(np.diag(one.matrix), bound, rtol=1e-9)


def test_finer_mesh_lies_within_the_bounds():
    coarse, fine = (
        inductance(FILM, mesh=MeshOptions(resolution=resolution, far=10.0), solve=solve())
        for resolution in (0.07, 0.14)
    )
    assert np.all(fine.upper - fine.lower < coarse.upper - coarse.lower)
    assert np.all(np.diag(fine.lower) < np.diag(coarse.upper))
    assert np.all(np.diag(coarse.lower) < np.diag(fine.upper))


def test_film_without_holes_is_refused():
    with pytest.raises(StudyError, match=r"film\.hole: none; the inductance is that of holes"):
        inductance(replace(FILM, holes=()))


def test_holes_of_the_plane_are_refused():
    # One flux quantum alone is a net winding, for which the plane has no answer.
    with pytest.raises(StudyError, match="the windings add up to 2 on the whole plane"):
        inductance(replace(FILM, shape=Plane()))


def test_options_that_do_not_go_together_are_refused(no_mesh):
    with pytest.raises(StudyError, match=r"mesh\.refinements = 1: not allowed with solve\.tol"):
        inductance(FILM, mesh=MeshOptions(refinements=1), solve=solve(tolerance=0.1))


def test_tolerance_adapts_the_mesh(found):
    lines = []
    better = inductance(FILM, mesh=COARSE, solve=solve(tolerance=0.05), progress=lines.append)
    assert lines[0].startswith("round  1")
    assert np.all(better.upper - better.lower < found.upper - found.lower)
    assert np.all((found.lower < better.matrix) & (better.matrix < found.upper))


def test_tolerance_that_is_missed_gives_no_inductance():
    with pytest.raises(ConvergenceError, match=r"tolerance = 1e-08 was not reached: .*max_dofs"):
        inductance(FILM, mesh=COARSE, solve=solve(tolerance=1e-8, max_dofs=100))


def test_solver_that_does_not_converge_gives_no_inductance(monkeypatch):
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    with pytest.raises(ConvergenceError):
        inductance(FILM, mesh=COARSE, solve=solve("stream"))


# --- the file and the table


def test_file_holds_names_matrix_bounds_and_unit(tmp_path):
    path = tmp_path / "L.json"
    matrix = np.array([[2.0, -0.5], [-0.5, 1.0]])
    result = Inductance(("left", "right"), matrix, 0.9 * matrix, None)
    write_inductance(path, result, UNITS)
    content = json.loads(path.read_text())
    assert set(content) == {"schema", "holes", "matrix", "lower", "upper", "unit", "guaranteed"}
    assert content["schema"] == 1
    assert content["holes"] == ["left", "right"]
    assert content["upper"] is None
    assert content["unit"] == "pH"
    # in μ0 length: 1 μ0 µm is 1.2566 pH
    np.testing.assert_allclose(content["matrix"], PH * matrix, rtol=1e-8)
    np.testing.assert_allclose(content["lower"], 0.9 * PH * matrix, rtol=1e-8)


def test_file_in_reduced_units_holds_the_numbers_themselves(tmp_path, found):
    path = tmp_path / "L.json"
    write_inductance(path, found, ReducedUnits())
    content = json.loads(path.read_text())
    assert content["matrix"] == found.matrix.tolist()
    assert content["lower"] == found.lower.tolist()
    assert content["upper"] == found.upper.tolist()


def test_file_that_cannot_be_written_is_refused(tmp_path, found):
    with pytest.raises(StudyError, match=r"L\.json: cannot be written"):
        write_inductance(tmp_path / "nowhere" / "L.json", found, ReducedUnits())


def test_table_has_a_row_for_each_pair_and_bounds(found):
    table = inductance_table(found, UNITS)
    assert table.title == "inductance, pH"
    assert [column.header for column in table.columns] == ["", "L", "at least", "at most"]
    assert list(table.columns[0].cells) == ["left", "left, right", "right"]
    for number, (i, j) in enumerate([(0, 0), (1, 0), (1, 1)]):
        numbers = [float(list(column.cells)[number]) for column in table.columns[1:]]
        expected = [PH * a[i, j] for a in (found.matrix, found.lower, found.upper)]
        assert numbers == pytest.approx(expected, rel=1e-7)
        assert numbers[1] < numbers[0] < numbers[2]
    alone = inductance_table(found._replace(lower=None, upper=None), ReducedUnits())
    assert len(alone.columns) == 2


# --- the command


def test_command_prints_the_matrix_and_writes_it(call, tmp_path, found):
    study = tmp_path / "washer.toml"
    study.write_text(STUDY)
    code, out, err = call("inductance", study, "--out", "L.json")
    assert (code, err) == (0, "")
    content = json.loads((tmp_path / "L.json").read_text())
    assert "inductance, pH" in out
    assert f"{content['matrix'][0][0]:.8g}" in out
    assert "left, right" in out
    assert "L.json" in out
    # The fluxoid and the field of the study do not count.
    diagonal = np.diag(content["matrix"])
    np.testing.assert_allclose(diagonal, PH * np.diag(found.upper), rtol=1e-8)


def test_command_refuses_a_film_without_holes_before_meshing(call, no_mesh, tmp_path):
    study = tmp_path / "disc.toml"
    study.write_text(
        '[film]\nshape = "disc"\nradius = 1.0\npearl_length = 1.0\n[applied]\nfield = [0, 0, 1]\n'
    )
    code, out, err = call("inductance", study, "--out", "L.json")
    assert code == 2
    assert out == ""
    assert err.startswith("pearlfem: film.hole: none")
    assert not (tmp_path / "L.json").exists()
