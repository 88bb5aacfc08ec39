"""Lattice sums of the Keldysh kernel by Ewald's method.

With 1/ρ = (2/√π) ∫_0^∞ e^{−ρ²s²} ds in V(r) = ∫_0^∞ dt e^{−t/r0} / √(r² + t²),

    V(r) = ∫_0^∞ (ds/s) e^{−r²s²} erfcx(1/(2 r0 s)),   erfcx(y) = e^{y²} erfc(y)

The scales s > η are the short-range part, which is summed over sites; the scales s < η are the
long-range part, which is summed over reciprocal vectors. With u = r², v = s² and
g(v) = erfcx(1/(2 r0 √v)) the short-range part of −∇∇V is

    e^{−uη²} {1 ∫ e^{−uw} g(η²+w) dw − 2 r r ∫ (η²+w) e^{−uw} g(η²+w) dw},   0 < w < ∞

With x = q/2η and y = 1/(2 η r0) the spectrum of the long-range part is

    q q (π/2η²) e^{−x²} [erfcx(y) − (y/x) erfcx(x)] / (x² − y²)

which becomes q q 2π/q² e^{−q²/4η²} for r0 = ∞ (y = 0).

Paper: Ewald, Ann. Phys. 369, 253 (1921).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

from pearlfem.analytic._quadrature import (
    DECAY_LENGTHS,
    START_FRACTION,
    double_exponential,
    graded_gauss,
    in_blocks,
)
from pearlfem.analytic.lattice.cell import Lattice, points_within

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Both sums end where exp(−x²) = 2e-17.
_REACH = 6.2
# Wave vectors in one block, so that temporaries stay small.
_BLOCK = 256
# If x and y are closer than this, relative to y, x² − y² loses digits: see _mean_slope.
_CLOSE = 0.02


class EwaldSum:
    """The interaction of a lattice, prepared for any number of wave vectors."""

    def __init__(self, lattice: Lattice, pearl_length: float, split: float = 1.0) -> None:
        """Prepare the parts that do not depend on the wave vector.

        Args:
            lattice: the impurities.
            pearl_length: r0 [length], may be infinite.
            split: η in units of √(π/area of a cell); at 1 both sums have the same number of terms.
        """
        self._lattice = lattice
        self._eta = split * np.sqrt(np.pi / lattice.area)
        self._rate = 0.5 / pearl_length
        offsets = lattice.separations
        farthest = float(np.hypot(offsets[..., 0], offsets[..., 1]).max())
        self._cells = points_within(lattice.vectors, _REACH / self._eta + farthest)
        self._short = _short_tensors(
            self._cells[:, None, None, :] + offsets, self._eta, self._rate
        ).reshape(len(self._cells), -1)
        corner = 0.5 * np.hypot(*lattice.reciprocal_vectors.T).sum()
        reach = 2.0 * self._eta * _REACH + corner
        self._reciprocal = points_within(lattice.reciprocal_vectors, reach)
        # An impurity does not interact with itself: T(0) is left out of the sum.
        self._self_term = _long_at_origin(self._eta, self._rate) * np.eye(2 * len(lattice.sites))

    def __call__(self, wavevectors: Array) -> Complex:
        """T(k) ``(m, n, 2, n, 2)`` [J*/length²] for wave vectors ``(m, 2)``."""
        n = len(self._lattice.sites)
        tensors = np.empty((len(wavevectors), n, 2, n, 2), np.complex128)
        for start in range(0, len(wavevectors), _BLOCK):
            block = slice(start, start + _BLOCK)
            tensors[block] = self._of_cells(wavevectors[block])
        phases = np.exp(1j * (wavevectors @ self._lattice.sites.T))
        tensors *= phases[:, None, None, :, None]
        tensors *= phases.conj()[:, :, None, None, None]
        return tensors

    def _of_cells(self, wavevectors: Array) -> Complex:
        """Σ_R T(R + s_b − s_a) e^{ik·R}: the phases are those of cells, so it is periodic in k."""
        b = self._lattice.reciprocal_vectors
        k = wavevectors - np.round(wavevectors @ np.linalg.inv(b)) @ b
        m, n = len(k), len(self._lattice.sites)
        short = (np.exp(1j * (k @ self._cells.T)) @ self._short).reshape(m, n, n, 2, 2)
        q = k[:, None, :] + self._reciprocal
        spectrum = _long_spectrum(np.hypot(q[..., 0], q[..., 1]), self._eta, self._rate)
        amplitude = np.sqrt(spectrum / self._lattice.area)[..., None] * q
        waves = np.exp(1j * (q @ self._lattice.sites.T))
        modes = (waves[..., None] * amplitude[:, :, None, :]).reshape(m, -1, 2 * n)
        long = modes.transpose(0, 2, 1) @ modes.conj() - self._self_term
        return np.asarray(short.transpose(0, 1, 3, 2, 4) + long.reshape(m, n, 2, n, 2))


def _short_tensors(separations: Array, eta: float, rate: float) -> Array:
    """Short-range part of −∇∇V ``(..., 2, 2)`` at separations ``(..., 2)``; 0 at the origin."""
    square = (separations * separations).sum(axis=-1)
    apart = square > 0
    tensors = np.zeros((*square.shape, 2, 2))
    if apart.any():
        isotropic, along = _short_integrals(square[apart], eta * eta, rate)
        r = separations[apart]
        tensors[apart] = isotropic[:, None, None] * np.eye(2)
        tensors[apart] -= along[:, None, None] * (r[:, :, None] * r[:, None, :])
    return tensors


def _short_integrals(u: Array, start: float, rate: float) -> Array:
    """Coefficients of 1 and of −r r in the short-range part, for u = r² > 0 and start = η²."""
    shortest = START_FRACTION * min(1.0, start * float(u.min()))
    nodes, weights = double_exponential(DECAY_LENGTHS / shortest)

    def evaluate(u: Array) -> Array:
        scale = START_FRACTION * np.minimum(start, 1.0 / u)
        v = start + scale[:, None] * nodes
        integrand = np.exp(-u[:, None] * v) * erfcx(rate / np.sqrt(v))
        return np.stack([scale * (integrand @ weights), 2.0 * scale * ((v * integrand) @ weights)])

    return in_blocks(evaluate, nodes.size, u)


def _long_spectrum(q: Array, eta: float, rate: float) -> Array:
    """Long-range part of V(q); 0 at q = 0."""
    y = rate / eta
    x = np.where(q > 0, q, np.inf) / (2.0 * eta)
    close = np.abs(x - y) < _CLOSE * y
    apart = np.where(close, np.inf, x)
    with np.errstate(invalid="ignore"):
        factor = (erfcx(y) - y / apart * erfcx(apart)) / (apart * apart - y * y)
    if close.any():
        factor[close] = -y / (x[close] + y) * _mean_slope(x[close], y)
    return np.asarray(np.pi / (2.0 * eta * eta) * np.exp(-(np.minimum(x, 30.0) ** 2)) * factor)


def _mean_slope(x: Array, y: float) -> Array:
    """Return [φ(x) − φ(y)] / (x − y) with φ(x) = erfcx(x)/x, for x close to y.

    It is the mean of φ' between y and x, which Gauss's rule integrates without cancellation. The
    spectrum needs it because [erfcx(y) − (y/x) erfcx(x)] / (x² − y²) is −y/(x + y) times it.
    """
    nodes, weights = np.polynomial.legendre.leggauss(5)
    z = 0.5 * ((x + y)[:, None] + (x - y)[:, None] * nodes)
    slope = 2.0 * erfcx(z) - 2.0 / (np.sqrt(np.pi) * z) - erfcx(z) / (z * z)
    return np.asarray(0.5 * (slope @ weights))


def _long_at_origin(eta: float, rate: float) -> float:
    """Long-range part of −∇∇V at r = 0, where it is isotropic: 2 ∫_0^η s erfcx(rate/s) ds."""
    # For a smaller rate, the part of [0, η] where the rate matters is too short to count.
    s, weights = graded_gauss(eta, 2, smallest=max(rate, 1e-9 * eta))
    return float(2.0 * (weights @ (s * erfcx(rate / s))))
