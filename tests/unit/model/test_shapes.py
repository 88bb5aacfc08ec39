"""Shapes, the film, and what they refuse."""

import dataclasses
import math

import pytest

from pearlfem.model.film import Film
from pearlfem.model.shapes import Disc, Plane

NOT_POSITIVE = [0.0, -1.0, math.nan, math.inf, -math.inf, "1.0", None, True]


def test_plane_contains_every_point():
    assert Plane().contains((1e9, -1e9))


@pytest.mark.parametrize(
    ("point", "inside"),
    [((1.0, 2.0), True), ((3.99, 2.0), True), ((1.0, -0.99), True), ((3.0, 4.5), False)],
)
def test_disc_contains_what_is_nearer_than_its_radius(point, inside):
    assert Disc(3.0, center=(1.0, 2.0)).contains(point) is inside


def test_edge_of_disc_is_not_inside():
    assert not Disc(3.0, center=(1.0, 2.0)).contains((4.0, 2.0))


def test_disc_lies_around_the_origin_unless_told():
    assert Disc(1.0).center == (0.0, 0.0)


def test_whole_numbers_are_numbers():
    assert Film(Disc(2, center=(1, 0)), pearl_length=3).shape == Disc(2.0, (1.0, 0.0))


@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_pearl_length_has_to_be_positive_and_finite(value):
    with pytest.raises(ValueError, match="pearl_length"):
        Film(Plane(), pearl_length=value)


@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_radius_has_to_be_positive_and_finite(value):
    with pytest.raises(ValueError, match="radius"):
        Disc(radius=value)


@pytest.mark.parametrize("center", [(0.0,), (0.0, 0.0, 0.0), (0.0, math.nan), ("0", "0"), 0.0])
def test_center_has_to_be_two_finite_numbers(center):
    with pytest.raises(ValueError, match="center"):
        Disc(1.0, center=center)


def test_film_needs_a_shape():
    with pytest.raises(ValueError, match="shape"):
        Film(shape="disc", pearl_length=1.0)


def test_unknown_argument_is_refused():
    with pytest.raises((TypeError, ValueError), match="thickness"):
        Film(Plane(), pearl_length=1.0, thickness=0.1)


@pytest.mark.parametrize(
    ("thing", "name"),
    [(Disc(1.0), "radius"), (Film(Plane(), 1.0), "pearl_length"), (Film(Plane(), 1.0), "shape")],
)
def test_film_and_shapes_are_frozen(thing, name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, name, 2.0)
