"""Checks of arguments that the exact formulas share; no physics here."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite_array(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as an array of doubles; refuse NaN and infinity."""
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} = {value!r}: every entry must be finite")
    return array


def finite(name: str, value: float) -> float:
    """Return `value` as a float; refuse anything that is not one finite number."""
    if np.ndim(value) != 0 or not np.isfinite(value):
        raise ValueError(f"{name} = {value!r}: must be a finite number")
    return float(value)


def positive(name: str, value: float) -> float:
    """Return `value` as a float; refuse anything that is not a finite number > 0."""
    if np.ndim(value) != 0 or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} = {value!r}: must be a finite number > 0")
    return float(value)


def positive_or_infinite(name: str, value: float) -> float:
    """Return `value` as a float; refuse anything that is not a number > 0 or infinity."""
    if np.ndim(value) != 0 or not value > 0:
        raise ValueError(f"{name} = {value!r}: must be a number > 0 (infinity allowed)")
    return float(value)


def all_positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as an array of doubles; refuse entries that are not finite and > 0."""
    array = finite_array(name, value)
    if not np.all(array > 0):
        raise ValueError(f"{name} = {value!r}: every entry must be > 0")
    return array


def non_negative(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as an array of doubles; refuse negative or non-finite entries."""
    array = finite_array(name, value)
    if np.any(array < 0):
        raise ValueError(f"{name} = {value!r}: every entry must be >= 0")
    return array


def vectors(name: str, value: ArrayLike, dimension: int) -> NDArray[np.float64]:
    """Return `value` as an array of shape ``(..., dimension)``; refuse other shapes."""
    array = finite_array(name, value)
    if array.ndim == 0 or array.shape[-1] != dimension:
        raise ValueError(f"{name} has shape {array.shape}: the last axis must be {dimension} long")
    return array


def vector(name: str, value: ArrayLike, dimension: int) -> NDArray[np.float64]:
    """Return `value` as one vector of shape ``(dimension,)``; refuse other shapes."""
    array = finite_array(name, value)
    if array.shape != (dimension,):
        raise ValueError(f"{name} has shape {array.shape}: must be ({dimension},)")
    return array


def pair(name: str, value: ArrayLike) -> tuple[float, float]:
    """Return the two numbers of `value`, one for each source, as floats."""
    first, second = vector(name, value, 2)
    return float(first), float(second)


def one_for_each(name: str, values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return `count` values: a single one is repeated; refuse any other number of values."""
    if values.shape not in ((), (count,)):
        raise ValueError(f"{name} has shape {values.shape}: must be () or ({count},)")
    return np.broadcast_to(values, (count,))
