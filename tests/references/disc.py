"""Energies of sources on a disc by a spectral Galerkin method: a reference for the solver.

Unit radius and reduced units, μ0 = Φ0 = 1, κ = 2/r0. Find g, zero off the disc, such that for all h

    (1/κ) ∫ ∇g·∇h dS + ½ ∫ |q| ĝ ĥ* d²q/(2π)² = ℓ(h) = −∫ h rot a dS.

The basis functions are h = u_n(ρ) e^{imφ} with u_n ∝ ρ^m (1 − ρ²) P_n^{(m,1)}. Their Hankel
transforms are J_μ(q)/q² with μ = m + 2n + 2. So the matrix of the film is diagonal, 1/(2μ), and
that of space is

    ∫_0^∞ J_μ J_ν q⁻² dq = 4 (−1)^j / [π (1 − 4j²) ((μ + ν)² − 1)],      j = (μ − ν)/2

(Weber and Schafheitlin). Loads are Hankel integrals as well. A Gaussian that reaches beyond the
edge needs no special treatment, because h vanishes there. Inside, the method converges
exponentially. At distance d from the edge g ~ d + d² ln d/r0, so energies converge as N⁻⁶ with N
radial functions, N > r0^(−1/2).

Points are replaced by smooth profiles that are narrower than the distance from the edge; only their
high moments differ from those of points. The exact theory of the infinite film corrects for this.

With a finer basis, for r0 from 0.01 to 10, energies of Gaussians (ξ ≥ 0.02, up to 0.95 from the
centre) change by less than 3e-9, those of points by less than 1e-8.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, toeplitz
from scipy.special import gammaincc

from references.hankel import bessel_rows, gauss
from references.infinite_film import NOTHING, point_potential, smooth_potential

Array = NDArray[np.float64]

ORDER = 10  # of the smooth profiles that replace points
REACH = 11.0  # distance from the edge, in units of the width of these profiles


class Impurity(NamedTuple):
    """Moment at an angle in degrees; a = (Γ/κ) m × ẑ f, f a Gaussian of width ``size``."""

    position: tuple[float, float]
    size: float = 0.0
    angle: float = 0.0
    strength: float = 1.0


class Vortex(NamedTuple):
    """Winding n; rot a = −n f, f a Gaussian of width ``size``."""

    position: tuple[float, float]
    size: float = 0.0
    winding: float = 1.0


class Field(NamedTuple):
    """A uniform field along z; rot a = B."""

    strength: float = 1.0


PointLike = Impurity | Vortex
Source = PointLike | Field


def mutual_energies(
    pearl_length: float, sources: Sequence[Source], resolution: float = 1.0
) -> Array:
    """W_ij = ℓ_i(g_j), shape (n, n); the energy of all sources together is F = ½ Σ W_ij.

    For points (size 0) the part of the infinite film is exact. For two points at one position, and
    for a point and itself, this part is infinite: W then has only the part that the edge adds.

    Args:
        pearl_length: r0, in units of the radius.
        sources: Sources inside the disc.
        resolution: Factor for the size of the basis, and for the profiles that replace points.
    """
    energies = _smooth_energies(pearl_length, sources, resolution)
    for i, first in enumerate(sources):
        for j, second in enumerate(sources):
            if not isinstance(first, Field) and not isinstance(second, Field):
                energies[i, j] += _correction(pearl_length, first, second, resolution)
    return energies


def interaction_tensor(
    pearl_length: float,
    positions: Sequence[tuple[float, float]],
    sizes: Sequence[float],
    resolution: float = 1.0,
) -> Array:
    """T of impurities, shape (n, n, 2, 2), F = ½ Σ m_i·T_ij·m_j; points as in `mutual_energies`."""
    sources = [
        Impurity(position, size, angle)
        for position, size in zip(positions, sizes, strict=True)
        for angle in (0.0, 90.0)
    ]
    n = len(positions)
    energies = mutual_energies(pearl_length, sources, resolution)
    return energies.reshape(n, 2, n, 2).swapaxes(1, 2)


def magnetic_moments(
    pearl_length: float, sources: Sequence[Source], resolution: float = 1.0
) -> Array:
    """∫ g dS of each source, shape (n,): minus its mutual energy with a unit field."""
    return -mutual_energies(pearl_length, [Field(), *sources], resolution)[0, 1:]


def _distance(source: Source) -> float:
    """Distance from the centre."""
    return 0.0 if isinstance(source, Field) else float(np.hypot(*source.position))


class _Profile(NamedTuple):
    """The profile f of a Gaussian, or one for a point: moments ∫ f x^n dS right to 2 ORDER − 1."""

    width: float
    point: bool

    def spectrum(self, q: Array) -> Array:
        x = (q * self.width) ** 2 / 2
        return gammaincc(ORDER, x) if self.point else np.exp(-x)

    @property
    def cutoff(self) -> float:
        """Wave number beyond which the spectrum is below 1e-16."""
        return (11.0 if self.point else 8.6) / self.width


def _profile(source: Source, resolution: float) -> _Profile:
    if isinstance(source, Field):
        return _Profile(np.inf, False)
    edge = 1 - _distance(source)
    return _Profile(source.size or edge / (REACH * resolution), not source.size)


def _smooth_energies(pearl_length: float, sources: Sequence[Source], resolution: float) -> Array:
    """W_ij of the profiles of all sources, also of those that replace points."""
    profiles = [_profile(source, resolution) for source in sources]
    cutoff = max(20.0, *(profile.cutoff for profile in profiles))
    band = int(resolution * 0.75 * cutoff) + 10  # energies have the square of the spectrum
    edge = int(resolution * (20 + 10 / np.sqrt(pearl_length)))
    harmonics = int(band * max(map(_distance, sources))) + 10
    q, dq = gauss(np.linspace(0.0, cutoff, int(cutoff / 50) + 2), 80)
    bessel = bessel_rows(max(band, harmonics + 2 * edge) + 4, q)
    rings = [
        dq * profile.spectrum(q) * bessel_rows(harmonics + 2, q * _distance(source))
        for profile, source in zip(profiles, sources, strict=True)
    ]
    operator = _Operator(pearl_length, max(edge, band // 2 + 1))
    # The load of a uniform field is the Fourier transform of a basis function at q = 0.
    uniform = [-np.pi / 4 * s.strength if isinstance(s, Field) else 0.0 for s in sources]
    n = len(sources)
    energies = np.zeros((n, n))
    for m in range(harmonics + 1):
        count = max(edge, (band - m) // 2 + 1)
        pairs = zip(sources, rings, strict=True)
        waves = np.array([_wave(source, ring, m, q, pearl_length) for source, ring in pairs])
        loads = np.concatenate([waves.real, waves.imag]) @ bessel[m + 2 :: 2][:count].T
        if m == 0:
            loads[:n, 0] += uniform
        products = loads @ operator.solve(m, loads.T) * (2 if m else 1) / np.pi
        energies += products[:n, :n] + products[n:, n:]
    return energies


class _Operator:
    """r0 q² + |q| in the radial basis of each m."""

    def __init__(self, pearl_length: float, largest: int) -> None:
        self.pearl_length = pearl_length
        j = np.arange(largest)
        self.space = toeplitz(4 * (-1.0) ** j / (np.pi * (1 - 4.0 * j**2)))

    def solve(self, m: int, loads: Array) -> Array:
        """Solutions for loads in columns, shape (basis, n)."""
        mu = m + 2.0 + 2 * np.arange(len(loads))
        matrix = self.space[: len(mu), : len(mu)] / ((mu[:, None] + mu) ** 2 - 1)
        matrix[np.diag_indices_from(matrix)] += self.pearl_length / (2 * mu)
        return cho_solve(cho_factor(matrix, overwrite_a=True, check_finite=False), loads)


def _wave(source: Source, rings: Array, m: int, q: Array, pearl_length: float) -> NDArray[Any]:
    """ℓ of J_m(qρ) e^{imφ}/q, computed from J_n(qs) f̂(q) in ``rings``; complex, shape (q,)."""
    if isinstance(source, Field):
        return np.zeros_like(q)
    turn = np.exp(1j * np.arctan2(source.position[1], source.position[0]))
    if isinstance(source, Vortex):
        return source.winding * turn**m * rings[m] / q
    # ∂x ∓ i∂y turn J_m(qρ) e^{imφ} into ±q J_{m∓1}(qρ) e^{i(m∓1)φ}.
    below = rings[m - 1] if m else -rings[1]
    moment = source.strength * np.exp(1j * np.deg2rad(source.angle))
    along, against = moment * turn ** (m - 1), moment.conjugate() * turn ** (m + 1)
    return -pearl_length / 4 * (along * below - against * rings[m + 1])


def _correction(
    pearl_length: float, first: PointLike, second: PointLike, resolution: float
) -> float:
    """Infinite film: energy of the true sources minus that of the profiles that replace them."""
    if first.size and second.size:
        return 0.0
    offset = np.subtract(first.position, second.position)
    one, two = _profile(first, resolution), _profile(second, resolution)
    cutoff = min(one.cutoff, two.cutoff)
    used = smooth_potential(
        pearl_length, offset, lambda q: one.spectrum(q) * two.spectrum(q), cutoff
    )
    if gaussian := first.size or second.size:
        exact = smooth_potential(
            pearl_length, offset, lambda q: np.exp(-((q * gaussian) ** 2) / 2), 8.6 / gaussian
        )
    else:
        exact = point_potential(pearl_length, offset) if offset.any() else NOTHING
    change = exact - used
    (a, u), (b, v) = _load(first, pearl_length), _load(second, pearl_length)
    return a * b * change.value + change.gradient @ (b * u - a * v) - u @ change.hessian @ v


def _load(source: PointLike, pearl_length: float) -> tuple[float, Array]:
    """c and v in ℓ(h) = c h + v·∇h, taken at the position of a point source."""
    if isinstance(source, Vortex):
        return source.winding, np.zeros(2)
    angle = np.deg2rad(source.angle)
    moment = np.array([np.cos(angle), np.sin(angle)]) * source.strength
    return 0.0, -pearl_length / 2 * moment
