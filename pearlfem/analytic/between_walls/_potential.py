"""The screened potential between two walls, of a Gaussian source: its derivatives.

As on the infinite film, H = −∇ψ with ψ = ± (Γ/4π)(m·∇) V above and below the film; now

    V(r, z) = ∫_0^∞ dq [r0 / (1 + q r0 c)] t(q, z) e^{−q²σ²/2} J_0(qr),
    ∂V/∂|z| = −∫_0^∞ dq q [r0 / (1 + q r0 c)] n(q, z) e^{−q²σ²/2} J_0(qr)

where t and n are the heights' profiles of H_t and H_z for H_z = 1 on the film, L the distance of
the wall on the side of z, and c the mean of t over the two faces of the film. For z > 0,

    shield         t = cosh q(L−z) / sinh qL,   n = sinh q(L−z) / sinh qL
    magnetic wall  t = sinh q(L−z) / cosh qL,   n = cosh q(L−z) / cosh qL

and both are e^{−qz} for L = ∞. Between shields V itself diverges at q → 0 like a logarithm; its
derivatives do not.
"""

from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pearlfem.analytic._bessel import bessel_functions
from pearlfem.analytic._checks import positive_or_infinite
from pearlfem.analytic._quadrature import GAUSSIAN_CUTOFF, graded_gauss, in_blocks

Array = NDArray[np.float64]
WallKind = Literal["shield", "magnetic-wall"]

# What the wall does to e^{−q(2L−z)}, the reflected part of H_t.
_REFLECTION = {"shield": 1.0, "magnetic-wall": -1.0}
# 16 Gauss nodes integrate a panel of this phase qr [radians] to rounding; 8 panels the Gaussian.
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
        """Check what a user gave, and return the walls."""
        if wall not in _REFLECTION:
            raise ValueError(f"wall = {wall!r}: must be 'shield' or 'magnetic-wall'")
        distances = positive_or_infinite("above", above), positive_or_infinite("below", below)
        return cls(_REFLECTION[wall], *distances)

    def profiles(self, q: Array, z: Array) -> tuple[Array, Array]:
        """Profiles t of H_t and n of H_z at height `z` (z = 0: the upper face)."""
        distance, height = np.where(z < 0, self.below, self.above), np.abs(z)
        reflected = -2.0 * q * (distance - height)
        incident = np.exp(-q * height) / _one_plus(-self.reflection, -2.0 * q * distance)
        tangential = incident * _one_plus(self.reflection, reflected)
        return tangential, incident * _one_plus(-self.reflection, reflected)

    def admittance(self, q: Array) -> Array:
        """Mean c of coth(qL) or tanh(qL) of the two walls, for q > 0."""
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
    """Screened potential of a Gaussian source between walls (see the module).

    The error is about 1e-15 of the value at r = z = 0, so far away digits are lost as V decays.

    Args:
        r: in-plane distance [length], >= 0.
        z: height above the film [length], z = 0 is the upper face; None is the mean of both
            faces, whose potential gives the sheet current and the energies.
        pearl_length: r0 = 2λ²/d [length].
        width: σ [length], > 0. For two Gaussian profiles that meet in an energy σ² = ξ1² + ξ2².
        walls: what is above and below.

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
        # The floor keeps J1(p)/p = 1/2 at r = 0.
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
    """Nodes and weights in u = qσ that resolve every scale of the integrands at these points."""
    # Seen from q = 0 the poles of the integrands are hardly nearer than 1/r0 or 1/L.
    lengths = [pearl_length, *(x for x in walls[1:] if np.isfinite(x)), float(np.abs(z).max())]
    panels = int(np.ceil(GAUSSIAN_CUTOFF * float((r / width).max()) / _PHASE))
    smallest = 0.5 * float(width.min()) / max(lengths)
    return graded_gauss(GAUSSIAN_CUTOFF, max(_FEWEST_PANELS, panels), smallest)


def _one_plus(sign: float, exponent: Array) -> Array:
    """1 ± e^x for x <= 0, without cancellation."""
    return np.asarray(1.0 + np.exp(exponent) if sign > 0 else -np.expm1(exponent))
