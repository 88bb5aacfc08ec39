"""The film: its holes, islands and regions, its superfluid weight, and what it refuses."""

import dataclasses
import math

import numpy as np
import pytest
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.model.film import Film, Hole, Region

NOT_POSITIVE = [0.0, -1.0, math.nan, math.inf, -math.inf, "1.0", None, True]
SQUARE = Rectangle((4.0, 4.0))
LEFT, RIGHT = Hole(Disc(0.5, (-1.0, 0.0)), "left"), Hole(Rectangle((0.5, 1.0), (1.0, 0.0)), "right")
TWO_HOLES = Film(SQUARE, 1.0, (RIGHT, LEFT))
# A ring, and in its hole an island that has a hole itself.
TARGET = Film(Union((ring(3.0, 4.0), ring(1.0, 2.0))), 1.0)


def names(film):
    return [opening.name for opening in film.openings]


# --- the superfluid weight


def test_superfluid_weight_is_two_over_pearl_length():
    points = np.array([[0.0, 0.0], [5.0, 1.0]])
    film = Film(Plane(), pearl_length=0.5)
    assert film.superfluid_weight(points).tolist() == [4.0, 4.0]  # κ = 2/(μ0 r0), μ0 = 1


def test_superfluid_weight_has_the_shape_of_the_points():
    film = Film(SQUARE, lambda x, y: 1 + x**2, regions=(Region(Disc(1.0), 2.0),))
    for shape in ((3,), (3, 5), (0,), (0, 4)):
        assert film.superfluid_weight(np.zeros((*shape, 2))).shape == shape


def test_regions_have_weights_of_their_own_and_a_later_one_covers_an_earlier_one():
    film = Film(
        SQUARE,
        1.0,
        regions=(Region(Rectangle((2.0, 4.0), (-1.0, 0.0)), 0.5), Region(Disc(1.0), 0.25)),
    )
    points = np.array([[1.5, 0.0], [-1.5, 0.0], [-0.5, 0.0], [0.5, 0.0]])
    assert film.regions_at(points).tolist() == [-1, 0, 1, 1]
    assert film.superfluid_weight(points).tolist() == [2.0, 4.0, 8.0, 8.0]
    # where the region is known better than from the point
    assert film.superfluid_weight(points, np.array([-1, -1, 0, 1])).tolist() == [2.0, 2.0, 4.0, 8.0]
    assert not film.uniform
    assert film.least_pearl_length == 0.25


def test_profile_is_a_function_of_arrays():
    film = Film(SQUARE, lambda x, y: 1.0 + 0.2 * x * y)
    points = np.array([[1.0, 1.0], [0.0, 3.0], [-1.0, 1.0]])
    np.testing.assert_allclose(film.superfluid_weight(points), [2 / 1.2, 2.0, 2 / 0.8])
    assert not film.uniform
    assert film.least_pearl_length == pytest.approx(0.2, rel=1e-12)  # in two corners


def test_constant_profile_is_a_profile():
    film = Film(SQUARE, lambda x, y: 2.0)
    assert film.superfluid_weight(np.zeros((3, 2))).tolist() == [1.0, 1.0, 1.0]
    assert film.least_pearl_length == 2.0


def test_least_pearl_length_of_a_profile_is_that_on_the_film():
    def profile(x, y):
        return np.hypot(x, y)

    assert Film(ring(1.0, 2.0), profile).least_pearl_length == pytest.approx(1.0, rel=1e-2)
    # nothing is asked of it in a hole, where it is 0
    film = Film(Disc(2.0), profile, (Hole(Disc(1.0), "eye"),))
    assert film.least_pearl_length == pytest.approx(1.0, rel=1e-2)
    assert Film(Plane(), 3.0, regions=(Region(Disc(1.0), 0.5),)).least_pearl_length == 0.5


# --- holes


def test_holes_go_by_their_names():
    assert names(TWO_HOLES) == ["left", "right"]  # in the order of their x
    assert TWO_HOLES.opening("left").outline.area == pytest.approx(math.pi / 4, rel=1e-5)
    assert TWO_HOLES.opening("right").outline.area == pytest.approx(0.5, rel=1e-12)
    with pytest.raises(StudyError, match="hole 'middle': not there; allowed: 'left', 'right'"):
        TWO_HOLES.opening("middle")
    with pytest.raises(StudyError, match="allowed: none, for the film has no hole"):
        Film(SQUARE, 1.0).opening("middle")


def test_holes_of_the_shape_are_numbered_by_their_x():
    def square(x):
        return Rectangle((0.5, 0.5), (x, 0.0))

    shape = Difference(Rectangle((8.0, 2.0)), tuple(square(x) for x in (3.0, -3.0, 1.0)))
    film = Film(shape, 1.0, (Hole(square(-1.0), "own"),))
    assert names(film) == ["hole 1", "own", "hole 2", "hole 3"]
    places = [opening.outline.centroid.x for opening in film.openings]
    assert places == pytest.approx([-3.0, -1.0, 1.0, 3.0])


def test_number_that_is_a_name_already_is_left_out():
    film = Film(ring(1.0, 4.0), 1.0, (Hole(Disc(0.5, (2.5, 0.0)), "hole 1"),))
    assert names(film) == ["hole 2", "hole 1"]


def test_notch_is_no_hole():
    assert names(Film(Difference(SQUARE, (Disc(1.0, (2.0, 0.0)),)), 1.0)) == []


def test_holes_of_the_plane():
    film = Film(Plane(), 1.0, (LEFT, RIGHT))
    assert names(film) == ["left", "right"]
    assert not film.contains((-1.0, 0.0))
    assert film.contains((-1.0, 0.6))
    assert film.covers(np.array([[-1.0, 0.0], [0.0, 0.0]])).tolist() == [False, True]
    assert film.islands == 1


def test_island_in_a_hole():
    assert TARGET.islands == 2
    assert sorted(o.outline.area for o in TARGET.openings) == pytest.approx(
        [math.pi, 5 * math.pi], rel=1e-5
    )
    points = np.array([[0.0, 3.5], [0.0, 1.5]])
    outer, inner = TARGET.islands_at(points)
    assert {outer, inner} == {0, 1}
    assert TARGET.covers(points).all()
    assert not TARGET.covers(np.array([[0.0, 0.5], [0.0, 2.5], [0.0, 4.5]])).any()


def test_island_in_a_hole_of_the_plane():
    film = Film(Plane(), 1.0, (Hole(ring(1.0, 2.0), "moat"),))
    assert film.islands == 2
    inner, outer = film.islands_at(np.array([[0.0, 0.0], [3.0, 0.0]]))
    assert inner != outer
    assert film.contains((0.0, 0.0))
    assert not film.contains((1.5, 0.0))


def test_pole_lies_in_the_hole_far_from_its_edge():
    crescent = Difference(Disc(1.0), (Disc(1.0, (0.6, 0.0)),))
    film = Film(SQUARE, 1.0, (Hole(crescent, "crescent"),))
    (opening,) = film.openings
    # The thickest part of the crescent is at the left: as wide as the centres are apart.
    assert opening.pole == pytest.approx((-0.7, 0.0), abs=0.02)
    distance = opening.outline.boundary.distance(shapely.Point(opening.pole))
    assert distance == pytest.approx(0.3, rel=1e-2)


def test_film_is_what_the_holes_leave():
    assert TWO_HOLES.outline().area == pytest.approx(16 - math.pi / 4 - 0.5, rel=1e-5)
    for point, inside in (((0.0, 0.0), True), ((-1.0, 0.2), False), ((3.0, 0.0), False)):
        assert TWO_HOLES.contains(point) is inside
    assert not TWO_HOLES.contains((0.75, 0.0))  # the edge of a hole


def test_discs_are_those_of_all_round_edges_once():
    film = Film(Disc(4.0), 1.0, (LEFT, RIGHT), (Region(Disc(4.0), 2.0), Region(Disc(1.5), 3.0)))
    assert set(film.discs) == {Disc(4.0), Disc(0.5, (-1.0, 0.0)), Disc(1.5)}
    assert len(film.discs) == 3


def test_center_is_the_middle_of_the_box():
    assert Film(Rectangle((2.0, 1.0), (3.0, -1.0)), 1.0).center == pytest.approx((3.0, -1.0))
    assert Film(Plane(), 1.0).center == (0.0, 0.0)


# --- refusals


@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_pearl_length_has_to_be_positive_and_finite(value):
    with pytest.raises(ValueError, match="pearl_length"):
        Film(Plane(), pearl_length=value)
    with pytest.raises(ValueError, match="pearl_length"):
        Region(Disc(1.0), pearl_length=value)


def test_film_needs_a_shape():
    with pytest.raises(ValueError, match="shape"):
        Film(shape="disc", pearl_length=1.0)


def test_unknown_argument_is_refused():
    with pytest.raises((TypeError, ValueError), match="thickness"):
        Film(Plane(), pearl_length=1.0, thickness=0.1)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (Disc(0.5, (5.0, 0.0)), r"leaves or touches the rectangle.* at \(5\.5, .*\); allowed"),
        (Disc(1.0, (1.5, 0.0)), r"leaves or touches the rectangle.* at \(2\.5, "),
        (Disc(1.0, (1.0, 0.0)), r"leaves or touches the rectangle.* at \(2, "),
        (Rectangle((1.0, 1.0), (1.5, 1.5)), r"leaves or touches .* at \(2, 1\)"),
        (Disc(3.0), "leaves or touches"),
    ],
)
def test_hole_that_is_not_inside_is_refused_with_name_and_coordinates(shape, message):
    with pytest.raises(ValueError, match=f"hole 'eye': the .*{message}"):
        Film(SQUARE, 1.0, (Hole(shape, "eye"),))


def test_hole_in_a_hole_of_the_shape_is_refused():
    with pytest.raises(ValueError, match=r"hole 'eye'.*leaves or touches"):
        Film(ring(2.0, 4.0), 1.0, (Hole(Disc(1.0), "eye"),))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Disc(0.6, (0.0, 0.0)), r"at \(-0\.5"),
        (Disc(0.5, (0.0, 0.0)), r"at \(-0\.5"),  # touches
        (Disc(0.1, (-1.0, 0.0)), "at "),  # one within the other
    ],
)
@pytest.mark.parametrize("whole", [SQUARE, Plane()])
def test_holes_that_meet_are_refused_with_names_and_coordinates(whole, other, message):
    with pytest.raises(ValueError, match=f"hole 'eye': .* hole 'left' {message}"):
        Film(whole, 1.0, (LEFT, Hole(other, "eye")))


def test_holes_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"film\.hole: names \['left', 'left'\]"):
        Film(SQUARE, 1.0, (LEFT, dataclasses.replace(RIGHT, name="left")))


@pytest.mark.parametrize("whole", [SQUARE, Plane()])
def test_hole_in_two_parts_is_refused(whole):
    with pytest.raises(ValueError, match=r"hole 'eyes': the union .* has 2 parts"):
        Film(whole, 1.0, (Hole(Union((LEFT.shape, RIGHT.shape)), "eyes"),))


def test_hole_may_not_be_the_plane():
    with pytest.raises(ValueError, match="shape"):
        Hole(shape=Plane(), name="all")


def test_region_outside_the_film_is_refused_with_coordinates():
    inside = Region(Disc(1.0), 2.0)
    outside = Region(Rectangle((1.0, 1.0), (2.0, 0.0)), 2.0)
    with pytest.raises(ValueError, match=r"film\.region 2: the rectangle.* at \(2\.5, .*allowed"):
        Film(SQUARE, 1.0, regions=(inside, outside))
    Film(SQUARE, 1.0, regions=(inside, Region(SQUARE, 0.5)))  # to the edge is inside
    Film(Plane(), 1.0, regions=(outside,))


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (lambda x, y: x, r"= -?[\d.]+ at \(-?[\d.]+, -?[\d.]+\): not allowed; allowed: positive"),
        (lambda x, y: 1 / (x - x), "= inf at"),
        (lambda x, y: np.where(x > 1.9, np.nan, 1.0), r"= nan at \((1\.9|2)"),
        (lambda x, y: 0.0, "= 0 at"),
    ],
)
def test_profile_that_is_not_positive_is_refused_with_coordinates(profile, message):
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=f"film.pearl_length {message}"),
    ):
        Film(SQUARE, profile)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        Film(Plane(), 1.0, regions=(Region(SQUARE, profile),))


def test_profile_on_the_plane_is_refused():
    with pytest.raises(ValueError, match="a function is not allowed on the whole plane"):
        Film(Plane(), lambda x, y: 1.0 + x**2)


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Film(Plane(), 1.0), "pearl_length"),
        (Film(Plane(), 1.0), "shape"),
        (LEFT, "name"),
        (Region(Disc(1.0), 1.0), "shape"),
    ],
)
def test_film_holes_and_regions_are_frozen(thing, name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, name, 2.0)


def test_whole_numbers_are_numbers():
    assert Film(Disc(2, center=(1, 0)), pearl_length=3).shape == Disc(2.0, (1.0, 0.0))
    assert Polygon(((0, 0), (1, 0), (0, 1))).points[1] == (1.0, 0.0)


def test_names_of_holes_do_not_depend_on_round_off():
    # Holes in each other, and two at the same x: their centres differ by round-off.
    for unit, shift in ((1.0, 0.0), (1e-6, 0.0), (1.0, 40.1)):
        shape = Union((ring(3.0 * unit, 4.0 * unit), ring(1.0 * unit, 2.0 * unit)))
        target = Film(shape, 1.0)
        areas = [opening.outline.area / unit**2 for opening in target.openings]
        assert names(target) == ["hole 1", "hole 2"]
        assert areas == pytest.approx([math.pi, 5 * math.pi], rel=1e-5)
        removed = tuple(Disc(0.5 * unit, (0.3 * unit + shift, y * unit)) for y in (1.0, -1.0))
        pair = Film(Difference(Rectangle((4 * unit, 4 * unit), (shift, 0.0)), removed), 1.0)
        assert [np.sign(opening.pole[1]) for opening in pair.openings] == [-1, 1]


def test_holes_keep_their_names_with_any_rounding():
    for sides in (16, 17, 33):

        def rounding(disc, sides=sides):
            return np.sort(np.random.default_rng(sides).uniform(0, 2 * np.pi, 8 * sides))

        for opening, rounded in zip(TARGET.openings, TARGET.openings_of(rounding), strict=True):
            assert rounded.name == opening.name
            assert rounded.outline.area == pytest.approx(opening.outline.area, rel=0.1)
