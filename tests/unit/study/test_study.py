"""The study file: every key, every default, and everything that is refused."""

import re

import pydantic
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.model.boundary import Open, Walls
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity
from pearlfem.study.study import parse_study, read_study, read_study_text

FULL = """\
title = "all keys"
[film]
shape = "disc"
radius = 2.0
center = [0.5, -0.5]
pearl_length = 1.5
[[impurity]]
position = [-0.25, 0.125]
angle = 30.0
strength = 2.5
size = 0.3
[[impurity]]
position = [1, 0]
size = 1
[boundary]
kind = "open"
[mesh]
resolution = 0.75
far = 50.0
[solve]
formulation = "stream"
degree = 2
tolerance = 1e-4
max_dofs = 300000
[output]
fields = "none"
picture = false
"""
SHORT = """\
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.0, 0.0]
size = 0.1
"""
KEYS = {
    "film": ["shape", "radius", "center", "pearl_length"],
    "impurity 1": ["position", "angle", "strength", "size"],
    "boundary": ["kind", "box", "center", "cell"],
    "mesh": ["resolution", "far"],
    "solve": ["formulation", "degree", "tolerance", "max_dofs"],
    "output": ["fields", "picture"],
}
TABLES = ["title", "film", "impurity", "boundary", "mesh", "solve", "output"]


def changed(old: str, new: str) -> str:
    """``FULL`` with the line ``old`` replaced."""
    assert FULL.count(f"{old}\n") == 1, old
    return FULL.replace(f"{old}\n", f"{new}\n")


def refusal(text: str) -> str:
    """The message with which ``text`` is refused."""
    with pytest.raises(StudyError) as caught:
        parse_study(text, name="my.toml")
    assert str(caught.value).startswith("my.toml: ")
    return str(caught.value)


WALLS = """\
kind = "shield"
box = [6.0, 6.0, 2.0]
center = [0.5, -0.5, 0.25]"""


# --- what a study becomes


def test_every_key_reaches_its_object():
    study = parse_study(FULL)
    assert study.title == "all keys"
    assert study.film == Film(Disc(2.0, center=(0.5, -0.5)), pearl_length=1.5)
    assert study.impurities == (
        Impurity((-0.25, 0.125), size=0.3, angle=30.0, strength=2.5),
        Impurity((1.0, 0.0), size=1.0),
    )
    assert study.boundary == Open()
    assert (study.mesh.resolution, study.mesh.far) == (0.75, 50.0)
    assert (study.solve.formulation, study.solve.degree) == ("stream", 2)
    assert (study.solve.tolerance, study.solve.max_dofs) == (1e-4, 300000)
    assert (study.output.fields, study.output.picture) == ("none", False)


def test_keys_that_are_left_out_have_their_defaults():
    study = parse_study(SHORT)
    assert study.title == ""
    assert study.film == Film(Plane(), pearl_length=1.0)
    assert study.impurities == (Impurity((0.0, 0.0), size=0.1, angle=0.0, strength=1.0),)
    assert study.boundary == Open()
    assert (study.mesh.resolution, study.mesh.far) == (1.0, 100.0)
    assert (study.solve.formulation, study.solve.degree) == ("stream", 3)
    assert (study.solve.tolerance, study.solve.max_dofs) == (None, 2_000_000)
    assert (study.output.fields, study.output.picture) == ("vtu", True)


def test_disc_without_center_lies_around_the_origin():
    study = parse_study(FULL.replace("center = [0.5, -0.5]\n", ""))
    assert study.film.shape == Disc(2.0, center=(0.0, 0.0))


def test_walls_become_a_box():
    study = parse_study(changed('kind = "open"', WALLS))
    assert study.boundary == Walls("shield", (6.0, 6.0, 2.0), (0.5, -0.5, 0.25))


def test_box_without_center_lies_around_the_film():
    walls = WALLS.partition("center")[0]
    assert parse_study(changed('kind = "open"', walls)).boundary.center == (0.5, -0.5, 0.0)
    plane = parse_study(SHORT + "[boundary]\n" + walls.replace("6.0", "inf"))
    assert plane.boundary == Walls("shield", (float("inf"), float("inf"), 2.0), (0.0, 0.0, 0.0))


def test_study_keeps_its_text():
    assert parse_study(FULL).text == FULL


def test_file_is_read_as_utf8(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(SHORT + '[output]\nfields = "none"\n# ξ ≈ r₀\n', encoding="utf-8")
    assert read_study(path) == parse_study(path.read_text(encoding="utf-8"), folder=tmp_path)


def test_study_is_frozen():
    study = parse_study(FULL)
    for thing, name in [(study, "title"), (study.mesh, "far"), (study.solve, "degree")]:
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(thing, name, getattr(thing, name))
    assert isinstance(study.impurities, tuple)


# --- keys that are not known


@pytest.mark.parametrize("table", KEYS)
def test_unknown_key_is_refused_with_value_and_known_keys(table):
    head = "[[impurity]]" if table == "impurity 1" else f"[{table}]"
    message = refusal(FULL.replace(f"{head}\n", f"{head}\nspam = 17\n", 1))
    assert f"{table}.spam = 17" in message
    allowed = message.partition("allowed")[2]
    for key in KEYS[table]:
        assert key in allowed


def test_unknown_table_is_refused_with_known_tables():
    message = refusal(FULL + "[spam]\neggs = 17\n")
    assert "spam = " in message
    assert "17" in message
    for table in TABLES:
        assert table in message.partition("allowed")[2]


@pytest.mark.parametrize(
    ("head", "line", "named"),
    [
        ("[solve]", "temperature = 4.2", "solve.temperature = 4.2"),
        ("[film]", "temperature = 4.2", "film.temperature = 4.2"),
        ("[film]", "points = [[0, 0], [1, 0], [0, 1]]", "film.points = "),
        ("[boundary]", "box = [1.0, 1.0, 1.0]", "boundary.box = [1.0, 1.0, 1.0]"),
        ("[output]", "units = 'SI'", "output.units = 'SI'"),
    ],
)
def test_key_of_a_later_version_is_refused(head, line, named):
    assert named in refusal(FULL.replace(f"{head}\n", f"{head}\n{line}\n"))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("[sweep]\nkey = 'film.pearl_length'", "sweep"),
        ("[[film.grain]]\nshape = 'disc'", "film.grain"),
    ],
)
def test_table_of_a_later_version_is_refused(table, name):
    message = refusal(f"{FULL}{table}\n")
    assert f"{name} = " in message
    assert "allowed" in message


@pytest.mark.parametrize("key", ["radius = 1.0", "center = [0.0, 0.0]"])
def test_plane_has_no_keys_of_a_disc(key):
    message = refusal(SHORT.replace("[film]", f"[film]\n{key}"))
    assert f"film.{key}" in message


def test_missing_key_is_named():
    for table, key in [("film", "radius"), ("film", "pearl_length"), ("impurity 1", "size")]:
        text = re.sub(rf"(?m)^{key} = .*\n", "", FULL, count=1)
        assert f"{table}.{key}" in refusal(text)
        assert "missing" in refusal(text)
    assert "impurity 2.position" in refusal(FULL.replace("position = [1, 0]\n", ""))
    assert "film" in refusal("")
    message = refusal(changed('shape = "disc"', ""))
    assert "film.shape" in message
    assert "'plane'" in message
    assert "'disc'" in message


# --- values that are impossible

# Each value with words of which one has to tell what is allowed.
POSITIVE = {
    "-1.0": "greater",
    "0.0": "greater",
    "0": "greater",
    "nan": "finite|greater|less",
    "inf": "finite|less",
    "-inf": "finite|greater",
    "'1.0'": "number",
    "true": "number",
    "[1.0]": "number",
    "{}": "number",
}
FINITE = {"nan": "finite", "inf": "finite", "'1.0'": "number", "true": "number", "[1.0]": "number"}
SHOWN = {"true": "True"}  # a value that Python writes in another way than TOML


@pytest.mark.parametrize("value", POSITIVE)
@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("pearl_length = 1.5", "film.pearl_length"),
        ("radius = 2.0", "film.radius"),
        ("resolution = 0.75", "mesh.resolution"),
        ("far = 50.0", "mesh.far"),
    ],
)
def test_length_that_is_not_a_positive_number_is_refused(line, key, value):
    message = refusal(changed(line, f"{line.split()[0]} = {value}"))
    assert f"{key} = {SHOWN.get(value, value)}: not allowed" in message
    assert re.search(POSITIVE[value], message)


@pytest.mark.parametrize("value", [v for v in POSITIVE if v not in ("0", "0.0")])
@pytest.mark.parametrize(
    ("line", "key"), [("size = 0.3", "impurity 1.size"), ("size = 1", "impurity 2.size")]
)
def test_size_that_is_negative_or_no_number_is_refused(line, key, value):
    test_length_that_is_not_a_positive_number_is_refused(line, key, value)


@pytest.mark.parametrize("value", FINITE)
@pytest.mark.parametrize("line", ["angle = 30.0", "strength = 2.5"])
def test_angle_or_strength_that_is_not_a_finite_number_is_refused(line, value):
    key = line.split()[0]
    message = refusal(changed(line, f"{key} = {value}"))
    assert f"impurity 1.{key} = {SHOWN.get(value, value)}: not allowed" in message
    assert FINITE[value] in message


def test_impurity_without_strength_is_refused():
    message = refusal(changed("strength = 2.5", "strength = 0"))
    assert re.search(r"impurity 1\.strength = 0: not allowed.*not be 0", message)


@pytest.mark.parametrize("value", ["[0.0]", "[0.0, 0.0, 0.0]", "[nan, 0.0]", "['0', 0.0]", "0.5"])
@pytest.mark.parametrize(
    ("line", "key"),
    [("center = [0.5, -0.5]", "film.center"), ("position = [1, 0]", "impurity 2.position")],
)
def test_point_that_is_not_two_finite_numbers_is_refused(line, key, value):
    assert key in refusal(changed(line, f"{line.split()[0]} = {value}"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("degree = 2", "degree = 0", r"solve\.degree = 0: .*greater than or equal to 1"),
        ("degree = 2", "degree = 4", r"solve\.degree = 4: .*less than or equal to 3"),
        ("degree = 2", "degree = 2.5", r"solve\.degree = 2\.5: .*integer"),
        ("degree = 2", "degree = '3'", r"solve\.degree = '3': .*integer"),
        ("degree = 2", "degree = true", r"solve\.degree = True: .*integer"),
        ("far = 50.0", "far = 1", r"mesh\.far = 1: .*greater than or equal to 2"),
        ("far = 50.0", "far = 1e7", r"mesh\.far = 10000000\.0: .*less than or equal to 1"),
        ("picture = false", "picture = 'yes'", r"output\.picture = 'yes': .*boolean"),
        ("picture = false", "picture = 0", r"output\.picture = 0: .*boolean"),
        ('title = "all keys"', "title = 3", r"title = 3: .*string"),
        ('shape = "disc"', "shape = 'cube'", r"film\.shape = 'cube': .*'plane'.*'disc'"),
        ('shape = "disc"', "shape = 1", r"film\.shape = '?1'?: .*'plane'.*'disc'"),
        ('kind = "open"', "kind = 'spam'", r"boundary\.kind = 'spam': .*'open'"),
        ('fields = "none"', "fields = 'xdmf'", r"output\.fields = 'xdmf': .*'vtu'.*'vtx'.*'none'"),
        ('fields = "none"', "fields = false", r"output\.fields = False: .*'vtu'.*'none'"),
        (
            'formulation = "stream"',
            "formulation = 'all'",
            r"formulation = 'all': .*'stream'.*'both'",
        ),
    ],
)
def test_value_that_is_not_among_the_choices_or_in_the_range_is_refused(old, new, message):
    assert re.search(message, refusal(changed(old, new)))


@pytest.mark.parametrize(
    ("line", "value", "message"),
    [
        ("tolerance = 1e-4", "0", r"0: .*greater than 0"),
        ("tolerance = 1e-4", "-1", r"-1: .*greater than 0"),
        ("tolerance = 1e-4", "1", r"1: .*less than 1"),
        ("tolerance = 1e-4", "2.0", r"2\.0: .*less than 1"),
        ("tolerance = 1e-4", "nan", r"nan: .*than [01]"),
        ("tolerance = 1e-4", "inf", r"inf: .*less than 1"),
        ("tolerance = 1e-4", "'x'", r"'x': .*number"),
        ("tolerance = 1e-4", "'1e-4'", r"'1e-4': .*number"),
        ("tolerance = 1e-4", "true", r"True: .*number"),
        ("max_dofs = 300000", "0", r"0: .*greater than or equal to 1"),
        ("max_dofs = 300000", "-5", r"-5: .*greater than or equal to 1"),
        ("max_dofs = 300000", "1.5", r"1\.5: .*integer"),
        ("max_dofs = 300000", "1.5", r"1\.5: .*integer"),
        ("max_dofs = 300000", "'many'", r"'many': .*integer"),
        ("max_dofs = 300000", "true", r"True: .*integer"),
    ],
)
def test_tolerance_or_max_dofs_out_of_range_is_refused(line, value, message):
    key = line.split()[0]
    assert re.search(rf"solve\.{key} = {message}", refusal(changed(line, f"{key} = {value}")))


@pytest.mark.parametrize("value", [1e-12, 1e-4, 0.999])
def test_tolerance_between_0_and_1_is_accepted(value):
    study = parse_study(changed("tolerance = 1e-4", f"tolerance = {value!r}"))
    assert study.solve.tolerance == value


@pytest.mark.parametrize(
    ("boundary", "message"),
    [
        ("box = [6.0, 6.0, 2.0]", r"boundary\.box = \[6.0, 6.0, 2.0\].*kind = 'open'"),
        ("center = [0.0, 0.0, 0.0]", r"boundary\.center = .*kind = 'open'"),
        ('kind = "shield"', r"boundary\.box: missing, but needed"),
        (WALLS.replace("2.0]", "inf]"), r"boundary\.box\[2\] = inf: .*finite"),
        (WALLS.replace("2.0]", "-2.0]"), r"boundary\.box\[2\] = -2.0: .*greater than 0"),
        (WALLS.replace("[6.0", "[nan"), r"boundary\.box\[0\] = nan: .*greater than 0"),
        (WALLS.replace("[6.0", "[inf"), r"boundary\.box = \[inf, 6.0, 2.0\]: .*both"),
        (WALLS.replace("0.25]", "inf]"), r"boundary\.center\[2\] = inf"),
        (WALLS.replace("0.25]", "1.0]"), r"walls at z = 0 and z = 2; allowed"),
        (WALLS.replace("[6.0", "[4.0"), r"boundary: .*\[4.0, 6.0, 2.0\].*cuts the disc"),
        (WALLS.replace("[0.5", "[9.5"), r"cuts the disc"),
    ],
)
def test_walls_that_are_not_around_the_film_are_refused(boundary, message):
    assert re.search(message, refusal(changed('kind = "open"', boundary)))


def test_impurity_beyond_the_walls_is_refused():
    walls = '[boundary]\nkind = "magnetic-wall"\nbox = [1.0, 0.5, 2.0]\ncenter = [0.3, 0.25, 0.0]\n'
    assert "impurity 1: position = [0.0, 0.0] lies outside the box" in refusal(SHORT + walls)


@pytest.mark.parametrize("table", ["film", "mesh", "solve", "output", "boundary", "impurity"])
def test_number_in_place_of_a_table_is_refused(table):
    text = re.sub(rf"(?m)^\[+{table}\]+\n([^\[].*\n)*", "", FULL)
    assert f"{table} = 17" in refusal(f"{table} = 17\n{text}")


def test_two_films_are_refused():
    film = '[[film]]\nshape = "plane"\npearl_length = 1.0\n'
    assert "film = [{" in refusal(film + film + SHORT[SHORT.index("[[impurity]]") :])
    assert "not a TOML file" in refusal(SHORT + '[film]\nshape = "plane"\n')


def test_single_bracket_for_an_impurity_is_refused():
    assert "impurity = " in refusal(SHORT.replace("[[impurity]]", "[impurity]"))


def test_study_without_impurity_is_refused():
    assert "impurity" in refusal(SHORT.partition("[[impurity]]")[0])


@pytest.mark.parametrize("position", ["[2.6, -0.5]", "[0.5, 1.5]"])  # beyond the edge, and on it
def test_impurity_outside_the_disc_is_refused(position):
    message = refusal(changed("position = [1, 0]", f"position = {position}"))
    assert f"impurity 2: position = {position}" in message
    assert "radius 2 around (0.5, -0.5)" in message


def test_message_has_every_fault():
    text = FULL.replace("degree = 2", "degree = 9").replace("radius = 2.0", "radius = -3.0")
    message = refusal(text)
    assert "solve.degree = 9" in message
    assert "film.radius = -3.0" in message


# --- files that cannot be read


def test_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"nowhere\.toml.*No such file"):
        read_study_text(tmp_path / "nowhere.toml")


def test_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=f"{tmp_path.name}.*directory"):
        read_study_text(tmp_path)


def test_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes('title = "für"'.encode("latin-1"))
    with pytest.raises(StudyError, match=r"latin\.toml.*UTF-8"):
        read_study(path)


@pytest.mark.parametrize("text", ["film", "[film", "a = 1\na = 2\n", "far = 1..0\n", "{}", "\x00"])
def test_text_that_is_not_toml_is_refused(text):
    assert "not a TOML file" in refusal(text)


def test_number_with_too_many_digits_is_refused():
    # tomllib raises a bare ValueError when an integer has more than 4300 digits.
    refusal(SHORT.replace("1.0", "1" + 5000 * "0"))


@pytest.mark.parametrize(
    ("solve", "message"),
    [
        ("formulation = 'vector'", r"impurity 1: size = 0 .*formulation = 'vector'; allowed"),
        ("formulation = 'both'", r"impurity 1: size = 0 .*formulation = 'both'; allowed"),
        ("tolerance = 1e-3", r"impurity 1: size = 0 .*with a tolerance; allowed"),
    ],
)
def test_point_impurity_needs_one_stream_solution(solve, message):
    text = re.sub(r"size = [0-9.]+", "size = 0.0", SHORT, count=1)
    assert parse_study(text).impurities[0].size == 0.0
    assert re.search(message, refusal(f"{text}\n[solve]\n{solve}\n"))
