"""Layouts as other programs write them: notes, unused cells, dots, packed files, OASIS."""

import gzip
from pathlib import Path

import gdstk
import klayout.db as kdb
import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import read_gds

DATA = Path(__file__).parents[2] / "data" / "drawings"
BOX = kdb.Box(0, 0, 10_000, 10_000)  # 10 × 10 µm


@pytest.fixture
def layout():
    layout = kdb.Layout()
    layout.dbu = 1e-3
    layout.create_cell("TOP").shapes(layout.layer(1, 0)).insert(BOX)
    return layout


@pytest.fixture
def area(layout, tmp_path):
    """Write the layout and return the area that is read on layer 1."""

    def read(ending="gds", cell=None):
        path = tmp_path / f"film.{ending}"
        layout.write(str(path))
        return read_gds(path, cell, 1).geometry.area

    return read


@pytest.mark.parametrize(
    ("name", "right"), [("uturn", 1050), ("stub", 288), ("mix_dot", 116), ("dot_square", 4)]
)
def test_paths_that_cover_themselves_and_dots(name, right):
    path = DATA / f"{name}.gds"
    assert read_gds(path, None, 1).geometry.area == pytest.approx(right, rel=1e-12)


def add_notes(layout):
    """Notes on cells, which KLayout writes as references of a cell of its own."""
    layout.add_meta_info(kdb.LayoutMetaInfo("program", "a", None, True))
    for cell in layout.each_cell():
        cell.add_meta_info(kdb.LayoutMetaInfo("note", 3, None, True))


@pytest.mark.parametrize("ending", ["gds", "gds.gz", "oas"])
def test_notes_of_klayout_are_not_cells(ending, layout, area):
    part = layout.create_cell("PART")
    part.shapes(layout.layer(1, 0)).insert(BOX)
    layout.cell("TOP").insert(kdb.CellInstArray(part, kdb.Trans(30_000, 0)))
    add_notes(layout)
    assert area(ending) == pytest.approx(200, rel=1e-12)


def test_notes_of_klayout_are_no_choice(layout, area):
    layout.create_cell("OTHER").shapes(layout.layer(1, 0)).insert(BOX)
    add_notes(layout)
    with pytest.raises(StudyError, match=r"allowed: one of 'OTHER', 'TOP', by name"):
        area()
    with pytest.raises(
        StudyError, match=r"no cell '\$\$\$CONTEXT_INFO\$\$\$'; allowed: 'OTHER', 'T"
    ):
        area(cell="$$$CONTEXT_INFO$$$")


def test_notes_may_refer_to_cells_that_are_not_in_the_file(tmp_path):
    library = gdstk.Library()
    library.new_cell("TOP").add(gdstk.rectangle((0, 0), (2, 2), layer=1))
    library.new_cell("$$$CONTEXT_INFO$$$").add(gdstk.Reference("GONE"), gdstk.Reference("TOP"))
    library.write_gds(tmp_path / "film.gds")
    assert read_gds(tmp_path / "film.gds", None, 1).geometry.area == pytest.approx(4, rel=1e-12)


def test_top_cells_without_the_layer_are_no_choice(layout, area):
    layout.create_cell("UNUSED")
    layout.create_cell("LIBRARY").shapes(layout.layer(9, 0)).insert(BOX)
    layout.create_cell("LABELS").shapes(layout.layer(1, 0)).insert(kdb.Text("pin", kdb.Trans()))
    assert area() == pytest.approx(100, rel=1e-12)


@pytest.mark.parametrize("ending", ["gds", "oas"])
def test_labels_edges_and_boxes_without_area_do_not_matter(ending, layout, area):
    shapes = layout.cell("TOP").shapes(layout.layer(1, 0))
    shapes.insert(kdb.Text("pin", kdb.Trans(90_000, 5)))
    shapes.insert(kdb.Box(20_000, 0, 20_000, 0))
    shapes.insert(kdb.Box(20_000, 0, 30_000, 0))
    shapes.insert(kdb.Polygon([kdb.Point(x, 0) for x in (0, 50_000, 90_000)], True))
    assert area(ending) == pytest.approx(100, rel=1e-12)


def test_two_cells_of_one_name_are_refused(tmp_path):
    library = gdstk.Library()
    for width in (1, 2):
        library.add(gdstk.Cell("TOP").add(gdstk.rectangle((0, 0), (width, 1), layer=1)))
    library.write_gds(tmp_path / "film.gds")
    with pytest.raises(StudyError, match=r"film\.gds: has several cells 'TOP'; allowed: different"):
        read_gds(tmp_path / "film.gds", None, 1)


def test_paths_of_absolute_width_in_scaled_cells_are_refused(tmp_path):
    """Programs disagree on them: gdstk keeps the width, KLayout scales it."""
    line = gdstk.FlexPath([(0, 0), (9, 0)], 2, layer=1, simple_path=True, scale_width=False)
    for scale in (1.0, 2.0):
        library = gdstk.Library()
        part = library.new_cell("PART").add(line)
        library.new_cell("TOP").add(gdstk.Reference(part, magnification=scale))
        library.write_gds(tmp_path / f"{scale}.gds")
    assert read_gds(tmp_path / "1.0.gds", None, 1).geometry.area == pytest.approx(18, rel=1e-12)
    with pytest.raises(StudyError, match=r"cell 'PART' has a path of absolute width"):
        read_gds(tmp_path / "2.0.gds", None, 1)


def test_repeated_shapes_of_oasis_count_each_time(tmp_path):
    library = gdstk.Library()
    box = gdstk.rectangle((0, 0), (1, 1), layer=1)
    line = gdstk.FlexPath([(0, 9), (2, 9)], 0.5, layer=1, simple_path=True)
    for each in (box, line):
        each.repetition = gdstk.Repetition(columns=3, rows=2, spacing=(4, 30))
    library.new_cell("TOP").add(box, line)
    library.write_oas(tmp_path / "film.oas")
    assert read_gds(tmp_path / "film.oas", None, 1).geometry.area == pytest.approx(6 + 6)


@pytest.mark.parametrize("degrees", [0, 10, 45, 77, 90])
def test_holes_of_cells_that_are_turned(degrees, layout, area):
    """The two sides of the cut to a hole are not quite the same line after the turn."""
    part = layout.create_cell("PART")
    corners = [(-24_437, 0), (0, -10_000), (10_000, 0), (0, 10_000)]
    star = kdb.Polygon([kdb.Point(*corner) for corner in corners], True)
    star.insert_hole(kdb.Box(-2357, -2357, 2357, 2357))
    part.shapes(layout.layer(1, 0)).insert(star)
    for number in range(10):
        where = kdb.ICplxTrans(1.25, degrees, False, -200_000 * (number + 1), -123_456)
        layout.cell("TOP").insert(kdb.CellInstArray(part, where))
    one = 0.5 * 34.437 * 20 - 4.714**2
    # The cut begins on a slanted side, on the grid: off it by up to half a step of 1 nm.
    assert area() == pytest.approx(100 + 10 * 1.25**2 * one, rel=1e-4)


def test_packed_files_that_are_damaged_are_refused(layout, tmp_path):
    path = tmp_path / "film.gds.gz"
    layout.write(str(path))
    content = path.read_bytes()
    for spoilt in (content[:-20], content[:40] + b"spam" + content[44:]):
        path.write_bytes(spoilt)
        with pytest.raises(StudyError, match=r"film\.gds\.gz.*damaged"):
            read_gds(path, None, 1)


def test_packed_files_are_unpacked_up_to_a_limit(monkeypatch, tmp_path):
    monkeypatch.setattr("pearlfem.geometry.kinds.LARGEST", 1000)
    (tmp_path / "film.gds").write_bytes(gzip.compress(bytes(2000)))
    with pytest.raises(StudyError, match="more than 1,000 bytes when unpacked"):
        read_gds(tmp_path / "film.gds", None, 1)


def test_oasis_files_that_are_damaged_are_refused(layout, tmp_path):
    path = tmp_path / "film.oas"
    layout.write(str(path))
    content = np.frombuffer(path.read_bytes(), np.uint8)
    for length in (14, 30, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length].tobytes())
        with pytest.raises(StudyError, match=r"film\.oas: not a complete OASIS file, or a damaged"):
            read_gds(path, None, 1)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"HEADER 600 \nBGNLIB 1\n", "GDSII text"),
        (b"0\r\nSECTION\r\n2\r\nHEADER\r\n", "DXF"),
        (b"AC1032\0\0", "DWG"),
        (b"$MeshFormat\n4.1 0 8\n", "gmsh"),
        (b'<?xml version="1.0"?>\n<svg>', "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04", "ZIP"),
    ],
)
def test_other_files_are_called_by_their_kind(content, kind, tmp_path):
    for packed in (content, gzip.compress(content)):
        (tmp_path / "film.gds").write_bytes(packed)
        with pytest.raises(StudyError, match=rf"is a {kind} file; allowed: a GDSII or OASIS file"):
            read_gds(tmp_path / "film.gds", None, 1)


def test_messages_stay_short_whatever_is_in_the_file(layout, area, tmp_path):
    for number in range(300):
        layout.create_cell(f"A{number}" + 1000 * "X").shapes(layout.layer(1, 0)).insert(BOX)
    for cell in (None, "GONE"):
        with pytest.raises(StudyError, match="and 289 more") as error:
            area("oas", cell)
        assert len(str(error.value)) < 1500 + len(str(tmp_path))
