"""Sizes of cells along the edges of films, holes and regions."""

import numpy as np
import pytest
import shapely

from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.mesh.sizes.edges import edge_sizes, on_circle, rings
from pearlfem.model.film import Film, Hole, Region

WIDE = 1e3  # a Pearl length that does not limit sizes
# Sizes at an edge, in units of …
PER_WIDTH = 0.03  # … the width of the film there
PER_PEARL_LENGTH = 0.2
PER_RADIUS = 0.007  # … the radius of an outer edge
PER_RADIUS_OF_HOLE = 0.02  # … the radius of a hole or a region
AT_CORNER = 0.05  # … the size on the edge, at a corner that points into the film

L_SHAPE = Polygon(((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)))
FILMS = {
    "disc": Film(Disc(2.0, (1.0, 0.5)), 3.0),
    "ring": Film(ring(0.6, 1.0), WIDE),
    "rectangle": Film(Rectangle((3.0, 1.0), angle=17.0), WIDE),
    "L": Film(L_SHAPE, 0.5),
    "regions": Film(
        Rectangle((4.0, 3.0)),
        1.0,
        (Hole(Disc(0.3, (-1.0, 0.0)), "eye"),),
        (Region(Disc(0.5, (1.0, 0.3)), 0.5), Region(Rectangle((1.5, 1.2), (1.0, 0.0)), 2.0)),
    ),
    "plane": Film(Plane(), 1.0, (Hole(Disc(1.0), "eye"), Hole(Rectangle((1, 2), (3, 0)), "slit"))),
}


def sizes_on(film, line):
    """Sizes at all points on ``line``, in their order along it, and their positions on it."""
    points, sizes = edge_sizes(film)
    shapes = shapely.points(points)
    # a circle is a polygon, exact to 1e-6 R
    here = shapely.dwithin(shapes, line, 1e-5 * line.length)
    places = shapely.line_locate_point(line, shapes[here])
    order = np.argsort(places)
    return sizes[here][order], places[order]


def circle(radius, center=(0.0, 0.0)):
    return shapely.get_exterior_ring(Disc(radius, center).outline())


# --- widths, Pearl lengths, radii


def test_size_on_a_round_edge_is_a_part_of_the_radius():
    for radius in (1.0, 3.0):
        _, sizes = edge_sizes(Film(Disc(radius, (5.0, -1.0)), WIDE))
        np.testing.assert_allclose(sizes, PER_RADIUS * radius, rtol=1e-12)


@pytest.mark.parametrize("pearl_length", [0.03, 0.02])
def test_pearl_length_limits_sizes_if_it_is_short(pearl_length):
    for shape in (Disc(1.0), Rectangle((2.0, 3.0), angle=20.0)):
        _, sizes = edge_sizes(Film(shape, pearl_length))
        np.testing.assert_allclose(sizes, PER_PEARL_LENGTH * pearl_length, rtol=1e-12)


def test_smallest_pearl_length_of_the_film_limits_sizes():
    film = Film(Disc(1.0), WIDE, regions=(Region(Disc(0.5), 0.02),))
    _, sizes = edge_sizes(film)
    np.testing.assert_allclose(sizes, PER_PEARL_LENGTH * 0.02, rtol=1e-12)
    profile = Film(Disc(1.0), lambda x, y: 0.02 * (1 + x**2 + y**2))
    _, sizes = edge_sizes(profile)
    # the least r0 of the samples
    np.testing.assert_allclose(sizes, PER_PEARL_LENGTH * 0.02, rtol=1e-3)


@pytest.mark.parametrize(("inner", "outer"), [(0.8, 1.0), (2.0, 2.5)])
def test_size_on_both_edges_of_a_narrow_ring_is_a_part_of_its_width(inner, outer):
    _, sizes = edge_sizes(Film(ring(inner, outer), WIDE))
    # Widths are measured on polygons that deviate from the circles by 1e-3 of the ring's size.
    allowed = 2 * 1e-3 * 2 * outer / (outer - inner)
    np.testing.assert_allclose(sizes, PER_WIDTH * (outer - inner), rtol=allowed)


def test_size_on_a_small_hole_is_a_part_of_the_size_of_the_hole():
    film = Film(Rectangle((4.0, 4.0)), WIDE, (Hole(Disc(0.1), "eye"),))
    sizes, _ = sizes_on(film, circle(0.1))
    np.testing.assert_allclose(sizes, PER_RADIUS_OF_HOLE * 0.1, rtol=1e-12)
    slit = Film(Rectangle((4.0, 4.0)), WIDE, (Hole(Rectangle((2.0, 0.1)), "slit"),))
    sizes, places = sizes_on(slit, shapely.LineString([(-0.9, 0.05), (0.9, 0.05)]))
    assert len(places) > 500
    np.testing.assert_allclose(sizes, PER_WIDTH * 0.1, rtol=1e-6)


def test_size_on_a_side_of_a_rectangle_is_a_part_of_the_width_across():
    film = Film(Rectangle((3.0, 1.0)), WIDE)
    for line, width in (
        (shapely.LineString([(-1.4, 0.5), (1.4, 0.5)]), 1.0),
        (shapely.LineString([(-1.4, -0.5), (1.4, -0.5)]), 1.0),
        (shapely.LineString([(1.5, -0.3), (1.5, 0.3)]), 3.0),
    ):
        sizes, _ = sizes_on(film, line)
        assert len(sizes) > 5
        np.testing.assert_allclose(sizes, PER_WIDTH * width, rtol=1e-6)


def test_narrow_part_of_a_film_is_finer_than_a_wide_one():
    # Two squares, connected by a bridge of width 0.1.
    film = Film(
        Union(
            (
                Rectangle((1.0, 1.0), (-1.0, 0.0)),
                Rectangle((1.0, 1.0), (1.0, 0.0)),
                Rectangle((1.2, 0.1)),
            )
        ),
        WIDE,
    )
    bridge, _ = sizes_on(film, shapely.LineString([(-0.4, 0.05), (0.4, 0.05)]))
    np.testing.assert_allclose(bridge, PER_WIDTH * 0.1, rtol=1e-6)
    outer, _ = sizes_on(film, shapely.LineString([(-1.5, -0.35), (-1.5, -0.2)]))
    assert len(outer) > 3
    np.testing.assert_allclose(outer, PER_WIDTH * 1.0, rtol=1e-6)


def test_gap_between_film_and_island_counts_as_a_width():
    film = Film(Union((Rectangle((1.0, 1.0)), Rectangle((1.0, 1.0), (1.05, 0.0)))), WIDE)
    for x in (0.5, 0.55):
        sizes, _ = sizes_on(film, shapely.LineString([(x, -0.4), (x, 0.4)]))
        np.testing.assert_allclose(sizes, PER_WIDTH * 0.05, rtol=1e-6)


# --- corners


def corner_sizes(film, place):
    points, sizes = edge_sizes(film)
    return np.sort(sizes[np.linalg.norm(points - place, axis=1) < 1e-9])


def test_corner_into_the_film_is_finer():
    film = Film(L_SHAPE, WIDE)
    # The edges at the corner are 1 away from the opposite edges.
    assert corner_sizes(film, (1.0, 1.0)).min() == pytest.approx(AT_CORNER * PER_WIDTH, rel=1e-6)
    _, sizes = edge_sizes(film)
    assert np.count_nonzero(sizes < 0.9 * PER_WIDTH) == 1


def test_corner_out_of_the_film_is_not_finer():
    for film in (Film(Rectangle((1.0, 1.0), angle=30.0), WIDE), Film(Disc(1.0), WIDE)):
        _, sizes = edge_sizes(film)
        assert sizes.min() > 0.9 * sizes.max()
    points, sizes = edge_sizes(Film(L_SHAPE, WIDE))
    for corner in shapely.get_coordinates(L_SHAPE.outline())[:-1]:
        near = sizes[np.linalg.norm(points - corner, axis=1) < 0.1]
        assert (near.min() < 0.9 * PER_WIDTH) == (corner.tolist() == [1.0, 1.0])


def test_all_corners_of_a_hole_are_corners_into_the_film():
    for shape in (Rectangle((8.0, 8.0)), Plane()):
        film = Film(shape, WIDE, (Hole(Rectangle((1.0, 1.0)), "square"),))
        for corner in ((0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5)):
            size = corner_sizes(film, corner).min()
            assert size == pytest.approx(AT_CORNER * PER_WIDTH, rel=1e-6)


def test_slight_bend_is_not_a_corner():
    bent = Polygon(((0, 0), (1, 0.1), (2, 0), (2, 2), (0, 2)))  # by 11 degrees, into the film
    points, sizes = edge_sizes(Film(bent, WIDE))
    near = np.linalg.norm(points - (1.0, 0.1), axis=1) < 0.3
    assert np.count_nonzero(near) > 8
    assert sizes[near].min() > 0.9 * PER_WIDTH * 1.9


# --- regions


def test_edge_of_a_region_is_like_an_edge_of_the_film():
    round_one = Film(Rectangle((4.0, 4.0)), WIDE, regions=(Region(Disc(0.5), 2 * WIDE),))
    sizes, _ = sizes_on(round_one, circle(0.5))
    np.testing.assert_allclose(sizes, PER_RADIUS_OF_HOLE * 0.5, rtol=1e-12)
    square = Film(Rectangle((4.0, 4.0)), WIDE, regions=(Region(Rectangle((1.0, 1.0)), 1.0),))
    sizes, _ = sizes_on(square, shapely.LineString([(0.5, -0.4), (0.5, 0.4)]))
    np.testing.assert_allclose(sizes, PER_WIDTH * 1.0, rtol=1e-6)
    for corner in ((0.5, 0.5), (-0.5, 0.5)):
        size = corner_sizes(square, corner).min()
        assert size == pytest.approx(AT_CORNER * PER_WIDTH, rel=1e-6)


def test_corners_of_a_region_to_both_sides_are_finer():
    film = Film(Rectangle((8.0, 8.0), (1.0, 1.0)), WIDE, regions=(Region(L_SHAPE, 1.0),))
    for corner in shapely.get_coordinates(L_SHAPE.outline())[:-1]:
        # the width is up to 2
        assert corner_sizes(film, corner).min() < 2.1 * AT_CORNER * PER_WIDTH


def test_region_near_an_edge_counts_as_a_width():
    near = Region(Rectangle((1.0, 1.0), (0.48, 0.0)), 1.0)  # ends 0.02 from the film's edge
    film = Film(Rectangle((2.0, 2.0)), WIDE, regions=(near,))
    sizes, _ = sizes_on(film, shapely.LineString([(0.98, -0.4), (0.98, 0.4)]))
    np.testing.assert_allclose(sizes, PER_WIDTH * 0.02, rtol=1e-6)


def test_region_of_the_plane_has_edges():
    film = Film(Plane(), WIDE, regions=(Region(Disc(1.0), 1.0),))
    sizes, _ = sizes_on(film, circle(1.0))
    np.testing.assert_allclose(sizes, PER_RADIUS_OF_HOLE, rtol=1e-12)


def test_plane_without_anything_has_no_edges():
    points, sizes = edge_sizes(Film(Plane(), 1.0))
    assert (points.shape, sizes.shape) == ((0, 2), (0,))


# --- along all edges


@pytest.mark.parametrize("name", FILMS)
def test_points_are_about_as_far_apart_as_the_sizes(name):
    film = FILMS[name]
    regions = [shapely.get_exterior_ring(region.shape.outline()) for region in film.regions]
    for line in (*rings(film), *regions):
        sizes, places = sizes_on(film, line)
        places, number = np.unique(np.round(places, 6), return_inverse=True)
        # sizes at corners are smaller
        sizes = np.array([sizes[number == k].max() for k in range(len(places))])
        gaps = np.diff(places, append=places[0] + line.length)
        larger = np.maximum(sizes, np.roll(sizes, -1))
        assert np.all(gaps < 1.1 * larger)
        # Regions have two rows of points, because they have corners to both sides.
        allowed = 2 if line in regions else 1
        assert len(places) < 1.2 * allowed * np.sum(gaps / larger)


@pytest.mark.parametrize("name", FILMS)
def test_all_points_are_on_edges_and_all_sizes_positive(name):
    film = FILMS[name]
    points, sizes = edge_sizes(film)
    lines = [*rings(film), *(region.shape.outline().boundary for region in film.regions)]
    distances = shapely.distance(shapely.points(points), shapely.union_all(lines))
    assert distances.max() < 1e-9
    assert np.all(sizes > 0)
    assert np.all(np.isfinite(sizes))


def moved(thing, unit, shift):
    """The same film or shape in another unit of length and with another origin."""

    def place(point):
        return (unit * point[0] + shift[0], unit * point[1] + shift[1])

    match thing:
        case Film():
            shapes = [moved(hole.shape, unit, shift) for hole in thing.holes]
            holes = tuple(Hole(s, h.name) for s, h in zip(shapes, thing.holes, strict=True))
            regions = tuple(
                Region(moved(region.shape, unit, shift), unit * region.pearl_length)
                for region in thing.regions
            )
            length = unit * thing.pearl_length
            return Film(moved(thing.shape, unit, shift), length, holes, regions)
        case Disc():
            return Disc(unit * thing.radius, place(thing.center))
        case Rectangle():
            size = tuple(unit * side for side in thing.size)
            return Rectangle(size, place(thing.center), thing.angle)
        case Polygon():
            return Polygon(tuple(map(place, thing.points)))
        case Difference():
            removed = tuple(moved(shape, unit, shift) for shape in thing.removed)
            return Difference(moved(thing.shape, unit, shift), removed)
        case _:
            return thing


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize(
    ("unit", "shift"), [(1e-6, (0.0, 0.0)), (1e6, (0.0, 0.0)), (1.0, (3.0, -40.0))]
)
def test_sizes_depend_neither_on_the_unit_of_length_nor_on_the_origin(name, unit, shift):
    here, there = edge_sizes(FILMS[name]), edge_sizes(moved(FILMS[name], unit, shift))
    assert len(there.points) == len(here.points)
    # The same points in any order, because an outline may begin at another corner.
    one, other = (
        np.column_stack([points, sizes])
        for points, sizes in (here, ((there.points - shift) / unit, there.sizes / unit))
    )
    orders = [np.lexsort(np.round(rows, 6).T[::-1]) for rows in (one, other)]
    np.testing.assert_allclose(other[orders[1]], one[orders[0]], atol=1e-6)


# --- the edges themselves


@pytest.mark.parametrize("name", FILMS)
def test_film_is_on_the_left_of_its_edges(name):
    film = FILMS[name]
    for line in rings(film):
        corners = shapely.get_coordinates(line)
        sides = np.diff(corners, axis=0)
        lengths = np.linalg.norm(sides, axis=1, keepdims=True)
        left = np.column_stack([-sides[:, 1], sides[:, 0]]) / lengths
        middles = (corners[1:] + corners[:-1]) / 2
        assert film.covers(middles + 1e-3 * left).all()
        assert not film.covers(middles - 1e-3 * left).any()


def test_points_on_a_circle_are_recognised_up_to_round_off():
    disc = Disc(2.0, (1.0, 0.0))
    points = np.array([(3.0, 0.0), (1.0, -2.0), (3.0 + 1e-9, 0.0), (3.0 + 1e-6, 0.0), (1.0, 0.0)])
    assert on_circle(points, disc).tolist() == [True, True, True, False, False]
    assert on_circle(points, disc, 1e-5).tolist() == [True, True, True, True, False]
