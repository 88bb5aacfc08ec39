"""The study in a result's folder: files by relative paths come along, and the text names them."""

import os

import pytest

from pearlfem.io.results.study import write_study
from pearlfem.study.study import parse_study, read_study

CSV = "x,y\n0.1,0.2\n-0.3,0.1\n"
TEXT = """\
title = "drawn"  # a comment
[film]
pearl_length = 1.0
shape = "union"
parts = [{ shape = "disc", radius = 1.0 }, { shape = "dxf", file = '../b/a.dxf', layer = "0" }]
[[film.hole]]
name = "h"
shape = "dxf"
file = "a.dxf"
layer = "0"
[impurities]
size = 0.0
file = "sites.csv"  # stays
"""


def draw(path, x, radius):
    import ezdxf

    drawing = ezdxf.new()
    drawing.modelspace().add_circle((x, 0.0), radius)
    drawing.saveas(path)


@pytest.fixture
def study(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    draw(tmp_path / "b" / "a.dxf", 0.9, 0.5)
    draw(tmp_path / "a" / "a.dxf", 0.6, 0.1)
    (tmp_path / "a" / "sites.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "a" / "given.toml").write_text(TEXT, encoding="utf-8")
    return read_study(tmp_path / "a" / "given.toml")


def test_result_can_be_read_where_it_lies(study, tmp_path):
    result = tmp_path / "result"
    result.mkdir()
    write_study(result, study)
    names = {"study.toml", "study_1_a.dxf", "study_2_a.dxf", "study_3_sites.csv"}
    assert set(os.listdir(result)) == names
    moved = result.rename(tmp_path / "elsewhere")
    for name in ("a/a.dxf", "b/a.dxf", "a/sites.csv"):
        (tmp_path / name).unlink()
    again = read_study(moved / "study.toml")
    assert again.impurities == study.impurities
    assert again.film.outline().equals(study.film.outline())


def test_text_stays_as_it_is_but_for_the_names(study, tmp_path):
    write_study(tmp_path, study)
    expected = TEXT.replace("'../b/a.dxf'", '"study_1_a.dxf"').replace('"a.dxf"', '"study_2_a.dxf"')
    expected = expected.replace('"sites.csv"', '"study_3_sites.csv"')
    found = (tmp_path / "study.toml").read_text(encoding="utf-8")
    assert found.replace("'", '"') == expected.replace("'", '"')


def test_copies_of_copies_keep_their_names(study, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, study)
        study = read_study(tmp_path / name / "study.toml")
    one, two = (sorted(os.listdir(tmp_path / name)) for name in ("one", "two"))
    assert one == two


def test_study_without_files_is_written_as_it_is(tiny_study, tmp_path):
    write_study(tmp_path, parse_study(tiny_study))
    assert os.listdir(tmp_path) == ["study.toml"]
    assert (tmp_path / "study.toml").read_text(encoding="utf-8") == tiny_study


def test_absolute_paths_stay(tmp_path, tiny_study):
    sites = tmp_path / "sites.csv"
    sites.write_text(CSV, encoding="utf-8")
    text = tiny_study + f"[impurities]\nsize = 0.4\nfile = {str(sites)!r}\n"
    write_study(tmp_path, parse_study(text))
    assert (tmp_path / "study.toml").read_text(encoding="utf-8") == text
    assert sorted(os.listdir(tmp_path)) == ["sites.csv", "study.toml"]
