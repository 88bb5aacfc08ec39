"""Impurities: their moments, and what they refuse."""

import dataclasses
import math

import pytest

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.model.shapes import Disc, Plane
from pearlfem.model.sources import Impurity, check_sources


@pytest.mark.parametrize(
    ("angle", "moment"),
    [(0.0, (1, 0)), (90.0, (0, 1)), (180.0, (-1, 0)), (-90.0, (0, -1)), (60.0, (0.5, 0.75**0.5))],
)
def test_moment_is_the_unit_vector_at_the_angle(angle, moment):
    impurity = Impurity((0.0, 0.0), size=1.0, angle=angle, strength=7.0)
    assert impurity.moment == pytest.approx(moment, abs=1e-15)  # rounding of π/180 and cos


def test_defaults_are_angle_zero_and_strength_one():
    impurity = Impurity((0.0, 0.0), size=1.0)
    assert (impurity.angle, impurity.strength) == (0.0, 1.0)


@pytest.mark.parametrize("size", [0.0, -0.1, math.nan, math.inf, "0.1", None])
def test_size_has_to_be_positive_and_finite(size):
    with pytest.raises(ValueError, match="size"):
        Impurity((0.0, 0.0), size=size)


@pytest.mark.parametrize("name", ["angle", "strength"])
@pytest.mark.parametrize("value", [math.nan, math.inf, "1.0", None])
def test_angle_and_strength_have_to_be_finite_numbers(name, value):
    with pytest.raises(ValueError, match=name):
        Impurity((0.0, 0.0), size=0.1, **{name: value})


@pytest.mark.parametrize("position", [(0.0,), (0.0, 0.0, 0.0), (math.nan, 0.0), ("0", 0.0)])
def test_position_has_to_be_two_finite_numbers(position):
    with pytest.raises(ValueError, match="position"):
        Impurity(position=position, size=0.1)


def test_impurity_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Impurity((0.0, 0.0), size=0.1).size = 0.2


def test_impurities_on_the_film_are_accepted():
    check_sources(Film(Disc(1.0), 1.0), [Impurity((0.0, 0.9), size=0.1)])
    check_sources(Film(Plane(), 1.0), [Impurity((1e6, 0.0), size=0.1)])


def test_no_impurity_is_refused():
    with pytest.raises(StudyError, match="impurity"):
        check_sources(Film(Plane(), 1.0), [])


def test_impurity_beyond_the_edge_is_refused_by_number_and_position():
    inside, outside = Impurity((0.0, 0.0), size=0.1), Impurity((0.0, 1.5), size=0.1)
    with pytest.raises(StudyError, match=r"impurity 2.*\[0\.0, 1\.5\].*allowed.*radius 1\b"):
        check_sources(Film(Disc(1.0), 1.0), [inside, outside])


def test_impurity_of_no_strength_is_refused():
    with pytest.raises(ValueError, match=r"strength[\s\S]*should not be 0"):
        Impurity((0.0, 0.0), size=0.1, strength=0.0)
