"""Films from GDSII, DXF and gmsh files, which the libraries themselves have written."""

import math
import os
import warnings
from itertools import pairwise
from pathlib import Path

import ezdxf
import gdstk
import gmsh
import meshio
import numpy as np
import pytest
import shapely
from scipy.interpolate import BSpline

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import read_dxf, read_gds, read_mesh_outline

FILM = {"layer": "FILM"}
SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
OUTLINE = [(-3.25, -2.0), (4.125, -2.5), (5.5, 1.75), (0.5, 3.0), (-2.5, 2.875)]
HOLE = [(-0.5, -0.625), (1.5, -0.25), (0.75, 1.125)]
ISLAND = [(0.25, 0.0), (0.75, 0.0), (0.5, 0.375)]


def shoelace(points):
    x, y = np.asarray(points, dtype=float).T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def ring_of_thousand():
    """1000 corners on GDSII's grid of 1 nm, in µm."""
    angles = 2 * np.pi * np.arange(1000) / 1000
    radius = 20 * (1 + 0.2 * np.cos(5 * angles))
    return np.round(np.column_stack([radius * np.cos(angles), radius * np.sin(angles)]), 3)


def write_gds(path, *shapes, **others):
    """Write a cell TOP with shapes, and other named cells; in µm, on a grid of 1 nm."""
    library = gdstk.Library(unit=1e-6, precision=1e-9)
    for name, content in {**others, "TOP": shapes}.items():
        library.new_cell(name).add(*content)
    library.write_gds(path, max_points=0)  # does not cut polygons into smaller ones
    return path


def gds_polygons(rings, layer=1):
    """Return the areas between nested rings; a cut joins each hole to the outside."""
    polygons = []
    for outline, *hole in (rings[k : k + 2] for k in range(0, len(rings), 2)):
        for ring in hole:  # from the first corner to the hole, around it in reverse, and back
            outline = [*outline, outline[0], ring[0], *ring[::-1]]
        polygons.append(gdstk.Polygon(outline, layer=layer))
    return polygons


def write_dxf(path, draw, units=13, version="R2013", fmt="asc"):
    """Write a new document to whose model space ``draw`` has added entities."""
    document = ezdxf.new(version, units=units)
    draw(document.modelspace())
    document.saveas(path, fmt=fmt)
    return path


def polylines(rings):
    def draw(mesh):
        for ring in rings:
            mesh.add_lwpolyline(ring, close=True, dxfattribs=FILM)

    return draw


@pytest.fixture
def write_mesh(tmp_path):
    """Write a gmsh mesh of the areas between nested rings: group "film", and one of all edges."""

    def write(rings, version=4.1, binary=False, **sizes):
        model = gmsh.model.geo
        loops = []
        for ring in rings:
            points = [model.addPoint(x, y, 0, sizes.get("size", 1.0)) for x, y in ring]
            following = [*points[1:], points[0]]
            lines = [model.addLine(*ends) for ends in zip(points, following, strict=True)]
            loops.append(model.addCurveLoop(lines))
        surfaces = [model.addPlaneSurface(loops[k : k + 2]) for k in range(0, len(loops), 2)]
        model.synchronize()
        gmsh.model.addPhysicalGroup(2, surfaces, 1, "film")
        gmsh.model.addPhysicalGroup(2, surfaces[:1], 2, "first")
        gmsh.model.addPhysicalGroup(1, [1], 1, "edge")
        gmsh.model.mesh.generate(2)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.write(str(tmp_path / "film.msh"))
        return tmp_path / "film.msh"

    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)  # so there are few cells inside
    yield write
    gmsh.finalize()


@pytest.fixture
def dxf(tmp_path):
    def film(draw, layer="FILM", **options):
        return read_dxf(write_dxf(tmp_path / "film.dxf", draw, **options), layer)

    return film


@pytest.fixture
def gds(tmp_path):
    def film(*shapes, **others):
        return read_gds(write_gds(tmp_path / "film.gds", *shapes, **others), None, 1)

    return film


@pytest.mark.parametrize(
    "rings",
    [[OUTLINE], [OUTLINE, HOLE], [OUTLINE, HOLE, ISLAND], [ring_of_thousand()]],
    ids=["polygon", "hole", "island", "thousand"],
)
def test_same_film_from_all_files(rings, tmp_path, gds, dxf, write_mesh):
    """No format rounds coordinates that are multiples of 1 nm."""
    area = sum((-1) ** k * shoelace(ring) for k, ring in enumerate(rings))
    exact = shapely.Polygon()
    for ring in rings:
        exact = exact.symmetric_difference(shapely.Polygon(ring))
    films = [
        gds(*gds_polygons(rings)).geometry,
        dxf(polylines(rings)).geometry,
        read_mesh_outline(write_mesh(rings, size=5.0), "film").geometry,
    ]
    assert [film.area for film in films] == pytest.approx([area] * 3, rel=1e-9)
    for film in films:
        assert film.is_valid and film.geom_type == "MultiPolygon"
        assert film.symmetric_difference(exact).area < 1e-9 * area
        assert len(film.geoms) == (len(rings) + 1) // 2
        assert sum(len(part.interiors) for part in film.geoms) == len(rings) // 2


# GDSII


def test_gds_coordinates_are_in_user_units(tmp_path):
    library = gdstk.Library(unit=1e-3, precision=1e-8)
    library.new_cell("TOP").add(gdstk.rectangle((0, 0), (2, 1), layer=1))
    library.write_gds(tmp_path / "film.gds")
    film = read_gds(tmp_path / "film.gds", None, 1)
    assert film.geometry.area == pytest.approx(2, rel=1e-12)
    assert film.unit == pytest.approx(1e-3, rel=1e-12)


def test_gds_coordinates_are_rounded_to_the_grid(gds):
    film = gds(gdstk.Polygon([(0, 0), (1.00049, 0), (1.00049, 1)], layer=1))
    assert film.geometry.bounds == pytest.approx((0, 0, 1.0, 1.0), abs=1e-12)


def test_gds_washer_has_a_hole(gds):
    outer, inner = (gdstk.ellipse((1, 2), radius, tolerance=1e-5) for radius in (10, 4))
    washer = gdstk.boolean(outer, inner, "not", precision=1e-9, layer=1)
    assert len(washer) == 1  # a single polygon: a cut joins the hole to the outside
    film = gds(*washer).geometry
    assert [len(part.interiors) for part in film.geoms] == [1]
    assert film.area == pytest.approx(np.pi * (100 - 16), rel=1e-4)  # polygons on a grid


def test_gds_references_are_rotated_scaled_mirrored_and_repeated(gds):
    shape = [(0, 0), (2, 0), (2, 1), (1, 0.5), (0, 1)]  # area 1.5
    inside = gdstk.Cell("SUB").add(gdstk.Polygon(shape, layer=1))
    turned = gdstk.Reference(inside, (10, 0), rotation=0.3, magnification=2)
    row = gdstk.Reference(inside, (0, -9), x_reflection=True, columns=3, rows=2, spacing=(3, 3))
    film = gds(turned, row, SUB=inside.polygons).geometry
    assert len(film.geoms) == 7
    assert film.area == pytest.approx(1.5 * 4 + 6 * 1.5, rel=1e-12)
    far = max(film.geoms, key=lambda part: part.area)
    x, y = 2 * np.array(shape).T
    expected = np.column_stack([x * math.cos(0.3) - y * math.sin(0.3) + 10,
                                x * math.sin(0.3) + y * math.cos(0.3)])  # fmt: skip
    assert far.symmetric_difference(shapely.Polygon(expected)).area < 1e-9


def test_gds_references_through_several_cells(gds):
    square = gdstk.rectangle((0, 0), (1, 1), layer=1)
    one = gdstk.Cell("ONE").add(square)
    two = gdstk.Cell("TWO").add(gdstk.Reference(one), gdstk.Reference(one, (1, 0)))
    film = gds(
        gdstk.Reference(two),
        gdstk.Reference(two, (5, 5), rotation=1.0),
        ONE=[square],
        TWO=two.references,
    )
    assert [part.area for part in film.geometry.geoms] == pytest.approx([2, 2], rel=1e-9)


def test_gds_paths_are_polygons(gds):
    film = gds(gdstk.FlexPath([(0, 0), (10, 0), (10, 5)], 2, layer=1, simple_path=True)).geometry
    assert film.area == pytest.approx(2 * (11 + 4), rel=1e-9)


def test_gds_path_that_crosses_itself_is_filled_at_the_crossing(gds):
    loop = [(0, 0), (10, 0), (10, 5), (5, 5), (5, -5)]
    film = gds(gdstk.FlexPath(loop, 1, layer=1, simple_path=True)).geometry
    # The area is that of the centre line (30 long): at corners the halves cancel. The crossing
    # counts once.
    assert film.area == pytest.approx(30 - 1, rel=1e-9)
    assert [len(part.interiors) for part in film.geoms] == [1]


def test_gds_halves_that_meet_on_a_slanted_line_have_no_gap(gds):
    """On the grid, the corner (1.5, 0.5) of one half is half a step away from the other half."""
    lower = gdstk.Polygon([(0, 0), (3.001, 0), (3.001, 1)], layer=1)
    upper = [[(0, 0), (1.5, 0.5), (0, 1)], [(1.5, 0.5), (3.001, 1), (0, 1)]]
    film = gds(lower, *(gdstk.Polygon(points, layer=1) for points in upper)).geometry
    assert len(film.geoms) == 1 and not film.geoms[0].interiors
    assert film.area == pytest.approx(3.001, rel=1e-9)


def test_gds_pieces_of_a_polygon_are_joined(tmp_path):
    """The library cuts a polygon of many corners; cuts end on slanted edges, off the grid."""
    library = gdstk.Library(unit=1e-6, precision=1e-9)
    library.new_cell("TOP").add(gdstk.Polygon(ring_of_thousand(), layer=1))
    library.write_gds(tmp_path / "film.gds", max_points=50)
    film = read_gds(tmp_path / "film.gds", None, 1).geometry
    assert len(film.geoms) == 1 and not film.geoms[0].interiors
    # Each end of a cut moves an edge, 0.13 µm long, by at most half a step.
    assert film.area == pytest.approx(shoelace(ring_of_thousand()), abs=100 * 0.13 * 0.0005)


def test_gds_layers_and_datatypes_are_separate(tmp_path):
    shapes = [gdstk.rectangle((0, k), (1, k + 1), layer=k // 2, datatype=k) for k in range(4)]
    path = write_gds(tmp_path / "film.gds", *shapes)
    assert read_gds(path, "TOP", 1).geometry.area == pytest.approx(2, rel=1e-12)
    assert read_gds(path, "TOP", 1, 3).geometry.bounds == pytest.approx((0, 3, 1, 4))
    with pytest.raises(StudyError, match=r"layer 7: no polygons; allowed .*: 0/0, 0/1, 1/2, 1/3$"):
        read_gds(path, "TOP", 7)
    with pytest.raises(StudyError, match=r"layer 1, datatype 0: no polygons; allowed .*1/2"):
        read_gds(path, "TOP", 1, 0)


def test_gds_cell_must_be_named_if_there_are_several(tmp_path):
    square = gdstk.rectangle((0, 0), (1, 1), layer=1)
    path = write_gds(
        tmp_path / "film.gds", square, OTHER=[gdstk.rectangle((0, 0), (3, 1), layer=1)]
    )
    assert read_gds(path, "OTHER", 1).geometry.area == pytest.approx(3, rel=1e-12)
    with pytest.raises(StudyError, match=r"film.gds.*; allowed: one of 'OTHER', 'TOP'"):
        read_gds(path, None, 1)
    with pytest.raises(StudyError, match=r"no cell 'SUB'; allowed: 'OTHER', 'TOP'"):
        read_gds(path, "SUB", 1)


def test_gds_parts_that_touch_at_corners_are_refused(gds):
    squares = [gdstk.rectangle((k, k), (k + 1, k + 1), layer=1) for k in range(2)]
    with pytest.raises(StudyError, match=r"film.gds.*TOP.*layer 1: parts meet .* \(1, 1\)"):
        gds(*squares)


def test_gds_missing_cell_is_refused(gds):
    with pytest.raises(StudyError, match=r"film.gds.*'GONE'.*not in the file"):
        gds(gdstk.rectangle((0, 0), (1, 1), layer=1), gdstk.Reference("GONE"))


def test_gds_cells_that_refer_to_each_other_are_refused(tmp_path):
    path = tmp_path / "film.gds"
    square = gdstk.rectangle((0, 0), (1, 1), layer=1)
    write_gds(path, square, gdstk.Reference("SUB"), SUB=[gdstk.Reference("TOP")])
    with pytest.raises(StudyError, match=r"refer to each other in a circle: .*SUB"):
        read_gds(path, "TOP", 1)


def test_gds_file_with_too_many_references_is_refused(gds):
    """Each cell refers a thousand times to the next one: 10^15 squares from a file of 1 kB."""
    cells = {"C0": [gdstk.rectangle((0, 0), (1, 1), layer=1)]}
    for level in range(5):
        many = gdstk.Reference(f"C{level}", columns=100, rows=10, spacing=(1, 1))
        cells[f"C{level + 1}"] = [many]
    with pytest.raises(StudyError, match=r"film.gds.* corners; allowed: 1000000"):
        gds(gdstk.Reference("C5"), **cells)


# DXF


def circles(*radii):
    def draw(mesh):
        for radius in radii:
            mesh.add_circle((1, 2), radius, dxfattribs=FILM)

    return draw


def half_circles(bulge):
    def draw(mesh):
        mesh.add_lwpolyline([(-1, 0, bulge), (1, 0, bulge)], "xyb", close=True, dxfattribs=FILM)

    return draw


def old_polyline(mesh):
    bent = [(-1, 0, 1.0), (1, 0, 1.0)]
    mesh.add_polyline2d(bent, format="xyb", close=True, dxfattribs=FILM)


def arcs(mesh):
    mesh.add_arc((0, 0), 1, 20, 170, dxfattribs=FILM)
    mesh.add_arc((0, 0), 1, 170, 20, dxfattribs=FILM)


def mirrored(mesh):
    below = {**FILM, "extrusion": (0, 0, -1)}
    mesh.add_arc((0, 0), 1, 20, 170, dxfattribs=below)
    mesh.add_arc((0, 0), 1, 170, 20, dxfattribs=below)


def ellipse(mesh):
    mesh.add_ellipse((3, 0), major_axis=(1.2, 1.6), ratio=0.25, dxfattribs=FILM)


def hatch(mesh):
    path = mesh.add_hatch(dxfattribs=FILM).paths.add_edge_path()
    path.add_arc((0, 0), 1, 0, 180)
    path.add_ellipse((0, 0), major_axis=(1, 0), ratio=1.0, start_angle=180, end_angle=360)


def hatch_of_polyline(mesh):
    bent = [(-1, 0, 1.0), (1, 0, 1.0)]
    mesh.add_hatch(dxfattribs=FILM).paths.add_polyline_path(bent)


def hatch_and_its_outline(mesh):
    hatch(mesh)
    mesh.add_circle((0, 0), 1, dxfattribs=FILM)


@pytest.mark.parametrize(
    "draw",
    [
        circles(1.0),
        half_circles(1.0),
        half_circles(-1.0),
        old_polyline,
        arcs,
        mirrored,
        ellipse,
        hatch,
        hatch_of_polyline,
        hatch_and_its_outline,
    ],
)
def test_dxf_round_curves_become_polygons(draw, dxf):
    """All curves have the area π and a size of 2 to 4; the tolerance is 1e-5 of the size."""
    film = dxf(draw).geometry
    assert len(film.geoms) == 1 and not film.geoms[0].interiors
    assert 0 < np.pi - film.area < 4e-5 * film.length


def test_dxf_flattening_uses_its_tolerance(dxf):
    """Edges of a circle are inside by at most 1e-5 of its diameter, and by not much less."""
    corners = shapely.get_coordinates(dxf(circles(10.0)).geometry) - (1, 2)
    middles = (corners[1:] + corners[:-1]) / 2
    assert np.hypot(*corners.T) == pytest.approx(10, rel=1e-12)
    assert 1.5e-4 < 10 - np.hypot(*middles.T).min() < 2e-4


def test_dxf_small_circles_stay_round(dxf):
    """A hole with 1/1000 of the size would have 16 corners with a tolerance of 1e-5 of the size."""
    film = dxf(circles(1000.0, 1.0)).geometry
    hole = shapely.Polygon(film.geoms[0].interiors[0])
    assert 0 < np.pi - hole.area < 1e-3 * hole.length


@pytest.mark.parametrize("is_closed", [True, False], ids=["periodic", "clamped"])
def test_dxf_splines(is_closed, dxf):
    """Area = ½∮(x dy − y dx); between knots it is a polynomial, so Gauss's rule is exact."""
    points = [(0, 0, 0), (3, 0, 0), (4, 2, 0), (1, 5, 0), (-1, 2, 0)]

    def draw(mesh):
        spline = mesh.add_spline(dxfattribs=FILM)
        if is_closed:
            spline.set_closed(points)
        else:
            spline.set_open_uniform([*points, points[0]])
        drawn.append((np.array(spline.knots), np.array(spline.control_points)))

    drawn = []
    film = dxf(draw).geometry
    knots, control = drawn[0]
    curve = BSpline(knots, control[:, :2], 3)
    places, weights = np.polynomial.legendre.leggauss(4)
    ends = np.unique(knots[3:-3])
    area = 0.0
    for start, end in pairwise(ends):
        t = start + (end - start) * (1 + places) / 2
        (x, y), (dx, dy) = curve(t).T, curve.derivative()(t).T
        area += np.sum(weights * (x * dy - y * dx)) * (end - start) / 4
    assert film.area == pytest.approx(abs(area), abs=1e-5 * 5 * film.length)


def test_dxf_lines_and_arcs_are_joined(dxf):
    """A stadium of lines and arcs in any order and direction; ends differ by less than 1e-6."""

    def draw(mesh):
        mesh.add_line((0, 0), (4, 0), dxfattribs=FILM)
        mesh.add_arc((0, 1), 1, 90, 270, dxfattribs=FILM)
        mesh.add_line((4, 2 + 2e-6), (0, 2), dxfattribs=FILM)
        mesh.add_arc((4, 1), 1, -90, 90, dxfattribs=FILM)

    film = dxf(draw).geometry
    assert film.area == pytest.approx(8 + np.pi, abs=6e-5 * film.length)
    assert len(film.geoms) == 1


def test_dxf_nested_curves_are_holes_and_islands(dxf):
    film = dxf(circles(1.0, 4.0, 3.0)).geometry
    assert film.area == pytest.approx(np.pi * (16 - 9 + 1), rel=2e-4)
    assert sorted(len(part.interiors) for part in film.geoms) == [0, 1]


def test_dxf_hatch_with_a_hole(dxf):
    def draw(mesh):
        paths = mesh.add_hatch(dxfattribs=FILM).paths
        paths.add_polyline_path(4 * SQUARE, flags=1)
        paths.add_polyline_path(1 + SQUARE, flags=16)

    assert dxf(draw).geometry.area == pytest.approx(15, rel=1e-12)


def test_dxf_blocks_are_inserted(dxf):
    """An entity on layer 0 of a block belongs to the layer of the insertion."""

    def draw(mesh):
        block = mesh.doc.blocks.new("PART")
        block.add_lwpolyline([(0, 0), (2, 0), (2, 1, 1.0), (0, 1)], "xyb", close=True)
        block.add_circle((50, 0), 1, dxfattribs={"layer": "OTHER"})
        pair = mesh.doc.blocks.new("PAIR")
        pair.add_blockref("PART", (5, 0))
        pair.add_blockref("PART", (0, 0), {"rotation": 90})
        mesh.add_blockref("PAIR", (0, 0), {**FILM, "xscale": -2, "yscale": 2, "rotation": 30})
        mesh.add_blockref("PART", (20, 20), {**FILM, "xscale": 3})  # the arc becomes an ellipse
        grid = {"column_count": 3, "row_count": 2, "column_spacing": 5, "row_spacing": 5}
        mesh.add_blockref("PART", (-50, 0), {**FILM, **grid})

    one = 2 + np.pi / 2
    film = dxf(draw).geometry
    assert len(film.geoms) == 2 + 1 + 6
    assert film.area == pytest.approx((2 * 4 + 3 + 6) * one, rel=1e-3)
    assert len(dxf(draw, layer="other").geometry.geoms) == 2 + 1 + 6


@pytest.mark.parametrize(
    ("code", "unit"), [(0, None), (1, 0.0254), (4, 1e-3), (6, 1.0), (12, 1e-9), (13, 1e-6)]
)
def test_dxf_unit(code, unit, dxf):
    assert dxf(circles(1.0), units=code).unit == unit


def test_dxf_unknown_unit_is_refused(dxf):
    with pytest.raises(StudyError, match=r"\$INSUNITS = 20: unknown; allowed: 0 to 14"):
        dxf(circles(1.0), units=20)


@pytest.mark.parametrize("options", [{"version": "R2000"}, {"version": "R2018"}, {"fmt": "bin"}])
def test_dxf_versions(options, dxf):
    assert dxf(polylines([OUTLINE]), **options).geometry.area == pytest.approx(shoelace(OUTLINE))


def test_dxf_of_old_programs_names_no_unit(tmp_path):
    document = ezdxf.new("R12", units=0)
    old_polyline(document.modelspace())
    document.saveas(tmp_path / "film.dxf")
    assert read_dxf(tmp_path / "film.dxf", "film").unit is None


def test_dxf_annotations_do_not_matter(dxf):
    def draw(mesh):
        mesh.add_lwpolyline(SQUARE, close=True, dxfattribs=FILM)
        mesh.add_text("a film", dxfattribs=FILM)
        mesh.add_point((5, 5), dxfattribs=FILM)

    assert dxf(draw).geometry.area == 1


def open_polyline(mesh):
    mesh.add_lwpolyline([(0, 0), (4, 0), (4, 3), (0.5, 3)], dxfattribs=FILM)


def open_lines(mesh):
    for ends in [((0, 0), (4, 0)), ((4, 3), (4, 0)), ((4, 3), (0.5, 3))]:
        mesh.add_line(*ends, dxfattribs=FILM)


def junction(mesh):
    polylines([SQUARE])(mesh)
    for end in [(0, 1), (1, 2), (3, 3)]:
        mesh.add_line((3, 5), end, dxfattribs=FILM)


def bow_tie(mesh):
    mesh.add_lwpolyline([(0, 0), (1, 1), (1, 0), (0, 1)], close=True, dxfattribs=FILM)


def tilted(mesh):
    mesh.add_polyline3d([(0, 0, 0), (1, 0, 0), (1, 1, 1)], close=True, dxfattribs=FILM)


def wide(mesh):
    mesh.add_lwpolyline(SQUARE, close=True, dxfattribs={**FILM, "const_width": 0.1})


def mesh(mesh):
    mesh.add_polyface(dxfattribs=FILM).append_face([(0, 0, 0), (1, 0, 0), (1, 1, 0)])


def picture(mesh):
    mesh.add_image(mesh.doc.add_image_def("a.png", (9, 9)), (0, 0), (1, 1), dxfattribs=FILM)


def other_layers(mesh):
    mesh.add_circle((0, 0), 1, dxfattribs={"layer": "GOLD"})
    mesh.add_circle((0, 0), 1)


def empty_layer(mesh):
    other_layers(mesh)
    mesh.doc.layers.add("FILM")
    mesh.add_text("a film", dxfattribs=FILM)


def endless_blocks(mesh):
    block = mesh.doc.blocks.new("PART")
    block.add_circle((0, 0), 1)
    block.add_blockref("PART", (3, 0))
    mesh.add_blockref("PART", (0, 0), FILM)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (open_polyline, ["open curve from (0, 0) to (0.5, 3)"]),
        (open_lines, ["open curve from (0, 0) to (0.5, 3)"]),
        (junction, ["more than two lines meet at (3, 5)"]),
        (bow_tie, ["crosses or touches itself at (0.5, 0.5)"]),
        (polylines([SQUARE, 0.5 + SQUARE]), ["outlines cross at (", "0.5"]),
        (polylines([SQUARE, 1 + SQUARE]), ["meet in a single point", "(1, 1)"]),
        (tilted, ["from z = 0 to 1"]),
        (wide, ["LWPOLYLINE has a width"]),
        (mesh, ["POLYLINE of a mesh", "LWPOLYLINE"]),
        (picture, ["IMAGE", "LWPOLYLINE"]),
        (other_layers, ["nothing is drawn on this layer", "'0', 'GOLD'"]),
        (empty_layer, ["nothing is drawn on this layer", "'0', 'GOLD'"]),
        (endless_blocks, ["film.dxf"]),
        (lambda mesh: mesh.add_blockref("GONE", (0, 0), FILM), ["'film.dxf", "GONE"][1:]),
    ],
)
def test_dxf_without_clear_outlines_is_refused(draw, words, dxf):
    with pytest.raises(StudyError, match=r"film\.dxf") as error:
        dxf(draw)
    assert [word for word in words if word not in str(error.value)] == []


# gmsh


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_mesh_outline_in_all_versions(version, binary, write_mesh):
    path = write_mesh([OUTLINE, HOLE, ISLAND], version, binary)
    film = read_mesh_outline(path, "film")
    area = shoelace(OUTLINE) - shoelace(HOLE)
    assert film.unit is None
    assert film.geometry.area == pytest.approx(area + shoelace(ISLAND), rel=1e-9)
    assert read_mesh_outline(path, "first").geometry.area == pytest.approx(area, rel=1e-9)
    # Corners of the mesh in the middle of straight edges are not corners of the outline.
    assert len(shapely.get_coordinates(film.geometry)) == 6 + 4 + 4


def write_cells(path, points, group="film", **cells):
    """Write cells, given by type, all in one group."""
    meshio.Mesh(
        points,
        list(cells.items()),
        cell_data={"gmsh:physical": [np.ones(len(block), int) for block in cells.values()],
                   "gmsh:geometrical": [np.ones(len(block), int) for block in cells.values()]},
        field_data={group: np.array([1, 2])},
    ).write(path, file_format="gmsh22", binary=False)  # fmt: skip
    return path


def test_mesh_of_quadrilaterals_and_triangles(tmp_path):
    points = [(0, 0, 5), (1, 0, 5), (1, 1, 5), (0, 1, 5), (2, 0.5, 5), (2, 0, 5)]
    cells = {"quad": [[0, 1, 2, 3]], "triangle": [[1, 4, 2], [4, 1, 5]]}
    path = write_cells(tmp_path / "film.msh", points, **cells)
    film = read_mesh_outline(path, "film").geometry
    assert film.area == pytest.approx(1 + 0.5 + 0.25, rel=1e-12)
    assert len(film.geoms) == 1 and not film.geoms[0].interiors


def test_mesh_with_separate_nodes_for_each_cell(tmp_path):
    """As if parts of a mesh had not been merged."""
    points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0), (1, 1, 0), (0, 1, 0)]
    path = write_cells(tmp_path / "film.msh", points, triangle=[[0, 1, 2], [3, 4, 5]])
    assert len(shapely.get_coordinates(read_mesh_outline(path, "film").geometry)) == 5


def test_mesh_whose_cells_share_half_edges(tmp_path):
    points = [(0, 0, 0), (2, 0, 0), (0, 2, 0), (1, 0, 0), (0, -1, 0), (2, -1, 0)]
    path = write_cells(
        tmp_path / "film.msh", points, triangle=[[0, 1, 2], [0, 4, 3], [3, 5, 1], [4, 5, 3]]
    )
    film = read_mesh_outline(path, "film").geometry
    assert film.area == pytest.approx(2 + 2, rel=1e-12)
    assert len(shapely.get_coordinates(film)) == 5


@pytest.mark.parametrize(
    ("points", "cells", "words"),
    [
        ([(0, 0, 0), (1, 0, 0), (1, 1, 0.1)], [[0, 1, 2]], ["extends over 0.1 in z"]),
        ([(0, 0, 0), (4, 0, 0), (0, 4, 0), (3, 3, 0)], [[0, 1, 2], [0, 1, 3]], ["do not overlap"]),
        (
            [(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 1, 0), (2, 2, 0)],
            [[0, 1, 2], [2, 3, 4]],
            ["(1, 1)"],
        ),
    ],
    ids=["not flat", "overlapping", "in a point"],
)
def test_mesh_without_clear_outline_is_refused(points, cells, words, tmp_path):
    path = write_cells(tmp_path / "film.msh", points, triangle=cells)
    with pytest.raises(StudyError, match=r"film\.msh, group 'film': ") as error:
        read_mesh_outline(path, "film")
    assert [word for word in words if word not in str(error.value)] == []


def test_mesh_group_without_flat_cells_is_refused(tmp_path):
    points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    path = write_cells(tmp_path / "film.msh", points, tetra=[range(4)])
    with pytest.raises(StudyError, match="'film' is empty; allowed: triangles"):
        read_mesh_outline(path, "film")


def test_mesh_may_have_any_node_numbers(tmp_path):
    """With a table of all numbers up to the largest, a reader would need 16 GB."""
    path = write_cells(
        tmp_path / "film.msh", [(0, 0, 0), (1, 0, 0), (1, 1, 0)], triangle=[[0, 1, 2]]
    )
    text = path.read_text()
    text = text.replace("\n3 1.0", "\n2000000000 1.0").replace(
        "1 2 3\n$EndE", "1 2 2000000000\n$EndE"
    )
    path.write_text(text, encoding="utf-8")
    assert text.count("2000000000") == 2
    assert read_mesh_outline(path, "film").geometry.area == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("section", "line"),
    [("Nodes", 1), ("Nodes", 2), ("Elements", 1), ("Elements", 2), ("Entities", 1)],
)
def test_mesh_counts_beyond_the_file_are_refused_at_once(section, line, write_mesh):
    """No computer has memory for 10^12 of them."""
    path = write_mesh([OUTLINE])
    lines = path.read_text().splitlines()
    place = lines.index(f"${section}") + line
    lines[place] = " ".join(["999999999999"] * len(lines[place].split()))
    path.write_text("\n".join(lines))
    with pytest.raises(StudyError, match=r"film\.msh: not a valid gmsh file"):
        read_mesh_outline(path, "film")


@pytest.mark.parametrize("version", [2.2, 4.1])
def test_mesh_group_may_have_any_name(version, write_mesh):
    """Also a name with spaces and quotes, or the name of a group of curves."""
    path = write_mesh([OUTLINE, HOLE, ISLAND], version)
    text = (
        path.read_text(encoding="utf-8")
        .replace('"edge"', '"film"')
        .replace('"first"', '"the first, é"')
    )
    path.write_text(text, encoding="utf-8")
    area = shoelace(OUTLINE) - shoelace(HOLE)
    assert read_mesh_outline(path, "the first, é").geometry.area == pytest.approx(area, rel=1e-9)
    assert len(read_mesh_outline(path, "film").geometry.geoms) == 2


@pytest.mark.parametrize("header", ["4.0 0 8", "4.1 0 4", "3 0 8", "4.1 2 8", "", "4.1"])
def test_mesh_unknown_formats_are_refused(header, write_mesh):
    path = write_mesh([OUTLINE])
    path.write_text(path.read_text(encoding="utf-8").replace("4.1 0 8", header, 1))
    with pytest.raises(StudyError, match=r"allowed: version 2\.2 or 4\.1"):
        read_mesh_outline(path, "film")


@pytest.mark.parametrize("group", ["edge", "no such"])
def test_mesh_group_must_be_one_of_surfaces(group, write_mesh):
    path = write_mesh([OUTLINE])
    with pytest.raises(StudyError, match=f"'{group}'.*; allowed: 'film', 'first'$"):
        read_mesh_outline(path, group)


# Files that are missing, damaged or of another kind


READERS = {
    "gds": lambda path: read_gds(path, None, 1),
    "dxf": lambda path: read_dxf(path, "FILM"),
    "binary.dxf": lambda path: read_dxf(path, "FILM"),
    "msh": lambda path: read_mesh_outline(path, "film"),
    "binary.msh": lambda path: read_mesh_outline(path, "film"),
}


@pytest.fixture
def valid_file(tmp_path, write_mesh):
    """Return the content of a valid file of a kind."""

    def content(kind):
        path = tmp_path / f"valid.{kind}"
        if kind == "gds":
            return write_gds(path, *gds_polygons([OUTLINE, HOLE])).read_bytes()
        if kind.endswith("dxf"):
            options = {"fmt": "bin" if "binary" in kind else "asc"}
            return write_dxf(path, polylines([OUTLINE, HOLE]), **options).read_bytes()
        return write_mesh([OUTLINE, HOLE], binary="binary" in kind).read_bytes()

    return content


def refusal(kind, path):
    """Return the message with which a file is refused; no other error may occur."""
    with warnings.catch_warnings(action="error"), pytest.raises(StudyError) as error:
        READERS[kind](path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", READERS)
def test_missing_file_is_refused(kind, tmp_path, capfd):
    assert "No such file" in refusal(kind, tmp_path / f"none.{kind}")
    assert "directory" in refusal(kind, tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", READERS)
def test_files_that_are_cut_off_are_refused(kind, valid_file, tmp_path, capfd):
    content = valid_file(kind)
    path = tmp_path / f"film.{kind}"
    for length in np.linspace(0, len(content) - 20, 15).astype(int):
        path.write_bytes(content[:length])
        refusal(kind, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", READERS)
def test_files_of_other_kinds_are_refused(kind, valid_file, tmp_path, capfd):
    path = tmp_path / f"film.{kind}"
    random = np.random.default_rng(1)
    for content in (
        b"",
        b"\0" * 100,
        b"[film]\n",
        random.bytes(1000),
        Path(os.__file__).read_bytes(),
    ):
        path.write_bytes(content)
        refusal(kind, path)
    for other in set(READERS) - {kind}:
        if other[-3:] != kind[-3:]:
            path.write_bytes(valid_file(other))
            refusal(kind, path)
            break
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("seed", range(3))
def test_files_with_damage_anywhere_are_read_or_refused(
    kind, seed, valid_file, tmp_path, capfd, caplog
):
    """The program does not crash, as it would if gdstk read many of these files."""
    content = np.frombuffer(valid_file(kind), np.uint8)
    random = np.random.default_rng(seed)
    path = tmp_path / f"film.{kind}"
    for _ in range(10):
        spoilt = content.copy()
        places = random.integers(len(spoilt), size=random.integers(1, 20))
        spoilt[places] = random.integers(256, size=len(places))
        path.write_bytes(spoilt.tobytes())
        try:
            READERS[kind](path)
        except StudyError as error:
            assert str(path) in str(error)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def records(content):
    """Return the records of a GDSII file."""
    chunks = []
    while content:
        length = int.from_bytes(content[:2])
        chunks.append(content[:length])
        content = content[length:]
    return chunks


@pytest.mark.parametrize(
    "change", ["left out", "twice", "emptied", "of another kind", "at the end"]
)
def test_gds_with_any_wrong_record_is_read_or_refused(change, tmp_path):
    """All records except names and dates must be there, in order and with the right size."""
    inside = [gdstk.rectangle((0, 0), (1, 1), layer=1)]
    path = tmp_path / "film.gds"
    bend = gdstk.FlexPath([(5, 0), (9, 0)], 2, layer=1, simple_path=True)
    row = gdstk.Reference("SUB", (0, 9), columns=2, rows=2, spacing=(3, 3), rotation=0.1)
    whole = records(write_gds(path, bend, row, *inside, SUB=inside).read_bytes())
    for index, record in enumerate(whole):
        before, after = whole[:index], whole[index + 1 :]
        changed = {
            "left out": before + after,
            "twice": [*before, record, record, *after],
            "emptied": [*before, b"\0\4" + record[2:4], *after],
            "of another kind": [*before, record[:2] + b"\x0d" + record[3:], *after],
            "at the end": [*before, *after, record],
        }[change]
        path.write_bytes(b"".join(changed))
        try:
            read_gds(path, "TOP", 1)
        except StudyError as error:
            assert str(path) in str(error)


def test_gds_with_absolute_angles_is_refused(tmp_path):
    path = tmp_path / "film.gds"
    square = [gdstk.rectangle((0, 0), (1, 1), layer=1)]
    write_gds(path, gdstk.Reference("SUB", x_reflection=True), SUB=square)
    assert read_gds(path, None, 1).geometry.area == pytest.approx(1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x1a\x01\x80\x00", b"\x1a\x01\x80\x02"))
    with pytest.raises(StudyError, match="absolute magnification or angle at byte"):
        read_gds(path, None, 1)


def test_files_are_not_executed(tmp_path):
    """Names and texts that look like code are only names."""
    trap = "__import__('os').abort()"
    film = read_dxf(
        write_dxf(tmp_path / "film.dxf", lambda mesh: mesh.add_circle((0, 0), 1, {"layer": trap})),
        trap,
    )
    assert len(film.geometry.geoms) == 1
