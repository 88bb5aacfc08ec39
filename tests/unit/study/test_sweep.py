"""A study with [sweep] becomes many studies, or is refused before any is solved."""

import math
import tomllib

import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.io.results.study import write_study
from pearlfem.study.study import parse_study, read_study
from pearlfem.study.sweep import read_sweep

BASE = """\
title = "base"
[film]
shape = "disc"
radius = 5.0
pearl_length = 1.0
[[film.hole]]
name = "loop"
shape = "disc"
radius = 0.5
center = [2.0, 0.0]
fluxoid = 1
[[impurity]]
position = [-0.25, 0.0]
size = 0.4
[[impurity]]
position = [0.25, 0.1]
size = 0.4
"""
UNITS = '[units]\nlength = "um"\nstrength = "A*m"\n'


def parameter(key, rest):
    return f'[[sweep.parameter]]\nkey = "{key}"\n{rest}\n'


def sweep(tmp_path, *parameters, base=BASE, mode="grid", name="study.toml"):
    path = tmp_path / name
    path.write_text(f'{base}[sweep]\nmode = "{mode}"\n' + "".join(parameters))
    return read_sweep(path)


def refusal(tmp_path, *parameters, **options):
    with pytest.raises(StudyError) as error:
        sweep(tmp_path, *parameters, **options)
    assert "study.toml: " in str(error.value)
    return str(error.value)


def values(tmp_path, rest, key="film.pearl_length", **options):
    return [point.values[0] for point in sweep(tmp_path, parameter(key, rest), **options).points]


# --- points


def test_grid_has_all_combinations_and_the_last_key_is_fastest(tmp_path):
    swept = sweep(
        tmp_path,
        parameter("film.pearl_length", "values = [1.0, 2.0]"),
        parameter("impurity 2.angle", "values = [0, 45, 90]"),
    )
    expected = [(r0, angle) for r0 in (1.0, 2.0) for angle in (0, 45, 90)]
    assert [point.values for point in swept.points] == expected
    assert [point.number for point in swept.points] == [1, 2, 3, 4, 5, 6]
    assert swept.points[4].folder == "0005"
    study = swept.points[4].study
    assert (study.film.pearl_length, study.impurities[1].angle) == (2.0, 45.0)
    assert study.impurities[0].angle == 0.0


def test_zip_takes_first_with_first(tmp_path):
    swept = sweep(
        tmp_path,
        parameter("film.pearl_length", "values = [1.0, 2.0]"),
        parameter("impurity 1.angle", "values = [30, 60]"),
        mode="zip",
    )
    assert [point.values for point in swept.points] == [(1.0, 30), (2.0, 60)]


def test_mode_is_grid_by_default(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(BASE + "[sweep]\n" + parameter("film.pearl_length", "values = [1.0]"))
    assert len(read_sweep(path).points) == 1


def test_point_is_the_study_with_the_value_in_it(tmp_path):
    swept = sweep(tmp_path, parameter("film.hole 1.fluxoid", "values = [1, 3]"))
    text = swept.points[1].study.text
    assert tomllib.loads(text) == tomllib.loads(BASE.replace("fluxoid = 1", "fluxoid = 3"))
    study = parse_study(text)
    assert study.others == swept.points[1].study.others
    assert study.others[0].number == 3


def test_missing_tables_are_made(tmp_path):
    swept = sweep(
        tmp_path,
        parameter("solve.degree", "values = [1, 2]"),
        parameter("applied.field", "values = [[0, 0, 1.5]]"),
    )
    assert [point.study.solve.degree for point in swept.points] == [1, 2]
    assert swept.points[0].study.others[-1].field == (0.0, 0.0, 1.5)


def test_number_in_a_list_counts_from_0_as_in_messages(tmp_path):
    swept = sweep(
        tmp_path,
        parameter("applied.field[2]", "values = [0.5, 1.0]"),
        base=BASE + "[applied]\nfield = [0, 0, 1]\n",
    )
    assert [point.study.others[-1].field for point in swept.points] == [(0, 0, 0.5), (0, 0, 1)]
    message = refusal(
        tmp_path,
        parameter("applied.field[1]", "values = ['x']"),
        base=BASE + "[applied]\nfield = [0, 0, 1]\n",
    )
    assert "applied.field[1] = 'x'" in message


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("range = { start = 0.0, stop = 1.0, number = 5 }", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("range = { start = 0, stop = 90, number = 4 }", [0, 30, 60, 90]),
        ("range = { start = 90, stop = 0, number = 2 }", [90, 0]),
        ("range = { start = 0.1, stop = 0.7, number = 4 }", [0.1, 0.3, 0.5, 0.7]),
    ],
)
def test_linear_range(tmp_path, rest, expected):
    numbers = values(tmp_path, rest, key="impurity 1.angle")
    assert numbers == expected
    assert [type(value) for value in numbers] == [type(value) for value in expected]


def test_logarithmic_range(tmp_path):
    rest = 'range = { start = 0.1, stop = 30.0, number = 7, spacing = "log" }'
    numbers = values(tmp_path, rest)
    assert (numbers[0], numbers[-1]) == (0.1, 30.0)
    np.testing.assert_allclose(np.diff(np.log(numbers)), math.log(300) / 6, rtol=1e-11)


def test_range_between_integers_has_integers(tmp_path):
    rest = "range = { start = -1, stop = 2, number = 4 }"
    assert values(tmp_path, rest, key="film.hole 1.fluxoid") == [-1, 0, 1, 2]


# --- columns


def test_columns_have_units_where_keys_have(tmp_path):
    swept = sweep(
        tmp_path,
        parameter("film.pearl_length", 'values = ["500 nm", 2.0]'),
        parameter("impurity 1.position[0]", 'range = { start = "100 nm", stop = 1, number = 3 }'),
        parameter("impurity 1.angle", "values = [10]"),
        parameter("film.hole 1.fluxoid", "values = [2]"),
        parameter("title", 'values = ["a"]'),
        base=BASE + UNITS,
    )
    lengths = ("film.pearl_length [um]", "impurity 1.position[0] [um]")
    assert swept.columns == (*lengths, "impurity 1.angle", "film.hole 1.fluxoid", "title")
    assert swept.points[0].values == ("500 nm", 0.1, 10, 2, "a")
    assert swept.cells(swept.points[0]) == (0.5, 0.1, 10, 2, "a")
    assert [swept.cells(point)[1] for point in swept.points[:3]] == [0.1, 0.55, 1]


def test_units_are_reduced_without_a_table(tmp_path):
    assert sweep(tmp_path, parameter("film.pearl_length", "values = [1]")).columns == (
        "film.pearl_length [L]",
    )


def test_list_is_a_text_in_the_table(tmp_path):
    swept = sweep(tmp_path, parameter("impurity 1.position", "values = [[0.5, 0.5]]"))
    assert swept.cells(swept.points[0]) == ("[0.5, 0.5]",)
    assert swept.points[0].study.impurities[0].position == (0.5, 0.5)


def test_unit_of_a_key_depends_on_the_kind_of_its_table(tmp_path):
    grid = (
        'name = "grid"\nkind = "grid"\ncenter = [0, 0]\nsize = [1, 1]\nheight = 1\nsamples = [2, 2]'
    )
    loop = 'name = "loop"\nkind = "loop"\ncenter = [0, 0, 1]\nradius = 1'
    swept = sweep(
        tmp_path,
        parameter("output.probe 1.samples[0]", "values = [3]"),
        parameter("output.probe 2.center[2]", "values = [2]"),
        base=BASE + f"[[output.probe]]\n{grid}\n[[output.probe]]\n{loop}\n",
    )
    assert swept.columns == ("output.probe 1.samples[0]", "output.probe 2.center[2] [L]")


# --- files


def test_files_are_found_from_the_study_and_from_the_point(tmp_path):
    (tmp_path / "sites.csv").write_text("x,y\n0.5,0.5\n-1,0\n")
    table = '[impurities]\nsize = 0.3\nfile = "sites.csv"\n'
    swept = sweep(tmp_path, parameter("film.pearl_length", "values = [2.0]"), base=BASE + table)
    assert len(swept.points[0].study.impurities) == 4
    folder = tmp_path / "out" / "0001"
    folder.mkdir(parents=True)
    write_study(folder, swept.points[0].study)
    assert read_study(folder / "study.toml").impurities == swept.points[0].study.impurities


def test_name_of_a_file_can_vary(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n0.5,0.5\n")
    (tmp_path / "b.csv").write_text("x,y\n0.5,0.5\n-1,0\n")
    swept = sweep(
        tmp_path,
        parameter("impurities.file", 'values = ["a.csv", "b.csv"]'),
        base=BASE + "[impurities]\nsize = 0.3\n",
    )
    assert [len(point.study.impurities) for point in swept.points] == [3, 4]
    assert [swept.cells(point) for point in swept.points] == [("a.csv",), ("b.csv",)]


# --- refusals


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("values = []", ["sweep.parameter 1.values"]),
        ("", ["sweep.parameter 1 (film.pearl_length)", "none of them"]),
        ("values = [1]\nrange = { start = 1, stop = 2, number = 2 }", ["both"]),
        ("value = [1]", ["sweep.parameter 1.value", "key, values, range"]),
        ("range = { start = 1, stop = 2 }", ["range.number: missing"]),
        ("range = { start = 1, stop = 2, number = 1 }", ["range.number = 1"]),
        ("range = { start = 1, stop = 2, number = 2.5 }", ["range.number = 2.5"]),
        ("range = { start = true, stop = 2, number = 2 }", ["range.start = True"]),
        ("range = { start = 1, stop = inf, number = 2 }", ["range.stop = inf"]),
        ('range = { start = 1, stop = 2, number = 2, spacing = "x" }', ["range.spacing = 'x'"]),
        ("range = { start = 1, stop = 2, number = 2, step = 1 }", ["range.step = 1", "spacing"]),
        ('range = { start = 0, stop = 2, number = 2, spacing = "log" }', ["range.start = 0"]),
        ('range = { start = 1, stop = -2, number = 2, spacing = "log" }', ["range.stop = -2"]),
        ('range = { start = "1 um", stop = 2, number = 2 }', ["1 um", "[units]"]),
    ],
)
def test_bad_parameter_is_refused(tmp_path, rest, words):
    message = refusal(tmp_path, parameter("film.pearl_length", rest))
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("film.spam", ["point 1 (film.spam = 2)", "film.spam = 2", "allowed here"]),
        ("spam", ["point 1 (spam = 2)", "spam = 2"]),
        ("impurity 3.angle", ["'impurity 3.angle' is not there", "has 2"]),
        ("impurity.angle", ["a list stands before 'angle'"]),
        ("vortex 1.winding", ["the study has no 'vortex'"]),
        ("impurity[1].angle.x", ["the value"]),
        ("film.pearl_length.x", ["the value 1.0 stands before 'x'"]),
        ("impurity 0.angle", ["'impurity 0.angle' is not a key", "impurity 1.angle"]),
        ("film..x", ["is not a key"]),
        ("sweep.mode", ["'sweep.mode': not allowed"]),
        ("units.length", ["'units.length': not allowed"]),
    ],
)
def test_bad_key_is_refused(tmp_path, key, words):
    base = BASE.replace("size = 0.4\n", "size = 0.4\nangle = 1\n")
    message = refusal(tmp_path, parameter(key, "values = [2, 3]"), base=base)
    for word in words:
        assert word in message


def test_every_point_is_validated(tmp_path):
    message = refusal(
        tmp_path,
        parameter("film.pearl_length", "values = [1.0, 2.0]"),
        parameter("impurity 1.position[0]", "values = [0.0, 9.0]"),
    )
    assert "point 2 (film.pearl_length = 1.0, impurity 1.position[0] = 9.0)" in message
    assert "impurity 1: position = [9.0, 0.0]" in message


def test_zip_of_different_lengths_is_refused(tmp_path):
    message = refusal(
        tmp_path,
        parameter("film.pearl_length", "values = [1.0, 2.0]"),
        parameter("impurity 1.angle", "values = [0]"),
        mode="zip",
    )
    assert "film.pearl_length: 2, impurity 1.angle: 1" in message


@pytest.mark.parametrize(
    "keys", [("impurity 1", "impurity 1.angle"), ("impurity 1.angle", "impurity 1.angle")]
)
def test_keys_that_overwrite_each_other_are_refused(tmp_path, keys):
    message = refusal(tmp_path, *(parameter(key, "values = [0]") for key in keys))
    assert "sweep.parameter: key = " in message


def test_too_many_points_are_refused(tmp_path):
    rest = "range = { start = 1, stop = 2, number = 1000 }"
    keys = ("film.pearl_length", "impurity 1.angle")
    assert "1,000,000 points" in refusal(tmp_path, *(parameter(key, rest) for key in keys))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE, ["sweep: missing"]),
        (BASE + "[sweep]\n", ["sweep.parameter: missing"]),
        (BASE + "[sweep]\nparameter = []\n", ["sweep.parameter = []"]),
        (BASE + '[sweep]\nmode = "all"\n', ["sweep.mode = 'all'", "'grid' or 'zip'"]),
        (BASE + "[sweep]\nspam = 1\n", ["sweep.spam = 1", "mode, parameter"]),
        ("sweep = 3\n" + BASE, ["sweep = 3"]),
        (BASE + "[sweep\n", ["not a TOML file"]),
        (
            '[units]\nlength = "kg"\n' + BASE + "[sweep]\n" + parameter("title", 'values = ["a"]'),
            ["units.length = 'kg'"],
        ),
    ],
)
def test_bad_table_is_refused(tmp_path, text, words):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(StudyError) as error:
        read_sweep(tmp_path / "study.toml")
    assert str(error.value).startswith(f"{tmp_path / 'study.toml'}: ")
    for word in words:
        assert word in str(error.value)


def test_other_commands_refuse_a_sweep(tmp_path):
    with pytest.raises(StudyError, match="pearlfem sweep"):
        parse_study(BASE + "[sweep]\n" + parameter("film.pearl_length", "values = [1.0]"))
