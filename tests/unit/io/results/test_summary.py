"""summary.json: its keys, its nulls, and no number that is not one."""

import dataclasses
import json
import math

import numpy as np
import pytest

from pearlfem.io.results.summary import RunRecord, summarise, versions, write_summary
from pearlfem.model.temperature import Temperature
from pearlfem.observables.facets import LargestCurrent
from pearlfem.observables.holes import HoleState
from pearlfem.quantities.result_shapes import Bounded
from pearlfem.quantities.results import RESULTS
from pearlfem.quantities.units import ReducedUnits, Units

SECONDS = {"mesh": 1.0, "assemble": 2.0, "setup": 3.0, "solve": 4.0, "output": 5.0, "total": 15.0}
COUNTS = {"cells": 10, "dofs": 20, "iterations": 3, "ranks": 1}


RESULT = {
    "free_energy": Bounded(0.5, lower=0.5),
    "interaction": Bounded(np.arange(16.0).reshape(2, 2, 2, 2)),
    "magnetic_moment": np.array([0.0, 0.0, 2.0]),
    "kinetic_energy": 0.3,
    "field_energy": 0.2,
}
# What other tools rely on, whatever is added to it.
CONTRACT = {
    *("schema", "title", "converged", "free_energy", "interaction", "magnetic_moment"),
    *("holes", "rounds", "cells", "dofs", "iterations", "ranks", "seconds", "versions"),
    *("units", "temperature", "order"),
}


def summary(results=None, **changes):
    record = RunRecord(
        "ξ → 0", ReducedUnits(), results=RESULT | (results or {}), counts=COUNTS, seconds=SECONDS
    )
    return summarise(dataclasses.replace(record, **changes))


def test_summary_comes_back_from_its_file(tmp_path):
    write_summary(tmp_path, summary())
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")) == summary()


def test_keys_are_those_of_the_contract():
    assert set(summary()) == CONTRACT | {result.name for result in RESULTS}
    assert set(summary()["free_energy"]) == {"value", "lower", "upper", "unit", "guaranteed"}
    assert set(summary()["interaction"]) == {"tensor", "lower", "upper", "unit", "guaranteed"}


def test_stream_formulation_knows_a_lower_bound_and_no_upper_one():
    energy = summary()["free_energy"]
    assert (energy["value"], energy["lower"], energy["upper"]) == (0.5, 0.5, None)


def test_bounds_of_the_tensor_are_nested_like_the_tensor():
    value = np.zeros((1, 1, 2, 2))
    interaction = summary({"interaction": Bounded(value, value - 1, value + 1)})["interaction"]
    assert interaction["lower"] == [[[[-1.0, -1.0], [-1.0, -1.0]]]]
    assert interaction["upper"] == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_moment_that_was_not_computed_is_null():
    assert summary({"magnetic_moment": None})["magnetic_moment"] is None


def test_tensor_is_nested_by_impurities_then_by_axes():
    tensor = summary()["interaction"]["tensor"]
    assert tensor[0][1] == [[4.0, 5.0], [6.0, 7.0]]


def test_study_without_a_temperature_has_none():
    assert summary()["temperature"] is None


def test_temperature_is_in_the_units_of_the_study_and_tells_the_factor():
    units = Units(length="um", temperature="mK")
    found = summary(units=units, temperature=Temperature(value=4.5, critical=9.0, weight="dirty"))
    assert found["temperature"] == {
        "value": pytest.approx(4500.0, rel=1e-12),
        "critical": pytest.approx(9000.0, rel=1e-12),
        "unit": "mK",
        "weight": "dirty",
        "factor": pytest.approx(0.893605801660, abs=1e-11),  # bcs_weight.csv at T/Tc = 0.5
    }


def test_film_without_holes_has_none():
    assert summary()["holes"] == []


def test_holes_have_name_current_flux_and_fluxoid():
    holes = [HoleState("slit", 1.0, 0.25, 2.0, 2.0), HoleState("eye", -1.0, 0.0, 0.0)]
    assert summary({"holes": holes})["holes"] == [
        {"name": "slit", "current": 1.0, "flux": 0.25, "fluxoid": 2.0, "fluxoid_asked": 2.0},
        {"name": "eye", "current": -1.0, "flux": 0.0, "fluxoid": 0.0, "fluxoid_asked": 0.0},
    ]


def test_everything_is_in_the_units_of_the_study():
    units = Units(length="um")
    rounds = [{"cells": 1, "dofs": 2, "lower": 0.5, "upper": None, "error": 0.1, "seconds": 1.0}]
    holes = [HoleState("slit", 2.0, 0.25, 2.0, 2.0)]
    largest = [LargestCurrent("film", 3.0, 1.0, -2.0), LargestCurrent("top", None, None, None)]
    results = {"holes": holes, "largest_sheet_current": largest}
    found = summary(results, units=units, rounds=rounds)
    # Φ0²/μ0L = 21238 meV, Φ0/μ0L = 1645.5 µA, Φ0L/μ0 = 1.6455e-15 A·m² for L = 1 µm
    meV, uA = 21237.8, 1645.53
    assert found["free_energy"]["value"] == pytest.approx(0.5 * meV, rel=1e-5)
    assert found["free_energy"]["unit"] == found["interaction"]["unit"] == "meV"
    assert found["interaction"]["tensor"][1][1][1][1] == pytest.approx(15 * meV, rel=1e-5)
    assert found["rounds"][0]["lower"] == pytest.approx(0.5 * meV, rel=1e-5)
    assert found["rounds"][0]["error"] == 0.1  # relative
    assert found["kinetic_energy"] == pytest.approx(0.3 * meV, rel=1e-5)
    assert found["field_energy"] == pytest.approx(0.2 * meV, rel=1e-5)
    assert found["largest_sheet_current"] == [
        {"name": "film", "value": pytest.approx(3 * uA, rel=1e-5), "x": 1.0, "y": -2.0},
        {"name": "top", "value": None, "x": None, "y": None},
    ]  # Φ0/μ0L² = 1645.5 A/m
    assert found["magnetic_moment"][2] == pytest.approx(2 * uA * 1e-18, rel=1e-5)
    (hole,) = found["holes"]
    assert hole == {
        "name": "slit",
        "current": pytest.approx(2 * uA, rel=1e-5),
        "flux": pytest.approx(0.25, rel=1e-12),
        "fluxoid": pytest.approx(2.0, rel=1e-12),
        "fluxoid_asked": pytest.approx(2.0, rel=1e-12),
    }
    assert found["units"] == {
        "length": "um",
        "field": "mT",
        "current": "uA",
        "sheet_current": "A/m",
        "flux": "Phi0",
        "moment": "A*m^2",
        "energy": "meV",
    }


def test_run_without_impurities_has_no_interaction():
    assert summary({"interaction": None})["interaction"] is None


def test_result_that_was_not_computed_is_null_or_has_no_rows():
    found = summarise(RunRecord("", ReducedUnits(), results={"free_energy": Bounded(1.0)}))
    assert found["kinetic_energy"] is found["field_energy"] is found["magnetic_moment"] is None
    assert found["interaction"] is None
    assert found["holes"] == found["largest_sheet_current"] == []


def test_same_unit_for_all_energies():
    assert summary()["interaction"]["unit"] == summary()["free_energy"]["unit"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("key", ["free_energy", "interaction", "magnetic_moment", "field_energy"])
def test_number_that_is_not_finite_is_never_written(tmp_path, key, bad):
    value = {
        "free_energy": Bounded(bad),
        "interaction": Bounded(np.full((1, 1, 2, 2), bad)),
        "magnetic_moment": np.array([0.0, 0.0, bad]),
        "field_energy": bad,
    }[key]
    with pytest.raises(ValueError, match="JSON"):
        write_summary(tmp_path, summary({key: value}))
    assert list(tmp_path.iterdir()) == []


def test_versions_name_all_that_can_change_a_number():
    assert {"pearlfem", "dolfinx", "petsc", "gmsh", "numpy", "python", "mpi"} <= set(versions())
    assert all(isinstance(text, str) and text for text in versions().values())
    assert all(text.isprintable() for text in versions().values())
