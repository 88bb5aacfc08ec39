"""The page of a result: what it says, that it trusts nothing and loads nothing, in a browser."""

import json
import math
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from decimal import Decimal
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.io.report.page import write_page
from pearlfem.io.report.text import bounded, heading, number, unit
from pearlfem.io.results.folder import held_folder, result_folder

VOID = {"meta", "link", "img", "br", "hr", "input"}
EVIL = "<script>document.title = 'owned'</script>"
MAGENTA = (255, 0, 255)
ENERGY = "mu0 Gamma^2 / L"

rng = np.random.default_rng(3)


def png(color, width=40, height=32):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress((b"\0" + bytes(color) * width) * height)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def symmetric(n, components=2):
    """A tensor with T_ij = T_jiᵀ."""
    T = rng.standard_normal((n, n, components, components))
    return T + T.transpose(1, 0, 3, 2)


def summary(**changed):
    content = {
        "schema": 1,
        "title": "a film",
        "converged": True,
        "units": {
            "length": "um",
            "field": "uT",
            "current": "uA",
            "sheet_current": "A/m",
            "flux": "Phi0",
            "moment": "A*m^2",
        },
        "temperature": None,
        "free_energy": {
            "value": 1112.8907134,
            "lower": 1112.5909618,
            "upper": 1113.190465,
            "unit": "meV",
        },
        "interaction": None,
        "magnetic_moment": [0.0, 0.0, 1.84e-14],
        "holes": [
            {
                "name": "loop",
                "current": 172.5,
                "flux": -0.25,
                "fluxoid": 1.0004,
                "fluxoid_asked": 1.0,
            }
        ],
        "order": None,
        "rounds": [],
        "cells": 12804,
        "dofs": 331345,
        "ranks": 2,
        "iterations": 22,
        "seconds": {"mesh": 1.0, "solve": 2.0, "total": 4.0},
        "versions": {"pearlfem": "0.1.0", "dolfinx": "0.11.0"},
    }
    return content | changed


def write(folder, content, study="[film]\n", name="summary.json"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    (folder / "study.toml").write_text(study)
    return folder


def write_impurities(folder, n):
    positions, angles = rng.uniform(-1, 1, (n, 2)), rng.uniform(0, 360, n)
    names = {"length": "um", "strength": "uA*um", "energy": "meV"}
    np.savez(
        folder / "interaction.npz",
        positions=positions,
        angles=angles,
        strengths=np.ones(n),
        sizes=np.full(n, 0.1),
        **{key: np.array(name) for key, name in names.items()},
    )
    return positions, angles


def page(folder):
    path = write_page(folder)
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


class Checker(HTMLParser):
    """Holds tags to be closed, and collects texts, tables, and all that names another file."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.cells = [], [], [], []
        self.texts = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href", "data", "action")]
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))
        if tag in ("td", "th"):
            self.cells.append("")
        if tag == "tr":
            self.cells.append("\n")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if any(tag in ("td", "th") for tag, _ in self.open):
            self.cells[-1] += data
        for _, name in self.open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data

    @property
    def rows(self):
        """Cells of all tables by the first cell of their row."""
        lines = "\0".join(self.cells).split("\n")
        cells = [[cell.strip() for cell in line.strip("\0").split("\0")] for line in lines]
        return {row[0]: row[1:] for row in cells if row}


def value(text):
    return float(text.replace("−", "-"))


# --- what it says


def test_page_of_a_result(tmp_path):
    study = 'title = "a film"\n[film]  # r0 < 1 & small\n'
    text = page(write(tmp_path / "result", summary(), study))
    found = Checker(text)
    assert found.texts["free-energy"] == "1112.891meV"
    assert (found.texts["lower"], found.texts["upper"]) == ("1112.590", "1113.191")
    assert found.rows["loop"] == ["172.5", "−0.25", "1.0004", "1"]
    assert found.rows["unknowns"][0] == "331\u202f345"
    assert found.rows["magnetic moment, zA·m²"] == ["1.84e−14"]
    assert found.rows["dolfinx"] == ["0.11.0"]
    assert study in found.texts["study"]
    assert "<h1>a film</h1>" in text
    assert 'fluxoid <span class="of">Φ₀</span>' in text


def test_page_has_all_numbers_and_tables_of_the_results(tmp_path):
    units = summary()["units"] | {"energy": "meV"}
    largest = [
        {"name": "film", "value": 12.5, "x": -0.25, "y": 1.0},
        {"name": "top", "value": None, "x": None, "y": None},
    ]
    content = summary(
        units=units, kinetic_energy=700.5, field_energy=None, largest_sheet_current=largest
    )
    text = page(write(tmp_path / "result", content))
    rows = Checker(text).rows
    assert rows["kinetic energy of the currentsmeV"] == ["700.5"]
    assert not [name for name in rows if name.startswith("energy of the currents' magnetic field")]
    assert rows["film"] == ["12.5", "−0.25", "1"]
    assert rows["top"] == ["–", "–", "–"]
    assert "<h2>Largest sheet current</h2>" in text
    assert '<section id="holes">' in text


@pytest.mark.parametrize(("side", "shown"), [("lower", "1.23456784"), ("upper", "1.23456785")])
def test_energy_that_is_a_bound_is_rounded_outward(tmp_path, side, shown):
    value = 1.234567845
    energy = {"value": value, "lower": None, "upper": None, "unit": "meV"} | {side: value}
    found = Checker(page(write(tmp_path / "result", summary(free_energy=energy))))
    assert found.texts["free-energy"] == f"{shown}meV"


def test_phases_have_bars_and_add_up(tmp_path):
    text = page(write(tmp_path / "result", summary()))
    widths = [float(width) for width in re.findall(r'<i style="width:([\d.]+)%">', text)]
    assert widths == [25.0, 50.0, 25.0]  # mesh, solve, everything else
    assert Checker(text).rows["everything else"][0] == "1.00 s"


def test_title_is_that_of_the_folder_if_there_is_none(tmp_path):
    assert "<h1>washer 3</h1>" in page(write(tmp_path / "washer 3", summary(title="")))


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"lower": 1.0, "upper": None}, "A lower bound."),
        ({"lower": None, "upper": 1.0}, "An upper bound."),
        ({"lower": None, "upper": None}, "An estimate"),
    ],
)
def test_page_tells_what_is_known_of_the_error(tmp_path, bounds, words):
    energy = {"value": 1.0, "unit": ENERGY} | bounds
    text = page(write(tmp_path / "result", summary(free_energy=energy)))
    assert words in text
    assert "Guaranteed between" not in text
    assert "μ₀\u202fΓ²/L" in text


def test_page_of_what_fell_short_says_so(tmp_path):
    rounds = [
        {"cells": 10, "dofs": 100, "lower": 1.0, "upper": 2.0, "error": 1.0, "seconds": 1.0},
        {"cells": 20, "dofs": 400, "lower": 1.4, "upper": 1.6, "error": 0.1, "seconds": 2.0},
    ]
    content = summary(converged=False, shortfall="max_dofs < 1", rounds=rounds)
    del content["iterations"]
    text = page(write(tmp_path / "result", content, name="partial.json"))
    assert "<b>Not converged.</b>" in text
    assert "max_dofs &lt; 1" in text
    assert Checker(text).rows["2"] == ["20", "400", "1.400", "1.600", "0.1", "2.0"]
    assert "Not converged" not in page(write(tmp_path / "result", summary()))  # summary.json wins


@pytest.mark.parametrize(("n", "components"), [(1, 2), (2, 2), (4, 2), (2, 3)])
def test_tensor_of_few_impurities_is_shown_with_its_bounds(tmp_path, n, components):
    T, axes = symmetric(n, components), "xyz"[:components]
    sides = {"tensor": T, "lower": T - 1e-4, "upper": T + 1e-4}
    interaction = {key: side.tolist() for key, side in sides.items()} | {"unit": "meV"}
    folder = write(tmp_path / "result", summary(interaction=interaction))
    positions, angles = write_impurities(folder, n)
    rows = Checker(page(folder)).rows
    found = [[value(cell) for cell in rows[f"{i + 1}{axis}"]] for i in range(n) for axis in axes]
    parts = range(components)
    expected = [[T[i, j, a, b] for j in range(n) for b in parts] for i in range(n) for a in parts]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    own = [value(cell) for cell in rows["self-energy 1, m along y"][1:]]
    np.testing.assert_allclose(own[0], T[0, 0, 1, 1] / 2, atol=1e-6)
    assert own[1] <= T[0, 0, 1, 1] / 2 - 0.5e-4 + 1e-15
    assert own[2] >= T[0, 0, 1, 1] / 2 + 0.5e-4 - 1e-15
    if n > 1:
        r, *entries, energy, gap = (value(cell) for cell in rows["1–2"])
        assert r == pytest.approx(math.dist(*positions[:2]), rel=1e-3)
        np.testing.assert_allclose(entries, T[0, 1].ravel(), rtol=1e-5)
        m = [np.array([math.cos(math.radians(a)), math.sin(math.radians(a))]) for a in angles]
        assert energy == pytest.approx(m[0] @ T[0, 1, :2, :2] @ m[1], rel=1e-5)
        assert gap == pytest.approx(2e-4, rel=0.1)


def test_tensor_of_many_impurities_is_summarised(tmp_path):
    n = 7
    T = symmetric(n)
    T[4, 2], T[2, 4] = [[50, 0], [0, 1]], [[50, 0], [0, 1]]
    interaction = {"tensor": T.tolist(), "lower": None, "upper": None, "unit": "meV"}
    folder = write(tmp_path / "result", summary(interaction=interaction))
    _, angles = write_impurities(folder, n)
    text = page(folder)
    rows = Checker(text).rows
    m = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in angles]
    energy = sum(
        m[i][a] * T[i, j, a, b] * m[j][b]
        for j in range(n)
        for i in range(j)
        for a in (0, 1)
        for b in (0, 1)
    )
    assert value(rows["energy of all pairs, moments as they are"][0]) == pytest.approx(energy)
    pairs = [name for name in rows if re.fullmatch(r"\d–\d", name)]
    assert pairs[0] == "3–5"
    assert len(pairs) == 12
    norms = [math.hypot(*(value(cell) for cell in rows[pair][1:5])) for pair in pairs]
    assert norms == sorted(norms, reverse=True)
    assert text.count("<circle") == n * (n - 1) // 2  # all couplings against distance


def test_ground_state_has_arrows_and_averages(tmp_path):
    n = 2
    mean = {"mean": 0.5, "error": 0.01, "sweeps": 2.0}
    names = ("energy", "specific_heat", "net_moment", "vorticity")
    thermal = [
        {"kT": kT, "unit": "meV", "acceptance": 0.5} | dict.fromkeys(names, mean)
        for kT in (10.0, 1.0)
    ]
    order = {
        "angles": [0.0, 90.0],
        "energy": {"value": -2.0, "lower": -2.500000001, "unit": "meV"},
        "degenerate": True,
        "starts": 20,
        "reached": 7,
        "parameters": {"net_moment": 0.7071},
        "thermal": thermal,
    }
    interaction = {"tensor": symmetric(n).tolist(), "lower": None, "upper": None, "unit": "meV"}
    folder = write(tmp_path / "result", summary(interaction=interaction, order=order))
    write_impurities(folder, n)
    text = page(folder)
    rows = Checker(text).rows
    assert rows["no state is below"] == ["−2.50000001"]
    assert rows["starts that reached it"] == ["7 of 20"]
    assert rows["net moment"] == ["0.7071"]
    assert text.count("<polygon") == n
    assert text.count("<svg") == 1 + 3


def test_probes_are_curves_maps_and_tables(tmp_path):
    folder = write(tmp_path / "result", summary())
    s = np.linspace(0, 1, 5)
    lines = [f"{x},{x},0,0.5,{np.sin(x)},nan" for x in s]
    (folder / "probe_up & down.csv").write_text(
        "\n".join(["s [um],x [um],y [um],z [um],Bz [uT],Kx [A/m]", *lines])
    )
    grid = [f"{x},{y},1.5,{x * y}" for y in range(4) for x in range(5)]
    (folder / "probe_squid.csv").write_text("\n".join(["x [um],y [um],z [um],flux [Phi0]", *grid]))
    (folder / "probe_cut.csv").write_text("start_x [um],current [uA]\n2.0,-172.4\n")
    text = page(folder)
    found = Checker(text)
    assert "<h3>up &amp; down</h3>" in text
    assert text.count("<svg") == 1  # K is nowhere known
    assert 'alt="map of flux"' in text
    assert "−172.4" in "".join(found.cells)
    assert text.count("data:image/png;base64,") == 1


def test_all_svg_is_well_formed(tmp_path):
    folder = write(tmp_path / "result", summary())
    lines = [f"{x},{x * 5e-8}" for x in range(100)]
    (folder / "probe_a.csv").write_text("\n".join([f"s [um],<b>{EVIL} [uT]", *lines]))
    (drawn,) = re.findall(r"<svg.*?</svg>", page(folder), re.DOTALL)
    root = ET.fromstring(drawn)
    texts = [element.text for element in root.iter("text")]
    assert f"<b>{EVIL}" in texts
    assert "[10⁻⁶ µT]" in texts
    assert texts[1:4] == ["0", "2", "4"]  # y = 0 to 4.95e-6


# --- it trusts and loads nothing


def test_texts_of_files_are_escaped(tmp_path):
    holes = [{"name": EVIL, "current": 1.0, "flux": 1.0, "fluxoid": 1.0}]
    content = summary(
        title=EVIL,
        holes=holes,
        versions={EVIL: f'"{EVIL}'},
        units=summary()["units"] | {"flux": EVIL},
        free_energy=summary()["free_energy"] | {"unit": EVIL},
        seconds={EVIL: 1.0, "total": 2.0},
    )
    folder = write(tmp_path / "result", content, study=f"# </pre>{EVIL}\n")
    (folder / f"probe_{EVIL.replace('/', '')}.csv").write_text(f"x,{EVIL}\n1,2\n")
    text = page(folder)
    assert "script" not in Checker(text).tags
    assert "<script" not in text.lower()
    assert "&lt;script&gt;" in text


def test_page_needs_no_other_file_and_no_script(tmp_path):
    folder = write(tmp_path / "result", summary())
    (folder / "film.png").write_bytes(png(MAGENTA))
    text = page(folder)
    found = Checker(text)
    assert len(found.links) == 1
    assert found.links[0].startswith("data:image/png;base64,")
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(found.tags)
    assert not re.search(r"https?:|@import|url\(|\son\w+=|javascript:", text)
    assert "default-src 'none'" in text


# --- files that are missing or damaged


def damage(text):
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("summary.json", b"{"),
        ("summary.json", b"\xff\xfe"),
        ("summary.json", json.dumps(summary(schema=2)).encode()),
        ("summary.json", json.dumps(summary(dofs="many")).encode()),
        ("summary.json", json.dumps(summary(free_energy={"value": float("nan")})).encode()),
        ("study.toml", None),
        ("interaction.npz", None),
        ("interaction.npz", b"PK\x03\x04 and no more"),
        ("film.png", png(MAGENTA)[:-5]),
        ("film.png", b"<svg/>"),
        ("probe_a.csv", b""),
        ("probe_a.csv", b"x,y\n1\n"),
        ("probe_a.csv", b"x,y\n1,two\n"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, content):
    interaction = {"tensor": symmetric(2).tolist(), "lower": None, "upper": None, "unit": "meV"}
    folder = write(tmp_path / "result", summary(interaction=interaction))
    write_impurities(folder, 2)
    write_page(folder)
    before = (folder / "report.html").read_bytes()
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(StudyError, match=re.escape(str(folder / name))):
        write_page(folder)
    assert (folder / "report.html").read_bytes() == before
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "shape", [(3, 3, 2, 2), (2, 2, 2), (2, 1, 2, 2), (2, 2, 2, 3), (2, 2, 4, 4)]
)
def test_tensor_that_does_not_fit_is_refused(tmp_path, shape):
    interaction = {"tensor": np.ones(shape).tolist(), "lower": None, "upper": None, "unit": "meV"}
    folder = write(tmp_path / "result", summary(interaction=interaction))
    write_impurities(folder, 2)
    with pytest.raises(StudyError, match=r"summary\.json: is damaged"):
        write_page(folder)


@pytest.mark.parametrize("name", ["empty", "nowhere", "file"])
def test_folder_without_result_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=f"{name}: holds no summary.json"):
        write_page(tmp_path / name)


def test_result_that_is_being_replaced_is_left_alone(tmp_path):
    folder = write(tmp_path / "result", summary())
    with held_folder(folder), pytest.raises(StudyError, match="writes to it"):
        write_page(folder)
    assert not (folder / "report.html").exists()


def test_new_result_removes_the_page_of_the_earlier_one(tmp_path):
    folder = write(tmp_path / "result", summary())
    write_page(folder)
    with result_folder(folder, force=True, comm=MPI.COMM_SELF) as stage:
        (stage / "summary.json").write_text("{}")
    assert [path.name for path in folder.iterdir()] == ["summary.json"]


def test_page_that_cannot_be_written_is_an_error(tmp_path):
    folder = write(tmp_path / "result", summary())
    (folder / "report.html").mkdir()
    with pytest.raises(StudyError, match=r"report\.html: cannot be written"):
        write_page(folder)


# --- numbers and units


def test_bounds_are_rounded_away_from_the_truth():
    for _ in range(2000):
        scale = 10.0 ** rng.integers(-25, 8)
        center = scale * rng.uniform(-10, 10)
        gap = abs(center) * 10.0 ** rng.uniform(-9, 1)
        lower, upper = center - gap / 2, center + gap / 2
        low, high = (
            Decimal(bounded(v, gap, side).replace("−", "-"))
            for v, side in ((lower, "lower"), (upper, "upper"))
        )
        assert low <= Decimal(repr(float(lower)))
        assert high >= Decimal(repr(float(upper)))
        assert high - low <= Decimal(1.05 * gap)


def test_number_without_gap_is_shown_as_it_is():
    assert bounded(1.25, None) == bounded(1.25, 0.0, "lower") == "1.25"
    assert number(None) == "–"
    assert number(-1.5e-7) == "−1.5e−7"
    assert number(1234567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("uT", "µT"), ("A*m^2", "A·m²"), ("Phi0", "Φ₀"), ("Gamma / L^2", "Γ/L²"), ("mu0", "μ₀")],
)
def test_units_are_written_with_greek_letters(given, expected):
    assert unit(given) == expected


def test_headings_have_names_and_units():
    assert heading("Bz [uT]") == ("Bz", "uT")
    assert heading("applied.field[2] [mT]") == ("applied.field[2]", "mT")
    assert heading("applied.field[2]") == ("applied.field[2]", "")


# --- in a browser


def test_browser_shows_picture_and_numbers_and_runs_nothing(tmp_path, browser):
    folder = write(tmp_path / "result", summary(title=EVIL))
    (folder / "film.png").write_bytes(png(MAGENTA, 400, 320))
    page(folder)
    address = (folder / "report.html").as_uri()

    seen = Checker(browser("--dump-dom", address).strip())
    assert "script" not in seen.tags
    assert seen.texts["free-energy"] == "1112.891meV"
    assert seen.rows["loop"] == ["172.5", "−0.25", "1.0004", "1"]

    shot = tmp_path / "shot.png"
    browser(f"--screenshot={shot}", "--window-size=1200,1600", address)
    pixels = (255 * matplotlib.image.imread(shot)[..., :3]).round()
    assert pixels.shape == (1600, 1200, 3)
    rows, columns = np.nonzero((pixels == MAGENTA).all(axis=2))
    assert np.ptp(columns) == pytest.approx(760, abs=3)  # px, as the style says; the data are seen
    assert np.ptp(rows) == pytest.approx(760 * 320 / 400, abs=3)
    assert columns.min() == pytest.approx((1200 - 1176) / 2 + 28, abs=2)  # margins
    assert (pixels[-1] == 255).mean() > 0.5  # paper is white
