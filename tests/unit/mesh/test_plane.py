"""The plane cut into faces: film, its regions, holes, and the edges that they share."""

import math
from collections import Counter

import numpy as np
import pytest
import shapely

from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.mesh.plane import plane_faces, rounding_for
from pearlfem.model.film import Film, Hole, Region

SIDE = 0.1  # length of the sides of circles
SQUARE = Rectangle((4.0, 4.0))
LEFT, RIGHT = Hole(Disc(0.5, (-1.0, 0.0)), "left"), Hole(Rectangle((0.5, 1.0), (1.0, 0.0)), "right")
TARGET = Union((ring(3.0, 4.0), ring(1.0, 2.0)))  # a ring, and another ring in its hole
FILMS = {
    "square": Film(SQUARE, 1.0),
    "holes": Film(SQUARE, 1.0, (LEFT, RIGHT)),
    "target": Film(TARGET, 1.0),
    "two squares": Film(Union((SQUARE, Rectangle((1.0, 1.0), (2.5, 0.0)))), 1.0),
    "overlapping regions": Film(
        SQUARE, 1.0, regions=(Region(Disc(0.8), 2.0), Region(Rectangle((1, 1), (0.8, 0)), 3.0))
    ),
    "regions at the edge": Film(
        SQUARE,
        1.0,
        regions=(
            Region(Rectangle((2.0, 4.0), (-1.0, 0.0)), 2.0),  # along three sides
            Region(Rectangle((1.0, 1.0), (1.5, 1.5)), 3.0),  # in a corner
        ),
    ),
    "region around a hole": Film(Disc(2.5), 1.0, (LEFT,), (Region(Disc(1.0, (-1.0, 0.0)), 2.0),)),
    "region over a hole": Film(Disc(2.5), 1.0, (LEFT,), (Region(Disc(1.2, (0.2, 0.0)), 2.0),)),
    "region that touches": Film(Disc(2.5), 1.0, (LEFT,), (Region(Disc(1.0, (-0.5, 0.0)), 2.0),)),
    "plane with holes": Film(Plane(), 1.0, (LEFT, RIGHT)),
    "plane with a moat": Film(Plane(), 1.0, (Hole(ring(1.0, 2.0), "moat"),)),
    "plane with a round region": Film(Plane(), 1.0, regions=(Region(ring(1.0, 2.0), 2.0),)),
    "plane with all": Film(
        Plane(), 1.0, (LEFT, RIGHT), (Region(Disc(0.8), 2.0), Region(Disc(0.2, (0.0, 3.0)), 2.0))
    ),
}
DISC_SECTOR = Difference(Disc(1.0), (Rectangle((2.0, 2.0), (1.0, 1.0)),))
ROUND = {**FILMS, "three quarters of a disc": Film(DISC_SECTOR, 1.0)}


def steady(disc):
    """Angles for sides about as long as ``SIDE``."""
    return rounding_for(lambda places: np.full(len(places), SIDE))(disc)


@pytest.fixture(scope="module")
def cut():
    """The faces of a film, given by its name in ``ROUND``; each is computed once."""
    return {name: plane_faces(film, steady) for name, film in ROUND.items()}


def polygon(faces, face):
    outer, *inner = (faces.vertices[list(ring)] for ring in face.rings)
    return shapely.Polygon(outer, inner)


def area(faces, name):
    return sum(polygon(faces, face).area for face in faces.faces if face.hole == name)


def sides_of(face):
    """The edges of a face, in the direction of its rings."""
    return [pair for ring in face.rings for pair in zip(ring, (*ring[1:], ring[0]), strict=True)]


# --- areas and names


@pytest.mark.parametrize("name", FILMS)
def test_faces_of_holes_have_the_names_and_the_areas_of_the_holes(cut, name):
    faces, film = cut[name], FILMS[name]
    names = {face.hole for face in faces.faces} - {None}
    assert names == {opening.name for opening in film.openings}
    for opening in film.openings_of(steady):
        # with regions, coordinates are rounded to 1e-12 of the whole size
        assert area(faces, opening.name) == pytest.approx(opening.outline.area, rel=1e-10)


@pytest.mark.parametrize("name", [name for name, film in FILMS.items() if film.bounded])
def test_areas_of_the_film_add_up(cut, name):
    expected = FILMS[name].outline(steady).area
    assert area(cut[name], None) == pytest.approx(expected, rel=1e-10)


def test_faces_of_film_on_the_plane_are_regions_and_enclosed_parts(cut):
    assert area(cut["plane with holes"], None) == 0.0
    for name, radius in (("plane with a moat", 1.0), ("plane with a round region", 2.0)):
        expected = Disc(radius).outline(steady).area
        assert area(cut[name], None) == pytest.approx(expected, rel=1e-10)
    film = FILMS["plane with all"]
    regions = shapely.union_all([region.shape.outline(steady) for region in film.regions])
    left = regions.difference(shapely.union_all([o.outline for o in film.openings_of(steady)]))
    assert area(cut["plane with all"], None) == pytest.approx(left.area, rel=1e-10)


def test_plane_without_anything_has_no_faces():
    faces = plane_faces(Film(Plane(), 1.0), steady)
    assert faces.vertices.shape == (0, 2)
    assert (faces.faces, faces.outer, faces.chords) == ((), (), frozenset())


def test_areas_are_those_of_circles_to_the_accuracy_of_polygons(cut):
    # A chord h of a circle of radius R cuts off h³/12R, so all 2πR/h chords cut off h²/6R² of it.
    within = SIDE**2 / 6
    assert area(cut["target"], None) == pytest.approx(10 * math.pi, rel=within)
    names = {face.hole for face in cut["target"].faces if face.hole}
    holes = sorted(area(cut["target"], name) for name in names)
    assert holes == pytest.approx([math.pi, 5 * math.pi], rel=within)


def test_number_of_faces_is_the_number_of_parts(cut):
    def counts(name):
        return Counter(face.hole for face in cut[name].faces)

    assert counts("square") == {None: 1}
    assert counts("holes") == {None: 1, "left": 1, "right": 1}
    assert counts("target") == {None: 2, "hole 1": 1, "hole 2": 1}
    assert counts("two squares") == {None: 1}  # side by side: a single part
    # disc alone, both, rectangle alone, and the rest
    assert counts("overlapping regions") == {None: 4}
    assert counts("regions at the edge") == {None: 3}
    assert counts("region around a hole") == {None: 2, "left": 1}
    assert counts("region over a hole") == {None: 2, "left": 2}
    assert counts("plane with holes") == {"left": 1, "right": 1}
    assert counts("plane with a moat") == {None: 1, "moat": 1}
    assert counts("plane with a round region") == {None: 2}


@pytest.mark.parametrize("name", FILMS)
def test_each_face_lies_in_one_region(cut, name):
    film, faces = FILMS[name], cut[name]
    outlines = [region.shape.outline(steady) for region in film.regions]
    for face in faces.faces:
        if face.hole is not None:
            continue
        here = polygon(faces, face)
        for outline in outlines:
            share = here.intersection(outline).area / here.area
            assert min(share, 1 - share) < 1e-10


# --- shared edges and vertices


@pytest.mark.parametrize("name", ROUND)
def test_each_edge_is_shared_by_two_faces_or_lies_outside(cut, name):
    faces = cut[name]
    used = Counter(side for face in faces.faces for side in sides_of(face))
    assert set(used.values()) == {1} or not used  # all polygons have the same orientation
    alone = {(a, b) for a, b in used if (b, a) not in used}
    outer = {pair for ring in faces.outer for pair in zip(ring, (*ring[1:], ring[0]), strict=True)}
    assert {frozenset(pair) for pair in alone} == {frozenset(pair) for pair in outer}


@pytest.mark.parametrize("name", ROUND)
def test_vertices_are_different_and_all_are_used(cut, name):
    faces = cut[name]
    used = {index for face in faces.faces for ring in face.rings for index in ring}
    assert used == set(range(len(faces.vertices)))
    tree = shapely.STRtree(shapely.points(faces.vertices))
    pairs = tree.query(shapely.points(faces.vertices), predicate="dwithin", distance=1e-6)
    assert np.all(pairs[0] == pairs[1])


@pytest.mark.parametrize("name", ROUND)
def test_no_vertex_lies_within_an_edge_of_another_face(cut, name):
    faces = cut[name]
    sides = sorted({tuple(sorted(side)) for face in faces.faces for side in sides_of(face)})
    lines = shapely.linestrings(faces.vertices[np.array(sides)])
    points = shapely.points(faces.vertices)
    vertex, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=1e-9)
    assert np.all((np.array(sides)[line] == vertex[:, None]).any(axis=1))


def test_outer_rings_surround_connected_parts(cut):
    def areas(name):
        faces = cut[name]
        return sorted(shapely.Polygon(faces.vertices[list(ring)]).area for ring in faces.outer)

    assert areas("target") == pytest.approx([Disc(4.0).outline(steady).area], rel=1e-10)
    assert areas("plane with holes") == pytest.approx(
        [0.5, Disc(0.5).outline(steady).area], rel=1e-10
    )
    assert areas("plane with a moat") == pytest.approx([Disc(2.0).outline(steady).area], rel=1e-10)
    assert len(areas("plane with all")) == 2  # region and both holes are connected


# --- chords


@pytest.mark.parametrize("name", ROUND)
def test_chords_are_exactly_the_sides_on_circles(cut, name):
    faces, film = cut[name], ROUND[name]
    edges = {tuple(sorted(side)) for face in faces.faces for side in sides_of(face)}
    assert faces.chords <= edges
    for a, b in edges:
        ends = faces.vertices[[a, b]]
        radii = [np.linalg.norm(ends - disc.center, axis=1) / disc.radius for disc in film.discs]
        on = any(np.allclose(r, 1.0, atol=1e-9) for r in radii)
        # A straight edge may also have both ends on a circle, but it is longer.
        on = on and np.linalg.norm(ends[1] - ends[0]) < 2 * SIDE
        assert ((a, b) in faces.chords) == on


@pytest.mark.parametrize("name", ["target", "region around a hole"])
def test_chords_go_around_the_circles(cut, name):
    faces, film = cut[name], ROUND[name]
    lengths = sum(np.linalg.norm(np.subtract(*faces.vertices[list(c)])) for c in faces.chords)
    around = sum(2 * math.pi * disc.radius for disc in film.discs)
    assert lengths == pytest.approx(around, rel=SIDE**2 / 24 / 0.5**2)  # (h/R)²/24 each


def test_film_of_straight_lines_has_no_chords(cut):
    assert cut["square"].chords == frozenset()
    assert cut["regions at the edge"].chords == frozenset()


# --- vertices on circles


def test_distances_of_vertices_are_the_sizes_there():
    def size_at(places):
        return 0.05 + 0.1 * (places[:, 0] + 2.0)

    disc = Disc(2.0)
    angles = rounding_for(size_at)(disc)
    gaps = disc.radius * np.diff(angles, append=angles[0] + 2 * math.pi)
    middles = (angles + np.append(angles[1:], angles[0] + 2 * math.pi)) / 2
    sizes = size_at(disc.radius * np.column_stack([np.cos(middles), np.sin(middles)]))
    assert np.all(gaps < 1.05 * sizes)
    assert np.all(gaps > 0.9 * sizes)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_circle_has_at_least_sixteen_sides_in_any_unit(unit):
    angles = rounding_for(lambda places: np.full(len(places), 100 * unit))(Disc(unit))
    np.testing.assert_allclose(angles, np.arange(16) * math.pi / 8, atol=1e-8)


@pytest.mark.parametrize("name", ["target", "region over a hole", "three quarters of a disc"])
def test_vertices_of_round_edges_lie_on_their_circles(cut, name):
    faces = cut[name]
    for a, b in faces.chords:
        ends = faces.vertices[[a, b]]
        off = [
            np.abs(np.linalg.norm(ends - disc.center, axis=1) / disc.radius - 1).max()
            for disc in ROUND[name].discs
        ]
        assert min(off) < 1e-11


def test_region_that_ends_at_a_round_edge_shares_its_vertices(cut):
    film = Film(Disc(2.0), 1.0, regions=(Region(Polygon(((0, 0), (1, -0.5), (1, 0.5))), 2.0),))
    same = Film(Disc(2.0), 1.0, regions=(Region(Disc(2.0), 2.0),))
    (whole,) = plane_faces(same, steady).faces
    assert len(whole.rings) == 1
    assert len(plane_faces(film, steady).faces) == 2


@pytest.mark.parametrize("seed", range(5))
def test_edges_that_coincide_up_to_round_off_are_one(seed):
    random = np.random.default_rng(seed)
    (x, y), angle, unit = random.uniform(-3, 3, 2), random.uniform(0, 360), random.uniform(0.1, 9)
    turn = unit * np.exp(1j * np.radians(angle))

    def box(x0, x1, y0, y1):
        center = turn * (x0 + x1 + 1j * (y0 + y1)) / 2
        size = (unit * (x1 - x0), unit * (y1 - y0))
        return Rectangle(size, (x + center.real, y + center.imag), angle)

    # from the edge of the hole to the edges of the film, side by side
    regions = (box(0.1, 0.7, -0.5, 0.5), box(-0.7, -0.3, -0.5, 0.5), box(-0.3, 0.1, 0.1, 0.5))
    film = Film(
        box(-0.7, 0.7, -0.5, 0.5),
        1.0,
        (Hole(box(-0.3, 0.1, -0.1, 0.1), "hole"),),
        tuple(Region(shape, 2.0) for shape in regions),
    )
    faces = plane_faces(film, steady)
    assert Counter(face.hole for face in faces.faces) == {None: 4, "hole": 1}
    # Twelve corners. Lines that coincide may also cross anywhere, but all vertices differ.
    assert len(faces.vertices) >= 12
    tree = shapely.STRtree(shapely.points(faces.vertices))
    near = tree.query(shapely.points(faces.vertices), predicate="dwithin", distance=1e-6 * unit)
    assert near.shape[1] == len(faces.vertices)
    areas = sorted(polygon(faces, face).area / unit**2 for face in faces.faces)
    assert areas == pytest.approx([0.08, 0.16, 0.16, 0.4, 0.6], rel=1e-9)


@pytest.mark.parametrize(("unit", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 40.0)])
def test_faces_depend_neither_on_the_unit_of_length_nor_on_the_origin(unit, shift):
    def film(unit, shift):
        shape = Rectangle((4 * unit, 4 * unit), (shift, shift))
        hole = Hole(Disc(0.5 * unit, (shift - unit, shift)), "left")
        region = Region(Disc(0.8 * unit, (shift + 0.2 * unit, shift)), 2 * unit)
        return Film(shape, unit, (hole,), (region,))

    def rounding(unit):
        return rounding_for(lambda places: np.full(len(places), SIDE * unit))

    here, there = (plane_faces(film(u, s), rounding(u)) for u, s in ((1.0, 0.0), (unit, shift)))
    np.testing.assert_allclose((there.vertices - shift) / unit, here.vertices, atol=1e-9)
    assert {frozenset(map(frozenset, face.rings)) for face in there.faces} == {
        frozenset(map(frozenset, face.rings)) for face in here.faces
    }
    assert there.chords == here.chords


# --- polygons with the area of their circles


def areas(faces):
    """The area of each face without its holes."""
    return np.array([polygon(faces, face).area for face in faces.faces])


@pytest.mark.parametrize("name", ["target", "plane with a moat", "holes"])
def test_round_faces_have_the_area_of_their_circles(name):
    film = FILMS[name]
    inscribed, equal = (areas(plane_faces(film, steady, same_area=s)) for s in (False, True))
    # n sides cut off (2π/n)²/6 − (2π/n)⁴/120 of a circle; the first term cancels, 5e-11 is left.
    few, many = (
        areas(plane_faces(film, lambda disc, n=n: np.arange(n) * (2 * np.pi / n)))
        for n in (500, 1000)
    )
    exact = (4 * many - few) / 3
    assert np.abs(inscribed / exact - 1).max() > 1e-3
    np.testing.assert_allclose(equal, exact, rtol=2e-9)


def test_sides_of_different_lengths_enclose_the_area_of_the_circle_to_higher_order():
    rng = np.random.default_rng(0)
    angles = np.sort(rng.uniform(0.0, 2 * np.pi, 200))
    wrong = []
    for same_area in (False, True):
        faces = plane_faces(Film(Disc(2.0), 1.0), lambda _: angles, same_area=same_area)
        wrong.append(abs(areas(faces)[0] / (4 * np.pi) - 1))
    assert wrong[1] < 0.02 * wrong[0]


@pytest.mark.parametrize("name", ["three quarters of a disc", "two squares", "holes"])
def test_straight_edges_do_not_move(name):
    film = ROUND[name]
    inscribed, equal = (plane_faces(film, steady, same_area=s) for s in (False, True))
    assert (inscribed.faces, inscribed.outer, inscribed.chords) == (
        equal.faces,
        equal.outer,
        equal.chords,
    )
    moved = np.any(inscribed.vertices != equal.vertices, axis=1)
    between = np.bincount([k for chord in equal.chords for k in chord], minlength=len(moved)) == 2
    np.testing.assert_array_equal(moved, between)
