"""Energy gap and superfluid weight of a weakly coupled BCS superconductor at any temperature.

The gap equation is ln(T/Tc) = 2πT Σ_{n≥0} [1/√(ω_n² + Δ²) − 1/ω_n] with ω_n = (2n+1)πT. Written in
x = Δ/T it reads

    −ln(T/Tc) = G(x),   G(x) = ln(x e^γ/π) + ∫_{-∞}^{∞} ds / (1 + e^{x cosh s})     (ξ = Δ sinh s)

with Euler's constant γ, so Δ(0) = π e^{−γ} Tc = 1.764 Tc. The superfluid weight w = D(T)/D(0) is

    clean   w = 1 − 2 ∫_0^∞ dξ (−∂f/∂E) = dG/d ln x   (Yosida; mean free path ≫ coherence length)
    dirty   w = [Δ(T)/Δ(0)] tanh(Δ(T)/2T)             (mean free path ≪ coherence length)

For a film κ = e²D ∝ w, so its Pearl length r0 = 2/(μ0 κ) is r0(0)/w. If the exchange field enters
the Hamiltonian like a vector potential, as on a Dirac surface (see ``pearlfem.model.materials``),
the background vector potential a = (Γ/κ)(m × ẑ) f of an impurity does not depend on temperature.
Then Γ = Γ(0) w and J* = Γ²/(2πκ) = J*(0) w.

J. Bardeen, L. N. Cooper, J. R. Schrieffer, Phys. Rev. 108, 1175 (1957); K. Yosida, Phys. Rev. 110,
769 (1958); A. A. Abrikosov, L. P. Gor'kov, Sov. Phys. JETP 8, 1090 (1959).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pearlfem.analytic._checks import non_negative, positive

GAP_RATIO = float(np.pi * np.exp(-np.euler_gamma))
"""Δ(0)/Tc (with k_B = 1), 1.764."""

_COLD = 0.03  # T/Tc; below it Δ(0) − Δ(T) ~ exp(−1.76 Tc/T) < 1e-25, far below rounding
_SMALL = 1.5  # x = Δ/T; below it the power series converges at least like 0.23^k
_STEP = 0.25  # of the trapezoidal rule: the nearest poles have |Im s| = π/2, error e^{−π²/step}
_NEWTON_STEPS = 4  # the first guess is right to 2 %; three steps reach rounding


def gap(temperature: ArrayLike, critical: float = 1.0) -> NDArray[np.float64]:
    """Δ(T)/Δ(0), the reduced gap.

    Args:
        temperature: T, any shape, 0 <= T < Tc, in the same unit as `critical`.
        critical: Tc.

    Returns:
        Numbers in (0, 1], the shape of `temperature`, with a relative error of 1e-14. Near Tc,
        where Δ ∝ √(1 − T/Tc), rounding of T adds to it.

    Raises:
        ValueError: if a temperature is negative, or `critical` or higher, or a number not finite.

    References:
        Bardeen, Cooper, Schrieffer, Phys. Rev. 108, 1175 (1957).
    """
    t = _reduced(temperature, critical)
    return _gap_over_temperature(t) * np.maximum(t, _COLD) / GAP_RATIO


def clean_weight(temperature: ArrayLike, critical: float = 1.0) -> NDArray[np.float64]:
    """D(T)/D(0) = 1 − 2 ∫_0^∞ dξ (−∂f/∂E), the superfluid weight in the clean limit.

    Args:
        temperature: T, any shape, 0 <= T < Tc, in the same unit as `critical`.
        critical: Tc.

    Returns:
        Numbers in (0, 1], the shape of `temperature`.

    Raises:
        ValueError: if a temperature is negative, or `critical` or higher, or a number not finite.

    References:
        Yosida, Phys. Rev. 110, 769 (1958).
    """
    t = _reduced(temperature, critical)
    return _gap_equation(_gap_over_temperature(t))[1]


def dirty_weight(temperature: ArrayLike, critical: float = 1.0) -> NDArray[np.float64]:
    """D(T)/D(0) = [Δ(T)/Δ(0)] tanh(Δ(T)/2T), the superfluid weight in the dirty limit.

    Args:
        temperature: T, any shape, 0 <= T < Tc, in the same unit as `critical`.
        critical: Tc.

    Returns:
        Numbers in (0, 1], the shape of `temperature`.

    Raises:
        ValueError: if a temperature is negative, or `critical` or higher, or a number not finite.

    References:
        Abrikosov, Gor'kov, Sov. Phys. JETP 8, 1090 (1959).
    """
    t = _reduced(temperature, critical)
    return gap(t) * np.tanh(_gap_over_temperature(t) / 2.0)


def _reduced(temperature: ArrayLike, critical: float) -> NDArray[np.float64]:
    """Return T/Tc; refuse temperatures outside 0 <= T < Tc."""
    value, highest = non_negative("temperature", temperature), positive("critical", critical)
    reduced = value / highest
    if not np.all(reduced < 1.0):
        raise ValueError(
            f"temperature = {temperature!r}: every entry must be < critical = {critical!r}"
        )
    return reduced


def _gap_over_temperature(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the x = Δ/T that solves G(x) = −ln(T/Tc); lower temperatures count as _COLD.

    Newton's method in the variable x²: G is a concave function of it.
    """
    t = np.maximum(t, _COLD)
    target = -np.log(t)
    square = np.square(GAP_RATIO / t * np.tanh(1.74 * np.sqrt(1.0 / t - 1.0)))
    for _ in range(_NEWTON_STEPS):
        value, slope = _gap_equation(np.sqrt(square))
        square = square * (1.0 + 2.0 * (target - value) / slope)
    return np.asarray(np.sqrt(square))


def _gap_equation(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return G(x) and dG/d ln x for x > 0 of any shape."""
    small = x < _SMALL
    series = _power_series(np.where(small, x, _SMALL))
    integral = _integral(np.where(small, _SMALL, x))
    value, slope = (np.where(small, *pair) for pair in zip(series, integral, strict=True))
    return value, slope


def _power_series(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return G and dG/d ln x from a power series: expand the sum over n in powers of x/π.

    Near Tc, where G ~ 7ζ(3) x²/8π², it loses no digits.
    """
    k = np.arange(1, 28)
    # Σ_{n≥0} (2n+1)^{−s} = (1 − 2^{−s}) ζ(s) at s = 2k + 1
    sums = (1.0 - 0.5 ** (2 * k + 1)) * special.zeta(2 * k + 1)
    terms = -2.0 * special.binom(-0.5, k) * sums * (x[..., None] / np.pi) ** (2 * k)
    return terms.sum(axis=-1), terms @ (2.0 * k)


def _integral(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return G and dG/d ln x from the integral over s by the trapezoidal rule, for x >= _SMALL."""
    s = np.arange(-20, 21) * _STEP  # at the ends cosh s = 74: the integrand is below e^{−111}
    energy = x[..., None] * np.cosh(s)
    occupied = special.expit(-energy)
    value = np.log(x * np.exp(np.euler_gamma) / np.pi) + _STEP * occupied.sum(axis=-1)
    slope = 1.0 - _STEP * (energy * occupied * special.expit(energy)).sum(axis=-1)
    return value, slope
