"""Quadrature nodes for the integrals behind the Keldysh potential.

`double_exponential` is for integrals over t > 0 whose integrand varies on every scale between two
lengths, `graded_gauss` for Hankel integrals with a Gaussian cut-off.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Step and first node in u. Compared with 60-digit values, the trapezoidal rule then has a relative
# error of 2e-15 for all kernels and their derivatives; a step of 0.25 gives 1e-12.
_STEP = 0.2
_FIRST = -3.8
# Unit of t as a fraction of the shorter length. Around t = 1 the nodes change from double to single
# exponential spacing; the fraction keeps the integrand's branch points away from there.
START_FRACTION = 0.3
# exp(−50) = 2e-22 is far below rounding, even after division by powers of the shorter length.
DECAY_LENGTHS = 50.0
# Highest wave number in units of 1/σ: the tail beyond it, 9² exp(−9²/2), is 1e-16 of any integral.
GAUSSIAN_CUTOFF = 9.0
# Nodes × points in one block: temporaries of 128 kB fit into a core's cache.
_BLOCK = 2**14


def double_exponential(reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of ∫_0^∞ f(t) dt for a function f that is negligible beyond t = `reach`.

    The trapezoidal rule in u with t = exp(u − e^{−u}), so dt/du = t (1 + e^{−u}). It converges
    exponentially for f analytic in the right half plane, however many decades lie between 1 and
    `reach`.

    Args:
        reach: where f has decayed; f must not vary on scales shorter than 1.

    Returns:
        Nodes and weights, each of shape ``(m,)``.
    """
    u = np.arange(_FIRST, np.log(max(reach, 1.0)) + 2 * _STEP, _STEP)
    nodes = np.exp(u - np.exp(-u))
    return nodes, _STEP * nodes * (1.0 + np.exp(-u))


def graded_gauss(end: float, panels: int, smallest: float) -> tuple[NDArray[np.float64], ...]:
    """Gauss–Legendre nodes and weights on [0, `end`], on panels that get shorter towards 0.

    Args:
        end: upper limit.
        panels: number of equal panels; the first one is halved again and again towards 0.
        smallest: the panel at 0 is no longer than this.

    Returns:
        Nodes and weights, each of shape ``(m,)``.
    """
    width = end / panels
    halvings = max(3, int(np.ceil(np.log2(width / smallest))))
    inner = width * 0.5 ** np.arange(halvings, 0, -1)
    coarse = _gauss_on(np.linspace(width, end, panels), 16)
    fine = _gauss_on(np.concatenate([[0.0], inner, [width]]), 12)
    nodes, weights = (np.concatenate(parts) for parts in zip(fine, coarse, strict=True))
    return nodes, weights


def _gauss_on(
    edges: NDArray[np.float64], order: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss–Legendre nodes and weights on the panels between successive `edges`."""
    x, w = np.polynomial.legendre.leggauss(order)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * x).ravel(), (half * w).ravel()


def in_blocks(
    evaluate: Callable[..., NDArray[np.float64]],
    nodes_per_point: int,
    *columns: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Evaluate points block by block, so that temporaries of points × nodes stay small.

    Args:
        evaluate: maps blocks of `columns`, each ``(b,)``, to an array ``(..., b)``.
        nodes_per_point: number of quadrature nodes that `evaluate` uses for each point.
        *columns: arrays of shape ``(n,)``.

    Returns:
        The results side by side, shape ``(..., n)``.
    """
    size = max(1, _BLOCK // nodes_per_point)
    starts = range(0, max(1, columns[0].size), size)
    blocks = [evaluate(*(c[start : start + size] for c in columns)) for start in starts]
    return np.concatenate(blocks, axis=-1)
