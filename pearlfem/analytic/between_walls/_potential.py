"""Derivatives of the screened potential V of a Gaussian source between two walls.

As on the infinite film, H = −∇ψ with ψ = ± (Γ/4π)(m·∇) V above and below the film. Here

    V(r, z) = ∫_0^∞ dq [r0 / (1 + q r0 c)] t(q, z) e^{−q²σ²/2} J_0(qr),
    ∂V/∂|z| = −∫_0^∞ dq q [r0 / (1 + q r0 c)] n(q, z) e^{−q²σ²/2} J_0(qr)

The profiles t of H_t and n of H_z over the height z are normalised to H_z = 1 on the film; c is the
mean of t over the two faces of the film. For z > 0 and a wall at the distance L,

    shield         t = cosh q(L−z) / sinh qL,   n = sinh q(L−z) / sinh qL
    magnetic wall  t = sinh q(L−z) / cosh qL,   n = cosh q(L−z) / cosh qL

and t = n = e^{−qz} without a wall (L = ∞). Between shields the integral for V diverges
logarithmically at q → 0; those for its derivatives converge.
"""

from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pearlfem.analytic._bessel import bessel_functions
from pearlfem.analytic._checks import positive_or_infinite
from pearlfem.analytic._quadrature import GAUSSIAN_CUTOFF, graded_gauss, in_blocks

Array = NDArray[np.float64]
WallKind = Literal["shield", "magnetic-wall"]

# Sign of e^{−q(2L−z)}, the part of H_t that a wall reflects.
_REFLECTION = {"shield": 1.0, "magnetic-wall": -1.0}
# 16 Gauss nodes integrate to rounding if the phase qr grows by at most _PHASE [radians] in a panel,
# and if the Gaussian is cut into at least _FEWEST_PANELS.
_PHASE = 12.0
_FEWEST_PANELS = 8


class Walls(NamedTuple):
    """Two parallel walls around the film.

    Attributes:
        reflection: +1 for shields, −1 for magnetic walls.
        above: distance of the upper wall [length], may be inf.
        below: distance of the lower wall [length], may be inf.
    """

    reflection: float
    above: float
    below: float

    @classmethod
    def checked(cls, wall: str, above: float, below: float) -> Self:
        """Return the walls; refuse an unknown kind or a distance that is not positive."""
        if wall not in _REFLECTION:
            raise ValueError(f"wall = {wall!r}: must be 'shield' or 'magnetic-wall'")
        distances = positive_or_infinite("above", above), positive_or_infinite("below", below)
        return cls(_REFLECTION[wall], *distances)

    def profiles(self, q: Array, z: Array) -> tuple[Array, Array]:
        """Profiles t of H_t and n of H_z at height `z` (z = 0 is the upper face)."""
        # cosh q(L−z) / sinh qL = e^{−qz} (1 + e^{−2q(L−z)}) / (1 − e^{−2qL}), and so on.
        distance, height = np.where(z < 0, self.below, self.above), np.abs(z)
        reflected = -2.0 * q * (distance - height)
        incident = np.exp(-q * height) / _one_plus(-self.reflection, -2.0 * q * distance)
        tangential = incident * _one_plus(self.reflection, reflected)
        return tangential, incident * _one_plus(-self.reflection, reflected)

    def admittance(self, q: Array) -> Array:
        """The mean c of coth(qL) (shields) or tanh(qL) (magnetic walls) over both walls, q > 0."""
        sides = (
            _one_plus(self.reflection, -2.0 * q * distance)
            / _one_plus(-self.reflection, -2.0 * q * distance)
            for distance in (self.above, self.below)
        )
        return 0.5 * sum(sides, start=np.zeros_like(q))


class WalledDerivatives(NamedTuple):
    """Derivatives of the screened potential V(r, z) between walls, all smooth at r = 0.

    Attributes:
        slope_over_r: V'/r [1/length²].
        quadrupole: V'' − V'/r [1/length²].
        normal_slope_over_r: (∂V'/∂|z|)/r [1/length³].
    """

    slope_over_r: Array
    quadrupole: Array
    normal_slope_over_r: Array

    def hessian(self, separation: Array) -> Array:
        """In-plane second derivatives ∂_a ∂_b V at `separation` ``(..., 2)``: ``(..., 2, 2)``."""
        r = np.hypot(separation[..., 0], separation[..., 1])[..., None]
        direction = separation / np.where(r > 0, r, np.inf)
        outer = direction[..., :, None] * direction[..., None, :]
        isotropic = self.slope_over_r[..., None, None] * np.eye(2)
        return np.asarray(isotropic + self.quadrupole[..., None, None] * outer)


def walled_potential(
    r: Array, z: Array | None, pearl_length: float, width: Array | float, walls: Walls
) -> WalledDerivatives:
    """Derivatives of the screened potential of a Gaussian source between walls (see the module).

    The absolute error is about 1e-15 of the value at r = z = 0: far away, where V is small, fewer
    digits are right.

    Args:
        r: in-plane distance [length], >= 0.
        z: height above the film [length], z = 0 is the upper face; None for the mean of both
            faces, which gives the sheet current and the energies.
        pearl_length: r0 = 2λ²/d [length].
        width: σ [length], > 0. In the energy of two Gaussian sources σ² = ξ1² + ξ2².
        walls: the walls above and below.

    Returns:
        Three arrays of the common shape of `r`, `z` and `width`.
    """
    height = 0.0 if z is None else z
    shape = np.broadcast_shapes(np.shape(r), np.shape(height), np.shape(width))
    x, y, sigma = (np.broadcast_to(a, shape).ravel() for a in (r, height, width))
    if x.size == 0:
        return WalledDerivatives(*np.empty((3, *shape)))
    u, du = _nodes(x, y, sigma, pearl_length, walls)
    measure = du * u * np.exp(-0.5 * u * u)

    def evaluate(x: Array, y: Array, s: Array) -> Array:
        q = u / s[:, None]
        c = walls.admittance(q)
        tangential, normal = (c, 1.0) if z is None else walls.profiles(q, y[:, None])
        spectrum = measure / s[:, None] ** 2 * (q * pearl_length / (1.0 + q * pearl_length * c))
        # The lower limit of p gives J1(p)/p = 1/2 at r = 0, in place of 0/0.
        _, j1_over_p, j2 = bessel_functions(np.maximum(x / s, 1e-100)[:, None] * u)
        return np.stack(
            [
                -np.einsum("ij,ij->i", spectrum * tangential, j1_over_p),
                np.einsum("ij,ij->i", spectrum * tangential, j2),
                np.einsum("ij,ij->i", spectrum * normal * q, j1_over_p),
            ]
        )

    return WalledDerivatives(*in_blocks(evaluate, u.size, x, y, sigma).reshape(3, *shape))


def _nodes(
    r: Array, z: Array, width: Array, pearl_length: float, walls: Walls
) -> tuple[Array, ...]:
    """Nodes and weights in u = qσ that resolve the integrands on every scale, for these points."""
    # The integrands vary over 1/z, and over 1/r0 and 1/L: the distances of their poles from q = 0.
    lengths = [pearl_length, *(x for x in walls[1:] if np.isfinite(x)), float(np.abs(z).max())]
    panels = int(np.ceil(GAUSSIAN_CUTOFF * float((r / width).max()) / _PHASE))
    smallest = 0.5 * float(width.min()) / max(lengths)
    return graded_gauss(GAUSSIAN_CUTOFF, max(_FEWEST_PANELS, panels), smallest)


def _one_plus(sign: float, exponent: Array) -> Array:
    """1 ± e^x for x <= 0, without loss of digits."""
    return np.asarray(1.0 + np.exp(exponent) if sign > 0 else -np.expm1(exponent))
