"""summary.json: its keys, its nulls, and no number that is not one."""

import json
import math

import numpy as np
import pytest

from pearlfem.io.summary import Bounded, summarise, versions, write_summary

SECONDS = {"mesh": 1.0, "assemble": 2.0, "setup": 3.0, "solve": 4.0, "output": 5.0, "total": 15.0}
COUNTS = {"cells": 10, "dofs": 20, "iterations": 3, "ranks": 1}


def summary(**changes):
    arguments = {
        "title": "ξ → 0",
        "shortfall": None,
        "rounds": [],
        "free_energy": Bounded(0.5, lower=0.5),
        "tensor": Bounded(np.arange(16.0).reshape(2, 2, 2, 2)),
        "magnetic_moment": np.array([0.0, 0.0, 2.0]),
        "counts": COUNTS,
        "seconds": SECONDS,
    }
    return summarise(**(arguments | changes))


def test_summary_comes_back_from_its_file(tmp_path):
    write_summary(tmp_path, summary())
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")) == summary()


def test_keys_are_those_of_the_contract():
    assert set(summary()) == {
        *("schema", "title", "converged", "free_energy", "interaction", "magnetic_moment"),
        *("holes", "rounds", "cells", "dofs", "iterations", "ranks", "seconds", "versions"),
    }
    assert set(summary()["free_energy"]) == {"value", "lower", "upper", "unit"}
    assert set(summary()["interaction"]) == {"tensor", "lower", "upper", "unit"}


def test_stream_formulation_knows_a_lower_bound_and_no_upper_one():
    energy = summary()["free_energy"]
    assert (energy["value"], energy["lower"], energy["upper"]) == (0.5, 0.5, None)


def test_bounds_of_the_tensor_are_nested_like_the_tensor():
    value = np.zeros((1, 1, 2, 2))
    interaction = summary(tensor=Bounded(value, value - 1, value + 1))["interaction"]
    assert interaction["lower"] == [[[[-1.0, -1.0], [-1.0, -1.0]]]]
    assert interaction["upper"] == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_moment_that_was_not_computed_is_null():
    assert summary(magnetic_moment=None)["magnetic_moment"] is None


def test_tensor_is_nested_by_impurities_then_by_axes():
    tensor = summary()["interaction"]["tensor"]
    assert tensor[0][1] == [[4.0, 5.0], [6.0, 7.0]]


def test_film_without_holes_has_none():
    assert summary()["holes"] == []


def test_same_unit_for_all_energies():
    assert summary()["interaction"]["unit"] == summary()["free_energy"]["unit"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("key", ["free_energy", "tensor", "magnetic_moment"])
def test_number_that_is_not_finite_is_never_written(tmp_path, key, bad):
    value = {
        "free_energy": Bounded(bad),
        "tensor": Bounded(np.full((1, 1, 2, 2), bad)),
        "magnetic_moment": np.array([0.0, 0.0, bad]),
    }[key]
    with pytest.raises(ValueError, match="JSON"):
        write_summary(tmp_path, summary(**{key: value}))
    assert list(tmp_path.iterdir()) == []


def test_versions_name_all_that_can_change_a_number():
    assert {"pearlfem", "dolfinx", "petsc", "gmsh", "numpy", "python", "mpi"} <= set(versions())
    assert all(isinstance(text, str) and text for text in versions().values())
    assert all(text.isprintable() for text in versions().values())
