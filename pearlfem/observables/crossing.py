"""Bounds that cross prove an error of the program: they are never a result."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pearlfem.errors import CrossingError
from pearlfem.quantities.arrays import Array

ROUND_OFF = 1e-9  # relative: sums over the film and its quadrature are not better


def checked_gaps(lower: npt.ArrayLike, upper: npt.ArrayLike, what: str) -> Array:
    """Return upper − lower; 0 where bounds cross by no more than round-off.

    Args:
        lower: Lower bounds, of any shape.
        upper: Upper bounds, of the same shape.
        what: What they bound, for the message.

    Raises:
        CrossingError: A lower bound is above the upper one.

    Note:
        Not collective: give all ranks the same bounds.
    """
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    crossing = low - high - ROUND_OFF * np.maximum(np.abs(low), np.abs(high))
    if not np.all(crossing <= 0):
        worst = np.unravel_index(np.argmax(crossing), crossing.shape)
        raise CrossingError(
            f"{what}: the lower bound {low[worst]:.12g} is above the upper bound "
            f"{high[worst]:.12g}. This is an error of pearlfem, and there is no result: please "
            "report it, with the study"
        )
    return np.asarray(np.maximum(high - low, 0.0))


def gaps_of(lower: npt.ArrayLike, upper: npt.ArrayLike, what: str, guaranteed: bool) -> Array:
    """Return ``checked_gaps`` of guaranteed bounds, and |upper − lower| of estimates."""
    if guaranteed:
        return checked_gaps(lower, upper, what)
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    return np.asarray(np.abs(high - low))
