"""Vortices, and fluxoids that are trapped in holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic.dataclasses import dataclass

from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Core, Source
from pearlfem.quantities.annotated import FORBID_EXTRA, Point, PositiveLength, Winding
from pearlfem.quantities.arrays import Array


@dataclass(frozen=True, config=FORBID_EXTRA)
class Vortex(Source):
    """A vortex: rot a = −nΦ0 f with a Gaussian core f.

    a = −(nΦ0/2πr) (1 − exp(−r²/2ξ²)) φ̂ around its centre.

    Args:
        position: Centre (x, y) [length].
        size: ξ [length], the width of its core.
        winding: n, of either sign, not zero.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """

    position: Point
    size: PositiveLength
    winding: Winding = 1

    @property
    def cores(self) -> Sequence[Core]:
        """The centre: a varies over the size of the core."""
        return (Core(self.position, self.size),)

    @property
    def places(self) -> Sequence[Point]:
        """Its centre."""
        return (self.position,)

    @property
    def vorticity(self) -> int:
        """Its winding."""
        return self.winding

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return a; see ``Source``."""
        offset = points - self.position
        square = np.sum(offset**2, axis=-1)
        scaled = square / (2 * self.size**2)
        # (1 − e^{−s})/r², and its limit at the centre
        ratio = np.divide(-np.expm1(-scaled), square, where=square > 0, out=np.zeros_like(square))
        ratio[square == 0] = 1 / (2 * self.size**2)
        return np.asarray(-self.winding / (2 * np.pi) * ratio[..., None] * _turned(offset))


@dataclass(frozen=True, config=FORBID_EXTRA)
class Fluxoid(Source):
    """A fluxoid trapped in a hole: a circulates by −NΦ0 around it, and rot a = 0 on the film.

    a = −(NΦ0/2πr) φ̂ around the point of the hole that is farthest from its edge.

    Args:
        hole: Name of the hole.
        number: N, of either sign, not zero.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    hole: str
    number: Winding = 1

    @property
    def vorticity(self) -> int:
        """N."""
        return self.number

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return a; see ``Source``."""
        offset = points - layer.film.opening(self.hole).pole
        square = np.sum(offset**2, axis=-1, keepdims=True)
        return -self.number / (2 * np.pi) * _turned(offset) / square


def _turned(vectors: Array) -> Array:
    """Return ẑ × v = r φ̂ for v = r r̂."""
    return np.stack([-vectors[..., 1], vectors[..., 0]], axis=-1)
