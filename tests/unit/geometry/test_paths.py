"""Areas of paths against rectangles, triangles and squares that were added by hand."""

import math

import numpy as np
import pytest
import shapely

from pearlfem.geometry.paths import Ends, outlines_with_cuts, path_area
from pearlfem.geometry.winding import filled


@pytest.mark.parametrize(
    ("points", "width", "ends", "area"),
    [
        ([(0, 0), (10, 0)], 2, Ends(), 20),
        ([(0, 0), (10, 0)], 2, Ends(1, 3), 2 * 14),
        ([(0, 0), (10, 0)], 2, Ends(-1, 3), 2 * 12),
        ([(0, 0), (3, 4)], 2, Ends(1, 1), 2 * 7),
        ([(0, 0), (10, 0), (10, 5)], 2, Ends(), 2 * 15),  # the corner is a square
        ([(0, 0), (10, 0), (20, 0), (20, 0)], 2, Ends(), 40),
        ([(0, 0), (100, 0), (0, 0)], 10, Ends(), 1050),  # half a width beyond the turn
        ([(0, 0), (100, 0), (50, 0)], 10, Ends(), 1050),
        ([(0, 0), (40, 0), (40, 30), (40, 0)], 4, Ends(), 288),
        ([(0, 0), (10, 0), (10, 1), (20, 1)], 4, Ends(), 84),  # a step shorter than the width
        ([(0, 0), (10, 0), (10, 5), (5, 5), (5, -5)], 1, Ends(), 29),  # crosses itself once
        ([(5, 5)], 2, Ends(), 0),
        ([(5, 5)], 2, Ends(1, 1), 4),
        ([(5, 5), (5, 5)], 4, Ends(1, 3), 16),
        ([(0, 0), (10, 0)], 0, Ends(), 0),
    ],
)
@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_area_of_a_path(points, width, ends, area, turn):
    x, y = np.array(points, float).T
    turned = np.column_stack(
        [x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)]
    )
    if len(set(points)) == 1:
        turned = points  # a dot has no direction
    assert path_area(turned, width, ends).area == pytest.approx(area, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("degrees", [30, 60, 90, 120, 150, 179.9])
def test_bends_are_pointed_up_to_a_right_angle_and_cut_off_beyond(degrees):
    """The farthest point of a bend, in half widths: 1/cos of half the turn, or √2."""
    turn = math.radians(degrees)
    area = path_area([(-50, 0), (0, 0), (50 * math.cos(turn), 50 * math.sin(turn))], 2, Ends())
    far = np.hypot(*shapely.get_coordinates(area.intersection(shapely.box(-5, -5, 5, 5))).T)
    outside = [r for r in far if r < 1.5]
    assert max(outside) == pytest.approx(1 / math.cos(min(turn, math.pi / 2) / 2), rel=1e-9)


def test_round_ends_are_half_discs():
    """A disc of 128 corners has (128/2π) sin(2π/128) of the area of its circle."""
    share = 128 / (2 * math.pi) * math.sin(2 * math.pi / 128)
    for points, length in (([(0, 0), (6, 8)], 10), ([(1, 2)], 0), ([(1, 2), (1, 2)], 0)):
        area = path_area(points, 4, Ends(are_round=True)).area
        assert area == pytest.approx(4 * length + share * math.pi * 4, rel=1e-12)


def test_holes_become_cuts():
    """A closed frame of 10 × 10 around its centre line, 2 wide."""
    frame = path_area([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)], 2, Ends(1, 1))
    [outline] = outlines_with_cuts(frame)
    assert frame.area == pytest.approx(12**2 - 8**2)
    assert filled(outline).symmetric_difference(frame).area == pytest.approx(0, abs=1e-12)
