"""Magnetic impurities: a moment in the plane with a Gaussian profile, or at a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Core, Source
from pearlfem.quantities.annotated import (
    FORBID_EXTRA,
    Finite,
    NotNegativeLength,
    Point,
    Strength,
)
from pearlfem.quantities.arrays import Array

_GAUSSIAN_REACH = 9.0  # in units of ξ: farther out the profile is below 3e-18 of its maximum


@dataclass(frozen=True, config=FORBID_EXTRA)
class Impurity(Source):
    """A magnetic impurity with an in-plane moment and a Gaussian profile, or at a point.

    a(r) = (Γ/κ) (m × ẑ) f(r − r_i),  f(r) = exp(−r²/2ξ²)/(2πξ²),  m = (cos θ, sin θ).

    Args:
        position: Position r_i = (x, y) [length].
        size: ξ [length], the width of the anomalous current's profile (coherence length); 0 is a
            point impurity, f = δ. Its self-energy on the infinite film is infinite and left out;
            the finite part from the film's edges counts (see
            ``pearlfem.formulation.stream.point_lifts``).
        angle: Angle θ [degrees] of the moment m in the plane, from the x axis.
        strength: Γ, the anomalous current J_an = Γ m × ẑ; of either sign, not zero.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), before Eq. (2).
    """

    position: Point
    size: NotNegativeLength
    angle: Finite = 0.0
    strength: Strength = Field(default=1.0, validate_default=True)

    @property
    def moment(self) -> tuple[float, float]:
        """Unit vector m of the magnetic moment (dimensionless)."""
        theta = math.radians(self.angle)
        return math.cos(theta), math.sin(theta)

    @property
    def components(self) -> tuple[Impurity, Impurity]:
        """The same impurity with its moment along x, and along y."""
        return replace(self, angle=0.0), replace(self, angle=90.0)

    @property
    def weights(self) -> tuple[float, float]:
        """The moment m."""
        return self.moment

    @property
    def cores(self) -> Sequence[Core]:
        """The impurity itself: a varies over its size."""
        return (Core(self.position, self.size),)

    @property
    def places(self) -> Sequence[Point]:
        """Its position."""
        return (self.position,)

    @property
    def reach(self) -> float:
        """Distance [length] beyond which a is zero."""
        return _GAUSSIAN_REACH * self.size

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return a = (Γ/κ)(m × ẑ) f; see ``Source``. Not for points, where f is not a function."""
        mx, my = self.moment
        amplitude = self.strength * _gaussian(points, self.position, self.size) / superfluid_weight
        return np.asarray(amplitude[..., None] * np.array([my, -mx]))


def _gaussian(points: Array, center: Point, size: float) -> Array:
    """Return exp(−r²/2ξ²)/(2πξ²) at points, shape ``(…, 2)`` to ``(…)``."""
    square = np.sum((points - center) ** 2, axis=-1) / size**2
    return np.asarray(np.exp(-square / 2) / (2 * np.pi * size**2))


def is_point(source: Source) -> TypeGuard[Impurity]:
    """Return whether ``source`` is a point impurity."""
    return isinstance(source, Impurity) and source.size == 0


def has_points(sources: Sequence[Source]) -> bool:
    """Return whether there are point impurities among ``sources``."""
    return any(is_point(source) for source in sources)
