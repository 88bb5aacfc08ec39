"""Reference tables for the exact formulas; each test that reads one names its units."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "data"

Array = NDArray[np.float64]
Table = dict[str, Array]


@pytest.fixture
def read_table() -> Callable[[str], Table]:
    """Read a reference table into a dictionary of columns."""

    def read(name: str) -> Table:
        rows = np.genfromtxt(DATA / f"{name}.csv", delimiter=",", names=True)
        return {column: rows[column] for column in rows.dtype.names or ()}

    return read


@pytest.fixture
def gradient() -> Callable[[Callable[[Array], Array], Array, float], Array]:
    """Central differences of fourth order; the axis of the derivatives is the last one."""

    def differentiate(function: Callable[[Array], Array], points: Array, step: float) -> Array:
        columns = []
        for axis in range(points.shape[-1]):
            h = np.zeros(points.shape[-1])
            h[axis] = step
            near = function(points + h) - function(points - h)
            wide = function(points + 2 * h) - function(points - 2 * h)
            columns.append((8 * near - wide) / (12 * step))
        return np.stack(columns, axis=-1)

    return differentiate
