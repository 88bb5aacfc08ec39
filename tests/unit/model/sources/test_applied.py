"""Applied fields: their vector potentials on the film, their fields, and what they refuse."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest

from pearlfem.analytic import applied_fields
from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.model.boundary import Open, Walls
from pearlfem.model.checks import check_applied
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.sources.applied import (
    Applied,
    AppliedPotential,
    CurrentLoop,
    Dipole,
    UniformField,
    applied_field,
    is_applied,
)
from pearlfem.model.sources.base import Core, name_of
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.sources.impurity import Impurity

PLANE, DISC = Film(Plane(), 1.0), Film(Disc(1.0, center=(2.0, -1.0)), 1.0)
UNIFORM = UniformField((0.3, -0.2, 0.7))
DIPOLE = Dipole((0.4, 0.1, 0.5), (0.2, -0.1, 1.5))
LOOP = CurrentLoop((0.5, 0.2, -0.4), radius=0.8, current=2.0)
FIELDS = {"uniform": UNIFORM, "dipole": DIPOLE, "loop": LOOP}
OTHER = AppliedPotential(lambda x, y: (x * y, np.cos(x)))


@pytest.fixture(params=FIELDS)
def source(request):
    return FIELDS[request.param]


def in_plane(points):
    return np.column_stack([points, np.zeros(len(points))])


# --- laws


def test_curl_of_the_potential_on_the_film_is_the_field_across_it(source):
    # Central differences of fourth order of functions that vary over 0.4 or more: (h/0.4)⁴ = 2e-8
    points = np.random.default_rng(2).uniform(-1.5, 1.5, (100, 2))
    step, weights = 0.005, {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    curl = 0.0
    for k, weight in weights.items():
        for axis, sign in ((0, 1), (1, -1)):
            moved = points + k * step * np.eye(2)[axis]
            a = source.vector_potential(Layer(DISC), moved, np.ones(len(points)))
            curl += sign * weight * a[:, 1 - axis] / step
    B = source.magnetic_field(in_plane(points))
    np.testing.assert_allclose(curl, B[:, 2], atol=1e-6 * np.abs(B).max())


def test_field_has_no_divergence(source):
    points = np.random.default_rng(2).uniform((-1, -1, 1), (1, 1, 2), (50, 3))
    step, weights = 0.01, {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    divergence = sum(
        weight * source.magnetic_field(points + k * step * np.eye(3)[axis])[:, axis] / step
        for k, weight in weights.items()
        for axis in range(3)
    )
    assert np.abs(divergence).max() < 1e-5 * np.abs(source.magnetic_field(points)).max()


# --- against exact fields


def test_uniform_field_is_uniform_and_turns_around_the_films_centre():
    points = np.array([[2.0, -1.0], [3.0, -1.0], [2.0, 1.0]])
    a = UNIFORM.vector_potential(Layer(DISC), points, np.ones(3))
    # ½ B × r: B_z/2 (−y, x) from the centre
    np.testing.assert_allclose(a, [[0, 0], [0, 0.35], [-0.7, 0]], atol=1e-15)
    B = UNIFORM.magnetic_field(np.zeros((2, 3)))
    np.testing.assert_array_equal(B, [UNIFORM.field] * 2)


def test_dipole_and_loop_are_those_of_the_exact_theory():
    points = np.array([[0.0, 0.0], [1.0, -0.5], [0.4, 0.1]])
    mesh = in_plane(points) + np.array([0, 0, 1])
    for source, A, B, arguments in [
        (
            DIPOLE,
            applied_fields.dipole_vector_potential,
            applied_fields.dipole_magnetic_field,
            (DIPOLE.position, DIPOLE.moment),
        ),
        (
            LOOP,
            applied_fields.loop_vector_potential,
            applied_fields.loop_magnetic_field,
            (LOOP.center, LOOP.radius, LOOP.current),
        ),
    ]:
        found = source.vector_potential(Layer(DISC), points, np.ones(3))
        np.testing.assert_array_equal(found, A(in_plane(points), *arguments)[:, :2])
        np.testing.assert_array_equal(source.magnetic_field(mesh), B(mesh, *arguments))


def test_field_on_the_axis_of_a_loop():
    # B_z = μ0 I R²/2(R² + h²)^{3/2} at the height h above its centre
    B = LOOP.magnetic_field(np.array([[0.5, 0.2, 0.2]]))
    assert B[0, 2] == pytest.approx(0.8**2 / (0.8**2 + 0.6**2) ** 1.5, rel=1e-12)
    assert np.abs(B[0, :2]).max() < 1e-12


def test_small_loop_is_a_dipole():
    radius, current = 1e-3, 5.0
    loop = CurrentLoop((0.0, 0.0, 1.0), radius, current)
    dipole = Dipole((0.0, 0.0, 1.0), (0.0, 0.0, math.pi * radius**2 * current))
    points = np.random.default_rng(4).uniform(-1, 1, (20, 2))
    found, expected = (
        s.vector_potential(Layer(PLANE), points, np.ones(20)) for s in (loop, dipole)
    )
    # what is left is of the relative order (R/r)², r ≥ 1
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12 * np.abs(expected).max())


def test_any_potential_from_python():
    points = np.array([[2.0, 3.0], [0.0, 1.0]])
    found = OTHER.vector_potential(Layer(PLANE), points, np.ones(2))
    np.testing.assert_array_equal(found, [[6.0, math.cos(2.0)], [0.0, 1.0]])
    constant = AppliedPotential(lambda x, y: (0.5, 0.0 * y))
    assert constant.vector_potential(Layer(PLANE), np.zeros((4, 5, 2)), np.ones((4, 5))).shape == (
        4,
        5,
        2,
    )


def test_potentials_have_the_shape_of_the_points(source):
    for shape in ((), (3,), (3, 5), (0,)):
        points = np.full((*shape, 2), 0.7)
        assert source.vector_potential(Layer(DISC), points, np.ones(shape)).shape == (*shape, 2)


# --- what is asked of meshes


def test_cores_are_as_large_as_the_field_is_far():
    assert UNIFORM.cores == OTHER.cores == ()
    assert DIPOLE.cores == (Core((0.4, 0.1), 0.5),)
    cores = LOOP.cores
    assert {core.size for core in cores} == {0.4}
    radii = [math.dist(core.position, (0.5, 0.2)) for core in cores]
    assert radii == pytest.approx([0.8] * len(cores))
    gaps = [math.dist(a.position, b.position) for a, b in pairwise(cores)]
    assert max(gaps) <= 0.4


def test_loop_close_to_the_film_has_a_limited_number_of_cores():
    assert len(CurrentLoop((0.0, 0.0, 1e-9), 1.0, 1.0).cores) == 1000
    assert len(CurrentLoop((0.0, 0.0, 100.0), 1.0, 1.0).cores) == 1


def test_applied_fields_have_no_end(source):
    assert source.reach == OTHER.reach == math.inf


# --- sums


def test_fields_add_up_with_their_weights():
    points = np.array([[0.0, 0.0, 1.0], [1.0, 0.5, -2.0]])
    drives = [(UNIFORM, 2.0), (Vortex((0.0, 0.0), size=0.1), 1.0), (LOOP, -1.0), (OTHER, 1.0)]
    expected = 2 * UNIFORM.magnetic_field(points) - LOOP.magnetic_field(points)
    np.testing.assert_allclose(applied_field(drives, points), expected, rtol=1e-15)
    assert applied_field(drives[1:2], points) is None
    assert applied_field([], points) is None


def test_what_is_an_applied_field():
    assert all(is_applied(field) for field in (*FIELDS.values(), OTHER))
    assert not isinstance(OTHER, Applied)  # its field away from the film is not known
    for own in (Impurity((0.0, 0.0), size=0.1), Vortex((0.0, 0.0), size=0.1)):
        assert not is_applied(own)


# --- refusals


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (1.0, 2.0, -0.0)])
def test_field_from_within_the_film_is_refused(place):
    with pytest.raises(ValueError, match=r"position[\s\S]*film's plane; allowed: .*above or below"):
        Dipole(position=place, moment=(0.0, 0.0, 1.0))
    with pytest.raises(ValueError, match=r"center[\s\S]*film's plane; allowed: .*above or below"):
        CurrentLoop(center=place, radius=1.0, current=1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, "1.0", None])
def test_fields_are_finite_numbers(value):
    with pytest.raises(ValueError, match="field"):
        UniformField(field=(0.0, 0.0, value))
    with pytest.raises(ValueError, match="moment"):
        Dipole((0.0, 0.0, 1.0), moment=(value, 0.0, 0.0))
    with pytest.raises(ValueError, match="current"):
        CurrentLoop((0.0, 0.0, 1.0), 1.0, current=value)
    with pytest.raises(ValueError, match="radius"):
        CurrentLoop((0.0, 0.0, 1.0), radius=value, current=1.0)


def test_uniform_field_on_the_plane_is_refused():
    with pytest.raises(StudyError, match=r"field = \[0\.3, -0\.2, 0\.7\]: no finite answer"):
        check_applied(PLANE, Open(), [UNIFORM])
    check_applied(PLANE, Open(), [DIPOLE, LOOP, OTHER])
    check_applied(DISC, Open(), [UNIFORM, DIPOLE, LOOP, OTHER])


def test_field_between_walls_is_refused(source):
    walls = Walls("shield", (8.0, 8.0, 4.0))
    message = rf"applied: a field \({name_of(source)}\) .*walls of kind = 'shield'; allowed.*'open'"
    with pytest.raises(StudyError, match=message):
        check_applied(DISC, walls, [Impurity((2.0, -1.0), size=0.1), source])
    check_applied(DISC, walls, [Impurity((2.0, -1.0), size=0.1)])


def test_fields_are_frozen(source):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(source, dataclasses.fields(source)[0].name, (0.0, 0.0, 1.0))
