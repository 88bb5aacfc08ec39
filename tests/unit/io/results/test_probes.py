"""probe_NAME.csv: names and units, and the numbers as they were."""

import csv
import math
from typing import get_args

import numpy as np
import pytest

from pearlfem.io.results.probes import write_probe
from pearlfem.observables.tables import Column
from pearlfem.quantities.units import Kind, ReducedUnits, Units

REDUCED = ReducedUnits()
COLUMNS = [
    Column("x", "length", np.array([0.1, 1 / 3, -1e300])),
    Column("Bz", "field", np.array([math.pi, 5e-324, math.nan])),
]


def read(path):
    names, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return names, np.array(rows, dtype=float)


def test_numbers_come_back_as_they_were(tmp_path):
    path = write_probe(tmp_path, "a-1", COLUMNS, REDUCED)
    assert path == tmp_path / "probe_a-1.csv"
    names, rows = read(path)
    assert names == ["x [L]", "Bz [mu0 Gamma / L^2]"]
    np.testing.assert_array_equal(rows, np.column_stack([c.values for c in COLUMNS]))


def test_numpy_reads_the_file(tmp_path):
    path = write_probe(tmp_path, "a", COLUMNS, REDUCED)
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(rows[:, 0], COLUMNS[0].values)


def test_units_scale_the_numbers(tmp_path):
    units = Units(length="nm", field="T")
    names, rows = read(write_probe(tmp_path, "a", COLUMNS[1:], units))
    assert names == ["Bz [T]"]
    # Φ0/L² of L = 1 nm, in T: 2068
    np.testing.assert_allclose(rows[0, 0], math.pi * 2.067833848e-15 / 1e-18, rtol=1e-9)


def test_every_kind_of_quantity_has_a_unit(tmp_path):
    columns = [Column(kind, kind, np.zeros(1)) for kind in get_args(Kind)]
    for units in (REDUCED, Units(length="um")):
        names, _ = read(write_probe(tmp_path, "a", columns, units))
        assert names == [f"{kind} [{units.name(kind)}]" for kind in get_args(Kind)]


def test_zero_has_no_sign(tmp_path):
    column = Column("x", "length", np.array([-0.0]))
    assert write_probe(tmp_path, "a", [column], REDUCED).read_text() == "x [L]\n0.0\n"


def test_columns_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_probe(tmp_path, "a", [COLUMNS[0], Column("y", "length", np.zeros(2))], REDUCED)
