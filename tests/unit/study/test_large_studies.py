"""Studies with many holes, corners or levels: work that grows with them, not with their square."""

import sys

import pytest

from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study
from pearlfem.study.sweep import read_sweep
from pearlfem.study.toml_text import DEEPEST

IMPURITY = "[[impurity]]\nposition = [0.0, 0.0]\nsize = 0.1\n"
HOLE = "[[film.hole]]\nname = '{k}'\nfluxoid = 1\ncenter = [{x}, 1.0]\n"
ROUND, SQUARE = "shape = 'disc'\nradius = 0.4\n", "shape = 'rectangle'\nsize = [0.8, 0.8]\n"


def with_holes(shape):
    def study(n):
        film = f"[film]\nshape = 'rectangle'\nsize = [{2 * n + 2}, 4]\npearl_length = 1.0\n"
        return film + "".join(HOLE.format(k=k, x=k + 0.5) + shape for k in range(n)) + IMPURITY

    return study


def with_regions(n):
    film = f"[film]\nshape = 'rectangle'\nsize = [{2 * n + 2}, 4]\npearl_length = 1.0\n"
    region = "[[film.region]]\npearl_length = 2.0\ncenter = [{x}, 1.0]\n" + SQUARE
    return film + "".join(region.format(x=k + 0.5) for k in range(n)) + IMPURITY


def with_corners(n):
    teeth = [[x, 1.0 + x % 2] for x in range(n, -1, -1)]
    corners = [[0.0, -1.0], [float(n), -1.0], *teeth]
    return (
        f"[film]\nshape = 'polygon'\npearl_length = 1.0\npoints = {corners}\n"
        + IMPURITY.replace("0.0, 0.0", "1.5, 0.0")
    )


def calls(text):
    """Number of calls, of Python or C, in which a study is validated."""
    count = 0

    def one_more(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(one_more)
    try:
        parse_study(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "study",
    [with_holes(ROUND), with_holes(SQUARE), with_regions, with_corners],
    ids=["round holes", "square holes", "regions", "corners"],
)
def test_work_grows_with_the_size_of_a_film_and_not_with_its_square(study):
    few, many = (calls(study(n)) for n in (50, 200))
    assert many < 5 * few  # four times as much; 16 times, if every part met every other


def union(levels):
    inner = "{ shape = 'disc', radius = 1.0 }"
    for _ in range(levels - 1):
        inner = f"{{ shape = 'union', parts = [{inner}] }}"
    return f"[film]\nshape = 'union'\npearl_length = 1.0\nparts = [{inner}]\n" + IMPURITY


def test_shapes_in_shapes_are_allowed_and_too_many_levels_are_refused():
    levels = (DEEPEST - 2) // 2  # within the file and [film]; each has a list and a table in it
    assert parse_study(union(levels)).film.bounded
    with pytest.raises(StudyError, match=rf"film: .* {DEEPEST + 2} deep .* at most {DEEPEST}"):
        parse_study(union(levels + 1))


LONG_KEYS = {
    "bare": "a." * DEEPEST + "a = 1\n",
    "quoted": '\'a b\' . "c\\"d".é.' * DEEPEST + "a = 1\n",
    "header": "[[ " + "a." * DEEPEST + "a ]]\n",
    "inline": "b = { c = 1, " + "a." * DEEPEST + "a = 1 }\n",
}


@pytest.mark.parametrize("text", LONG_KEYS.values(), ids=LONG_KEYS)
def test_key_of_too_many_parts_is_refused_before_it_is_read(monkeypatch, text):
    monkeypatch.setattr("tomllib.loads", lambda text: pytest.fail("read"))
    with pytest.raises(StudyError, match=f"more than {DEEPEST} parts; allowed: at most {DEEPEST}"):
        parse_study(text)


def test_points_in_a_text_do_not_count_as_parts_of_a_key():
    title = "a." * 1000
    study = parse_study(f"title = '{title}'\n" + with_corners(2))
    assert study.title == title


def test_sweep_that_is_too_deep_is_refused(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 5000)
    with pytest.raises(StudyError, match=r"deep\.toml.*too many brackets"):
        read_sweep(path)
