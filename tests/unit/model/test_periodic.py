"""Space that repeats itself: its cell, its height, repeated sources, and what it refuses."""

import math
from itertools import product

import numpy as np
import pydantic
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.model.checks import check_boundary
from pearlfem.model.film import Film, Hole, Region
from pearlfem.model.layers import Layer
from pearlfem.model.periodic import Periodic, lattice_points
from pearlfem.model.sources.flux import Fluxoid, Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.model.sources.repeated import repeated
from pearlfem.study.study import parse_study

PLANE = Film(Plane(), 1.0)
TRIANGULAR = Periodic(((1.0, 0.0), (0.5, math.sqrt(0.75))))
CELLS = {
    "square": (((1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 1.0))),
    "left-handed": (((0.0, 1.0), (1.0, 0.0)), ((0.0, 1.0), (-1.0, 0.0))),
    "triangular": (TRIANGULAR.cell, TRIANGULAR.cell),
    "skew": (((1.0, 0.0), (10.0, 1.0)), ((1.0, 0.0), (0.0, 1.0))),
    "long": (((3.0, 0.0), (0.25, 1.0)), ((0.25, 1.0), (-2.75, 1.0))),
    "both skew": (((5.0, 3.0), (8.0, 5.0)), ((-1.0, 0.0), (0.0, -1.0))),
}
NUMBERS = np.array(list(product(range(-12, 13), repeat=2)))
SHORT = """\
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.0, 0.0]
size = 0.1
[boundary]
kind = "periodic"
cell = [[1.0, 0.0], [0.5, 2.0]]
"""


# --- the cell


@pytest.mark.parametrize("name", CELLS)
def test_most_compact_cell_of_the_lattice(name):
    given, expected = CELLS[name]
    found = Periodic(given).vectors
    same_lattice = np.array(given) @ np.linalg.inv(found)
    np.testing.assert_allclose(same_lattice, np.round(same_lattice), atol=1e-9)
    assert np.linalg.det(found) == pytest.approx(abs(np.linalg.det(given)), rel=1e-12)
    np.testing.assert_allclose(
        abs(found @ found.T), abs(np.array(expected) @ np.transpose(expected))
    )
    lengths = np.sort(np.linalg.norm(NUMBERS @ found, axis=1))
    assert lengths[1] == pytest.approx(np.linalg.norm(found, axis=1).min())


@pytest.mark.parametrize("name", CELLS)
def test_height_lets_the_slowest_field_decay(name):
    periodic = Periodic(CELLS[name][0])
    reciprocal = 2 * np.pi * np.linalg.inv(CELLS[name][0]).T
    G = np.sort(np.linalg.norm(NUMBERS @ reciprocal, axis=1))[1]
    assert math.exp(-2 * G * periodic.height) == pytest.approx(6.9e-13, rel=0.01)


def test_width_is_the_smaller_distance_of_opposite_sides():
    assert Periodic(((3.0, 0.0), (0.0, 1.0))).width == pytest.approx(1.0)
    assert TRIANGULAR.width == pytest.approx(math.sqrt(0.75))


def test_distance_is_that_of_the_nearest_image():
    assert Periodic(((1.0, 0.0), (10.0, 1.0))).distance((0.9, 3.2)) == pytest.approx(
        math.hypot(0.1, 0.2)
    )
    assert TRIANGULAR.distance((7.0, 0.0)) == pytest.approx(0.0)
    assert TRIANGULAR.distance((0.51, 0.0)) == pytest.approx(0.49)


def test_lattice_points_hold_all_up_to_the_reach():
    vectors = np.array(CELLS["triangular"][1])
    found = lattice_points(vectors, 4.2)
    assert len(np.unique(found.round(9), axis=0)) == len(found)
    within = np.linalg.norm(NUMBERS @ vectors, axis=1) <= 4.2
    assert np.count_nonzero(np.linalg.norm(found, axis=1) <= 4.2) == np.count_nonzero(within)


# --- repeated sources


@pytest.mark.parametrize("size", [0.1, 0.6])  # the images of the latter overlap
@pytest.mark.parametrize("position", [(0.2, -0.3), (5.2, 7.3)])
def test_repeated_impurity_is_the_sum_of_its_images(size, position):
    impurity = Impurity(position, size=size, angle=30.0, strength=-2.0)
    rng = np.random.default_rng(1)
    points, kappa = rng.uniform(-3, 3, (6, 5, 2)), rng.uniform(1, 2, (6, 5))
    found = repeated(impurity, TRIANGULAR.cell).vector_potential(Layer(PLANE), points, kappa)
    shifts = np.array(list(product(range(-30, 31), repeat=2))) @ np.array(TRIANGULAR.cell)
    terms = [impurity.vector_potential(Layer(PLANE), points - shift, kappa) for shift in shifts]
    np.testing.assert_allclose(found, np.sum(terms, axis=0), rtol=1e-12, atol=1e-15)


# --- what is refused


@pytest.mark.parametrize(
    "cell", [((1.0, 0.0), (2.0, 0.0)), ((0.0, 0.0), (0.0, 1.0)), ((1.0, 1.0), (1.0, 1.0 + 1e-9))]
)
def test_cell_without_area_is_refused(cell):
    with pytest.raises(pydantic.ValidationError, match="parallel"):
        Periodic(cell)


IMPURITY = Impurity((0.0, 0.0), size=0.1)
REFUSED = {
    "the disc": (Film(Disc(1.0), 1.0), [IMPURITY]),
    "film.hole 'a'": (Film(Plane(), 1.0, (Hole(Disc(0.1, (0.3, 0.3)), "a"),)), [IMPURITY]),
    "film.pearl_length": (Film(Plane(), 1.0, (), (Region(Disc(0.1), 2.0),)), [IMPURITY]),
    "vortex 2": (PLANE, [Vortex((0.0, 0.0), 0.1), Vortex((0.5, 0.5), 0.1, -1)]),
    "fluxoid 1": (PLANE, [IMPURITY, Fluxoid("a")]),
    "impurity 2: size = 0": (PLANE, [IMPURITY, Impurity((0.5, 0.5), size=0.0)]),
}


@pytest.mark.parametrize("named", REFUSED)
def test_what_does_not_repeat_itself_is_refused(named):
    with pytest.raises(StudyError) as caught:
        check_boundary(TRIANGULAR, *REFUSED[named])
    message = str(caught.value)
    assert named.replace("vortex 2", "vortex 1") in message
    assert "boundary.kind = 'periodic'" in message
    assert "allowed: " in message


def test_impurities_at_one_place_or_in_other_cells_are_fine():
    check_boundary(TRIANGULAR, PLANE, [IMPURITY, IMPURITY, Impurity((7.0, 3.0), size=0.2)])


# --- the study file


def refusal(text):
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return str(caught.value)


def test_table_becomes_a_periodic_boundary():
    assert parse_study(SHORT).boundary == Periodic(((1.0, 0.0), (0.5, 2.0)))


def test_cell_may_have_units():
    units = '[units]\nlength = "nm"\nstrength = "uA*nm"\n'
    study = parse_study(units + SHORT.replace("[0.5, 2.0]", '["0.5 nm", "0.002 um"]'))
    np.testing.assert_allclose(study.boundary.cell, ((1.0, 0.0), (0.5, 2.0)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("cell = [[1.0, 0.0], [0.5, 2.0]]\n", "", ["boundary.cell: missing", "two|vectors"]),
        ("[0.5, 2.0]", "[2.0, 0.0]", ["boundary.cell = [[1.0, 0.0], [2.0, 0.0]]", "parallel"]),
        ("[0.5, 2.0]", "[inf, 0.0]", ["boundary.cell", "inf", "finite"]),
        (
            "[0.5, 2.0]]",
            "[0.5, 2.0]]\nbox = [1, 1, 1]",
            ["boundary.box = [1.0, 1.0, 1.0]", "shield"],
        ),
        ("[0.5, 2.0]]", "[0.5, 2.0]]\ncenter = [1, 1, 1]", ["boundary.center", "shield"]),
        ("[0.5, 2.0]]", "[0.5, 2.0]]\n[mesh]\nfar = 10.0", ["mesh.far = 10", "periodic"]),
        ("size = 0.1", "size = 0", ["impurity 1: size = 0", "periodic"]),
        (
            '"periodic"',
            '"open"',
            ["boundary.cell = [[1.0, 0.0], [0.5, 2.0]]", "'open'", "periodic"],
        ),
        ('"periodic"', '"shield"\nbox = [1, 1, 1]', ["boundary.cell", "'shield'", "periodic"]),
        ('"plane"', '"disc"\nradius = 1.0', ["film.shape = the disc", "periodic", "'plane'"]),
        ("[boundary]", "[applied.dipole]\n[boundary]", ["applied"]),
    ],
)
def test_keys_that_make_no_sense_are_refused(old, new, words):
    assert SHORT.count(old) == 1
    message = refusal(SHORT.replace(old, new))
    for word in words:
        assert any(one in message for one in word.split("|"))
