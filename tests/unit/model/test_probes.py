"""Probes: which are understood, where their points are, and what is refused by name."""

import math

import numpy as np
import pydantic
import pytest

from pearlfem.errors import StudyError
from pearlfem.model.probes import (
    CutProbe,
    GridProbe,
    LineProbe,
    LoopProbe,
    PointsProbe,
    Probe,
    check_probes,
)

TABLES = pydantic.TypeAdapter(tuple[Probe, ...])
GOOD = {
    "points": {"points": [[0.0, 1.0, 2.0], [3, 4, -1]]},
    "line": {"start": [0.0, 0.0], "end": [1.0, 0.0, 2.0], "samples": 3},
    "grid": {"center": [1.0, 2.0], "size": [2.0, 4.0], "height": 0.5, "samples": [3, 2]},
    "loop": {"center": [0.0, 1.0, 0.5], "radius": 0.3},
    "cut": {"start": [0.0, 0.0], "end": [1.0, 2.0]},
}


def read(kind, **changes):
    """The probe of a TOML table."""
    (probe,) = TABLES.validate_python([{"kind": kind, "name": "a", **GOOD[kind], **changes}])
    return probe


def faults(kind, **changes):
    """Location, value and message of each fault of the table, without its number and kind."""
    with pytest.raises(pydantic.ValidationError) as caught:
        read(kind, **changes)
    return [(error["loc"][2:], error["input"], error["msg"]) for error in caught.value.errors()]


def test_kind_tells_the_probes_apart():
    kinds = [PointsProbe, LineProbe, GridProbe, LoopProbe, CutProbe]
    assert [type(read(kind)) for kind in GOOD] == kinds


def test_probe_made_in_python_needs_no_kind():
    assert LoopProbe(name="a", center=(0, 1, 0.5), radius=0.3) == read("loop")


def test_probe_is_frozen():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        read("loop").radius = 2.0


# --- places


def test_point_without_height_lies_on_the_film():
    assert read("points", points=[[1.0, 2.0], (3.0, 4.0, 5.0)]).places().tolist() == [
        [1.0, 2.0, 0.0],
        [3.0, 4.0, 5.0],
    ]


def test_line_has_samples_from_end_to_end():
    line = read("line", start=[1.0, 0.0], end=[1.0, 3.0, 4.0])
    assert line.places().tolist() == [[1.0, 0.0, 0.0], [1.0, 1.5, 2.0], [1.0, 3.0, 4.0]]
    assert line.arc_lengths().tolist() == [0.0, 2.5, 5.0]


def test_grid_goes_row_by_row():
    x, y, z = read("grid").places().T
    assert x.tolist() == [0.0, 1.0, 2.0] * 2
    assert y.tolist() == [0.0] * 3 + [4.0] * 3
    assert z.tolist() == [0.5] * 6


def test_outline_holds_every_point_and_its_loop():
    rng = np.random.default_rng(0)
    for probe in (read("grid"), read("grid", loop_radius=0.3), read("points"), read("line")):
        # In every direction the outline reaches as far as the points do along x and y.
        low, high = probe.outline().min(axis=0), probe.outline().max(axis=0)
        radius = getattr(probe, "loop_radius", None) or 0.0
        reach = radius * np.array([1.0, 1.0, 0.0])
        np.testing.assert_allclose(low, probe.places().min(axis=0) - reach)
        np.testing.assert_allclose(high, probe.places().max(axis=0) + reach)
    angle = rng.uniform(0, 2 * np.pi, 20)
    loop = read("loop")
    rim = np.array(loop.center[:2]) + 0.3 * np.column_stack([np.cos(angle), np.sin(angle)])
    assert np.all(rim >= loop.outline().min(axis=0)[:2])
    assert np.all(rim <= loop.outline().max(axis=0)[:2])
    np.testing.assert_allclose(np.linalg.norm(loop.outline() - loop.center, axis=1), 0.3)
    assert read("cut").outline().tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]


# --- what is refused


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("name", ["a/b", "", "..\\b", "a b", "é", "x" * 101, "a\n"])
def test_name_that_is_no_file_name_is_refused(kind, name):
    ((where, value, message),) = faults(kind, name=name)
    assert (where, value) == (("name",), name)
    assert "letters, digits" in message


@pytest.mark.parametrize("kind", GOOD)
def test_unknown_key_is_refused(kind):
    assert [fault[:2] for fault in faults(kind, colour="red")] == [(("colour",), "red")]


@pytest.mark.parametrize(
    ("kind", "changes", "where", "message"),
    [
        ("points", {"points": []}, ("points",), "at least 1"),
        ("points", {"points": [[0.0, 0.0, math.nan]]}, ("points", 0, 2), "finite"),
        ("points", {"points": [[0.0, 0.0, 0.0, 0.0]]}, ("points", 0), "at most 3"),
        ("line", {"samples": 1}, ("samples",), "greater than or equal to 2"),
        ("line", {"samples": 2.5}, ("samples",), "integer"),
        ("line", {"samples": 10**9}, ("samples",), "1000000"),
        ("line", {"end": [0.0, 0.0, 0.0]}, ("end",), "differ from start"),
        ("line", {"start": ["0", 0.0]}, ("start", 0), "number"),
        ("grid", {"samples": [2, 1]}, ("samples", 1), "greater than or equal to 2"),
        ("grid", {"samples": [2000, 2000]}, ("samples",), "at most 1000000"),
        ("grid", {"size": [0.0, 1.0]}, ("size", 0), "greater than 0"),
        ("grid", {"loop_radius": 0.0}, ("loop_radius",), "greater than 0"),
        ("grid", {"loop_radius": 15.1}, ("loop_radius",), "at most 15, 30 times"),
        ("grid", {"loop_radius": 0.1, "height": 0.0}, ("loop_radius",), "only above the film"),
        ("grid", {"loop_radius": 0.1, "height": -1.0}, ("loop_radius",), "only above the film"),
        ("loop", {"radius": 0.0}, ("radius",), "greater than 0"),
        ("loop", {"radius": -1.0}, ("radius",), "greater than 0"),
        ("loop", {"radius": 15.1}, ("radius",), "at most 15, 30 times"),
        ("loop", {"center": [0.0, 0.0, 0.0]}, ("center", 2), "greater than 0"),
        ("loop", {"center": [0.0, 0.0, -1.0]}, ("center", 2), "greater than 0"),
        ("cut", {"start": [1, 2]}, ("end",), "differ from start"),
    ],
)
def test_impossible_value_is_refused(kind, changes, where, message):
    ((found, _, text),) = faults(kind, **changes)
    assert found == where
    assert message in text


def test_kind_that_is_unknown_or_missing_is_refused():
    for table in ({"name": "a"}, {"kind": "cube", "name": "a"}):
        with pytest.raises(pydantic.ValidationError, match="kind"):
            TABLES.validate_python([table])


@pytest.mark.parametrize("names", [("a", "b", "a"), ("line", "b", "Line")])
def test_names_that_come_twice_are_refused(names):
    probes = [LoopProbe(name=name, center=(0, 0, 1), radius=1) for name in names]
    check_probes(probes[:2])
    with pytest.raises(StudyError, match=rf"output\.probe 3\.name = '{names[2]}'.*probe 1"):
        check_probes(probes)
