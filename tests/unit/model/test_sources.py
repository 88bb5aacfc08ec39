"""Sources: what they are on the film, and what they refuse."""

import dataclasses
import math

import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane, Rectangle, ring
from pearlfem.model.checks import check_sources
from pearlfem.model.film import Film, Hole, Region
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Core, name_of
from pearlfem.model.sources.flux import Fluxoid, Vortex
from pearlfem.model.sources.impurity import Impurity, is_point

PLANE = Film(Plane(), 1.0)
HOLED = Film(
    Rectangle((4.0, 4.0)),
    1.0,
    (Hole(Disc(0.5, (-1.0, 0.0)), "left"), Hole(Rectangle((0.5, 1.0), (1.0, 0.0)), "right")),
)


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


@pytest.mark.parametrize("size", [-0.1, math.nan, math.inf, "0.1", None])
def test_size_has_to_be_finite_and_not_negative(size):
    with pytest.raises(ValueError, match="size"):
        Impurity((0.0, 0.0), size=size)


def test_impurity_of_size_zero_is_a_point():
    point, gaussian = Impurity((0.0, 0.0), size=0.0), Impurity((0.0, 0.0), size=1e-6)
    assert is_point(point)
    assert point.components[1].size == 0.0
    assert not is_point(gaussian)
    assert not is_point(Vortex((0.0, 0.0), size=0.1))


def test_points_at_one_place_are_refused():
    film, point = Film(Plane(), 1.0), Impurity((0.0, 1.0), size=0.0)
    check_sources(film, [point, Impurity((0.0, 1.0), size=0.1)])
    with pytest.raises(
        StudyError, match=r"impurity 2: .*\[0\.0, 1\.0\] is that of impurity 1; allowed"
    ):
        check_sources(film, [point, Impurity((0.0, 1.0), size=0.0, angle=90.0)])


def test_points_on_a_film_of_two_pearl_lengths_are_refused_by_number():
    film = Film(Disc(1.0), 1.0, regions=(Region(Disc(0.2), 2.0),))
    sources = [Impurity((0.5, 0.0), size=0.1), Impurity((0.0, 0.0), size=0.0)]
    check_sources(film, sources[:1])
    with pytest.raises(StudyError, match=r"impurity 2: size = 0 .*allowed: a size > 0"):
        check_sources(film, sources)


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


# --- vector potentials: what a source is, is rot a


def curl(function, x, y, step):
    """∂x a_y − ∂y a_x by central differences of fourth order."""
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    total = 0.0
    for k, weight in weights.items():
        total += weight * function(x + k * step, y)[..., 1]
        total -= weight * function(x, y + k * step)[..., 0]
    return total / step


def potential(source, film):
    """a as a function of x and y."""

    def a(x, y):
        points = np.stack(np.broadcast_arrays(x, y), axis=-1)
        return source.vector_potential(Layer(film), points, film.superfluid_weight(points))

    return a


def circulation(source, film, loop):
    """∮ a·dl along a closed polygon, by Gauss' rule on its sides."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    corners = np.asarray(loop, dtype=float)
    fine = np.concatenate(
        [
            np.linspace(p, q, 20, endpoint=False)
            for p, q in zip(corners, np.roll(corners, -1, 0), strict=True)
        ]
    )
    sides = np.roll(fine, -1, axis=0) - fine
    points = fine[:, None] + 0.5 * (nodes[:, None] + 1) * sides[:, None]
    a = source.vector_potential(Layer(film), points, film.superfluid_weight(points))
    return 0.5 * np.einsum("q,sqx,sx->", weights, a, sides)


@pytest.mark.parametrize("winding", [1, -2])
def test_curl_of_a_vortex_is_its_core(winding):
    size, center = 0.3, np.array([0.4, -0.2])
    a = potential(Vortex(tuple(center), size, winding), PLANE)
    x, y = np.random.default_rng(5).uniform(-1.5, 1.5, (2, 200))
    x[0], y[0] = center  # the centre itself
    square = (x - center[0]) ** 2 + (y - center[1]) ** 2
    core = np.exp(-square / (2 * size**2)) / (2 * np.pi * size**2)
    # Differences of fourth order: (h/ξ)⁴ = 1e-8 of derivatives of order n/2πξ².
    np.testing.assert_allclose(curl(a, x, y, 0.003), -winding * core, atol=2e-7)


def test_vortex_without_room_turns_like_one_over_r():
    vortex = Vortex((1.0, 0.0), size=1e-3, winding=3)
    points = np.array([[3.0, 0.0], [1.0, -2.0]])
    a = vortex.vector_potential(Layer(PLANE), points, np.ones(2))
    # −(n/2πr) φ̂, φ̂ = ŷ to the right of it and x̂ below it
    np.testing.assert_allclose(a, [[0.0, -3 / (4 * np.pi)], [-3 / (4 * np.pi), 0.0]], atol=1e-15)


@pytest.mark.parametrize("number", [1, -3])
def test_fluxoid_circulates_around_its_hole_and_nowhere_else(number):
    fluxoid = Fluxoid("left", number)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    # Φ0 = 1; Gauss' rule of order 24 on twenty parts of each side
    for scale, center, winding in [
        (0.6, (-1.0, 0.0), 1),  # around its hole
        (0.6, (1.0, 0.0), 0),  # around another one
        (1.8, (0.0, 0.0), 1),  # around both
        (0.2, (0.0, 1.5), 0),  # on the film
    ]:
        found = circulation(fluxoid, HOLED, scale * square + center)
        assert found == pytest.approx(-number * winding, abs=1e-12)
    reverse = circulation(fluxoid, HOLED, (0.6 * square + (-1.0, 0.0))[::-1])
    assert reverse == pytest.approx(number, abs=1e-12)


def test_fluxoid_has_no_curl_on_the_film():
    a = potential(Fluxoid("right"), HOLED)
    points = np.random.default_rng(1).uniform(-2, 2, (200, 2))
    x, y = points[HOLED.covers(points)].T
    assert len(x) > 100
    assert np.abs(curl(a, x, y, 0.003)).max() < 1e-6


def test_impurity_pushes_a_current_across_its_moment():
    impurity = Impurity((0.5, 0.0), size=0.2, angle=30.0, strength=3.0)
    points = np.array([[0.5, 0.0], [0.7, 0.0], [2.5, 0.0]])
    a = impurity.vector_potential(Layer(PLANE), points, np.full(3, 5.0))
    # (Γ/κ) (m × ẑ) f, m × ẑ = (m_y, −m_x), f = 1/2πξ² in the middle and e^{−1/2} of it at ξ
    direction = np.array([0.5, -math.cos(math.pi / 6)])
    top = 3.0 / 5.0 / (2 * np.pi * 0.2**2)
    np.testing.assert_allclose(a[0], top * direction, rtol=1e-14)
    np.testing.assert_allclose(a[1], math.exp(-0.5) * top * direction, rtol=1e-13)
    assert np.abs(a[2]).max() < 1e-17 * top  # at 10 ξ, beyond its reach


def test_profile_of_an_impurity_is_normalised():
    impurity = Impurity((0.5, 0.0), size=0.2, strength=3.0)
    x = np.arange(-2.0, 3.0, 0.02)  # for a Gaussian, sums are as good as integrals
    points = np.stack(np.meshgrid(x, x), axis=-1)
    a = impurity.vector_potential(Layer(PLANE), points, np.full(points.shape[:2], 5.0))
    total = a.sum(axis=(0, 1)) * 0.02**2
    np.testing.assert_allclose(total, [0.0, -3.0 / 5.0], atol=1e-10)


def test_nothing_is_left_beyond_the_reach():
    for source in (Impurity((0.5, 0.0), size=0.2),):
        angles = np.linspace(0.0, 6.0, 7)
        ring = source.position + source.reach * np.column_stack([np.cos(angles), np.sin(angles)])
        largest = np.abs(
            source.vector_potential(Layer(PLANE), np.array([[0.5, 0.0]]), np.ones(1))
        ).max()
        assert (
            np.abs(source.vector_potential(Layer(PLANE), ring, np.ones(7))).max() < 1e-17 * largest
        )
    assert Vortex((0.0, 0.0), size=0.1).reach == math.inf
    assert Fluxoid("left").reach == math.inf


@pytest.mark.parametrize(
    "source", [Impurity((0.0, 1.0), size=0.1), Vortex((0.0, 1.0), size=0.1), Fluxoid("left")]
)
def test_potential_has_the_shape_of_the_points(source):
    for shape in ((), (3,), (3, 5), (0,)):
        points = np.full((*shape, 2), 1.7)
        assert source.vector_potential(Layer(HOLED), points, np.ones(shape)).shape == (*shape, 2)


def test_cores_are_where_sources_vary():
    assert Impurity((0.1, 0.2), size=0.3).cores == (Core((0.1, 0.2), 0.3),)
    assert Vortex((0.1, 0.2), size=0.3).cores == (Core((0.1, 0.2), 0.3),)
    assert Fluxoid("left").cores == ()


# --- vortices and fluxoids: what they refuse


@pytest.mark.parametrize("number", [0, 0.0, 0.5, 1e10, 10**400, "1", True, None, math.inf])
def test_winding_and_fluxoid_are_whole_numbers_and_not_zero(number):
    with pytest.raises(ValueError, match="winding"):
        Vortex((0.0, 0.0), size=0.1, winding=number)
    with pytest.raises(ValueError, match="number"):
        Fluxoid(hole="left", number=number)


def test_winding_may_be_written_as_a_float():
    winding = Vortex((0.0, 0.0), size=0.1, winding=-2.0).winding
    assert (winding, type(winding)) == (-2, int)


@pytest.mark.parametrize("size", [0.0, -0.1, math.nan, math.inf, "0.1", None])
def test_core_of_a_vortex_has_to_be_positive_and_finite(size):
    with pytest.raises(ValueError, match="size"):
        Vortex((0.0, 0.0), size=size)


def test_winding_is_one_unless_told():
    assert Vortex((0.0, 0.0), size=0.1).winding == 1
    assert Fluxoid("left").number == 1


@pytest.mark.parametrize("kind", ["impurity", "vortex"])
@pytest.mark.parametrize(
    ("position", "message"),
    [
        ((-1.0, 0.0), r"2: position = \[-1\.0, 0\.0\] lies in hole 'left'; allowed: .*rectangle"),
        ((1.1, 0.4), r"2: position = \[1\.1, 0\.4\] lies in hole 'right'"),
        ((0.0, 3.0), r"2: position = \[0\.0, 3\.0\] lies outside the film; allowed"),
    ],
)
def test_source_off_the_film_is_refused_by_name_number_and_position(kind, position, message):
    make = {"impurity": Impurity, "vortex": Vortex}[kind]
    other = {"impurity": Vortex, "vortex": Impurity}[kind]
    sources = [other((0.0, 0.0), size=0.1), make((0.0, 1.0), size=0.1), make(position, size=0.1)]
    with pytest.raises(StudyError, match=f"{kind} {message}"):
        check_sources(HOLED, sources)


def test_vortex_in_the_hole_of_a_ring_is_refused():
    film = Film(ring(1.0, 2.0), 1.0)
    check_sources(film, [Vortex((1.5, 0.0), size=0.1), Fluxoid("hole 1")])
    with pytest.raises(StudyError, match=r"vortex 1: .*outside the film; allowed.*radius 2"):
        check_sources(film, [Vortex((0.0, 0.0), size=0.1)])


def test_fluxoid_in_a_hole_that_is_not_there_is_refused():
    with pytest.raises(StudyError, match="hole 'middle': not there; allowed: 'left', 'right'"):
        check_sources(HOLED, [Fluxoid("middle")])


def test_net_winding_on_the_plane_is_refused():
    film = Film(Plane(), 1.0, (Hole(Disc(0.5, (-1.0, 0.0)), "left"),))
    one, two = Vortex((1.0, 0.0), size=0.1), Vortex((0.0, 1.0), size=0.1, winding=-2)
    with pytest.raises(StudyError, match=r"windings add up to 1 on the whole plane.*allowed"):
        check_sources(film, [one])
    with pytest.raises(StudyError, match="add up to -1"):
        check_sources(film, [one, two])
    with pytest.raises(StudyError, match="add up to -1"):
        check_sources(film, [Fluxoid("left", -1)])
    check_sources(film, [one, two, Fluxoid("left")])
    check_sources(HOLED, [two, Fluxoid("left", 7)])  # on a film with an edge, any


def test_messages_call_sources_by_what_they_are():
    sources = [Impurity((0.0, 0.0), size=0.1), Vortex((0.0, 0.0), size=0.1), Fluxoid("left")]
    assert [name_of(source) for source in sources] == ["impurity", "vortex", "fluxoid"]
