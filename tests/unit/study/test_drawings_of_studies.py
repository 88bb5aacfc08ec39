"""Drawings in study files: their units, sizes and gaps, and what a warning looks like."""

import shutil
import warnings
from pathlib import Path

import ezdxf
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import DrawingWarning
from pearlfem.model.film import Film
from pearlfem.study.study import parse_study

DATA = Path(__file__).parents[2] / "data" / "drawings"
METRES = "micrometre_header_metre"  # a film of 20 × 20, whose header says metres
REST = "pearl_length = 10.0\n[applied]\nfield = [0.0, 0.0, 1.0]\n"


def film(keys: str, units: str = "um", name: str = METRES) -> Film:
    table = f'[units]\nlength = "{units}"\n' if units else ""
    text = f'{table}[film]\nshape = "dxf"\nfile = "{name}.dxf"\nlayer = "FILM"\n{keys}\n'
    return parse_study(text + REST, folder=DATA).film


def width(drawn: Film) -> float:
    left, _, right, _ = drawn.shape.outline().bounds
    return right - left


def test_size_that_no_film_has_is_refused_with_the_unit_and_the_remedy():
    with pytest.raises(StudyError) as error:
        film("")
    for words in (
        "is 20 m in size: 20 units of 1 m each, as the file says",
        "allowed: 1e-09 m to 0.3 m",
        'unit = "1 um"',
    ):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("keys", "units", "right"),
    [
        ('unit = "1 um"', "um", 20),
        ('unit = "1 um"', "mm", 0.02),
        ("unit = 0.5", "um", 10),
        ("unit = 0.5", "", 10),
        ("", "", 20),  # without units, lengths are taken as they are
    ],
)
def test_unit_of_the_study_goes_before_that_of_the_file(keys, units, right):
    assert width(film(keys, units)) == pytest.approx(right, rel=1e-12)


def test_unit_of_layouts_too(tmp_path):
    shutil.copy(DATA / "stub.gds", tmp_path / "film.gds")
    text = '[units]\nlength = "um"\n[film]\nshape = "gds"\nfile = "film.gds"\nlayer = 1\n'
    sizes = [
        width(parse_study(text + keys + REST, folder=tmp_path).film)
        for keys in ("", 'unit = "1 nm"\n')
    ]
    assert sizes == pytest.approx([42, 0.042], rel=1e-12)


def test_tolerance_closes_gaps(tmp_path):
    document = ezdxf.new("R2013", units=13)
    corners = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0.01)]
    document.modelspace().add_lwpolyline(corners, dxfattribs={"layer": "FILM"})
    document.saveas(tmp_path / "film.dxf")
    text = '[film]\nshape = "dxf"\nfile = "film.dxf"\nlayer = "FILM"\n'
    with pytest.raises(StudyError, match=r"closed curves \(the key `tolerance` of the study"):
        parse_study(text + REST, folder=tmp_path)
    film = parse_study(text + "tolerance = 0.02\n" + REST, folder=tmp_path).film
    assert film.shape.outline().area == pytest.approx(100, abs=0.1)
    with pytest.raises(StudyError, match=r"film\.tolerance = 0.*: .*greater than 0"):
        parse_study(text + "tolerance = 0\n" + REST, folder=tmp_path)


def test_polygon_with_a_cut_line_has_a_hole():
    points = "[0,0],[0,13],[7,13],[7,7],[13,7],[13,13],[0,13],[0,20],[20,20],[20,0]"
    washer = parse_study(f'[film]\nshape = "polygon"\npoints = [{points}]\n' + REST).film
    assert washer.shape.outline().area == pytest.approx(364, rel=1e-12)
    assert [opening.name for opening in washer.openings] == ["hole 1"]


def test_command_line_shows_warnings_in_plain_words(call, monkeypatch, tmp_path):
    """Without the place in the program that Python adds."""
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    text = f'[film]\nshape = "dxf"\nfile = "{DATA}/spline.dxf"\nlayer = "FILM"\n' + REST
    (tmp_path / "device.toml").write_text(text)
    (tmp_path / "out").write_text("a file in the place of the folder")
    with pytest.warns(DrawingWarning) as found:
        code, _, _ = call("run", "device.toml", "--out", "out")
    assert code == 2
    [warning] = found
    line = warnings.formatwarning(warning.message, DrawingWarning, "file.py", 1)
    assert line.startswith("pearlfem: warning: ")
    assert line.endswith("a SPLINE at (20, 5) has no length; it is left out\n")
