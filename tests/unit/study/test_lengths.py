"""Lengths of a study are in a range in which they can meet in one calculation."""

import pytest

from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study

DISC = "[film]\nshape = 'disc'\nradius = {radius}\ncenter = [{x}, 0.0]\npearl_length = {length}\n"
IMPURITY = "[[impurity]]\nposition = [{x}, 0.0]\nsize = {size}\n"


def study(radius=1.0, length=1.0, size=0.1, x=0.0, more=""):
    text = DISC.format(radius=radius, length=length, x=x) + IMPURITY.format(size=size, x=x)
    return parse_study(text + more)


@pytest.mark.parametrize("unit", [1e-12, 1e-30, 1e12, 1e30])
@pytest.mark.parametrize("length", [1e-4, 1.0, 1e9])
def test_sizes_of_any_unit_and_ratios_that_devices_have_are_accepted(unit, length):
    assert study(unit, length * unit, 1e-4 * unit).film.bounded


def test_device_may_be_far_from_the_origin():
    assert study(radius=1.0, x=1e8).film.center == pytest.approx((1e8, 0.0))


def test_coordinate_may_be_zero_up_to_round_off():
    assert study(x=1e-320).sources[0].position == (1e-320, 0.0)


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ({"length": 1e300}, ["film.pearl_length = 1e+300 L", "from 1e-60 to 1e+60"]),
        ({"radius": 1e-320}, ["film.radius = 9.99989e-321 L", "from 1e-60 to 1e+60"]),
        ({"x": 1e308}, ["film.center[0] = 1e+308 L", "from 1e-60 to 1e+60"]),
        (
            {"length": 1e10, "size": 1e-10},
            ["impurity 1.size = 1e-10", "film.pearl_length = 1e+10", "1e+20", "at most 1e+15"],
        ),
        (
            {"more": "[[applied.loop]]\ncenter = [0, 0, 1e-17]\nradius = 1.0\ncurrent = 1.0\n"},
            ["the core of currentloop 1 = 1e-17", "their ratio", "at most 1e+15"],
        ),
        (
            {"more": "[[applied.dipole]]\nposition = [0, 0, 1e17]\nmoment = [0, 0, 1.0]\n"},
            ["impurity 1.size = 0.1", "applied.dipole 1.position[2] = 1e+17", "at most 1e+15"],
        ),
        (
            {"more": "[boundary]\nkind = 'shield'\nbox = [1e70, 1e70, 1.0]\n"},
            ["boundary.box[0] = 1e+70", "from 1e-60 to 1e+60"],
        ),
    ],
)
def test_lengths_out_of_range_are_refused_with_their_keys(lengths, words):
    with pytest.raises(StudyError) as refusal:
        study(**lengths)
    for word in words:
        assert word in str(refusal.value)


def test_lengths_are_told_in_the_unit_of_the_study():
    text = "[units]\nlength = 'um'\nstrength = 'A*m'\n" + DISC.format(radius=1.0, length=1.0, x=0.0)
    with pytest.raises(StudyError, match=r"impurity 1\.size = 1e-17 and .* = 1 um: "):
        parse_study(text + IMPURITY.format(size="'1e-17 um'", x=0.0))


def test_sizes_from_files_count_too(tmp_path):
    (tmp_path / "sites.csv").write_text("x,y,size\n0.0,0.0,1e-17\n")
    text = DISC.format(radius=1.0, length=1.0, x=0.0) + "[impurities]\nsize = 0.1\n"
    with pytest.raises(StudyError, match=r"the core of impurity 1 = 1e-17"):
        parse_study(text + "file = 'sites.csv'\n", folder=tmp_path)


def test_cell_that_is_too_thin_is_refused():
    text = "[film]\nshape = 'plane'\npearl_length = 1.0\n" + IMPURITY.format(x=0.0, size=0.1)
    cell = "[boundary]\nkind = 'periodic'\ncell = [[1e-17, 0.0], [0.0, 1.0]]\n"
    with pytest.raises(StudyError, match=r"the width of the cell = 1e-17 and .* at most 1e\+15"):
        parse_study(text + cell)


def test_wall_that_nearly_touches_the_film_is_refused():
    walls = "[boundary]\nkind = 'shield'\nbox = [4.0, 4.0, 2e-17]\n"
    with pytest.raises(StudyError, match=r"boundary.box\[2\] = 2e-17 and .* at most 1e\+15"):
        study(more=walls)
    above = "[boundary]\nkind = 'shield'\nbox = [4.0, 4.0, 2.0]\ncenter = [0.0, 0.0, 1e60]\n"
    with pytest.raises(StudyError, match=r"boundary.center\[2\] = 1e\+60"):
        study(more=above)
