"""Curves of a page: where points are, which marks axes have; maps of grids."""

import base64
import math
import re

import matplotlib.image
import numpy as np
import pytest

from pearlfem.io.report.charts import Series, chart
from pearlfem.io.report.images import grid_map

NAN = float("nan")
X = ("x", "um")
Y = ("", "")


def drawn(x, y, **options):
    return chart("", X, Y, [Series("", x, y)], **options)


def places(path):
    """Pieces of a path, each with its points."""
    pieces = [piece for piece in path.split("M") if piece]
    return [[tuple(map(float, p.split())) for p in piece.split("L")] for piece in pieces]


def number(text):
    """The number that a mark tells."""
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    if power := re.fullmatch(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        return 10.0 ** int(power[1].translate(raised))
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3e-7, 4e-7), (1, 1e6), (0.02, 7), (1e-9, 1e-3), (5, 5), (-2e5, 3e7)]
)
def test_points_lie_where_the_marks_of_both_axes_say(low, high):
    values = np.linspace(low, high, 9).tolist()
    made = drawn(values, values[::-1])
    (line,) = places(made.curves[0].line)
    power = re.search(r"\[10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", made.x_label)
    factor = number("10" + power[1]) if power else 1.0
    logarithmic = low > 0 and high / low >= 30
    for k, (ticks, expected) in enumerate(((made.x_ticks, values), (made.y_ticks, values[::-1]))):
        marks = np.array([number(tick.text) * factor for tick in ticks])
        at = np.array([tick.at for tick in ticks])
        assert 1 <= len(ticks) <= 8
        if len(ticks) > 1:
            scale = np.log if logarithmic else np.asarray
            slope, offset = np.polyfit(scale(marks), at, 1)
            found = [point[k] for point in line]
            np.testing.assert_allclose(found, slope * scale(np.array(expected)) + offset, atol=0.2)
    left, top, right, bottom = made.frame
    assert all(left <= x <= right and top <= y <= bottom for x, y in line)
    assert line[0][1] < line[-1][1] or low == high  # y points up: the largest comes first


def test_nan_interrupts_a_curve():
    made = drawn([0, 1, 2, 3, 4], [0, 1, NAN, 1, 0])
    assert [len(piece) for piece in places(made.curves[0].line)] == [2, 2]
    assert len(made.curves[0].marks) == 4


def test_nothing_but_nan_is_an_empty_chart():
    made = drawn([0, 1], [NAN, NAN])
    assert (made.curves[0].line, made.curves[0].marks) == ("", [])


@pytest.mark.parametrize("odd", [1e308, -1e308, math.inf, 1e-320])
def test_numbers_of_no_use_do_no_harm(odd):
    made = drawn([odd, 1, 2], [1, 2, odd])
    numbers = re.findall(r"[\d.]+", made.curves[0].line)
    assert len(numbers) >= 2
    assert all(math.isfinite(tick.at) for tick in made.x_ticks + made.y_ticks)


def test_points_have_no_line_and_long_curves_no_marks():
    many = list(range(1000))
    assert drawn(many, many, points=True).curves[0].line == ""
    assert len(drawn(many, many, points=True).curves[0].marks) == 1000
    assert drawn(many, many).curves[0].marks == []


def test_bounds_are_a_band_around_the_curve():
    series = Series("F", [0, 1], [1.0, 2.0], lower=[0.5, 1.5], upper=[1.5, 2.5])
    (curve,) = chart("", X, Y, [series]).curves
    ((line,), (band,)) = places(curve.line), places(curve.band)
    assert [x for x, _ in band] == [line[0][0], line[1][0], line[1][0], line[0][0]]
    for k, (upper, lower) in enumerate(((band[0], band[3]), (band[1], band[2]))):
        assert upper[1] < line[k][1] < lower[1]
        assert line[k][1] - upper[1] == pytest.approx(lower[1] - line[k][1], abs=0.2)


def test_axes_have_names_and_units():
    made = chart("", ("s", "um"), ("psi", "uA"), [Series("", [0, 1], [0, 3e-7])])
    assert made.x_label == "s [µm]"
    assert made.y_label == "ψ [10⁻⁷ µA]"


# --- maps


def pixels(found, path):
    path.write_bytes(base64.b64decode(found.source.partition(",")[2]))
    return (255 * matplotlib.image.imread(path)[..., :3]).round().astype(int)


def test_map_has_x_to_the_right_y_upwards_and_signs_as_colours(tmp_path):
    x, y = (a.ravel() for a in np.meshgrid([-1.0, 0.0, 2.0], [0.0, 5.0]))
    values = [-4.0, 0.0, 4.0, NAN, 2.0, -2.0]
    order = np.random.default_rng(1).permutation(6)
    found = grid_map("psi", "µA", x[order], y[order], np.array(values)[order])
    assert (found.name, found.largest) == ("ψ", 4.0)
    assert (found.x_range, found.y_range) == ((-1.0, 2.0), (0.0, 5.0))
    upper, lower = pixels(found, tmp_path / "map.png")
    assert lower[0][2] > lower[0][0]  # blue: negative
    assert tuple(lower[1]) == (250, 250, 250)
    assert lower[2][0] > lower[2][2]  # red: positive
    assert tuple(upper[0]) == (190, 190, 190)  # grey: unknown
    assert upper[1][0] > upper[1][2]
    assert upper[2][2] > upper[2][0]
    assert lower[2].sum() < upper[1].sum()  # larger is darker


@pytest.mark.parametrize("x", [[0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 0, 2]])
def test_points_on_no_grid_have_no_map(x):
    assert grid_map("Bz", "T", x, [0, 0, 1, 1], [1, 2, 3, 4]) is None


def test_map_of_nothing_is_white(tmp_path):
    found = grid_map("Bz", "T", [0, 1, 0, 1], [0, 0, 1, 1], [0.0] * 4)
    assert math.isfinite(found.largest)
    assert (pixels(found, tmp_path / "map.png") == 250).all()
