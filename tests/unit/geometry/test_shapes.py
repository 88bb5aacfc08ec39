"""Shapes: their areas and outlines, which points are inside, and refused input."""

import dataclasses
import math

import numpy as np
import pytest
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import (
    Difference,
    Disc,
    Drawing,
    Plane,
    Polygon,
    Rectangle,
    Union,
    ring,
)

NOT_POSITIVE = [0.0, -1.0, math.nan, math.inf, -math.inf, "1.0", None, True]
NO_POINTS = [(0.0,), (0.0, 0.0, 0.0), (0.0, math.nan), ("0", "0"), 0.0]

L_SHAPE = ((0.0, 0.0), (3.0, 0.0), (3.0, 1.0), (1.0, 1.0), (1.0, 2.0), (0.0, 2.0))
TILTED = Rectangle((4.0, 2.0), center=(1.0, -1.0), angle=30.0)
SQUARE = shapely.box(0.0, 0.0, 2.0, 2.0).difference(shapely.box(0.5, 0.5, 1.0, 1.0))
# Each shape with its area, the tolerance for its outline (round edges are inscribed polygons of
# 2048 sides, whose area is smaller by (2π/2048)²/6 = 1.6e-6), and its number of parts.
SHAPES = {
    "disc": (Disc(3.0, center=(1.0, 2.0)), 9 * math.pi, 2e-6 * 9 * math.pi, 1),
    "rectangle": (TILTED, 8.0, 1e-12, 1),
    "polygon": (Polygon(L_SHAPE), 4.0, 1e-12, 1),
    "drawing": (Drawing(shapely.MultiPolygon([SQUARE])), 3.75, 1e-12, 1),
    "ring": (ring(2.0, 5.0, center=(1.0, 0.0)), 21 * math.pi, 2e-6 * 29 * math.pi, 1),
    # two discs of radius 1 with centres 1 apart: 2π − (2π/3 − √3/2)
    "lens": (
        Union((Disc(1.0), Disc(1.0, center=(1.0, 0.0)))),
        4 * math.pi / 3 + math.sqrt(3) / 2,
        1e-4,
        1,
    ),
    "islands": (Union((Disc(1.0), Rectangle((1.0, 1.0), center=(5.0, 0.0)))), math.pi + 1, 1e-5, 2),
    "seam": (
        Union((Rectangle((2.0, 2.0), (1.0, 0.0)), Rectangle((2.0, 2.0), (-1.0, 0.0)))),
        8.0,
        1e-12,
        1,
    ),
    "slit": (
        Difference(Rectangle((4.0, 2.0)), (Rectangle((3.0, 0.5), (-1.0, 0.0)),)),
        6.75,
        1e-9,
        1,
    ),
    "cut in two": (Difference(Rectangle((4.0, 2.0)), (Rectangle((1.0, 3.0)),)), 6.0, 1e-9, 2),
}
CASES = {name: case[0] for name, case in SHAPES.items()}


@pytest.fixture(params=CASES, scope="module")
def shape(request):
    return CASES[request.param]


# --- laws


@pytest.mark.parametrize("name", SHAPES)
def test_outline_has_the_area_and_the_parts_of_the_shape(name):
    shape, area, error, parts = SHAPES[name]
    outline = shape.outline()
    assert outline.is_valid
    assert outline.area == pytest.approx(area, abs=error)
    assert len(shapely.get_parts(outline)) == parts


def test_shape_contains_the_same_points_as_its_outline(shape):
    outline = shape.outline()
    x0, y0, x1, y1 = outline.bounds
    rng = np.random.default_rng(3)
    points = rng.uniform((x0 - 0.5, y0 - 0.5), (x1 + 0.5, y1 + 0.5), (300, 2))
    # round edges are polygons
    clear = shapely.distance(shapely.points(points), outline.boundary) > 1e-4
    inside = shapely.contains_xy(outline, *points.T)
    assert 0 < inside.sum() < len(points)
    for point in points[clear & inside].tolist():
        assert shape.contains(tuple(point))
    for point in points[clear & ~inside].tolist():
        assert not shape.contains(tuple(point))


def test_round_edges_have_the_requested_vertices(shape):
    angles = np.array([0.0, 0.3, 1.0, 2.0, 3.0, 4.0, 5.5])
    asked = []

    def rounding(disc):
        asked.append(disc)
        return angles

    corners = shapely.get_coordinates(shape.outline(rounding))
    assert set(asked) == set(shape.discs)
    for disc in shape.discs:
        circle = disc.center + disc.radius * np.column_stack([np.cos(angles), np.sin(angles)])
        distances = np.linalg.norm(circle[:, None] - corners, axis=2).min(axis=1)
        crossing = len(shape.discs) > 1 and shape.contains(shape.discs[0].center)
        assert np.count_nonzero(distances < 1e-12) >= (3 if crossing else len(angles))


def test_shape_is_described_in_words(shape):
    assert str(shape)
    assert "object at" not in str(shape)


def test_equal_shapes_are_equal_and_have_equal_hashes():
    assert ring(1.0, 2.0) == ring(1.0, 2.0)
    assert len({Disc(1.0), Disc(1.0), Disc(1.0, (0.0, 1.0)), TILTED, Polygon(L_SHAPE)}) == 4


# --- each shape


def test_plane_contains_every_point():
    assert Plane().contains((1e9, -1e9))


@pytest.mark.parametrize(
    ("point", "inside"),
    [((1.0, 2.0), True), ((3.99, 2.0), True), ((1.0, -0.99), True), ((3.0, 4.5), False)],
)
def test_disc_contains_points_nearer_than_its_radius(point, inside):
    assert Disc(3.0, center=(1.0, 2.0)).contains(point) is inside


@pytest.mark.parametrize(
    ("shape", "point"),
    [
        (Disc(3.0, center=(1.0, 2.0)), (4.0, 2.0)),
        (Rectangle((2.0, 1.0)), (1.0, 0.0)),
        (Rectangle((2.0, 1.0)), (1.0, 0.5)),
        (Polygon(L_SHAPE), (1.0, 1.0)),
        (Union((Rectangle((2.0, 2.0)), Disc(1.0, center=(1.0, 0.0)))), (-1.0, 0.0)),
    ],
)
def test_edge_is_not_inside(shape, point):
    assert not shape.contains(point)


def test_disc_is_at_the_origin_by_default():
    assert Disc(1.0).center == (0.0, 0.0)
    assert Rectangle((1.0, 2.0)).center == (0.0, 0.0)


def test_rectangle_is_rotated_counterclockwise_around_its_centre():
    corners = shapely.get_coordinates(TILTED.outline())[:-1] - (1.0, -1.0)
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    straight = np.array([[2, 1], [-2, 1], [-2, -1], [2, -1]])
    turned = straight @ np.array([[c, s], [-s, c]])
    distances = np.linalg.norm(turned[:, None] - corners, axis=2).min(axis=1)
    assert distances.max() < 1e-14
    assert Rectangle((4.0, 2.0), angle=90.0).contains((0.9, 1.9))
    assert not Rectangle((4.0, 2.0)).contains((0.9, 1.9))


def test_polygon_may_repeat_its_first_corner_and_have_any_orientation():
    for points in (L_SHAPE, (*L_SHAPE, L_SHAPE[0]), L_SHAPE[::-1]):
        assert Polygon(points).outline().equals(Polygon(L_SHAPE).outline())


def test_common_edge_of_two_parts_is_inside_their_union():
    assert CASES["seam"].contains((0.0, 0.5))
    assert not CASES["seam"].contains((0.0, 1.0))


def test_ring_has_a_hole():
    shape = ring(2.0, 5.0, center=(1.0, 0.0))
    assert shape == Difference(Disc(5.0, (1.0, 0.0)), (Disc(2.0, (1.0, 0.0)),))
    assert [shape.contains((1.0, y)) for y in (0.0, 1.9, 2.1, 4.9, 5.1)] == [0, 0, 1, 1, 0]
    assert len(shape.outline().geoms[0].interiors) == 1


# --- refusals


@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_lengths_have_to_be_positive_and_finite(value):
    with pytest.raises(ValueError, match="radius"):
        Disc(radius=value)
    with pytest.raises(ValueError, match="size"):
        Rectangle(size=(1.0, value))


@pytest.mark.parametrize("center", NO_POINTS)
def test_center_has_to_be_two_finite_numbers(center):
    with pytest.raises(ValueError, match="center"):
        Disc(1.0, center=center)
    with pytest.raises(ValueError, match="center"):
        Rectangle((1.0, 1.0), center=center)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (((0, 0), (1, 0)), "at least 3"),
        (((0, 0), (1, 1), (2, 2)), r"no area.*\(0, 0\) to \(2, 2\)"),
        (((0, 0), (2, 2), (2, 0), (0, 2)), r"crosses or touches itself at \(1, 1\)"),
        (((0, 0), (4, 0), (4, 2), (2, 0), (0, 2)), r"touches itself at \(2, 0\)"),
        (((0, 0), (2, 0), (2, 2), (1, 2), (1, 3), (1, 2), (0, 2)), r"spike\) at \(1, 3\)"),
        (((0, 0), (1, 0), (math.nan, 1)), "finite"),
    ],
)
def test_faulty_polygon_is_refused_with_coordinates(points, message):
    with pytest.raises(ValueError, match=message):
        Polygon(points)


def test_parts_that_touch_in_a_point_are_refused_with_coordinates():
    with pytest.raises(ValueError, match=r"union: .*single point.* at \(1, 1\)"):
        Union((Rectangle((2.0, 2.0)), Rectangle((2.0, 2.0), center=(2.0, 2.0))))


def test_empty_union_and_difference_are_refused():
    with pytest.raises(ValueError, match="parts"):
        Union(parts=())
    with pytest.raises(ValueError, match="removed"):
        Difference(Disc(1.0), removed=())
    with pytest.raises(ValueError, match=r"difference.*nothing is left.*disc of radius 1"):
        Difference(Disc(1.0), (Rectangle((3.0, 3.0)),))


def test_plane_cannot_be_part_of_another_shape():
    with pytest.raises(ValueError, match="parts"):
        Union(parts=(Plane(), Disc(1.0)))
    with pytest.raises(ValueError, match="shape"):
        Difference(shape=Plane(), removed=(Disc(1.0),))


@pytest.mark.parametrize(("inner", "outer"), [(2.0, 2.0), (3.0, 2.0), (0.0, 1.0), (-1.0, 1.0)])
def test_ring_needs_an_inner_circle_within_the_outer_one(inner, outer):
    with pytest.raises(StudyError, match=rf"ring: inner = {inner:g}, outer = {outer:g}.*allowed"):
        ring(inner, outer)


@pytest.mark.parametrize("thing", [Disc(1.0), TILTED, Polygon(L_SHAPE), CASES["lens"]])
def test_shapes_are_frozen(thing):
    name = dataclasses.fields(thing)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, name, 2.0)
