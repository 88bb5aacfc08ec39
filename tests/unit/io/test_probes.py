"""probe_NAME.csv: names and units, and the numbers as they were."""

import csv
import math

import numpy as np
import pytest

from pearlfem.io.probes import REDUCED_UNITS, Unit, write_probe
from pearlfem.observables.tables import Column

COLUMNS = [
    Column("x", "length", np.array([0.1, 1 / 3, -1e300])),
    Column("Bz", "field", np.array([math.pi, 5e-324, math.nan])),
]


def read(path):
    names, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return names, np.array(rows, dtype=float)


def test_numbers_come_back_as_they_were(tmp_path):
    path = write_probe(tmp_path, "a-1", COLUMNS)
    assert path == tmp_path / "probe_a-1.csv"
    names, rows = read(path)
    assert names == ["x [L]", "Bz [mu0 Gamma/L^2]"]
    np.testing.assert_array_equal(rows, np.column_stack([c.values for c in COLUMNS]))


def test_numpy_reads_the_file(tmp_path):
    rows = np.loadtxt(write_probe(tmp_path, "a", COLUMNS), delimiter=",", skiprows=1)
    np.testing.assert_array_equal(rows[:, 0], COLUMNS[0].values)


def test_units_scale_the_numbers(tmp_path):
    units = {"length": Unit("um", 2.0), "field": Unit("T", 0.5)}
    names, rows = read(write_probe(tmp_path, "a", COLUMNS, units))
    assert names == ["x [um]", "Bz [T]"]
    expected = [[2 * a, b / 2] for a, b in zip(*(c.values for c in COLUMNS), strict=True)]
    np.testing.assert_array_equal(rows, expected)


def test_every_quantity_has_a_reduced_unit(tmp_path):
    columns = [Column(quantity, quantity, np.zeros(1)) for quantity in REDUCED_UNITS]
    names, _ = read(write_probe(tmp_path, "a", columns))
    assert names == [f"{quantity} [{unit.text}]" for quantity, unit in REDUCED_UNITS.items()]


def test_zero_has_no_sign(tmp_path):
    text = write_probe(tmp_path, "a", [Column("x", "length", np.array([-0.0]))]).read_text()
    assert text == "x [L]\n0.0\n"


def test_columns_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_probe(tmp_path, "a", [COLUMNS[0], Column("y", "length", np.zeros(2))])
