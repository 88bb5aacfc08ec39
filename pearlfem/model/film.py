"""The superconducting film: where it lies in the plane z = 0 and how strongly it screens."""

from __future__ import annotations

import math

from pydantic.dataclasses import dataclass

from pearlfem.model.quantities import FORBID_EXTRA, Point, Positive


@dataclass(frozen=True, config=FORBID_EXTRA)
class Plane:
    """The whole plane z = 0; numerically it ends at the far boundary."""

    def contains(self, point: tuple[float, float]) -> bool:
        """Return whether ``point`` [length] lies on the film: always."""
        return True

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return "the whole plane"


@dataclass(frozen=True, config=FORBID_EXTRA)
class Disc:
    """A disc in the plane z = 0.

    Args:
        radius: Radius R [length], positive.
        center: Centre (x, y) [length].

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    radius: Positive
    center: Point = (0.0, 0.0)

    def contains(self, point: tuple[float, float]) -> bool:
        """Return whether ``point`` [length] lies inside the edge."""
        return math.dist(point, self.center) < self.radius

    def __str__(self) -> str:
        """Return the shape in words, for messages."""
        return f"the disc of radius {self.radius:g} around {self.center}"


Shape = Plane | Disc


@dataclass(frozen=True, config=FORBID_EXTRA)
class Film:
    """A thin superconducting film of uniform Pearl length.

    Args:
        shape: Where the film is.
        pearl_length: r0 = 2λ²/d = 2/(μ0 κ) [length]. Twice the Λ = λ²/d of some other codes.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """

    shape: Shape
    pearl_length: Positive

    @property
    def superfluid_weight(self) -> float:
        """κ = 2/(μ0 r0) [1/length in reduced units, μ0 = 1], in K = −κ (A + a − ∇χ)."""
        return 2.0 / self.pearl_length
