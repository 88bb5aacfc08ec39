"""Mutual energies of two sources with any profiles on the infinite film.

In reduced units (μ0 = Φ0 = 1, κ = 2/r0) a vortex at r' has the stream function Φ(r − r') with

    Φ(r) = (1/π) ∫_0^∞ w(q) J0(qr)/(1 + q r0) dq,

where w is the product of both profiles in Fourier space. Other sources have derivatives of Φ. For
points w = 1 and Φ = V(r/r0)/(π r0) with the Keldysh potential V(x) = ∫_0^∞ exp(−x sinh t) dt.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import jv

from references.hankel import gauss

Array = NDArray[np.float64]


class Potential(NamedTuple):
    """Φ at one point with its first and second derivatives, shapes (), (2,) and (2, 2)."""

    value: float
    gradient: Array
    hessian: Array

    def __sub__(self, other: "Potential") -> "Potential":
        return Potential(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Potential(0.0, np.zeros(2), np.zeros((2, 2)))


def smooth_potential(
    pearl_length: float, offset: Array, weight: Callable[[Array], Array], cutoff: float
) -> Potential:
    """Φ for profiles whose spectrum ``weight(q)`` vanishes beyond ``cutoff``."""
    r = float(np.hypot(*offset))
    # From 1/r0 on panels double in length, because the integrand has a pole at −1/r0; where J
    # oscillates they stay constant.
    ends = [0.0, min(cutoff, 1 / pearl_length)]
    while ends[-1] < cutoff:
        ends.append(min(cutoff, 2 * ends[-1], ends[-1] + 100 / max(r, 1e-3)))
    q, dq = gauss(ends, 80)
    density = dq * weight(q) / (1 + q * pearl_length) / np.pi
    moments = [np.sum(density * q ** (n > 0) * q ** (n > 1) * jv(n, q * r)) for n in (0, 1, 2)]
    average = np.sum(density * q**2 * jv(0, q * r)) / 2
    direction = offset / r if r > 0 else np.zeros(2)
    along = np.outer(direction, direction) - np.eye(2) / 2
    return Potential(moments[0], -moments[1] * direction, -average * np.eye(2) + moments[2] * along)


def point_potential(pearl_length: float, offset: Array) -> Potential:
    """Φ for two points at the separation ``offset`` ≠ 0."""
    r = float(np.hypot(*offset))
    x = r / pearl_length
    t, dt = gauss([0.0, np.arcsinh(745 / x)], 400)
    V, slope, curvature = (
        np.sum(dt * (-np.sinh(t) / pearl_length) ** n * np.exp(-x * np.sinh(t))) for n in (0, 1, 2)
    )
    direction = offset / r
    along = np.outer(direction, direction)
    hessian = curvature * along + slope / r * (np.eye(2) - along)
    return Potential(*(u / (np.pi * pearl_length) for u in (V, slope * direction, hessian)))
