"""DXF drawings as CAD programs write them: hidden and clipped parts, cut lines, faults."""

import warnings
from pathlib import Path

import ezdxf
import ezdxf.xclip
import numpy as np
import pytest
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import DrawingWarning, read_dxf

DATA = Path(__file__).parents[2] / "data" / "drawings"
FILM = {"layer": "FILM"}
SQUARE = 10 * np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


@pytest.fixture
def read(tmp_path):
    """Write a document that a function has drawn in, and read the film in it."""

    def read(draw, change=lambda text: text, gap=None):
        document = ezdxf.new("R2013", units=13)
        draw(document)
        document.saveas(tmp_path / "film.dxf")
        text = (tmp_path / "film.dxf").read_text(encoding="utf-8")
        (tmp_path / "film.dxf").write_text(change(text), encoding="utf-8")
        return read_dxf(tmp_path / "film.dxf", "FILM", gap).geometry

    return read


def square(layout, at=(0.0, 0.0), **attributes):
    layout.add_lwpolyline(SQUARE + at, close=True, dxfattribs={**FILM, **attributes})


@pytest.mark.parametrize(
    ("name", "layer", "right"),
    [
        ("invisible", "FILM", 100),
        ("cutline_washer", "L1D0_FILM", 364),
        ("line_and_hatch", "FILM", 100),
        ("two_edge_paths", "FILM", 200),
        ("beyond_eof", "FILM", 100),
        # As KLayout writes a washer and an inserted square: without markers of subclasses.
        ("klayout_lwpolyline", "L1D0_FILM", 464),
        ("klayout_hatch", "L1D0_FILM", 464),
    ],
)
def test_files_of_other_programs(name, layer, right):
    with warnings.catch_warnings(action="error"):
        film = read_dxf(DATA / f"{name}.dxf", layer).geometry
    assert film.area == pytest.approx(right, rel=1e-12)


# --- what a drawing does not show


def test_clipped_blocks_are_refused():
    with pytest.raises(StudyError, match=r"layer 'FILM': block 'DEV' is clipped \(XCLIP\)"):
        read_dxf(DATA / "clipped.dxf", "FILM")


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize("columns", [1, 2])
def test_blocks_in_clipped_blocks_are_refused(is_deep, columns, read):
    """An insertion in a block is copied, and a copy does not know that it is clipped."""

    def draw(document, clipped="FILM"):
        inner, outer = document.blocks.new("INNER"), document.blocks.new("OUTER")
        square(inner, layer=clipped)
        row = {"column_count": columns, "column_spacing": 30}
        insert = outer.add_blockref("INNER", (0, 0), row)
        top = document.modelspace().add_blockref("OUTER", (50, 0))
        ezdxf.xclip.XClip(insert if is_deep else top).set_block_clipping_path([(0, 0), (5, 5)])
        square(document.modelspace())

    with pytest.raises(StudyError, match=r"is clipped \(XCLIP\)"):
        read(draw)
    assert read(lambda document: draw(document, "OTHER")).area == 100


def test_clipping_that_is_switched_off_does_not_matter(read):
    def draw(document):
        square(document.blocks.new("PART"))
        clip = ezdxf.xclip.XClip(document.modelspace().add_blockref("PART", (0, 0)))
        clip.set_block_clipping_path([(0, 0), (5, 5)])
        clip.disable_clipping()

    assert read(draw).area == 100


def test_invisible_blocks_are_left_out(read):
    def draw(document):
        square(document.blocks.new("PART"))
        document.modelspace().add_blockref("PART", (50, 0), {"invisible": 1})
        square(document.modelspace())

    assert read(draw).area == 100


@pytest.mark.parametrize("state", ["off", "frozen"])
def test_hidden_layer_is_refused(state, read):
    def draw(document):
        layer = document.layers.add("Film")
        layer.off() if state == "off" else layer.freeze()
        square(document.modelspace())

    with pytest.raises(StudyError, match=f"'FILM': this layer is {state}.*; allowed: a visible"):
        read(draw)


def test_blocks_on_frozen_layers_are_left_out(read):
    """In a block on a layer that is only off, other layers are shown."""

    def draw(document):
        document.layers.add("COLD").freeze()
        document.layers.add("DARK").off()
        square(document.blocks.new("PART"))
        for place, layer in enumerate(["COLD", "DARK", "0"]):
            document.modelspace().add_blockref("PART", (50 * place, 0), {"layer": layer})

    assert read(draw).area == 200


def test_blocks_of_other_files_are_refused(read):
    def draw(document):
        document.add_xref_def("other.dwg", "XREF")
        document.modelspace().add_blockref("XREF", (0, 0), FILM)

    with pytest.raises(
        StudyError, match="block 'XREF' is in another file; allowed: blocks of this"
    ):
        read(draw)


def test_missing_blocks_are_refused(read):
    def draw(document):
        square(document.modelspace())
        document.modelspace().add_blockref("GONE", (0, 0), FILM)

    with pytest.raises(StudyError, match="block 'GONE' is missing"):
        read(draw)


def test_block_in_itself_is_refused(read):
    def draw(document):
        part = document.blocks.new("PART")
        part.add_blockref("PART", (3, 0))
        document.modelspace().add_blockref("PART", (0, 0), FILM)

    with pytest.raises(StudyError, match="block 'PART' is inserted in itself"):
        read(draw)


# --- filled areas


def solid_washer(document):
    space = document.modelspace()
    for x, y, width, height in [(0, 0, 20, 7), (0, 13, 20, 7), (0, 7, 7, 6), (13, 7, 7, 6)]:
        right, top = x + width, y + height
        space.add_solid([(x, y), (right, y), (x, top), (right, top)], dxfattribs=FILM)


def hatch(layout, *rings):
    paths = layout.add_hatch(dxfattribs=FILM).paths
    for number, ring in enumerate(rings):
        paths.add_polyline_path(ring, flags=16 if number else 1)


def hatch_in_hatch(document):
    hatch(document.modelspace(), SQUARE)
    hatch(document.modelspace(), SQUARE * 0.5 + 1)


def crossing_hatches(document):
    hatch(document.modelspace(), SQUARE)
    hatch(document.modelspace(), SQUARE + 5)


def hatch_in_a_hole(document):
    space = document.modelspace()
    square(space)
    space.add_lwpolyline(SQUARE * 0.5 + 2, close=True, dxfattribs=FILM)
    hatch(space, SQUARE * 0.1 + 4)


def filled_washer(document):
    space = document.modelspace()
    square(space)
    space.add_lwpolyline(SQUARE * 0.5 + 2, close=True, dxfattribs=FILM)
    hatch(space, SQUARE, SQUARE * 0.5 + 2)


@pytest.mark.parametrize(
    ("draw", "right"),
    [
        (solid_washer, 364),
        (hatch_in_hatch, 100),
        (crossing_hatches, 175),
        (hatch_in_a_hole, 76),
        (filled_washer, 75),
    ],
)
def test_hatches_and_solids_are_film(draw, right, read):
    assert read(draw).area == pytest.approx(right, rel=1e-12)


def test_hatch_over_a_hole_is_refused(read):
    def draw(document):
        filled_washer(document)
        hatch(document.modelspace(), SQUARE)

    with pytest.raises(
        StudyError, match="a filled part crosses the edges that are drawn as curves"
    ):
        read(draw)


# --- curves


@pytest.mark.parametrize("degrees", [0, 30, 77])
def test_washers_with_cut_lines(degrees, read):
    """One washer in the hole of another; the cuts run to corners and along the holes."""
    turn = np.exp(1j * np.radians(degrees))

    def draw(document):
        for size in (20, 4):
            cut = [(0, 0), (0, 13), (7, 13), (7, 7), (13, 7), (13, 13), (0, 13), (0, 20), (20, 20)]
            corners = (np.array([*cut, (20, 0)]) - 10) * size / 20 @ [1, 1j] * turn
            points = np.column_stack([corners.real, corners.imag])
            document.modelspace().add_lwpolyline(points, close=True, dxfattribs=FILM)

    film = read(draw)
    assert film.area == pytest.approx(364 * (1 + 1 / 25), rel=1e-9)
    assert [len(part.interiors) for part in film.geoms] == [1, 1]


def test_lines_that_are_drawn_twice_count_once(read):
    def draw(document):
        for start, end in zip(SQUARE, np.roll(SQUARE, -1, axis=0), strict=True):
            document.modelspace().add_line(start, end, dxfattribs=FILM)
        document.modelspace().add_line(SQUARE[1], SQUARE[0], dxfattribs=FILM)

    assert read(draw).area == 100


def point_spline(space):
    space.add_spline(dxfattribs=FILM).set_open_uniform([(20, 5, 0)] * 5)


@pytest.mark.parametrize(
    ("add", "kind"),
    [
        (point_spline, "SPLINE"),
        (lambda space: space.add_line((20, 5), (20, 5), dxfattribs=FILM), "LINE"),
        (lambda space: space.add_circle((20, 5), 0, dxfattribs=FILM), "CIRCLE"),
        (lambda space: space.add_lwpolyline([(20, 5)] * 3, dxfattribs=FILM), "LWPOLYLINE"),
        (lambda space: space.add_solid([(20, 5)] * 4, dxfattribs=FILM), "SOLID"),
    ],
)
def test_curves_without_length_are_left_out_with_a_warning(add, kind, read):
    def draw(document):
        square(document.modelspace())
        add(document.modelspace())
        add(document.modelspace())

    with pytest.warns(DrawingWarning, match=rf"a {kind}.* has no length; .*\(and 1 more\)"):
        assert read(draw).area == 100


def test_layer_with_nothing_else_has_no_area(read):
    with (
        pytest.warns(DrawingWarning, match="has no length"),
        pytest.raises(StudyError, match=r"layer 'FILM': has no area; allowed: at least one"),
    ):
        read(lambda document: point_spline(document.modelspace()))


def test_coordinates_that_are_no_numbers_are_refused(read):
    def draw(document):
        square(document.modelspace())
        document.modelspace().add_line((20, 5), (np.nan, 5), dxfattribs=FILM)

    with pytest.raises(StudyError, match="a coordinate is not finite"):
        read(draw)


def test_gaps_up_to_the_tolerance_are_closed(read):
    def draw(document):
        space = document.modelspace()
        space.add_line((0, 0), (10, 0), dxfattribs=FILM)
        space.add_line((10, 0.05), (10, 10), dxfattribs=FILM)
        space.add_line((10, 10), (9.95, 10), dxfattribs=FILM)  # shorter than the gap
        space.add_lwpolyline([(9.95, 10), (0, 10), (0, 0.02)], dxfattribs=FILM)
        space.add_circle((5, 5), 0.02, dxfattribs=FILM)  # a hole, though a small one

    with pytest.raises(StudyError, match=r"open curve from .*\(the key `tolerance` of the study"):
        read(draw)
    with pytest.raises(StudyError, match="open curve from"):
        read(draw, gap=0.03)
    film = read(draw, gap=0.1)
    assert film.area == pytest.approx(100, abs=0.6)
    assert [len(part.interiors) for part in film.geoms] == [1]


# --- faults of files


def only_a_square(document):
    square(document.modelspace())


def test_faults_that_can_be_mended_are_mended_with_a_warning(read):
    def spoil(text):
        """Write a sign that is no digit into the code of a group."""
        return text.replace("  9\n$INSUNITS", " ;9\n$INSUNITS", 1)

    with pytest.warns(DrawingWarning, match=r"film\.dxf: the file has faults .*mended as well as"):
        assert read(only_a_square, spoil).area == 100


def test_text_after_the_end_does_not_matter(read):
    for more in ("\n\n\nexported by X\n", "\x1a", "  0\nSECTION\n"):
        assert read(only_a_square, lambda text, more=more: text + more).area == 100


def test_messages_are_words_for_people(tmp_path):
    """No names of Python's exceptions, whatever is wrong."""
    document = ezdxf.new("R2013")
    square(document.modelspace())
    document.saveas(tmp_path / "sound.dxf")
    lines = (tmp_path / "sound.dxf").read_text(encoding="utf-8").splitlines()
    random = np.random.default_rng(1)
    for _ in range(40):
        spoilt = [line for line in lines if random.random() > 0.01]
        (tmp_path / "film.dxf").write_text("\n".join([*spoilt, "  0", "EOF", ""]))
        try:
            with warnings.catch_warnings(action="ignore"):
                film = read_dxf(tmp_path / "film.dxf", "FILM").geometry
        except StudyError as error:
            assert "Error" not in str(error) and "object" not in str(error)
        else:
            assert shapely.is_valid(film)
