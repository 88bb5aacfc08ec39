"""Tables of radial functions against the exact fields of point impurities."""

from types import SimpleNamespace

import numpy as np
import pytest

from pearlfem import Disc, Film, Impurity
from pearlfem.analytic import infinite_film
from pearlfem.observables.point_impurities.fields import exact_part
from pearlfem.observables.point_impurities.kernels import exact_film_fields
from pearlfem.solution import Drive


def solution(pearl_length):
    drives = (
        Drive(Impurity((0.1, -0.2), size=0.0, angle=25.0, strength=2.0)),
        Drive(Impurity((-0.4, 0.3), size=0.0, angle=140.0), weight=-0.7),
        Drive(Impurity((0.5, 0.5), size=0.2)),  # not a point: not among these
    )
    film = SimpleNamespace(film=Film(Disc(1.0), pearl_length))
    return SimpleNamespace(films=(film,), drives=drives)


@pytest.mark.parametrize("pearl_length", [1e-3, 0.7, 1e4])
def test_fields_are_the_exact_ones(pearl_length):
    what = solution(pearl_length)
    rng = np.random.default_rng(1)
    angles, r = 2 * np.pi * rng.random(400), 10.0 ** rng.uniform(-6, 2, 400)
    points = np.array([0.1, -0.2]) + r[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    found = exact_film_fields(what, points)
    for values, field in (
        (found.g, infinite_film.stream_function),
        (found.K, infinite_film.sheet_current),
    ):
        exact = exact_part(what, field, points)
        scale = np.linalg.norm(exact.reshape(400, -1), axis=1).reshape(-1, *[1] * (exact.ndim - 1))
        # h⁴/384 of the fourth derivative, h = ln(10)/50: 1e-8; g passes through zero.
        assert np.median(np.abs(values - exact) / scale) < 1e-7
        assert np.max(np.abs(values - exact) / scale) < 1e-4
    exact = exact_part(what, infinite_film.magnetic_field, np.column_stack([points, 0 * r]))
    assert np.median(np.abs(found.B_z / exact[:, 2] - 1)) < 1e-7


def test_at_an_impurity_there_is_no_value():
    fields = exact_film_fields(solution(1.0), np.array([[0.1, -0.2], [0.2, 0.2]]))
    for values in fields:
        assert np.all(np.isnan(values[0])) and np.all(np.isfinite(values[1]))


def test_without_points_of_the_film_there_is_nothing():
    assert [len(each) for each in exact_film_fields(solution(1.0), np.empty((0, 2)))] == [0, 0, 0]
