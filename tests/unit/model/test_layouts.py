"""Where many impurities are: lattices cut to a film, and random places."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Difference, Disc, Plane, Rectangle
from pearlfem.model.film import Film, Hole
from pearlfem.model.layouts import lattice_sites, random_sites

SQUARE = Film(Rectangle((4.0, 2.0)), 1.0)
WASHER = Film(Disc(2.0), 1.0, (Hole(Disc(1.0), "hole"),))
L_SHAPE = Film(Difference(Rectangle((4.0, 4.0)), (Rectangle((2.0, 2.0), (1.0, 1.0)),)), 1.0)
FILMS = {"rectangle": SQUARE, "washer": WASHER, "l": L_SHAPE}


def test_sites_of_a_square_lattice_are_counted():
    # x = −1.75 … 1.75 and y = −0.75 … 0.75, both in steps of 0.5
    sites = lattice_sites(SQUARE, ((0.5, 0.0), (0.0, 0.5)), (0.25, 0.25))
    assert len(sites) == 8 * 4
    assert set(np.unique(sites[:, 0])) == set(np.arange(-1.75, 2.0, 0.5))


@pytest.mark.parametrize("film", FILMS.values(), ids=FILMS)
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_no_site_is_missing_and_none_is_off_the_film(film, margin):
    vectors, origin = ((0.31, 0.02), (-0.11, 0.27)), (0.05, 0.4)
    sites = lattice_sites(film, vectors, origin, margin)
    i, j = np.meshgrid(np.arange(-60, 61), np.arange(-60, 61))
    everywhere = np.stack([i.ravel(), j.ravel()], axis=1) @ np.array(vectors) + origin
    edge = film.outline().boundary
    import shapely

    inside = shapely.contains_xy(film.outline(), *everywhere.T)
    inside &= shapely.distance(edge, shapely.points(everywhere)) > margin
    expected = everywhere[inside]
    assert len(sites) == len(expected) > 20
    found = sites[np.lexsort(np.round(sites, 9).T)]
    np.testing.assert_allclose(found, expected[np.lexsort(np.round(expected, 9).T)], atol=1e-12)


def test_lattice_vectors_may_be_in_any_order_and_direction():
    a, b = (0.5, 0.0), (0.2, 0.4)
    for vectors in ((b, a), ((-0.5, 0.0), b), (a, (-0.3, 0.4))):
        one, other = lattice_sites(SQUARE, (a, b), (0, 0)), lattice_sites(SQUARE, vectors, (0, 0))
        assert {tuple(p) for p in np.round(one, 9)} == {tuple(p) for p in np.round(other, 9)}


@pytest.mark.parametrize("film", FILMS.values(), ids=FILMS)
def test_random_places_keep_their_distances(film):
    places = random_sites(film, 60, seed=3, spacing=0.1, margin=0.15)
    assert places.shape == (60, 2)
    assert pdist(places).min() > 0.1
    assert all(film.contains(tuple(place)) for place in places.tolist())
    import shapely

    assert shapely.distance(film.outline().boundary, shapely.points(places)).min() > 0.15


def test_random_places_depend_on_the_seed_alone():
    one, same, other = (random_sites(SQUARE, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1
    # NumPy promises the same stream of PCG64 on every machine.
    np.testing.assert_allclose(one[0], [0.04728650, 0.90092736], atol=1e-7)


def test_random_places_are_uniform():
    places = random_sites(SQUARE, 4000, seed=0)
    counts = np.histogram2d(*places.T, bins=(4, 2), range=((-2, 2), (-1, 1)))[0]
    # 500 expected in each of the 8 parts, with a standard deviation of 21
    assert np.abs(counts - 500).max() < 100


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: lattice_sites(SQUARE, ((1, 0), (2, 0)), (0, 0)), r"vectors = .*not parallel"),
        (lambda: lattice_sites(SQUARE, ((0, 0), (2, 0)), (0, 0)), r"vectors = .*not parallel"),
        (lambda: lattice_sites(SQUARE, ((9, 0), (0, 9)), (4, 4)), r"no site lies on .*shorter"),
        (lambda: lattice_sites(SQUARE, ((1, 0), (0, 1)), (0, 0), 3.0), r"no site.*margin = 3"),
        (lambda: lattice_sites(Film(Plane(), 1.0), ((1, 0), (0, 1)), (0, 0)), "has no edge"),
        (lambda: random_sites(Film(Plane(), 1.0), 3, 0), r"impurities\.random.*has no edge"),
        (lambda: random_sites(SQUARE, 50, 0, 1.0), r"number = 50: only \d+ found room.*spacing"),
        (lambda: random_sites(SQUARE, 1, 0, 0.0, 2.0), r"only 0 found room.*margin = 2"),
    ],
)
def test_impossible_layouts_are_refused(call, reason):
    with pytest.raises(StudyError, match=reason):
        call()
