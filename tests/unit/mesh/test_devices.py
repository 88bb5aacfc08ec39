"""Meshes of films with holes, islands and regions: groups of facets, and cells that fit edges."""

import gmsh
import numpy as np
import pytest
import shapely

from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.mesh.generate import create_mesh, write_mesh
from pearlfem.mesh.tagged import read_mesh
from pearlfem.model.film import Film, Hole, Region
from pearlfem.model.sources.applied import UniformField
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.model.sources.impurity import Impurity

COARSE = {"resolution": 0.12, "far": 3.0}
FIELD = (UniformField((0.0, 0.0, 1.0)),)
ON_FILM = (Impurity((-1.5, 1.5), size=0.5),)
SQUARE = Rectangle((4.0, 4.0))
LEFT, RIGHT = Hole(Disc(0.5, (-1.0, 0.0)), "left"), Hole(Rectangle((0.5, 1.0), (1.0, 0.0)), "right")
L_SHAPE = Polygon(((0, 0), (1.5, 0), (1.5, 0.7), (0.7, 0.7), (0.7, 1.5), (0, 1.5)))
SQUARE_REGION = Rectangle((1.0, 1.0), (0.0, -1.0), angle=30.0)  # over the L
DEVICES = {
    "square with holes": (Film(SQUARE, 1.0, (LEFT, RIGHT)), FIELD),
    "washer with a slit": (
        Film(Difference(Disc(2.0), (Disc(0.5), Rectangle((2.0, 0.2), (1.4, 0.0)))), 1.0),
        FIELD,
    ),
    "rings in each other": (Film(Union((ring(3.0, 4.0), ring(1.0, 2.0))), 1.0), FIELD),
    "islands side by side": (
        Film(Union((Rectangle((1.0, 2.0)), Rectangle((1.0, 2.0), (1.2, 0.0)))), 1.0),
        FIELD,
    ),
    "regions": (
        Film(
            SQUARE,
            1.0,
            (LEFT,),
            (
                Region(Disc(0.8), 2.0),
                Region(L_SHAPE, 0.5),  # over the disc
                Region(Rectangle((1.0, 4.0), (1.5, 0.0)), 3.0),  # to the film's edge, over the L
                Region(Disc(0.8, (-1.0, 0.0)), 4.0),  # with the hole
            ),
        ),
        FIELD,
    ),
    "holes of the plane": (Film(Plane(), 1.0, (LEFT, RIGHT)), ON_FILM),
    "moat of the plane": (
        Film(Plane(), 1.0, (Hole(ring(0.5, 1.0), "moat"),)),
        (*ON_FILM, Impurity((0.0, 0.0), size=0.3)),
    ),
    "regions of the plane": (
        Film(Plane(), 1.0, (LEFT,), (Region(ring(0.4, 1.2), 2.0), Region(L_SHAPE, 0.5))),
        ON_FILM,
    ),
}


@pytest.fixture(scope="module", params=DEVICES)
def device(request):
    return DEVICES[request.param][0]


@pytest.fixture(scope="module")
def mesh(device):
    sources = next(sources for film, sources in DEVICES.values() if film is device)
    return create_mesh(device, sources, **COARSE)


def triangles(mesh, *groups):
    """The corners of the facets of groups, each facet once, from above."""
    return mesh.corners(*groups)


def area(mesh, group):
    points = triangles(mesh, group)
    return float(np.abs(np.linalg.det(points[:, 1:] - points[:, :1])).sum() / 2)


def on_edge(points, disc, within=1e-8):
    """Which points, ``(…, 2)``, lie on the circle of ``disc``, within a part of its radius."""
    return np.abs(np.linalg.norm(points - disc.center, axis=-1) / disc.radius - 1) < within


def longest_chords(mesh, film):
    """The longest side of a triangle on each circle."""
    corners = triangles(mesh, "film", *mesh.holes.values())
    ends = np.stack([corners, np.roll(corners, 1, axis=1)], axis=2).reshape(-1, 2, 2)
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    longest = {}
    for disc in film.discs:
        # longer ones cross the disc
        along = on_edge(ends, disc).all(axis=1) & (lengths < 0.5 * disc.radius)
        longest[disc] = lengths[along].max(initial=0.0)
    return longest


def off_circles(mesh, film):
    """The largest error of areas by chords in place of arcs: h²/12R per length."""
    return sum(np.pi * h**2 / 6 for h in longest_chords(mesh, film).values())


# --- groups and areas


def test_groups_are_film_holes_plane_and_far_boundary(device, mesh):
    expected = {"film", "far", *(f"hole {opening.name}" for opening in device.openings)}
    assert set(mesh.groups) == expected | ({"plane"} if device.bounded else set())
    assert set(mesh.holes) == {opening.name for opening in device.openings}
    assert all(len(mesh.facets(group)) > 0 for group in mesh.groups)


def test_holes_have_their_areas(device, mesh):
    allowed = off_circles(mesh, device)
    for opening in device.openings:
        meshed = area(mesh, f"hole {opening.name}")
        # the outline itself is a polygon, exact to 1e-6 R
        assert abs(meshed - opening.outline.area) < allowed + 1e-5 * opening.outline.area


def test_film_has_its_area(device, mesh):
    if device.bounded:
        expected = device.outline().area
        allowed = off_circles(mesh, device) + 1e-5 * expected
        assert abs(area(mesh, "film") - expected) < allowed


def test_facets_of_each_group_lie_within_it(device, mesh):
    holes = {f"hole {opening.name}": opening.outline for opening in device.openings}
    for group in {"film", "plane", *holes} & set(mesh.groups):
        middles = triangles(mesh, group).mean(axis=1)
        on_film = device.covers(middles)
        in_hole = {
            name: shapely.contains_xy(outline, *middles.T) for name, outline in holes.items()
        }
        assert on_film.all() if group == "film" else not on_film.any()
        for name, inside in in_hole.items():
            assert inside.all() if name == group else not inside.any()


def test_parts_of_the_plane_fill_it(device, mesh):
    groups = [group for group in mesh.groups if group != "far"]
    total = sum(area(mesh, group) for group in groups)
    # the rim of the far boundary is also a polygon with its vertices on a circle
    rim = triangles(mesh, *groups).reshape(-1, 2)
    hull = shapely.convex_hull(shapely.MultiPoint(rim)).area
    assert total == pytest.approx(hull, rel=1e-9)


def test_mesh_of_a_device_survives_a_file(tmp_path):
    film, sources = DEVICES["square with holes"]
    write_mesh(tmp_path / "device.msh", film, sources, **COARSE)
    read = read_mesh(tmp_path / "device.msh")
    assert set(read.groups) == {"film", "plane", "far", "hole left", "hole right"}
    assert area(read, "hole right") == pytest.approx(0.5, rel=1e-9)
    gmsh.initialize()  # possible only because create_mesh has closed gmsh
    gmsh.finalize()


# --- cells fit edges


def test_no_triangle_crosses_the_edge_of_a_region(device, mesh):
    points = triangles(mesh, "film")
    shapes = shapely.polygons(points)
    areas = shapely.area(shapes)
    allowed = 1e-6 * areas
    for disc, h in longest_chords(mesh, device).items():
        # A chord is up to h²/8R away from its arc, and the area between them is h³/12R.
        beside = on_edge(points, disc, (h / disc.radius) ** 2 / 8 + 1e-6).any(axis=1)
        allowed += beside * 1.1 * h**3 / 12 / disc.radius
    assert np.mean(allowed < 0.05 * areas) > 0.9
    for region in device.regions:
        inside = shapely.area(shapely.intersection(shapes, region.shape.outline()))
        assert np.all(np.minimum(inside, areas - inside) < allowed)


def test_corners_and_middles_of_straight_cells_are_in_one_region():
    film = Film(SQUARE, 1.0, regions=(Region(L_SHAPE, 0.5), Region(SQUARE_REGION, 2.0)))
    points = triangles(create_mesh(film, FIELD, **COARSE), "film")
    middles = points.mean(axis=1, keepdims=True)
    numbers = film.regions_at(middles[:, 0])
    assert set(numbers.tolist()) == {-1, 0, 1}
    sides = (points + np.roll(points, 1, axis=1)) / 2
    for places in (points, sides):  # moved slightly inside
        near = film.regions_at(places + 1e-6 * (middles - places))
        np.testing.assert_array_equal(near, np.broadcast_to(numbers[:, None], near.shape))


def test_regions_have_their_areas(device, mesh):
    points = triangles(mesh, "film")
    areas = np.abs(np.linalg.det(points[:, 1:] - points[:, :1])) / 2
    numbers = device.regions_at(points.mean(axis=1))
    allowed = off_circles(mesh, device)
    holes = shapely.union_all([opening.outline for opening in device.openings])
    left = holes
    for number in range(len(device.regions) - 1, -1, -1):  # later regions cover earlier ones
        outline = device.regions[number].shape.outline()
        visible = shapely.difference(outline, left)
        left = shapely.union(left, outline)
        assert abs(areas[numbers == number].sum() - visible.area) < allowed + 1e-5 * visible.area


def test_sides_of_polygons_for_circles_have_no_vertex_inside():
    film = Film(Disc(2.0), 1.0, (LEFT,))
    mesh = create_mesh(film, FIELD, **COARSE)
    corners = np.unique(triangles(mesh, "film").reshape(-1, 2), axis=0)
    for disc in film.discs:
        on = corners[on_edge(corners, disc)] - disc.center
        angles = np.sort(np.arctan2(on[:, 1], on[:, 0]))
        edge = disc.outline(lambda _, angles=angles: angles).boundary
        assert len(angles) > 30
        assert np.count_nonzero(shapely.dwithin(shapely.points(corners), edge, 1e-9)) == len(on)


@pytest.fixture(scope="module")
def as_it_is():
    return small_device(1.0, 0.0)


def small_device(unit, shift):
    def disc(radius, x):
        return Disc(radius * unit, (x * unit + shift, shift))

    film = Film(
        Rectangle((4 * unit, 4 * unit), (shift, shift)),
        unit,
        (Hole(disc(0.5, -1.0), "left"), Hole(disc(0.4, 1.0), "right")),
        (Region(disc(0.7, 0.2), 2.0 * unit),),
    )
    return create_mesh(film, [Fluxoid("left")], resolution=0.08, far=3.0)


@pytest.mark.parametrize(("unit", "shift"), [(1e-6, 0.0), (1e6, 4e7)])
def test_mesh_of_a_device_depends_neither_on_the_unit_of_length_nor_on_the_origin(
    unit, shift, as_it_is
):
    there, here = small_device(unit, shift), as_it_is
    assert there.cells == here.cells
    for group in ("film", "hole left", "hole right"):
        assert area(there, group) / unit**2 == pytest.approx(area(here, group), rel=1e-9)
    x = (there.domain.geometry.x - (shift, shift, 0.0)) / unit
    np.testing.assert_allclose(x, here.domain.geometry.x, atol=1e-9)
