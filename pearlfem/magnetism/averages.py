"""Means of correlated samples, with error bars that hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCKS = 32  # independent means that an error bar is made of: it is then good to 13 %


class Average(NamedTuple):
    """A mean over samples.

    Attributes:
        mean: The mean.
        error: Its standard error.
        autocorrelation_time: τ, in samples: error² = 2τ · variance / samples; ½ if the samples
            are independent.
    """

    mean: float
    error: float
    autocorrelation_time: float


def average(samples: NDArray[np.float64]) -> Average:
    """Mean over chains of correlated samples; its error from the scatter of the means of blocks.

    A block is a whole chain if there are at least 32 of them, otherwise each chain is cut into
    the few blocks that make 32 together. So the error holds for every autocorrelation that is
    short against a block, and for 32 chains also if each has stuck in a state of its own.

    Args:
        samples: ``(chains, length)``, in the order in which each chain made them, and at least
            32 in all; the first few of a chain are left out if the blocks do not divide it.

    References:
        Flyvbjerg, Petersen, J. Chem. Phys. 91, 461 (1989).
    """
    chains, length = samples.shape
    each = -(-_BLOCKS // chains)
    size = length // each
    blocks = samples[:, length - each * size :].reshape(-1, size)
    error = blocks.mean(axis=1).std(ddof=1) / np.sqrt(len(blocks))
    variance = blocks.var()
    time = 0.5 * error**2 * blocks.size / variance if variance > 0 else 0.5
    return Average(float(blocks.mean()), float(error), float(time))
