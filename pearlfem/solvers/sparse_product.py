"""The product of a sparse matrix and many vectors at once, in compiled code.

SciPy's product keeps its sums in memory; with sums in registers it takes half the time. The code is
compiled on first use with the compiler that DOLFINx needs anyway, and kept beside compiled forms.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from cffi import FFI
from mpi4py import MPI

from pearlfem.quantities.arrays import Int32Array
from pearlfem.runtime.jit import cache_folder, compiling
from pearlfem.runtime.parallel import on_root

_TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_DECLARATION = """void multiply_NUMBER(int rows, long k, const int *starts, const int *columns,
    const NUMBER *entries, const NUMBER *x, NUMBER *product);"""
_FLAGS = ["-O3"]

_Array = npt.NDArray[np.floating]


def compile_product(comm: MPI.Comm) -> None:
    """Compile the product if it is not in the cache yet.

    Raises:
        CompilationError: There is no compiler, or the cache cannot be written.

    Note:
        Collective: one rank compiles, the others wait.
    """
    on_root(comm, _library)


class Rows(NamedTuple):
    """A sparse matrix in CSR format: row i has the entries ``starts[i]`` to ``starts[i + 1] − 1``.

    Args:
        starts: Number of the first entry of each row, and the number of all entries.
        columns: The column of each entry.
        entries: The entries, in single or double precision.
    """

    starts: Int32Array
    columns: Int32Array
    entries: _Array


def multiply(matrix: Rows, x: _Array, rows: slice) -> _Array:
    """Return some rows of the product of a matrix and vectors.

    Args:
        matrix: The matrix.
        x: The vectors as columns, ``(n, k)`` in C order, in the precision of the matrix.
        rows: A slice of ``m`` rows.

    Returns:
        These rows of the product, ``(m, k)`` in C order and the same precision.
    """
    module, number = _module(), _TYPES[matrix.entries.dtype]
    product = np.empty((rows.stop - rows.start, x.shape[1]), x.dtype)
    view = module.ffi.from_buffer
    getattr(module.lib, f"multiply_{number}")(
        *product.shape,
        view("int[]", matrix.starts[rows.start : rows.stop + 1]),
        view("int[]", matrix.columns),
        *(view(f"{number}[]", numbers) for numbers in (matrix.entries, x, product)),
    )
    return product


@functools.cache
def _module() -> ModuleType:
    """Return the compiled module."""
    library = _library()
    spec = importlib.util.spec_from_file_location(library.name.partition(".")[0], library)
    if spec is None or spec.loader is None:
        raise ImportError(f"{library} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _library() -> Path:
    """Return the file of the compiled module; compile it if it is not in the cache."""
    code = files("pearlfem.solvers").joinpath("sparse_product.c").read_text()
    declaration, source = (
        "\n".join(text.replace("NUMBER", number) for number in _TYPES.values())
        for text in (_DECLARATION, code)
    )
    # The name holds a hash of all that the result depends on, so an old file is never used.
    recipe = "\n".join([declaration, source, *_FLAGS, sysconfig.get_platform()])
    name = f"sparse_product_{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    library = cache_folder() / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    if library.exists():
        return library
    builder = FFI()
    builder.cdef(declaration)
    builder.set_source(name, source, extra_compile_args=_FLAGS)
    with compiling() as cache, tempfile.TemporaryDirectory(dir=cache) as folder:
        os.replace(builder.compile(tmpdir=folder), library)  # atomic: never a half-written file
    return library
