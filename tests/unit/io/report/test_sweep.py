"""The page of a sweep: from its table and folders alone."""

import csv
import json
import math
import re
from html import unescape

import matplotlib.image
import pytest

from pearlfem.errors import StudyError
from pearlfem.io.report import sweep
from pearlfem.io.report.page import write_page

EVIL = "<script>alert(1)</script>"
SUMMARY = {
    "schema": 1,
    "title": "",
    "converged": True,
    "units": {},
    "temperature": None,
    "free_energy": {"value": 1.0, "lower": None, "upper": None, "unit": "J"},
    "interaction": None,
    "magnetic_moment": None,
    "holes": [],
    "order": None,
    "rounds": [],
    "cells": 1,
    "dofs": 2,
    "ranks": 1,
    "iterations": 3,
    "seconds": {},
    "versions": {"pearlfem": "9.8.7"},
}


def write(folder, table, study='title = "many films"\n'):
    """A sweep with ``table``: a list of rows, of which the first has the names of the columns."""
    folder.mkdir()
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    (folder / "sweep.toml").write_text(study)
    for point, *_ in table[1:]:
        (folder / f"{point:04}").mkdir()
        (folder / f"{point:04}" / "summary.json").write_text(json.dumps(SUMMARY))
    return folder


def energy(r0, angle):
    return r0 * (2 + math.cos(math.radians(angle)))


R0, ANGLES = (0.1, 1.0, 10.0), (0, 60, 120, 180)
NAMES = ["film.pearl_length [L]", "impurity 2.angle"]
RESULTS = [
    "free_energy [J]",
    "free_energy.lower [J]",
    "free_energy.upper [J]",
    "T_xx 1-1 [J]",
    "dofs",
]


def grid():
    rows = [["point", *NAMES, *RESULTS]]
    for r0 in R0:
        for angle in ANGLES:
            F = energy(r0, angle)
            rows.append([len(rows), r0, angle, F, F - 0.1 * r0, F + 0.1 * r0, 2 * r0, 1000])
    return rows


def test_grid_has_a_curve_for_each_combination_of_the_others(tmp_path):
    content = sweep.sweep_content(write(tmp_path / "s", grid()))
    assert content["title"] == "many films"
    assert content["parameters"] == NAMES
    against_r0, against_angle = content["curves"]
    # T depends on r0 only, dofs on nothing; bounds belong to their number
    assert [chart.title for chart in against_r0.charts] == ["free energy", "T_xx 1-1"]
    assert [chart.title for chart in against_angle.charts] == ["free energy"]
    (chart,) = against_angle.charts
    labels = [f"film.pearl_length = {r0:g}" for r0 in R0]
    assert [curve.label for curve in chart.curves] == labels
    assert all(len(curve.marks) == len(ANGLES) and curve.band for curve in chart.curves)
    top = [min(y for _, y in curve.marks) for curve in chart.curves]
    assert top == sorted(top, reverse=True)  # more energy is higher up
    steps = {
        round(b[0] - a[0], 3)
        for a, b in zip(chart.curves[0].marks, chart.curves[0].marks[1:], strict=False)
    }
    assert len(steps) == 1  # 0, 60, 120, 180


def test_order_of_the_rows_does_not_matter(tmp_path):
    rows = grid()
    mixed = [rows[0], *rows[:0:-2], *rows[-2:0:-2]]
    first = sweep.sweep_content(write(tmp_path / "s", rows))
    second = sweep.sweep_content(write(tmp_path / "t", mixed))
    assert first["curves"] == second["curves"]


def test_parameters_that_vary_together_make_one_curve(tmp_path):
    rows = [["point", *NAMES, "free_energy [J]"]]
    rows += [[k, k, 10 * k, k**2] for k in (3, 1, 2)]
    for curves in sweep.sweep_content(write(tmp_path / "s", rows))["curves"]:
        (chart,) = curves.charts
        (curve,) = chart.curves
        assert [x for x, _ in curve.marks] == sorted(x for x, _ in curve.marks)
        assert len(curve.marks) == 3


def test_texts_tell_curves_apart_but_are_no_axis(tmp_path):
    rows = [["point", "boundary.kind", "film.pearl_length [L]", "free_energy [J]"]]
    rows += [
        [k, kind, r0, k]
        for k, (kind, r0) in enumerate([("open", 1), ("open", 2), ("shield", 1), ("shield", 2)], 1)
    ]
    (curves,) = sweep.sweep_content(write(tmp_path / "s", rows))["curves"]
    assert curves.parameter == "film.pearl_length [L]"
    labels = [curve.label for curve in curves.charts[0].curves]
    assert labels == ["boundary.kind = open", "boundary.kind = shield"]


def test_many_curves_are_thinned_out_and_counted(tmp_path):
    rows = [["point", *NAMES, "free_energy [J]"]]
    rows += [[20 * i + j + 1, 1 + i, j, i + j] for i in range(3) for j in range(20)]
    content = sweep.sweep_content(write(tmp_path / "s", rows))
    against_r0 = content["curves"][0]
    assert (against_r0.lines, against_r0.lines_left_out) == (20, 12)
    labels = [curve.label for curve in against_r0.charts[0].curves]
    assert (labels[0], labels[-1]) == ("impurity 2.angle = 0", "impurity 2.angle = 19")


def test_points_that_lack_a_number_leave_a_gap(tmp_path):
    rows = [["point", "film.pearl_length [L]", "free_energy [J]", "hole: flux [Phi0]"]]
    rows += [[1, 1, 1, 0.5], [2, 2, 2, ""], [3, 3, 3, 0.7]]
    (curves,) = sweep.sweep_content(write(tmp_path / "s", rows))["curves"]
    _, flux = curves.charts
    assert len(flux.curves[0].marks) == 2


def test_page_has_points_with_links_failures_and_versions(tmp_path):
    folder = write(tmp_path / "s", grid())
    (folder / "0002" / "report.html").write_text("")
    (folder / "0013").mkdir()
    (folder / "0013" / "failed.txt").write_text(f"the solver stopped {EVIL}\n")
    text = write_page(folder).read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"]*)">(\d+)</a>', text)
    assert links[:3] == [("0001/", "0001"), ("0002/report.html", "0002"), ("0003/", "0003")]
    assert len(links) == 12
    assert f"the solver stopped {EVIL}" in unescape(text)
    assert "<script" not in text
    assert "9.8.7" in text
    assert "many films" in text
    assert not re.search(r"https?:|url\(|<img|<link", text)


def test_bounds_in_the_table_are_rounded_outward(tmp_path):
    value = 1.234567845
    rows = [["point", "angle", "free_energy [J]", "free_energy.lower [J]", "free_energy.upper [J]"]]
    rows += [[1, 2, 1.5, value, value]]
    text = write_page(write(tmp_path / "s", rows)).read_text(encoding="utf-8")
    assert "<td>1.5</td><td>1.23456784</td><td>1.23456785</td>" in text


def test_names_in_the_table_are_escaped(tmp_path):
    rows = [["point", f"a{EVIL} [{EVIL}]", "free_energy [J]", f"{EVIL}: flux [{EVIL}]"]]
    rows += [[1, 1, 1, 1], [2, 2, 2, 2]]
    text = write_page(write(tmp_path / "s", rows, f'title = "{EVIL}"')).read_text(encoding="utf-8")
    assert "<script" not in text
    assert unescape(text).count(EVIL) >= 5


def test_sweep_of_one_point_has_no_curves(tmp_path):
    rows = [["point", "film.pearl_length [L]", "free_energy [J]"], [1, 1, 1]]
    folder = write(tmp_path / "s", rows)
    assert sweep.sweep_content(folder)["curves"] == []
    assert "No parameter has two values" in write_page(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv", None),
        ("table.csv", ""),
        ("table.csv", "a,b\n1,2\n"),
        ("table.csv", "point,x\n1,2\n"),
        ("table.csv", "point,x,free_energy [J]\n1,2\n"),
        ("table.csv", "point,x,free_energy [J]\n../..,2,3\n"),
        ("table.csv", "point,x,x,free_energy [J]\n1,2,3,4\n"),
        ("sweep.toml", None),
        ("sweep.toml", "title ="),
        ("0001/summary.json", "{}"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, content):
    folder = write(tmp_path / "s", grid())
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(StudyError, match=re.escape(str(folder / name))):
        write_page(folder)
    assert not (folder / "report.html").exists()


def test_browser_shows_curves_and_points(tmp_path, browser):
    folder = write(tmp_path / "s", grid())
    address = write_page(folder).as_uri()
    seen = browser("--dump-dom", address)
    assert seen.count("<svg") == 3
    assert seen.count("<a href") == 12
    shot = tmp_path / "shot.png"
    browser(f"--screenshot={shot}", "--window-size=1200,1600", address)
    pixels = (255 * matplotlib.image.imread(shot)[..., :3]).round().astype(int)
    # Of each colour of a curve there is enough for its legend, three lines and their marks.
    for color in ("0b5fa5", "d1495b", "2a9d6f"):
        rgb = tuple(bytes.fromhex(color))
        assert (pixels == rgb).all(axis=2).sum() > 300
