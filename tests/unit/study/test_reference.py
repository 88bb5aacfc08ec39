"""The page demos/STUDY.md: its tables are those of the schema, and its examples work."""

import importlib.util
import re
import tomllib
from pathlib import Path

import gdstk
import pytest
import tomlkit

import pearlfem
from pearlfem.errors import StudyError
from pearlfem.study import expressions
from pearlfem.study.study import parse_study, read_study
from pearlfem.study.sweep import read_sweep

ROOT = Path(pearlfem.__file__).parents[1]
PAGE = ROOT / "demos" / "STUDY.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
# What is added to an example that is only a part of a study.
REST = {
    "film": {"shape": "disc", "radius": 2.0, "pearl_length": 1.0},
    "impurity": [{"position": [0.013, 0.007], "size": 0.1}],
}


@pytest.fixture(scope="module")
def reference():
    path = ROOT / ".site" / "study_reference.py"
    specification = importlib.util.spec_from_file_location("study_reference", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def keys_on_page():
    """The keys of each table on the page, by the names of the classes that it has."""
    tables = re.findall(r"<!-- keys of (.*?) -->\n((?:\|.*\n)*)", TEXT)
    return {names: re.findall(r"^\| \**`(\w+)", rows, re.MULTILINE) for names, rows in tables}


# --- tables of keys


def test_page_is_what_the_script_makes_now(reference):
    assert reference.page(TEXT) == TEXT


def test_every_key_of_every_table_is_on_the_page(reference):
    known = reference.tables()
    on_page = keys_on_page()
    assert sorted(name for names in on_page for name in names.split()) == sorted(known)
    for names, keys in on_page.items():
        nodes = [item for name in names.split() for item in known[name].keys.items()]
        assert sorted(keys) == sorted(node.tag if node.inline else key for key, node in nodes)


def test_page_without_a_table_is_refused(reference):
    with pytest.raises(ValueError, match="MeshOptions"):
        reference.page(TEXT.replace("<!-- keys of MeshOptions -->", ""))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("Vortex", "`position` | length | needed | list of 2 numbers | Centre (x, y)."),
        (
            "SolveOptions",
            "`degree` |  | `3` | integer from 1 to 3 | Polynomial degree of the elements.",
        ),
        ("Vortex", "`winding` |  | `1` | integer ≠ 0 | n, of either sign, not zero."),
        (
            "UnionTable",
            "`parts` |  | needed | list of 1 or more tables | The shapes, a table for each.",
        ),
        ("RectangleTable", "`angle` | degrees | `0.0` | number | Angle by which it is turned"),
        ("FilmTable", '`shape` |  | needed | `"plane"`, `"disc"`, `"rectangle"`, '),
        (
            "FilmTable",
            "`pearl_length` | length | needed | number > 0 or table | r0 = 2λ²/d at T = 0;",
        ),
        ("LineProbe", "`end` | length | needed | list of 2 to 3 numbers | "),
        ("DiscTable", '**`shape = "disc"`** | | | | **A disc.** |'),
        ("RangeTable", "`start` |  | needed | number or text | "),
    ],
)
def test_row_tells_unit_default_range_and_meaning(reference, table, row):
    assert f"| {row}" in "".join(reference.rows_of(reference.tables()[table]))


def test_key_without_a_line_is_refused(reference):
    class Undescribed:
        """A table."""

    Undescribed.__module__ = "pearlfem.study.tables"
    with pytest.raises(KeyError, match="spam"):
        reference.described({"properties": {"spam": {}}}, Undescribed)


# --- examples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "sites.csv").write_text("x,y,size\n0.5,0.5,0.2\n-0.5,0.5,0.3\n")
    library = gdstk.Library(unit=1e-6, precision=1e-9)
    library.new_cell("TOP").add(gdstk.rectangle((-1, -1), (1, 1), layer=1))
    library.write_gds(folder / "film.gds")
    return folder


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.startswith("# refused")])
def test_example_is_a_study_or_a_part_of_one(folder, example):
    content = tomllib.loads(example)
    path = folder / "study.toml"
    complete = content.keys() >= REST.keys()
    path.write_text(example if complete else tomlkit.dumps(REST | content))
    if "sweep" in content:
        assert len(read_sweep(path).points) == 28  # as the page says
    else:
        assert read_study(path).sources


def test_examples_have_every_table():
    used = {key for example in EXAMPLES for key in tomllib.loads(example)}
    assert set(keys_on_page()["StudyTable"]) <= used


def test_message_on_the_page_is_that_of_the_example():
    example = next(each for each in EXAMPLES if each.startswith("# refused"))
    with pytest.raises(StudyError) as caught:
        parse_study(example, name="study.toml")
    assert f"```text\npearlfem: {caught.value}\n```" in TEXT


def test_page_names_every_function_of_expressions():
    paragraph = TEXT.partition("An expression may have")[2].partition("\n\n")[0]
    assert set(expressions._FUNCTIONS) == set(re.findall(r"`(\w{2,})`", paragraph)) - {"pi"}


def test_links_lead_to_files_and_headings():
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]*)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https:"):
            assert (PAGE.parent / target).is_file(), target
