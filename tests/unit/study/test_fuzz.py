"""Whatever a study file holds: it is read, or refused by a StudyError, in little time.

The corpus are whole studies with everything in them, and files that they name. The examples are the
same every time, for a suite should not depend on luck; longer campaigns are run by hand.
"""

import ast
import datetime
import json
import os
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import BASES, DEVICE, DRAWN, FILES, LATTICE, WALLS

import pearlfem
from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study, read_study

TEXTS = (
    *(
        "",
        " ",
        "1 um",
        "nan um",
        "inf mT",
        "1e400 m",
        "-3 nm",
        "1 m**9**9",
        "5 kg",
        "µ",
        "\x00",
        "\n",
    ),
    *("disc", "plane", "union", "mesh", "gds", "dxf", "shield", "vector", "grid", "x", "film"),
    *("..", "../../etc/passwd", "/dev/null", "/dev/zero", ".", "sites.csv", "film.msh", "film.dxf"),
    *("9**9**9", "x**-1", "1/0", "log(-1)", "__import__('os')", "x.real", "(" * 300, "lambda: 0"),
    *("where(x > 0, 1, 2)", "1e308*10", "nan", "-x", "exp(1000*x)", "a" * 3000, "\u202e", "é" * 99),
)
NUMBERS = (0, 1, -1, 2, 3, 10**5, 10**9, 2**63, 10**30, 10**400, 0.0, -0.0, 5e-324, 1e-300, 1e-12)
NUMBERS += (1e12, 1e150, 1e300, 1.7e308, float("inf"), float("-inf"), float("nan"), 0.5, 1.5)
DATES = (datetime.date(2026, 1, 1), datetime.time(1, 2, 3), datetime.datetime(2026, 1, 1, 2, 3, 4))

leaves = (
    st.sampled_from(NUMBERS)
    | st.sampled_from(TEXTS)
    | st.sampled_from(DATES)
    | st.booleans()
    | st.floats()
    | st.integers(-3, 50)
    | st.text(max_size=20)
)
junk = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["shape", "file", "radius", "x", "size", ""]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def as_toml(value):
    """The text of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return (
        value.isoformat()
        if isinstance(value, DATES[0].__class__ | DATES[1].__class__)
        else repr(value)
    )


def places(value, above=()):
    """Every place in nested tables and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*above, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*above, key))


CHANGES = ("nudge", "nudge", "nudge", "nudge", "replace", "remove", "add", "double", "copy")


def like(value):
    """Other values of the same type, that may be allowed as well."""
    if isinstance(value, str):
        return st.sampled_from(TEXTS)
    if isinstance(value, int | float) and not isinstance(value, bool):
        scaled = st.floats(1e-3, 1e3).map(lambda factor: factor * min(max(value, -1e99), 1e99))
        return scaled | st.sampled_from(NUMBERS) | st.integers(-3, 50)
    return junk


@st.composite
def studies(draw):
    """A study of the corpus with some changes."""
    content = json.loads(json.dumps(draw(st.sampled_from(BASES))))  # a copy of its own
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(content))
        if not found:
            break
        *above, key = draw(st.sampled_from(found))
        parent = content
        for part in above:
            parent = parent[part]
        change = draw(st.sampled_from(CHANGES))
        if change == "replace":
            parent[key] = draw(junk)
        elif change == "nudge":
            parent[key] = draw(like(parent[key]))
        elif change == "remove":
            del parent[key]
        elif change == "double" and isinstance(parent, list):
            parent.append(parent[key])
        elif change == "copy":
            _, *source = ("", *draw(st.sampled_from(found)))
            other = content
            try:
                for part in source:
                    other = other[part]
                parent[key] = json.loads(json.dumps(other))
            except (KeyError, IndexError, TypeError, ValueError):
                pass
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(["radius", "file", "shape", "kind", "bogus", "é", ""]))] = (
                draw(junk)
            )
    return "\n".join(f"{as_toml(key)} = {as_toml(value)}" for key, value in content.items())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def check(text, folder):
    try:
        parse_study(text, folder=folder)
    except StudyError as error:
        assert str(error)  # and nothing else is raised


SUITE = settings(
    derandomize=True, deadline=5000, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("text", [DEVICE, WALLS, LATTICE, DRAWN])
def test_corpus_is_read_and_can_be_written(folder, text):
    one = parse_study(text, folder=folder)
    again = "\n".join(f"{as_toml(k)} = {as_toml(v)}" for k, v in tomllib.loads(text).items())
    assert parse_study(again, folder=folder).sources == one.sources


@settings(SUITE, max_examples=300)
@given(studies())
def test_changed_study_is_read_or_refused(folder, text):
    check(text, folder)


@settings(SUITE, max_examples=100)
@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(folder, data):
    path = folder / "bytes.toml"
    path.write_bytes(data)
    with pytest.raises(StudyError, match=r"bytes\.toml"):
        read_study(path)


@settings(SUITE, max_examples=200)
@given(st.text(alphabet=st.sampled_from(' \n\t[]{}"=.,#abfilm0189-+_e'), max_size=80))
def test_text_is_read_or_refused(folder, text):
    check(text, folder)


# --- studies that would need all memory or time: found by hand, and refused at once

DISC = "[film]\nshape = 'disc'\nradius = 1.0\npearl_length = {length}\n"
ONE = "[[impurity]]\nposition = [0.0, 0.0]\nsize = 0.1\n"
PLAIN = DISC.format(length=1.0)
SITES = PLAIN + "[impurities]\nsize = 0.0\n"
GREEDY = {
    "brackets": "a = " + "[" * 5000 + "]" * 5000,
    "tables": "a = " + "{a = " * 3000 + "1" + "}" * 3000,
    "key": "a." * 20_000 + "a = 1",
    "unions": PLAIN.replace("radius = 1.0", "parts = [").replace("disc", "union")
    + "{ shape = 'union', parts = [" * 149
    + "{ shape = 'disc', radius = 1.0 }"
    + "]}" * 149
    + "]",
    "lattice": SITES + "lattice = { vectors = [[1e-5, 0.0], [0.0, 1e-5]] }",
    "sites": SITES + "lattice = { vectors = [[5e-3, 0.0], [0.0, 5e-3]] }",
    "no such lattice": SITES + "lattice = { vectors = [[1e-300, 0.0], [0.0, 1e-300]] }",
    "random": SITES + "random = { number = 10_000, spacing = 0.1 }",
    "device": SITES + "file = '/dev/zero'",
    "pipe": SITES + "file = 'pipe'",
    "zero byte": SITES + 'file = "a\\u0000b"',
    "mesh": "[film]\nshape = 'mesh'\nfile = '/dev/zero'\ngroup = 'film'\npearl_length = 1.0\n"
    + ONE,
    "power": DISC.format(length="{ profile = '9**9**9**9' }") + ONE,
    "factors": DISC.format(length="{ profile = '" + "9" * 900 + "*x' }") + ONE,
    "long": DISC.format(length="{ profile = '" + "x+" * 5000 + "x' }") + ONE,
    "parentheses": DISC.format(length="{ profile = '" + "(" * 490 + "x" + ")" * 490 + "' }") + ONE,
    "signs": DISC.format(length="{ profile = '" + "-" * 990 + "x' }") + ONE,
    "unit": PLAIN.replace("1.0\n", "'1 m**9**9**9'\n") + "[units]\nlength = 'm'\n" + ONE,
}


@pytest.mark.parametrize("text", GREEDY.values(), ids=GREEDY)
def test_study_that_needs_too_much_is_refused_at_once(folder, text):
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    start = time.process_time()
    with pytest.raises(StudyError):
        parse_study(text, folder=folder)
    assert time.process_time() - start < 5.0  # the slowest takes one


# --- nothing is executed

HARMFUL = [
    "__import__('os').mkdir('harm')",
    "open('harm', 'w')",
    "x.__class__",
    "().__class__.__bases__[0].__subclasses__()",
    "[y for y in (1,)]",
    "lambda: 1",
    "(x := 2)",
    "'a'*9",
    "f'{x}'",
    "x if x else y",
    "exp.__globals__",
    "exp(x, out=x)",
    "exp(x, x)",
]


@pytest.mark.parametrize("expression", HARMFUL)
def test_expression_is_arithmetic_only(tmp_path, monkeypatch, expression):
    monkeypatch.chdir(tmp_path)
    text = DISC.format(length="{ profile = " + json.dumps(expression) + " }") + ONE
    with pytest.raises(StudyError, match="expression"):
        parse_study(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "a/b", "..", ".", "", "a\\u0000", "é", "a b"])
def test_probe_cannot_leave_the_folder(name):
    probe = f'[[output.probe]]\nname = "{name}"\nkind = "cut"\nstart = [0, 0]\nend = [1, 1]\n'
    if name in ("..", "."):  # are names of files after "probe_" and before ".csv"
        assert parse_study(PLAIN + ONE + probe)
    else:
        with pytest.raises(StudyError, match="probe"):
            parse_study(PLAIN + ONE + probe)


EXECUTING = {"eval", "exec", "compile", "__import__", "pickle", "marshal", "shelve", "system"}


def test_no_module_executes_what_it_reads():
    for path in Path(pearlfem.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {node.func.id for node in nodes if is_call_of_name(node)}
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names |= {alias.name for alias in node.names}
        assert (path, names & EXECUTING) == (path, set())
        for call in (node for node in nodes if isinstance(node, ast.Call)):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert given.get("shell", "False") == "False"
            no_pickle = "allow_pickle" in given or ast.unparse(call.func) == "np.load"
            assert not no_pickle or given["allow_pickle"] == "False"


def is_call_of_name(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
