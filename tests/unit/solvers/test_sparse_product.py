"""Compiled products of sparse matrices."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from pearlfem.solvers.sparse_product import Rows, multiply

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7, 8, 15, 16, 20, 31])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_product_is_that_of_scipy(columns, precision):
    matrix = random_array((40, 30), density=0.1, rng=RNG, dtype=precision, format="lil")
    matrix[[0, 7, -1]] = 0.0  # empty rows
    matrix = csr_matrix(matrix)
    x = RNG.normal(size=(30, columns)).astype(precision)
    exact = matrix.astype(float) @ x.astype(float)
    for rows in (slice(0, 40), slice(0, 1), slice(7, 23), slice(39, 40), slice(5, 5)):
        product = multiply(Rows(matrix.indptr, matrix.indices, matrix.data), x, rows)
        assert product.dtype == precision
        np.testing.assert_allclose(product, exact[rows], atol=40 * np.finfo(precision).eps)


@pytest.mark.parametrize("shape", [(0, 5), (5, 5), (5, 0)])
def test_matrix_without_entries_gives_zeros(shape):
    zero = csr_matrix(shape)
    matrix = Rows(zero.indptr, zero.indices, zero.data)
    product = multiply(matrix, np.ones((shape[1], 4)), slice(0, shape[0]))
    np.testing.assert_array_equal(product, np.zeros((shape[0], 4)))


def test_processes_that_compile_at_once_agree(tmp_path):
    code = (
        "import numpy as np\n"
        "from pearlfem.solvers.sparse_product import Rows, multiply\n"
        "eye = Rows(np.array([0, 1, 2], np.int32), np.array([0, 1], np.int32), np.ones(2))\n"
        "print(multiply(eye, np.ones((2, 1)), slice(0, 2)).sum())"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "new")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=100)[0] for process in processes] == ["2.0\n"] * 3
    left = {path.suffix for path in (tmp_path / "new/fenics/pearlfem").iterdir()}
    assert left == {".so", ""}  # the library and the lock, and nothing unfinished
