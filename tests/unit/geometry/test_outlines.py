"""Checked polygons and unions without slivers."""

import numpy as np
import pytest
import shapely
from shapely import affinity

from pearlfem.errors import StudyError
from pearlfem.geometry.nesting import nested
from pearlfem.geometry.outlines import TOLERANCE, checked_polygon, joined
from pearlfem.geometry.winding import filled

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
TRIANGLE = [(0.2, 0.2), (0.4, 0.2), (0.4, 0.4)]
INSIDE = [(0.38, 0.25), (0.38, 0.35), (0.3, 0.25)]
LEFT = [(0.01, 0.0), (0.5, 0.2), (0.5, 0.4)]
FAR = [(2.0, 2.0), (3.0, 2.0), (3.0, 3.0)]


def box(x, y, width=1.0, height=1.0):
    return shapely.box(x, y, x + width, y + height)


def circle(number, radius=1.0, center=(0.0, 0.0)):
    angles = 2 * np.pi * np.arange(number) / number
    return center + radius * np.column_stack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize(
    "points",
    [
        SQUARE,
        SQUARE[::-1],
        [*SQUARE, SQUARE[0]],
        [SQUARE[0], SQUARE[0], *SQUARE[1:], SQUARE[3], SQUARE[0]],
        [*SQUARE[:2], (1.0 + 0.9e-9, 0.3e-9), *SQUARE[2:], (0.0, 0.9e-9)],
        np.array(SQUARE),
        [(0, 0), (1, 0), (1, 1), (0, 1)],
    ],
    ids=["as it is", "clockwise", "closed", "repeated", "nearly repeated", "array", "integers"],
)
def test_small_faults_are_repaired(points):
    polygon = checked_polygon(points)
    assert polygon.is_valid and polygon.exterior.is_ccw
    assert sorted(polygon.exterior.coords[:-1]) == sorted(SQUARE)


@pytest.mark.parametrize("seed", range(10))
def test_repeated_corners_do_not_change_the_polygon(seed):
    """Stars around the origin, with each corner up to three times; their edges never meet."""
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.integers(-9, 9)
    number = random.integers(3, 40)
    angles = 2 * np.pi * (np.arange(number) + 0.4 * random.random(number)) / number
    star = scale * random.uniform(0.5, 1.0, number)[:, None]
    star = star * np.column_stack([np.cos(angles), np.sin(angles)])
    spoilt = np.repeat(star, random.integers(1, 4, number), axis=0)
    spoilt = np.roll(spoilt, random.integers(len(spoilt)), axis=0)[:: random.choice([-1, 1])]
    spoilt += 0.1 * TOLERANCE * np.ptp(star, axis=0).max() * random.uniform(-1, 1, spoilt.shape)
    polygon = checked_polygon(spoilt)
    x, y = star.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2  # shoelace formula
    assert polygon.area == pytest.approx(area, abs=TOLERANCE * scale * polygon.length)
    assert len(polygon.exterior.coords) == number + 1


def test_corners_farther_apart_than_the_tolerance_stay():
    assert len(checked_polygon([*SQUARE, (0.0, 1.1e-9)]).exterior.coords) == 6


def test_holes_are_cut_out_clockwise():
    polygon = checked_polygon(SQUARE, [TRIANGLE, [(0.7, 0.7), (0.9, 0.7), (0.9, 0.9)]])
    assert polygon.area == pytest.approx(1 - 2 * 0.02, rel=1e-14)
    assert not any(hole.is_ccw for hole in polygon.interiors)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], ["fewer than three", "none"]),
        ([(0, 0), (1, 2)], ["fewer than three", "(0, 0)", "(1, 2)"]),
        ([(0, 0), (1, 2), (0, 0), (1, 2)], ["fewer than three", "(0, 0)", "(1, 2)"]),
        ([(0, 0), (1, 0), (1, 0.5e-9)], ["fewer than three", "1e-09"]),
        ([(0, 0), (2, 4), (1, 2), (3, 6)], ["no area", "(0, 0)", "(3, 6)"]),
        ([(0, 0), (1, 0.1e-9), (2, 0)], ["no area", "(0, 0)", "(2, 0)"]),
        ([(0, 0), (1, 0), (float("nan"), 1)], ["point 3", "(nan, 1)", "finite"]),
        ([(0, 0), (float("inf"), 0), (1, 1)], ["point 2", "(inf, 0)", "finite"]),
        ([(0, 0), (1e200, 0), (1, 1)], ["point 2", "(1e+200, 0)", "1e+100"]),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], ["crosses or touches", "(0.5, 0.5)"]),
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], ["crosses or touches", "(1, 0)"]),
        ([(0, 0), (2, 0), (2, 2), (1, 1e-9), (0, 2)], ["crosses or touches", "(1, 0)"]),
        ([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)], ["crosses or touches", "(1, 1)"]),
        ([(0, 0), (3, 0), (3, 1), (1, 1), (2, 1), (2, 2), (0, 2)], ["(1, 1)", "spike"]),
        ([(0, 0), (1, 0), (1, 1), (4, 3), (1, 1), (0, 1)], ["spike", "(4, 3)"]),
        ([(0, 0), (1, 0), (1, 1), (4, 1), (1, 1 + 1e-9), (0, 1)], ["spike", "(4, 1)"]),
        ([(1, 2, 3)] * 3, ["pairs of numbers"]),
        ([(1, 2), (3,), (4, 5)], ["pairs of numbers"]),
        ([("0", "0"), ("1", "0"), ("1", "1")], ["pairs of numbers"]),
        ("points", ["pairs of numbers"]),
        (None, ["pairs of numbers"]),
    ],
)
def test_faulty_polygon_is_refused_with_coordinates(points, words):
    with pytest.raises(StudyError) as error:
        checked_polygon(points, name="film.points")
    assert str(error.value).startswith("film.points: ")
    assert [word for word in [*words, "; allowed: "] if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("holes", "words"),
    [
        ([TRIANGLE, TRIANGLE], ["hole 1", "hole 2", "(0.2, 0.2)"]),
        ([SQUARE], ["hole 1", "touched", "(0, 0)"]),
        ([[(0.5, 0.5), (1.5, 0.5), (0.5, 0.7)]], ["hole 1", "crossed", "(1, 0.5)"]),
        ([LEFT], ["hole 1", "touched", "(0.01, 0)"]),
        ([FAR], ["hole lies outside", "(2, 2)"]),
        ([[(-9, -9), (9, -9), (9, 9), (-9, 9)]], ["hole lies outside", "(-9, -9)"]),
        ([TRIANGLE, INSIDE], ["nested", "(0.38, 0.25)"]),
        ([TRIANGLE, [(0.5, 0.5), (0.6, 0.6)]], ["film, hole 2: fewer than three"]),
        ([[(0.5, 0.5), (0.6, 0.6), (0.7, 0.7)]], ["film, hole 1: no area"]),
        ([[(0.5, 0.5), (0.6, 0.6), (0.6, float("nan"))]], ["film, hole 1: point 3"]),
        ([[(0.5, 0.5), (0.6, 0.6), (0.6, 0.5), (0.5, 0.6)]], ["hole 1: crosses", "(0.55, 0.55)"]),
    ],
)
def test_faulty_holes_are_refused_with_coordinates(holes, words):
    with pytest.raises(StudyError, match=r"^film.*; allowed: ") as error:
        checked_polygon(SQUARE, holes, name="film")
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_faults_do_not_depend_on_the_unit(scale):
    nearly = scale * np.array([(0, 0), (2, 0), (2, 2), (1, 1e-7), (0, 2)])
    assert checked_polygon(nearly).area == pytest.approx(2 * scale**2, rel=1e-6)
    nearly[3, 1] = scale * 1e-9
    with pytest.raises(StudyError, match="touches itself"):
        checked_polygon(nearly)


def test_overlapping_polygons_become_one():
    union = joined([box(0, 0), box(0.5, 0.25)], "film")
    assert len(union.geoms) == 1
    assert union.area == pytest.approx(2 - 0.5 * 0.75, rel=1e-14)


@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-10, -1e-10, 1.9e-9, -1.9e-9])
def test_polygons_that_share_an_edge_become_one(gap):
    union = joined([box(0, 0), box(1 + gap, 0)], "film")  # size 2, tolerance 2e-9
    assert len(shapely.get_coordinates(union)) in (5, 7)  # with a gap, two edges have a small bend
    assert union.area == pytest.approx(2, abs=2e-9)


@pytest.mark.parametrize("gap", [0.0, 1e-10, 1.9e-9])
@pytest.mark.parametrize("angle", [0.0, 17.3, 211.0])
def test_corners_in_the_middle_of_an_edge_leave_no_gap(gap, angle):
    """A small square stands on the long side of a rectangle; no corner meets another one."""
    parts = [box(0, 0, 2, 1), box(0.5, 1 + gap)]
    union = joined([affinity.rotate(part, angle, origin=(0.3, 0.4)) for part in parts], "film")
    assert len(union.geoms) == 1 and not union.geoms[0].interiors
    assert len(shapely.get_coordinates(union)) == 9
    assert union.area == pytest.approx(3, abs=5e-9)


@pytest.mark.parametrize("angle", [0.0, 17.3, 45.0])
def test_tiles_make_a_rectangle_of_four_corners(angle):
    """Sevenths are not exact in binary, so the edges of tiles differ by round-off."""
    tiles = [box(i / 7, j / 7, 1 / 7, 1 / 7) for i in range(14) for j in range(7)]
    union = joined([affinity.rotate(tile, angle, origin=(0.1, 0.3)) for tile in tiles], "film")
    assert len(shapely.get_coordinates(union)) == 5
    assert union.area == pytest.approx(2, rel=1e-12)


def test_larger_tolerance_closes_larger_gaps():
    parts = [box(0, 0), box(1.004, 0.5)]
    assert len(joined(parts, "film").geoms) == 2
    assert len(joined(parts, "film", tolerance=0.005).geoms) == 1


def test_hole_between_polygons_and_a_polygon_in_a_hole():
    frame = box(0, 0, 3, 3) - box(1, 1)
    assert len(joined([frame], "film").geoms[0].interiors) == 1
    assert joined([frame, box(1, 1 + 1e-10, 1, 1 - 2e-10)], "film").area == pytest.approx(9)
    island = joined([frame, box(1.25, 1.25, 0.5, 0.5)], "film")
    assert [len(part.interiors) for part in island.geoms] == [1, 0]


def test_fine_circles_keep_their_corners():
    union = joined([shapely.Polygon(circle(20_000, center=(0.3, 0.7)))], "film")
    assert len(shapely.get_coordinates(union)) == 20_001


def test_multi_polygons_and_empty_ones_are_joined():
    two = shapely.MultiPolygon([box(0, 0), box(2, 0)])
    union = joined([two, shapely.Polygon(), box(1, 0, 0.5, 1)], "film")
    assert [part.area for part in union.geoms] == pytest.approx([1.5, 1.0])


@pytest.mark.parametrize(
    ("polygons", "place"),
    [
        ([box(0, 0), box(1, 1)], "(1, 1)"),
        ([box(0, 0), box(1 + 1e-10, 1)], "(1, 1)"),
        ([box(0, 0, 3, 1), shapely.Polygon([(1, 1), (2, 2), (0, 2)])], "(1, 1)"),
        # a ring that is almost open
        ([box(0, 0, 3, 1), box(0, 0, 1, 3), box(1, 2), box(2, 1)], "(2, 2)"),
        ([box(0, 0, 4, 4) - box(1, 1) - box(2, 2)], "(2, 2)"),
        ([box(0, 0, 2, 2) - shapely.Polygon([(0, 1), (1, 0.5), (1, 1.5)])], "(0, 1)"),
    ],
    ids=["corners", "nearly", "corner on edge", "ring", "two holes", "hole at the edge"],
)
def test_parts_that_meet_in_a_point_are_refused_with_coordinates(polygons, place):
    with pytest.raises(
        StudyError, match=r"film: parts meet in a single point.*; allowed: "
    ) as error:
        joined(polygons, "film")
    assert place in str(error.value)


@pytest.mark.parametrize("polygons", [[], [shapely.Polygon()], [shapely.MultiPolygon()]])
def test_nothing_to_join_is_refused(polygons):
    with pytest.raises(StudyError, match="film: has no area; allowed: "):
        joined(polygons, "film")


def test_hole_joined_to_the_outside_by_a_cut_is_a_hole():
    cut = [(0, 0), (3, 0), (3, 3), (0, 3), (0, 0), (1, 1), (1, 2), (2, 2), (2, 1), (1, 1)]
    area = filled(cut)
    assert area.equals(box(0, 0, 3, 3) - box(1, 1))


def test_pentagram_is_filled_in_the_middle():
    """Its outline winds twice around the pentagon; the even-odd rule would leave this out."""
    star = circle(5)[[0, 2, 4, 1, 3]]
    pentagon = np.cos(2 * np.pi / 5) / np.cos(np.pi / 5)  # its radius relative to the star's
    tips = 5 * pentagon * np.sin(np.pi / 5)  # area of five kites: centre, tip and two corners
    assert filled(star).area == pytest.approx(tips, rel=1e-12)


@pytest.mark.parametrize("points", [[], [(0, 0), (1, 1)], [(0, 0), (1, 1), (0, 0), (1, 1)]])
def test_line_that_goes_there_and_back_has_no_area(points):
    assert filled(points).area == 0


def test_nested_outlines_are_holes_and_islands():
    rings = [shapely.Polygon(circle(100, radius)) for radius in (2.0, 4.0, 1.0, 3.0)]
    small = shapely.Polygon(circle(100, 0.25, center=(3.5, 0)))
    area = nested([*rings, small], "film")
    unit = 50 * np.sin(2 * np.pi / 100)  # area of the polygon of radius 1
    assert area.area == pytest.approx(unit * (16 - 9 + 4 - 1 - 1 / 16), rel=1e-12)
    assert sorted(len(part.interiors) for part in area.geoms) == [1, 2]


def test_outline_given_twice_counts_once():
    washer = [shapely.Polygon(circle(100, radius)) for radius in (2.0, 1.0, 2.0 + 1e-10, 1.0, 1.0)]
    assert nested(washer, "film").area == pytest.approx(nested(washer[:2], "film").area, rel=1e-8)


def test_outlines_that_differ_by_the_tolerance_count_once():
    coarse, fine = (shapely.Polygon(circle(number)) for number in (100, 133))
    with pytest.raises(StudyError, match="cross"):
        nested([coarse, fine], "film")
    area = nested([coarse, fine], "film", tolerance=1e-3).area
    assert area == pytest.approx(np.pi, rel=1e-3)  # 1 - cos(pi/100) = 5e-4


def test_tiny_hole_is_not_lost_in_the_tolerance():
    area = nested([box(0, 0), box(0.5, 0.5, 1e-4, 1e-4)], "film", tolerance=1e-3)
    assert len(area.geoms[0].interiors) == 1


def test_outlines_side_by_side_become_one():
    assert len(nested([box(0, 0), box(1, 0.5)], "film").geoms) == 1
    notched = nested([box(0, 0, 4, 3), box(1, 1, 3, 1)], "film")  # it reaches the edge: a notch
    assert notched.area == 9 and not notched.geoms[0].interiors


def test_crossing_outlines_are_refused_with_coordinates():
    with pytest.raises(StudyError, match=r"film: outlines cross at \((1, 0.5|0.5, 1)\); allowed: "):
        nested([box(0, 0), box(0.5, 0.5)], "film")
