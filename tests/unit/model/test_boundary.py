"""Open space and boxes of walls: what they are, and which films they may surround."""

import math

import pydantic
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.model.boundary import Open, Walls
from pearlfem.model.checks import check_boundary
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity

PLANE, DISC = Film(Plane(), 1.0), Film(Disc(1.0, center=(0.5, 0.0)), 1.0)
SLAB = Walls("shield", (math.inf, math.inf, 2.0))


def test_box_with_the_film_in_its_middle_is_mirror_symmetric():
    assert Open().mirrored
    assert SLAB.mirrored
    assert not Walls("shield", (4.0, 4.0, 2.0), (0.0, 0.0, 1e-9)).mirrored


def test_walls_stand_half_the_size_from_the_centre():
    walls = Walls("magnetic-wall", (4.0, 6.0, 2.0), (1.0, 0.0, 0.25))
    assert walls.heights == (-0.75, 1.25)
    assert not walls.infinite
    assert walls.clearance((2.5, 0.0)) == 0.5  # from the wall at x = 3
    assert walls.clearance((1.0, -2.0)) == 1.0  # from the wall at y = −3
    assert walls.clearance((0.0, 3.5)) == -0.5


def test_infinite_box_has_no_walls_at_the_sides():
    assert SLAB.infinite
    assert SLAB.clearance((1e9, -1e9)) == math.inf


@pytest.mark.parametrize("box", [(1.0, math.inf, 1.0), (1.0, 1.0, math.inf), (0.0, 1.0, 1.0)])
def test_impossible_box_is_refused(box):
    with pytest.raises(pydantic.ValidationError):
        Walls("shield", box)


@pytest.mark.parametrize(
    ("film", "boundary"),
    [
        (PLANE, SLAB),
        (PLANE, Walls("shield", (1.0, 1.0, 1.0), (0.2, 0.0, 0.3))),
        (DISC, Walls("shield", (3.01, 2.01, 1.0))),
        (DISC, Open()),
    ],
)
def test_walls_around_the_film_are_accepted(film, boundary):
    check_boundary(boundary, film, [Impurity((0.1, 0.0), size=0.1)])


@pytest.mark.parametrize(
    ("film", "boundary", "message"),
    [
        (PLANE, Walls("shield", (4.0, 4.0, 1.0), (0.0, 0.0, -0.5)), "z = -1 and z = 0"),
        (DISC, Walls("shield", (3.0, 4.0, 1.0)), "cuts the disc of radius 1"),
        (PLANE, Walls("shield", (0.2, 4.0, 1.0)), r"impurity 1: position = \[0.1, 0.0\]"),
    ],
)
def test_walls_through_film_or_impurities_are_refused(film, boundary, message):
    with pytest.raises(StudyError, match=message):
        check_boundary(boundary, film, [Impurity((0.1, 0.0), size=0.1)])


def test_point_impurity_between_walls_is_refused():
    walls = Walls("magnetic-wall", (4.0, 4.0, 1.0))
    with pytest.raises(StudyError, match=r"impurity 1: size = 0 .*'magnetic-wall'.*a size > 0"):
        check_boundary(walls, DISC, [Impurity((0.1, 0.0), size=0.0)])
    check_boundary(Open(), DISC, [Impurity((0.1, 0.0), size=0.0)])
