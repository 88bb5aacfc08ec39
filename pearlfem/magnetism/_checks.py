"""Checks of arguments, and the interaction tensor as one symmetric matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.errors import StudyError

_ASYMMETRY = 1e-6  # of the largest entry: solvers leave less, mistakes make more

_Array = NDArray[np.float64]


def symmetric_matrix(tensor: ArrayLike) -> _Array:
    """Return T as a matrix ``(2n, 2n)`` with the rows x1, y1, x2, y2 and so on.

    The small asymmetry that solvers leave is averaged out.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].

    Raises:
        StudyError: The shape is wrong, an entry is not finite, or T_ij differs from the transpose
            of T_ji by more than 1e-6 of the largest entry.
    """
    T = np.asarray(tensor, dtype=np.float64)
    if T.ndim != 4 or T.shape[0] != T.shape[1] or T.shape[2:] != (2, 2) or not len(T):
        raise StudyError(f"tensor has shape {T.shape}: must be (n, n, 2, 2), n >= 1")
    if not np.all(np.isfinite(T)):
        i, j, a, b = (int(k) for k in np.argwhere(~np.isfinite(T))[0])
        raise StudyError(
            f"tensor[{i}, {j}, {a}, {b}] = {T[i, j, a, b]}: every entry must be finite "
            "(for point impurities on the infinite film set the diagonal blocks to 0)"
        )
    matrix = T.transpose(0, 2, 1, 3).reshape(2 * len(T), -1)
    asymmetry, largest = np.abs(matrix - matrix.T), np.abs(matrix).max()
    if asymmetry.max() > _ASYMMETRY * largest:
        i, j = (int(k) // 2 for k in np.unravel_index(asymmetry.argmax(), matrix.shape))
        raise StudyError(
            f"tensor[{i}, {j}] differs from the transpose of tensor[{j}, {i}] by up to "
            f"{asymmetry.max():.3g}: they must agree to {_ASYMMETRY:g} of the largest entry, "
            f"{largest:.3g}"
        )
    return 0.5 * (matrix + matrix.T)


def without_shift(matrix: _Array) -> tuple[_Array, float]:
    """Return T without the isotropic parts of its diagonal blocks, and the energy that these add.

    This energy is the same for every state. It may be so large that the interaction would lose
    digits beside it.
    """
    blocks = np.diagonal(matrix).reshape(-1, 2).mean(axis=1)
    return matrix - np.diag(np.repeat(blocks, 2)), 0.5 * float(blocks.sum())


def finite_angles(angles: ArrayLike, count: int | None = None) -> _Array:
    """Return angles ``(..., n)``; refuse a wrong number of them, or one that is not finite."""
    array = np.asarray(angles, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] == 0 or count not in (None, array.shape[-1]):
        wanted = "n >= 1" if count is None else count
        raise StudyError(f"angles has shape {array.shape}: the last axis must be {wanted} long")
    if not np.all(np.isfinite(array)):
        raise StudyError(f"angles = {angles!r}: every entry must be finite")
    return array


def finite_vectors(name: str, vectors: ArrayLike, count: int | None = None) -> _Array:
    """Return vectors ``(count, 2)``; without a count one vector ``(2,)`` or any number of them."""
    array = np.asarray(vectors, dtype=np.float64)
    fits = array.ndim in (1, 2) if count is None else array.shape == (count, 2)
    if not fits or array.shape[-1] != 2:
        wanted = "(2,) or (q, 2)" if count is None else f"({count}, 2)"
        raise StudyError(f"{name} has shape {array.shape}: must be {wanted}")
    if not np.all(np.isfinite(array)):
        raise StudyError(f"{name} = {vectors!r}: every entry must be finite")
    return array


def at_least(name: str, value: int, smallest: int) -> int:
    """Return `value` as an integer; refuse fractions and values below `smallest`."""
    if value != int(value) or value < smallest:
        raise StudyError(f"{name} = {value!r}: must be an integer >= {smallest}")
    return int(value)
