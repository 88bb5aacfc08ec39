"""Random drawings have the area that a second program (KLayout) reads from the same file.

KLayout reads the file, places the references and expands the paths, in floating point numbers; the
union is Clipper's, with whole numbers a thousand times finer than the grid. Nothing of this is used
by the reader under test, which has gdstk, ezdxf, shapely and its own expansion of paths.
"""

import math
import re

import ezdxf
import gdstk
import klayout.db as kdb
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import read_dxf, read_gds

SHORT = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=300, derandomize=False)

# Corners and edges that are nearer than a grid step are merged, so numbers are equal or far apart:
# the factor sends neighbours, which hypothesis likes, to places all over the range.
FAR = 200_000_000


def spread(low, high):
    return st.integers(0, high - low).map(lambda n: low + n * 2_654_435_761 % (high - low + 1))


number = spread(-FAR, FAR)
point = st.tuples(number, number)
LAYER = kdb.LayerInfo(1, 0)


# --- layouts


@st.composite
def paths(draw, is_round):
    """A path: bends of all angles, turns back, spurs, steps shorter than its width, dots."""
    width = 12 * draw(spread(200_000, 1_500_000))
    line = [draw(point)]
    for kind in draw(st.lists(st.sampled_from(["far", "back", "step", "same"]), max_size=5)):
        x, y = line[-1]
        step = draw(st.integers(-8, 8)) * width // 4
        line.append(
            {
                "far": draw(point),
                "back": line[-2] if len(line) > 1 else (x, y),
                "step": (x + step, y) if draw(st.booleans()) else (x, y + step),
                "same": (x, y),
            }[kind]
        )
    assume(not _is_too_sharp(line, width / 2))
    ends = [(0, 0), (width // 2, width // 2), (width // 6, width // 3)]
    begin, end = (width // 2, width // 2) if is_round else draw(st.sampled_from(ends))
    return kdb.Path([kdb.Point(*each) for each in line], width, begin, end, is_round)


def _is_too_sharp(line, half):
    """Whether the inner side of a bend is longer than a neighbour.

    There KLayout leaves a notch: its outline goes back to where both inner edges would meet.
    """
    sides = np.diff(line, axis=0).astype(float)
    sides = sides[np.any(sides != 0, axis=1)]
    lengths = np.hypot(*sides.T)
    for k in range(len(sides) - 1):
        (ax, ay), (bx, by) = sides[k] / lengths[k], sides[k + 1] / lengths[k + 1]
        sine, cosine = abs(ax * by - ay * bx), ax * bx + ay * by
        if sine > 0 and half * sine > (1 + cosine) * min(lengths[k : k + 2]):
            return True
    return False


@st.composite
def polygons(draw):
    """A star around a point, with a hole or without, or a box, which may have no width."""
    x, y = draw(point)
    if draw(st.booleans()):
        return kdb.Polygon(kdb.Box(x, y, x + draw(st.just(0) | spread(0, FAR)), y + FAR // 3))
    radii = draw(st.lists(spread(FAR // 20, FAR // 4), min_size=3, max_size=9))
    angles = 2 * np.pi * np.arange(len(radii)) / len(radii)
    corners = np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(radii)[:, None]
    star = kdb.Polygon([kdb.Point(round(x + u), round(y + v)) for u, v in corners], True)
    if draw(st.booleans()):
        least = round(FAR / 20 * math.cos(np.pi / len(radii)) / 3)
        star.insert_hole(kdb.Box(x - least, y - least, x + least, y + least))
    return star


@st.composite
def references(draw, cell):
    """One reference to a cell, or an array of them: turned, mirrored, scaled."""
    angle = draw(st.sampled_from([0, 90, 180, 270, 30, 45, 12.5]))
    scale = draw(st.sampled_from([1, 1, 0.5, 1.25]))
    where = kdb.ICplxTrans(scale, angle, draw(st.booleans()), *draw(point))
    if draw(st.booleans()):
        return kdb.CellInstArray(cell, where)
    steps = (kdb.Vector(*(value // 4 for value in draw(point))) for _ in range(2))
    return kdb.CellInstArray(cell, where, *steps, draw(st.integers(1, 3)), draw(st.integers(1, 2)))


@st.composite
def layouts(draw, is_round):
    """A cell in a cell in a cell, each with shapes of its own, and what programs leave in files."""
    layout = kdb.Layout()
    layout.dbu = 1e-3
    layer = layout.layer(LAYER)
    inner = None
    for name in ("ONE", "TWO", "TOP")[-draw(st.integers(1, 3)) :]:
        cell = layout.create_cell(name)
        for shape in draw(st.lists(st.one_of(polygons(), paths(is_round)), min_size=1, max_size=3)):
            cell.shapes(layer).insert(shape)
        if inner is not None:
            for each in draw(st.lists(references(inner), min_size=1, max_size=2)):
                cell.insert(each)
        inner = cell.cell_index()
    if draw(st.booleans()):
        layout.create_cell("EMPTY")
        layout.cell("TOP").add_meta_info(kdb.LayoutMetaInfo("note", "a", None, True))
        layout.cell("TOP").shapes(layer).insert(kdb.Text("pin", kdb.Trans(5, 5)))
    return layout


def second_area(path):
    """Return the area on layer 1 in µm², by KLayout and Clipper."""
    layout = kdb.Layout()
    layout.read(str(path))
    shapes = layout.cell("TOP").begin_shapes_rec(layout.layer(LAYER))
    outlines = []
    while not shapes.at_end():
        shape, where = shapes.shape(), kdb.DCplxTrans(1) * shapes.dtrans()
        for polygon in _polygons(shape):
            assert not polygon.holes()  # these formats have none, but cuts
            placed = polygon.transformed(where)
            outlines.append([(p.x, p.y) for p in placed.each_point_hull()])
        shapes.next()
    joined = gdstk.boolean([gdstk.Polygon(each) for each in outlines], [], "or", precision=1e-6)
    return sum(each.area() for each in joined)


def _polygons(shape):
    if shape.is_polygon() or shape.is_box():
        return [shape.dpolygon]
    if not shape.is_path():
        return []
    path = shape.dpath
    if not path.round:
        return [path.polygon()]
    ends, half = list(path.each_point()), path.width / 2
    flat = kdb.DPath(ends, path.width)
    corner = kdb.DVector(half, half)
    discs = [
        kdb.DPolygon.ellipse(kdb.DBox(p - corner, p + corner), 512)
        for p in ends[:: max(1, len(ends) - 1)]
    ]
    return [flat.polygon(), *discs]


def check_layout(layout, ending, folder, tolerance):
    path = folder / f"film.{ending}"
    layout.write(str(path))
    compare(lambda: read_gds(path, None, 1), lambda: second_area(path), tolerance)


def compare(read, second, tolerance):
    try:
        area = read().geometry.area
    except StudyError as error:
        # Both are right for some drawings: boxes without width alone, parts that touch in a point.
        empty = re.search("no polygons|has no area|nothing is drawn", str(error))
        assert empty or "meet in a single point" in str(error)
        event("no area" if empty else "parts meet in a point")
        assert not empty or second() == 0
        return
    assert area == pytest.approx(second(), rel=tolerance)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("random")


endings = st.sampled_from(["gds", "gds.gz", "gds", "gds"])


@SHORT
@given(layout=layouts(is_round=False), ending=endings)
def test_straight_layouts_have_the_area_of_a_second_reader(layout, ending, folder):
    check_layout(layout, ending, folder, 1e-9)


@SHORT
@given(layout=layouts(is_round=True), ending=endings)
def test_layouts_with_round_paths_have_the_area_of_a_second_reader(layout, ending, folder):
    check_layout(layout, ending, folder, 1e-3)


@pytest.mark.slow
@LONG
@given(layout=layouts(is_round=False), ending=st.sampled_from(["gds", "gds.gz", "oas"]))
def test_many_straight_layouts(layout, ending, folder):
    check_layout(layout, ending, folder, 1e-9)


@pytest.mark.slow
@LONG
@given(layout=layouts(is_round=True), ending=st.sampled_from(["gds", "gds.gz", "oas"]))
def test_many_layouts_with_round_paths(layout, ending, folder):
    check_layout(layout, ending, folder, 1e-3)


# --- DXF: each figure within 4 of the centre of its tile


FILM = {"layer": "FILM"}
TILE = 10.0
size = st.integers(0, 40).map(lambda n: 2 + n / 20)  # 2 to 4
angle = st.integers(0, 359)
right_angle = st.sampled_from([0, 90, 180, 270])  # otherwise KLayout rounds to its grid


def star(draw, center, count):
    """Corners around a centre, in angles of equal steps."""
    first = draw(angle)
    angles = np.radians(first + 360 * np.arange(count) / count)
    radii = np.array([draw(size) for _ in range(count)])
    corners = radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return center + np.round(corners, 4)  # exact in both readers


def angle_iron(draw, center):
    """An L around a centre. KLayout cuts along x to a hole, and ends the cut on its own grid.

    So only where it meets a side along y does it not change the area, by up to 1e-8.
    """
    left, right, low, high = (draw(size) for _ in range(4))
    corner = [(right, 1.7), (1.7, 1.7), (1.7, high)]
    return center + np.array([(-left, -low), (right, -low), *corner, (-left, high)])


def polyline(draw, space, center):
    space.add_lwpolyline(star(draw, center, draw(st.integers(3, 7))), close=True, dxfattribs=FILM)


def old_polyline(draw, space, center):
    space.add_polyline2d(star(draw, center, 5), close=True, dxfattribs=FILM)


def solid(draw, space, center):
    one, two, three, four = star(draw, center, 4)
    space.add_solid([one, two, four, three], dxfattribs=FILM)


def single_lines(draw, space, center):
    """A polygon of lines in any order and direction."""
    corners = star(draw, center, draw(st.integers(3, 6)))
    sides = list(zip(corners, np.roll(corners, -1, axis=0), strict=True))
    for ends in draw(st.permutations(sides)):
        space.add_line(*(ends if draw(st.booleans()) else ends[::-1]), dxfattribs=FILM)


def nested_polylines(draw, space, center):
    space.add_lwpolyline(angle_iron(draw, center), close=True, dxfattribs=FILM)
    for scale in (0.4, 0.1)[: draw(st.integers(1, 2))]:
        corners = center + scale * (star(draw, center, 5) - center)
        space.add_lwpolyline(corners, close=True, dxfattribs=FILM)


def straight_hatch(draw, space, center):
    """A hatch with a hole, as polylines or as single edges."""
    paths = space.add_hatch(dxfattribs=FILM).paths
    hole = center + 0.3 * (star(draw, center, 5) - center)
    for number, ring in enumerate([angle_iron(draw, center), hole]):
        if draw(st.booleans()):
            paths.add_polyline_path(ring, flags=16 if number else 1)
            continue
        edges = paths.add_edge_path(flags=16 if number else 1)
        for ends in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            edges.add_line(*ends)


def cut_line(draw, space, center):
    """A washer as one outline, with a cut that runs to the hole and back."""
    outer = angle_iron(draw, center)
    inner = center + 0.3 * (star(draw, center, 4) - center)[::-1]
    nearest = np.argmin(np.hypot(*(inner - outer[0]).T))  # so the cut does not cross the hole
    inner = np.roll(inner, -nearest, axis=0)
    ring = [*outer, outer[0], *inner, inner[0]]
    space.add_lwpolyline(ring, close=True, dxfattribs=FILM)


def circles(draw, space, center):
    for scale in (1.0, 0.6, 0.3)[: draw(st.integers(1, 3))]:
        space.add_circle(center, scale * draw(size) * 0.7 + scale, dxfattribs=FILM)


def bent_polyline(draw, space, center):
    bulges = st.sampled_from([0.0, 0.15, -0.1, 0.3])
    corners = [
        (*corner, draw(bulges)) for corner in center + 0.8 * (star(draw, center, 4) - center)
    ]
    space.add_lwpolyline(corners, "xyb", close=True, dxfattribs=FILM)


def ellipse(draw, space, center):
    turn = math.radians(draw(angle))
    major = draw(size) * np.array([math.cos(turn), math.sin(turn)])
    space.add_ellipse(center, major, draw(st.sampled_from([0.3, 0.5, 1.0])), dxfattribs=FILM)


def spline(draw, space, center):
    corners = [(x, y, 0) for x, y in star(draw, center, draw(st.integers(5, 8)))]
    curve = space.add_spline(dxfattribs=FILM)
    if draw(st.booleans()):
        curve.set_closed(corners)
    else:
        curve.set_open_uniform([*corners, corners[0]])


def stadium(draw, space, center):
    """Lines and arcs, which may be mirrored."""
    (x, y), half, radius = center, draw(size) / 2, draw(size) / 2
    for sign in (1, -1):
        space.add_line(
            (x - half, y + sign * radius), (x + half, y + sign * radius), dxfattribs=FILM
        )
    space.add_arc((x + half, y), radius, -90, 90, dxfattribs=FILM)
    if draw(st.booleans()):
        space.add_arc((x - half, y), radius, 90, 270, dxfattribs=FILM)
    else:
        below = {**FILM, "extrusion": (0, 0, -1)}
        space.add_arc((half - x, y), radius, -90, 90, dxfattribs=below)


def round_hatch(draw, space, center):
    radius = draw(size)
    edges = space.add_hatch(dxfattribs=FILM).paths.add_edge_path()
    edges.add_arc(center, radius, 0, 180)
    edges.add_ellipse(center, (radius, 0), 1.0, 180, 360)


STRAIGHT = [polyline, old_polyline, solid, single_lines, nested_polylines, straight_hatch, cut_line]
ROUND = [circles, bent_polyline, ellipse, spline, stadium, round_hatch]


@st.composite
def drawings(draw, figures, turn):
    """Figures in a row of tiles, some of them in blocks: turned, mirrored, repeated."""
    document = ezdxf.new(draw(st.sampled_from(["R2000", "R2010", "R2018"])), units=13)
    space = document.modelspace()
    figure = st.sampled_from(figures)
    for tile in range(draw(st.integers(1, 3))):
        draw(figure)(draw, space, np.array([TILE * tile, 0.0]))
    for number in range(draw(st.integers(0, 2))):
        block = document.blocks.new(f"PART{number}")
        draw(figure)(draw, block, np.array([0.0, 0.0]))
        attributes = {
            **FILM,
            "rotation": draw(turn),
            "xscale": draw(st.sampled_from([1, -1])),
            "yscale": draw(st.sampled_from([1, -1])),
            "column_count": draw(st.integers(1, 3)),
            "row_count": draw(st.integers(1, 2)),
            "column_spacing": TILE,
            "row_spacing": TILE,
        }
        place = (0, 50 * (number + 1))
        if draw(st.booleans()):
            outer = document.blocks.new(f"WHOLE{number}")
            outer.add_blockref(block.name, (0, 0), attributes)
            space.add_blockref(outer.name, place, {**FILM, "rotation": draw(turn)})
        else:
            space.add_blockref(block.name, place, attributes)
    return document


def second_dxf_area(path):
    """Return the area on the layer FILM, by KLayout: lines joined, nested curves in turn."""
    options = kdb.LoadLayoutOptions()
    options.dxf_dbu = 1e-7
    options.dxf_circle_points = 2000
    options.dxf_contour_accuracy = 1e-5  # ends of lines that are nearer meet
    options.dxf_polyline_mode = 3
    layout = kdb.Layout()
    layout.read(str(path), options)
    [layer] = [each for each in layout.layer_indexes() if layout.get_info(each).name == "FILM"]
    region = kdb.Region(layout.top_cell().begin_shapes_rec(layer))
    return region.merged().area() * 1e-14


def check_drawing(document, folder, tolerance):
    path = folder / "film.dxf"
    document.saveas(path)
    compare(lambda: read_dxf(path, "FILM"), lambda: second_dxf_area(path), tolerance)


@SHORT
@given(document=drawings(STRAIGHT, right_angle))
def test_straight_dxf_has_the_area_of_a_second_reader(document, folder):
    check_drawing(document, folder, 1e-9)


@SHORT
@given(document=drawings(ROUND + STRAIGHT, angle))
def test_round_dxf_has_the_area_of_a_second_reader(document, folder):
    check_drawing(document, folder, 1e-3)


@pytest.mark.slow
@LONG
@given(document=drawings(STRAIGHT, right_angle))
def test_many_straight_dxf(document, folder):
    check_drawing(document, folder, 1e-9)


@pytest.mark.slow
@LONG
@given(document=drawings(ROUND + STRAIGHT, angle))
def test_many_round_dxf(document, folder):
    check_drawing(document, folder, 1e-3)
