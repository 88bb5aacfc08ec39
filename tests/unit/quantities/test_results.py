"""The tables of results and of output formats: names, functions that exist, and shapes."""

import re
from pkgutil import resolve_name
from typing import get_args

import numpy as np
import pytest

from pearlfem.quantities.formats import FORMATS, FormatName
from pearlfem.quantities.result_shapes import (
    MOST_IMPURITIES,
    Bounded,
    BoundedResult,
    NumberResult,
    Part,
    TableResult,
    TensorResult,
    VectorResult,
)
from pearlfem.quantities.results import ARRAYS, FIELDS, KINDS, RESULTS
from pearlfem.quantities.units import Kind, ReducedUnits, Units

REDUCED = ReducedUnits()
NAMES = {kind: REDUCED.name(kind) for kind in get_args(Kind)}
MICRO = Units(length="um")


def cells(result, value, units=REDUCED):
    """Columns with their numbers."""
    content = result.content(value, units)
    return {cell.column: cell.value for cell in result.cells(content, NAMES)}


# --- the tables


def test_names_are_unique_and_kinds_have_units():
    for names in ([r.name for r in RESULTS], [f.name for f in FIELDS]):
        assert len(set(names)) == len(names)
    assert set(KINDS) <= set(get_args(Kind))
    assert set(ARRAYS.values()) <= set(get_args(Kind))
    for result in RESULTS:
        assert set(result.kinds) <= set(KINDS)


def test_every_path_is_that_of_a_function():
    paths = [path for r in RESULTS for path in (r.function, r.needs)]
    paths += [path for f in FIELDS for path in (f.nodes, f.points, f.needs)]
    paths += [path for f in FORMATS.values() for path in (f.writer, f.check)]
    found = [resolve_name(path) for path in paths if path]
    assert len(found) > 15
    assert all(map(callable, found))


def test_only_results_of_several_solutions_have_no_function():
    for result in RESULTS:
        assert bool(result.function) is isinstance(
            result, NumberResult | VectorResult | TableResult
        )


def test_columns_of_fields_are_unique():
    columns = [column for field in FIELDS for column in field.columns]
    assert len(set(columns)) == len(columns)
    assert {"Bx", "By", "Bz", "Kx", "Ky", "psi", "g", "B_z"} == set(columns)


def test_every_name_of_a_format_has_an_entry():
    assert set(FORMATS) == set(get_args(FormatName))


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        *((name, "vtu") for name in ("film.vtu", "film.pvtu", "film_12.vtu", "space.vtu")),
        *((name, "vtu") for name in ("film top.vtu", "film top_3.vtu", "space_0.vtu")),
        *((name, "vtx") for name in ("film.bp", "space.bp", "film top.bp")),
        *((name, None) for name in ("films.vtu", "thesis.tex", "film.txt", "my film.vtu")),
    ],
)
def test_patterns_know_the_files_of_their_format(name, format_name):
    patterns = {key: each.files or each.folders for key, each in FORMATS.items()}
    owners = [key for key, pattern in patterns.items() if re.fullmatch(pattern or "(?!)", name)]
    assert owners == ([] if format_name is None else [format_name])


# --- shapes


def test_number():
    number = NumberResult(name="depth", label="", kind="current")
    assert number.content(None, REDUCED) is None
    assert cells(number, None) == {}
    assert cells(number, np.float64(2.0)) == {"depth": 2.0}
    assert type(number.content(np.float64(2.0), MICRO)) is float
    assert number.content(2.0, MICRO) == pytest.approx(2 * 1645.53, rel=1e-5)  # Φ0/μ0L in µA


def test_vector():
    vector = VectorResult(name="pull", label="pull", kind="energy")
    assert vector.content(np.array([1.0, 2.0, 3.0]), REDUCED) == [1.0, 2.0, 3.0]
    assert cells(vector, np.array([1.0, 2.0, 3.0])) == {"pull_x": 1, "pull_y": 2, "pull_z": 3}
    assert cells(vector, None) == {}


def test_number_with_bounds():
    bounded = BoundedResult(name="F", label="energy", kind="energy")
    assert bounded.content(Bounded(1.0, 0.5), REDUCED) == {
        "value": 1.0,
        "lower": 0.5,
        "upper": None,
        "unit": NAMES["energy"],
        "guaranteed": True,
    }
    assert cells(bounded, Bounded(1.0, 0.5)) == {"F": 1.0, "F.lower": 0.5}
    assert cells(bounded, Bounded(1.0, 0.5, 2.0)) == {"F": 1.0, "F.lower": 0.5, "F.upper": 2.0}


@pytest.mark.parametrize("components", [1, 2, 3])
def test_tensor_has_the_entries_that_differ(components):
    tensor = TensorResult(name="interaction", label="T", kind="energy")
    c = components
    matrix = np.arange((2 * c) ** 2, dtype=float).reshape(2 * c, 2 * c)
    T = (matrix + matrix.T).reshape(2, c, 2, c).transpose(0, 2, 1, 3)
    found = cells(tensor, Bounded(T, T - 1))
    values = {name: value for name, value in found.items() if not name.endswith(".lower")}
    assert len(values) == 2 * c * (c + 1) // 2 + c**2
    assert len(found) == 2 * len(values)
    for name, value in values.items():
        a, b, i, j = name[2], name[3], int(name[5]) - 1, int(name[7]) - 1
        assert value == T[i, j, "xyz".index(a), "xyz".index(b)]
        assert found[f"{name}.lower"] == value - 1
    assert cells(tensor, None) == {}


def test_tensor_of_very_many_impurities_has_no_cells():
    tensor = TensorResult(name="interaction", label="T", kind="energy")
    assert cells(tensor, Bounded(np.ones((MOST_IMPURITIES, MOST_IMPURITIES, 2, 2))))
    n = MOST_IMPURITIES + 1
    assert cells(tensor, Bounded(np.ones((n, n, 2, 2)))) == {}


def test_table():
    class Row:
        def __init__(self, name, size, place):
            self.name, self.size, self.place = name, size, place

    parts = (Part("size", "flux"), Part("place", "length", column="hole.place"))
    table = TableResult(name="holes", label="holes", parts=parts)
    rows = [Row("a", 1.0, 2.0), Row("b", 3.0, None)]
    assert table.content(rows, REDUCED) == [
        {"name": "a", "size": 1.0, "place": 2.0},
        {"name": "b", "size": 3.0, "place": None},
    ]
    assert cells(table, rows) == {"a: size": 1.0, "a: hole.place": 2.0, "b: size": 3.0}
    assert table.content(None, REDUCED) == []
    assert list(table.cells(None, NAMES)) == []  # of a summary of an earlier version
