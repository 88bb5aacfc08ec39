"""Means of correlated samples, with reliable error bars."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCKS = 32  # block means behind an error bar, which is then right to 1/√(2·31) = 13 %


class Average(NamedTuple):
    """A mean over samples.

    Attributes:
        mean: The mean.
        error: Its standard error.
        autocorrelation_time: τ, in samples, from error² = 2τ · variance / samples; ½ for
            independent samples.
    """

    mean: float
    error: float
    autocorrelation_time: float


def average(samples: NDArray[np.float64]) -> Average:
    """Mean over chains of correlated samples, with its error from the scatter of block means.

    With 32 chains or more, each chain is one block. With fewer, each chain is cut into blocks so
    that there are at least 32 in all. The error is right if the autocorrelation time is short
    compared with a block; with 32 chains it is right even if each chain is stuck in another state.

    Args:
        samples: ``(chains, length)``, in the order in which each chain made them; at least 32 in
            all. If the blocks do not divide a chain evenly, its first samples are left out.

    References:
        Flyvbjerg, Petersen, J. Chem. Phys. 91, 461 (1989).
    """
    chains, length = samples.shape
    blocks_per_chain = -(-_BLOCKS // chains)  # rounded up
    size = length // blocks_per_chain
    blocks = samples[:, length - blocks_per_chain * size :].reshape(-1, size)
    error = blocks.mean(axis=1).std(ddof=1) / np.sqrt(len(blocks))
    variance = blocks.var()
    time = 0.5 * error**2 * blocks.size / variance if variance > 0 else 0.5
    return Average(float(blocks.mean()), float(error), float(time))
