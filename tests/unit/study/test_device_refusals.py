"""Devices that are refused: exit code 2 and a message with name, coordinates and what is allowed.

Islands without a source are allowed, with a warning.
"""

import json
import re

import ezdxf
import gdstk
import pytest

SQUARE = """\
[film]
shape = "rectangle"
size = [4.0, 4.0]
pearl_length = 1.0
"""
PLANE = """\
[film]
shape = "plane"
pearl_length = 1.0
"""
FIELD = "[applied]\nfield = [0.0, 0.0, 1.0]\n"
UNITS = '[units]\nlength = "um"\nfield = "uT"\ncurrent = "uA"\n'
IMPURITY = "[[impurity]]\nposition = [1.5, 1.5]\nsize = 0.1\n"


def hole(name, radius, x, y=0.0):
    return (
        f'[[film.hole]]\nname = "{name}"\nshape = "disc"\nradius = {radius}\ncenter = [{x}, {y}]\n'
    )


def region(radius, x, y=0.0):
    return (
        f'[[film.region]]\nshape = "disc"\nradius = {radius}\ncenter = [{x}, {y}]\n'
        "pearl_length = 2.0\n"
    )


def polygon(points):
    return f'[film]\nshape = "polygon"\npoints = {points}\npearl_length = 1.0\n'


EYE = hole("eye", 0.5, 0.5)
# What is written, and in which words it is refused.
REFUSED = {
    "hole outside": (
        SQUARE + hole("eye", 0.5, 5.0) + FIELD,
        r"hole 'eye': .* at \(5\.5, .*allowed",
    ),
    "hole across the edge": (
        SQUARE + hole("eye", 0.5, 0.0, -1.8) + FIELD,
        r"hole 'eye': .*leaves or touches the rectangle .* at \(.*, -2\.3\); allowed",
    ),
    "hole that touches the edge": (
        SQUARE + hole("eye", 0.5, 1.5) + FIELD,
        r"hole 'eye': .*leaves or touches .* at \(2, .*allowed: a hole inside the film",
    ),
    "holes that overlap": (
        SQUARE + EYE + hole("other", 0.5, -0.3) + FIELD,
        r"hole 'other': .*overlaps or touches hole 'eye' at \(.*, .*\); allowed: holes apart",
    ),
    "holes that touch": (
        SQUARE + EYE + hole("other", 0.5, -0.5) + FIELD,
        r"hole 'other': .*overlaps or touches hole 'eye' at \((0|-0|.*e-\d+), .*\); allowed",
    ),
    "holes of one name": (
        SQUARE + EYE + hole("eye", 0.5, -1.0) + FIELD,
        r"film\.hole: names \['eye', 'eye'\]: not allowed; allowed: different names",
    ),
    "vortex in a hole": (
        SQUARE + EYE + "[[vortex]]\nposition = [0.6, 0.0]\nsize = 0.1\n",
        r"vortex 1: position = \[0\.6, 0\.0\] lies in hole 'eye'; allowed",
    ),
    "vortex outside": (
        SQUARE + "[[vortex]]\nposition = [0.0, 2.5]\nsize = 0.1\n",
        r"vortex 1: position = \[0\.0, 2\.5\] lies outside the film; allowed",
    ),
    "impurity in a hole": (
        SQUARE + EYE + IMPURITY + "[[impurity]]\nposition = [0.5, 0.1]\nsize = 0.1\n",
        r"impurity 2: position = \[0\.5, 0\.1\] lies in hole 'eye'; allowed",
    ),
    "impurity between islands": (
        '[film]\nshape = "union"\npearl_length = 1.0\nparts = ['
        '{shape = "disc", radius = 1.0}, {shape = "disc", radius = 1.0, center = [3.0, 0.0]}]\n'
        "[[impurity]]\nposition = [1.5, 0.0]\nsize = 0.1\n",
        r"impurity 1: position = \[1\.5, 0\.0\] lies outside the film; allowed",
    ),
    "polygon that crosses itself": (
        polygon("[[0, 0], [2, 2], [2, 0], [0, 2]]") + FIELD,
        r"film\.points: polygon: crosses or touches itself at \(1, 1\); allowed",
    ),
    "polygon that is open": (
        polygon("[[0, 0], [2, 2]]") + FIELD,
        r"film\.points = .*allowed: a list of 3 or more values",
    ),
    "polygon without area": (
        polygon("[[0, 0], [1, 0], [2, 0]]") + FIELD,
        r"film\.points: polygon: .*\(.*\); allowed",
    ),
    "hole that crosses itself": (
        SQUARE
        + '[[film.hole]]\nname = "eye"\nshape = "polygon"\n'
        + "points = [[0, 0], [1, 1], [1, 0], [0, 1]]\n"
        + FIELD,
        r"film\.hole 1\.points: polygon: crosses or touches itself at \(0\.5, 0\.5\); allowed",
    ),
    "region outside": (
        SQUARE + region(0.5, 0.0) + region(0.5, 1.8) + FIELD,
        r"film\.region 2: the disc .* leaves the rectangle .* at \(2\.3, .*\); allowed",
    ),
    "uniform field on the plane": (
        PLANE + FIELD,
        r"applied\.field = \[0\.0, 0\.0, 1\.0\]: no finite answer on the whole plane; allowed: a",
    ),
    "net vorticity on the plane": (
        PLANE + "[[vortex]]\nposition = [0.0, 0.0]\nsize = 0.1\nwinding = 2\n",
        r"vortex: the windings add up to 2 on the whole plane.*; allowed: windings that add up to",
    ),
    "net fluxoid on the plane": (
        PLANE + EYE + "fluxoid = 1\n" + IMPURITY,
        r"the windings add up to 1 on the whole plane",
    ),
    "no source": (SQUARE + EYE, r"impurity: none given; a study needs at least one source"),
    "field in place of a length": (
        UNITS + SQUARE.replace("pearl_length = 1.0", 'pearl_length = "3 mT"') + FIELD,
        r"film\.pearl_length = '3 mT': .*'mT' is a magnetic field, but a length is needed",
    ),
    "length in place of a field": (
        UNITS + SQUARE + '[applied]\nfield = ["0 uT", "0 uT", "5 um"]\n',
        r"applied\.field\[2\] = '5 um': .*'um' is a length, but a magnetic field is needed",
    ),
    "text without units": (
        SQUARE.replace("pearl_length = 1.0", 'pearl_length = "3 um"') + FIELD,
        r"film\.pearl_length = '3 um': .*units",
    ),
    "fluxoid that is no whole number": (
        SQUARE + EYE + "fluxoid = 0.5\n" + FIELD,
        r"film\.hole 1\.fluxoid = 0\.5: .*integer",
    ),
    "hole without a name": (
        SQUARE + EYE.replace('name = "eye"\n', "") + FIELD,
        r"film\.hole 1\.name: missing",
    ),
    "hole as wide as the plane": (
        SQUARE + '[[film.hole]]\nname = "eye"\nshape = "plane"\n' + FIELD,
        r"film\.hole 1\.shape = 'plane': not allowed; allowed: 'disc'",
    ),
    "unknown key of a hole": (
        SQUARE + EYE + "spam = 1\n" + FIELD,
        r"film\.hole 1\.spam = 1: .*fluxoid",
    ),
    "unknown key of a vortex": (
        SQUARE + "[[vortex]]\nposition = [0.0, 0.0]\nsize = 0.1\nspam = 1\n",
        r"vortex 1\.spam = 1: .*winding",
    ),
}


@pytest.fixture
def refuse(call, no_mesh, tmp_path):
    """Refuse a study before anything is meshed; return the message."""

    def refused(text):
        (tmp_path / "device.toml").write_text(text)
        code, out, err = call("run", "device.toml", "--out", "out")
        assert code == 2
        assert out == ""
        assert err.startswith("pearlfem: device.toml: ")
        assert "Traceback" not in err
        assert not (tmp_path / "out").exists()
        return err

    return refused


@pytest.mark.parametrize("case", REFUSED)
def test_device_is_refused_with_its_name_and_place(refuse, case):
    text, message = REFUSED[case]
    assert re.search(message, refuse(text))


# --- files


def test_empty_layer_of_a_gds_file_is_refused(refuse, tmp_path):
    library = gdstk.Library(unit=1e-6, precision=1e-9)
    library.new_cell("TOP").add(gdstk.rectangle((0, 0), (4, 4), layer=1))
    library.write_gds(tmp_path / "film.gds")
    film = '[film]\nshape = "gds"\nfile = "film.gds"\nlayer = {}\npearl_length = 1.0\n'
    message = refuse(film.format(7) + FIELD)
    assert "film.gds" in message
    assert re.search(r"layer.*7.*allowed.*1|layer.*7.*has.*1", message)


@pytest.mark.parametrize("text", [b"", b"not a drawing"])
def test_file_that_is_no_drawing_is_refused(refuse, tmp_path, text):
    (tmp_path / "film.gds").write_bytes(text)
    film = '[film]\nshape = "gds"\nfile = "film.gds"\nlayer = 1\npearl_length = 1.0\n'
    assert "film.gds" in refuse(film + FIELD)
    (tmp_path / "film.gds").unlink()
    assert "film.gds" in refuse(film + FIELD)


def test_open_line_of_a_dxf_file_is_refused_with_its_place(refuse, tmp_path):
    document = ezdxf.new("R2013", units=13)
    points = [(0, 0), (4, 0), (4, 3)]
    document.modelspace().add_lwpolyline(points, close=False, dxfattribs={"layer": "FILM"})
    document.saveas(tmp_path / "film.dxf")
    film = '[film]\nshape = "dxf"\nfile = "film.dxf"\nlayer = "FILM"\npearl_length = 1.0\n'
    message = refuse(film + FIELD)
    assert "film.dxf" in message
    assert re.search(r"open.*\((0, 0|4, 3)\)|\((0, 0|4, 3)\).*open", message)


# --- islands without a source

ISLANDS = """\
[film]
shape = "union"
pearl_length = 1.0
parts = [
  {shape = "rectangle", size = [1.0, 1.0]},
  {shape = "rectangle", size = [1.0, 1.0], center = [2.0, 0.5]},
]
[[impurity]]
position = [0.0, 0.0]
size = 0.4
[mesh]
resolution = 0.15
far = 3.0
[solve]
degree = 1
[output]
fields = "none"
picture = false
"""


def test_island_without_a_source_is_allowed_with_a_warning(call, tmp_path):
    (tmp_path / "islands.toml").write_text(ISLANDS)
    code, out, err = call("run", "islands.toml", "--out", "out")
    assert (code, err) == (0, "")
    assert "warning: no source on the island of the film around (2, 0.5)" in out
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["converged"]


def test_field_reaches_all_islands(call, tmp_path):
    (tmp_path / "islands.toml").write_text(ISLANDS + FIELD)
    code, out, _ = call("run", "islands.toml", "--out", "out")
    assert code == 0
    assert "warning" not in out
