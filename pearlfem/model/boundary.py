"""What surrounds the film: open space, walls on the six faces of a box, or a periodic cell."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from pearlfem.model.periodic import Periodic
from pearlfem.quantities.annotated import (
    FORBID_EXTRA,
    Length,
    PositiveLength,
    PositiveOrInfiniteLength,
)


def _infinite_on_both_sides_or_none(box: tuple[float, float, float]) -> tuple[float, float, float]:
    if math.isinf(box[0]) != math.isinf(box[1]):
        raise ValueError("sizes along x and y should both be finite or both be inf")
    return box


Box = Annotated[
    tuple[PositiveOrInfiniteLength, PositiveOrInfiniteLength, PositiveLength],
    AfterValidator(_infinite_on_both_sides_or_none),
]
Position = tuple[Length, Length, Length]
WallKind = Literal["shield", "magnetic-wall"]


@dataclass(frozen=True, config=FORBID_EXTRA)
class Open:
    """Unbounded space; numerically it ends at the far boundary."""

    @property
    def mirrored(self) -> bool:
        """Whether space is mirror symmetric in the film's plane z = 0: always."""
        return True


@dataclass(frozen=True, config=FORBID_EXTRA)
class Walls:
    """Walls on the six faces of a box, all of one kind.

    A film that is the whole plane fills the cross-section z = 0 of the box. Shields are then in
    superconducting contact with it, so that K may flow into them; at magnetic walls K·n = 0.

    Args:
        kind: "shield" (superconducting, B·n = 0) or "magnetic-wall" (n × H = 0).
        box: Sizes along x, y and z [length]. Those along x and y may both be ``inf``: then only
            the walls above and below exist, and space ends at the far boundary.
        center: Centre of the box [length]. With z = 0, space is mirror symmetric.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    kind: WallKind
    box: Box
    center: Position = (0.0, 0.0, 0.0)

    @property
    def mirrored(self) -> bool:
        """Whether space is mirror symmetric in the film's plane z = 0."""
        return self.center[2] == 0

    @property
    def infinite(self) -> bool:
        """Whether there are no walls at the sides."""
        return math.isinf(self.box[0])

    @property
    def heights(self) -> tuple[float, float]:
        """Heights [length] of the lower and of the upper wall."""
        return self.center[2] - self.box[2] / 2, self.center[2] + self.box[2] / 2

    @property
    def wall_distance(self) -> float:
        """Distance [length] of the film from the nearer of the walls above and below."""
        return min(abs(z) for z in self.heights)

    def clearance(self, point: tuple[float, float]) -> float:
        """Return the distance [length] of ``point`` from the walls at the sides; < 0 outside."""
        return min(
            size / 2 - abs(x - x0)
            for x, size, x0 in zip(point, self.box[:2], self.center[:2], strict=True)
        )

    def __str__(self) -> str:
        """Return the box in words, for messages."""
        return f"the box of sizes {list(self.box)} around {list(self.center)}"


Boundary = Open | Walls | Periodic
