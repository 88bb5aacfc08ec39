"""Messages come from the schema of the tables: a new table or key needs no change in them."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import FORBID_EXTRA, PositiveLength, Table
from pearlfem.study.messages import explain
from pearlfem.study.study import parse_study
from pearlfem.study.tables import AppliedTable, StudyTable

FILM = '[film]\nshape = "plane"\npearl_length = 1.0\n'
IMPURITY = "[[impurity]]\nposition = [0.0, 0.0]\nsize = 0.1\n"
SHAPES = "'disc', 'rectangle', 'polygon', 'ring', 'union', 'difference', 'gds', 'dxf', 'mesh'"


def lines(film, more=IMPURITY):
    """The lines with which a study is refused, without its name."""
    with pytest.raises(StudyError) as caught:
        parse_study(film + more)
    return str(caught.value).removeprefix("study: ").split("\n  ")


def unknown(key, keys):
    return f"{key} = 3: not a key that this version knows; allowed here: {keys}"


# --- a kind of source that is not in the package: its class, and its field in the tables


@dataclass(frozen=True, config=FORBID_EXTRA)
class Magnet:
    """A source of a new kind."""

    height: PositiveLength
    poles: tuple[PositiveLength, PositiveLength] = (1.0, 1.0)


class Sphere(Table):
    """One of several tables with a tag."""

    body: Literal["sphere"]
    radius: PositiveLength


class Needle(Table):
    """Another one."""

    body: Literal["needle"]
    tip: Magnet


class NewAppliedTable(AppliedTable):
    """The table of applied fields with two new kinds."""

    magnet: tuple[Magnet, ...] = ()
    grain: tuple[Annotated[Sphere | Needle, Field(discriminator="body")], ...] = ()


class NewStudyTable(StudyTable):
    """The whole file with them."""

    applied: NewAppliedTable = NewAppliedTable()


@pytest.mark.parametrize(
    ("applied", "message"),
    [
        ({"spam": 3}, unknown("applied.spam", "field, dipole, loop, magnet, grain")),
        (
            {"magnet": [{"height": 1.0, "spam": 3}]},
            unknown("applied.magnet 1.spam", "height, poles"),
        ),
        ({"magnet": [{"height": 1.0}, {}]}, "applied.magnet 2.height: missing, but needed"),
        (
            {"magnet": [{"height": 1.0, "poles": [1.0, -1.0]}]},
            "applied.magnet 1.poles[1] = -1.0: not allowed; allowed: greater than 0",
        ),
        (
            {"grain": [{}]},
            "applied.grain 1.body: missing, but needed; allowed: 'sphere', 'needle'",
        ),
        (
            {"grain": [{"body": "cube"}]},
            "applied.grain 1.body = 'cube': not allowed; allowed: 'sphere', 'needle'",
        ),
        (
            {"grain": [{"body": "sphere", "radius": 1.0, "spam": 3}]},
            unknown("applied.grain 1.spam", "body, radius"),
        ),
        (
            {"grain": [{"body": "needle", "tip": {"height": 1.0, "spam": 3}}]},
            unknown("applied.grain 1.tip.spam", "height, poles"),
        ),
        (
            {"grain": [{"body": "needle", "tip": 3}]},
            "applied.grain 1.tip = 3: not allowed; allowed: a table with the keys height, poles",
        ),
        (
            {"grain": [3]},
            "applied.grain 1 = 3: not allowed; allowed: a table with body = 'sphere', 'needle'",
        ),
    ],
)
def test_new_source_has_its_messages(applied, message):
    film = {"shape": "plane", "pearl_length": 1.0}
    with pytest.raises(ValidationError) as caught:
        NewStudyTable.model_validate({"film": film, "applied": applied})
    assert explain(caught.value, NewStudyTable) == message


# --- the table in which a key stands, wherever that is


@pytest.mark.parametrize(
    ("film", "message"),
    [
        (
            "[film]\nshape = 'mesh'\nfile = 'a'\ngroup = 'b'\npearl_length = 1.0\nspam = 3\n",
            unknown("film.spam", "shape, file, group, pearl_length, hole, region"),
        ),
        (
            "[film]\nshape = 'union'\npearl_length = 1.0\n"
            "parts = [{shape = 'disc', radius = 1.0, spam = 3}]\n",
            unknown("film.parts 1.spam", "shape, radius, center"),
        ),
        (
            "[film]\nshape = 'difference'\npearl_length = 1.0\n"
            "base = {shape = 'ring', inner = 1.0, outer = 2.0, spam = 3}\n"
            "removed = [{shape = 'disc', radius = 1.0}]\n",
            unknown("film.base.spam", "shape, inner, outer, center"),
        ),
        (
            FILM + "[[film.region]]\nshape = 'disc'\nradius = 1.0\npearl_length = 1.0\nspam = 3\n",
            unknown("film.region 1.spam", "shape, radius, center, pearl_length"),
        ),
        (
            FILM + "[applied]\nloop = [{center = [0, 0, 1], radius = 1, current = 1, spam = 3}]\n",
            unknown("applied.loop 1.spam", "center, radius, current"),
        ),
        (
            FILM + "[[output.probe]]\nkind = 'cut'\nname = 'a'\nstart = [0, 0]\nend = [1, 1]\n"
            "spam = 3\n",
            unknown("output.probe 1.spam", "name, kind, start, end"),
        ),
        (
            FILM + "[units]\nlength = 'um'\nspam = 3\n",
            "units.spam = 3: not a key that this version knows; allowed here: length, field, "
            "current, energy, flux, strength, inductance, moment, sheet_current, temperature",
        ),
    ],
)
def test_unknown_key_is_told_with_the_keys_of_its_own_table(film, message):
    assert lines(film) == [message]


def test_profile_with_a_wrong_key_is_told_with_the_right_one():
    told = lines(FILM.replace("1.0", "{spam = 3}"))
    assert unknown("film.pearl_length.spam", "profile") in told


# --- what a value should be

UNION = "[film]\nshape = 'union'\npearl_length = 1.0\n"


@pytest.mark.parametrize(
    ("study", "key", "allowed"),
    [
        ("film = 3\n", "film = 3", "a table with the keys shape, pearl_length, hole, region"),
        (
            "applied.dipole = 3\n" + FILM,
            "applied.dipole = 3",
            "a list of tables, written as [[applied.dipole]]",
        ),
        ("boundary.center = 3\n" + FILM, "boundary.center = 3", "a list of 3 values"),
        ("order.temperatures = 3\n" + FILM, "order.temperatures = 3", "a list of values"),
        (
            FILM.replace("1.0", "-1.0"),
            "film.pearl_length = -1.0",
            "greater than 0, or a table with the key profile",
        ),
        (UNION + "parts = [3]\n", "film.parts 1 = 3", f"a table with shape = {SHAPES}"),
        (
            UNION + "parts = []\n",
            "film.parts = []",
            "a list of 1 or more tables, written as [[film.parts]]",
        ),
    ],
)
def test_table_or_list_is_asked_for_in_the_words_of_toml(study, key, allowed):
    assert lines(study) == [f"{key}: not allowed; allowed: {allowed}"]
