"""[impurities]: many at once, from a CSV file, of a lattice or at random."""

import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study

DISC = """\
[film]
shape = "disc"
radius = 2.0
pearl_length = 1.0
"""
COMMON = "[impurities]\nsize = 0.1\nstrength = 2.0\nangle = 30.0\n"
LATTICE = "[impurities.lattice]\nvectors = [[0.5, 0.0], [0.0, 0.5]]\n"
RANDOM = "[impurities.random]\nnumber = 12\nseed = 5\nspacing = 0.2\n"


def from_file(tmp_path, text, before="", more=""):
    (tmp_path / "sites.csv").write_text(text, encoding="utf-8")
    study = before + DISC + COMMON + more + 'file = "sites.csv"\n'
    return parse_study(study, folder=tmp_path)


def test_sites_of_a_lattice_share_size_angle_and_strength():
    study = parse_study(DISC + COMMON + LATTICE)
    assert len(study.impurities) == 45  # i² + j² < 16: Gauss' circle, but for the 4 on the edge
    assert {(i.size, i.angle, i.strength) for i in study.impurities} == {(0.1, 30.0, 2.0)}
    assert study.lattice == ((0.5, 0.0), (0.0, 0.5))


def test_random_places_come_after_those_of_single_impurities():
    single = "[[impurity]]\nposition = [0.123, 0.0]\nsize = 0.3\n"
    study = parse_study(DISC + single + COMMON + RANDOM)
    assert len(study.impurities) == 13
    assert study.impurities[0].position == (0.123, 0.0)
    assert study.lattice is None
    again = parse_study(DISC + COMMON + RANDOM)
    assert study.impurities[1:] == again.impurities


def test_columns_of_a_file_replace_values_of_the_table(tmp_path):
    study = from_file(tmp_path, "x, y, angle\n0.1, 0.2, 90\n\n -1, 0.5, 10\n")
    read = [(i.position, i.angle, i.size, i.strength) for i in study.impurities]
    assert read == [((0.1, 0.2), 90.0, 0.1, 2.0), ((-1.0, 0.5), 10.0, 0.1, 2.0)]
    study = from_file(tmp_path, "\ufeffy,size,x,strength\n0.2,0.3,0.1,-1\n")
    (one,) = study.impurities
    assert (one.position, one.angle, one.size, one.strength) == ((0.1, 0.2), 30.0, 0.3, -1.0)


def test_cells_of_a_file_may_have_units(tmp_path):
    units = '[units]\nlength = "um"\n'
    study = from_file(tmp_path, "x,y\n100 nm,0.2\n", before=units)
    np.testing.assert_allclose(study.impurities[0].position, (0.1, 0.2), rtol=1e-12)


def test_temperature_scales_their_strengths():
    cold = parse_study(DISC + COMMON + LATTICE)
    warm = parse_study(DISC + "[temperature]\nvalue = 0.9\ncritical = 1.0\n" + COMMON + LATTICE)
    factor = warm.temperature.factor
    assert warm.impurities[0].strength == pytest.approx(2.0 * factor)
    assert warm.film.pearl_length == pytest.approx(cold.film.pearl_length / factor)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("x,y\n0.1,abc\n", r"file = 'sites\.csv': row 2, column y = 'abc': not allowed"),
        ("x,y\n0.1,0.2\n0.3\n", r"row 3: has 1 cells; allowed: 2, one for each of x, y"),
        ("x,y\n0,0\n0.1,nan\n", r"row 3, column y = 'nan': not allowed"),
        ("x,y,size\n0,0,-1\n", r"row 2, column size = '-1': not allowed.*greater"),
        ("x,y,strength\n0,0,0\n", r"row 2, column strength = '0': not allowed"),
        ("x,z\n0.1,0.2\n", r"row 1, column 'z': not allowed; allowed: x, y \(angle"),
        ("x,y,x\n0.1,0.2,0\n", r"row 1, column 'x': not allowed; .*once"),
        ("x\n0.1\n", r"row 1: column 'y' is missing"),
        ("0.1,0.2\n", r"row 1, column '0\.1': not allowed"),
        ("", r"file = 'sites\.csv': empty; allowed"),
        ("x,y\n", r"no rows; allowed"),
        ('x,y\n"0.1,0.2\n', r"row \d"),
        ("x,y\n0,0\n5,0\n", r"impurity 2: position = \[5\.0, 0\.0\] lies outside"),
        ("x,y\n0,0\n1,0\n0,0\n", r"impurity 3: position = .* is that of impurity 1"),
        ("x,y\n1 mT,0\n", r"row 2, column x = '1 mT': not allowed"),
    ],
)
def test_files_that_are_refused(tmp_path, rows, reason):
    with pytest.raises(StudyError, match=reason):
        from_file(tmp_path, rows)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        StudyError, match=r"impurities\.file = 'none\.csv': cannot be read: No such"
    ):
        parse_study(DISC + COMMON + 'file = "none.csv"\n', folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (COMMON, r"impurities: none of them given; allowed: one of file, lattice and random"),
        (COMMON + LATTICE + RANDOM, r"impurities: lattice and random given; allowed"),
        ("[impurities]\n" + LATTICE, r"impurities\.size: missing"),
        (COMMON + "number = 3\n" + LATTICE, r"impurities\.number = 3: not a key.*margin"),
        (COMMON + LATTICE.replace("vectors", "cell"), r"impurities\.lattice\.cell = .*vectors"),
        (COMMON + RANDOM.replace("12", "0"), r"impurities\.random\.number = 0: not allowed"),
        (COMMON + RANDOM.replace("12", "5000"), r"impurities\.random\.number = 5000: only"),
        (COMMON + LATTICE.replace("[0.0, 0.5]", "[1.0, 0.0]"), r"vectors = .*not parallel"),
    ],
)
def test_tables_that_are_refused(text, reason):
    with pytest.raises(StudyError, match=reason):
        parse_study(DISC + text)
