"""The extent of a device, the unit of ``far``."""

import pytest

from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.mesh.sizes.grading import device_extent
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity


def test_extent_of_a_disc_is_the_disc():
    film = Film(Disc(2.0, center=(1.0, -1.0)), pearl_length=50.0)
    assert device_extent(film, [Impurity((1.5, -1.0), size=0.1)]) == ((1.0, -1.0), 2.0)


def test_extent_on_the_plane_encloses_impurities_and_their_profiles():
    impurities = [Impurity((-3.0, 0.0), size=0.5), Impurity((1.0, 2.0), size=0.1)]
    center, size = device_extent(Film(Plane(), pearl_length=0.1), impurities)
    assert center == (-1.0, 1.0)
    assert size == pytest.approx(5**0.5 + 0.5, rel=1e-15)


def test_extent_on_the_plane_is_at_least_a_pearl_length():
    assert device_extent(Film(Plane(), 7.0), [Impurity((0.0, 0.0), size=0.1)]).size == 7.0
