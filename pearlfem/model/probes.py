"""Probes: what to measure at chosen places. Each probe becomes one table of numbers.

In a study file they are the tables ``[[output.probe]]``; their key ``kind`` says which probe it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import WHOLE, Length, Point, PositiveLength
from pearlfem.quantities.arrays import Array

# At the height z the film's field varies over lengths of order z, so the work for the flux through
# a loop grows with the square of radius/height.
LARGEST_LOOP = 30.0  # in heights above the film
MOST_SAMPLES = 1_000_000  # of a line or a grid


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
        raise ValueError("input should be 1 to 100 letters, digits, '_', '-' or '.'")
    return name


def _lifted(point: Any) -> Any:
    """Return (x, y) as a point (x, y, 0) on the film."""
    return (*point, 0.0) if isinstance(point, list | tuple) and len(point) == 2 else point


def _some(points: tuple[Any, ...]) -> tuple[Any, ...]:
    if not points:  # Field(min_length=1) would count only the points without a fault
        raise ValueError("input should have at least 1 point")
    return points


def _different(end: Any, info: ValidationInfo) -> Any:
    if end == info.data.get("start"):
        raise ValueError("input should differ from start")
    return end


def _loop_above_film(radius: float, height: float) -> float:
    if not height > 0:
        raise ValueError(f"input should not be given with height {height:g}, only above the film")
    if radius > LARGEST_LOOP * height:
        raise ValueError(
            f"input should be at most {LARGEST_LOOP * height:g}, {LARGEST_LOOP:g} times the height"
        )
    return radius


Name = Annotated[str, Field(strict=True), AfterValidator(_file_name)]
PositionOrPoint = Annotated[
    tuple[Length, Length, Length],
    BeforeValidator(_lifted),
    Field(json_schema_extra={"minItems": 2}),
]
PositionAbove = tuple[Length, Length, PositiveLength]
Samples = Annotated[int, Field(ge=2, le=MOST_SAMPLES, strict=True), WHOLE]


class _Probe(BaseModel):
    """The common keys of all probes.

    Args:
        name: NAME of the file ``probe_NAME.csv``: 1 to 100 letters, digits, '_', '-' or '.'.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name


class PointsProbe(_Probe):
    """Fields at points.

    Args:
        points: Points (x, y, z), or (x, y) on the film [length]; z = 0 is the film's upper face.
    """

    kind: Literal["points"] = "points"
    points: Annotated[tuple[PositionOrPoint, ...], AfterValidator(_some)]

    def places(self) -> Array:
        """Return the points [length], shape ``(n, 3)``."""
        return np.array(self.points)

    def outline(self) -> Array:
        """Return points [length] that lie within space only if the probe does, ``(n, 3)``."""
        return self.places()


class LineProbe(_Probe):
    """Fields along a straight line.

    Args:
        start: First end (x, y, z), or (x, y) on the film [length].
        end: Second end, in the same way [length].
        samples: Number of points, both ends included.
    """

    kind: Literal["line"] = "line"
    start: PositionOrPoint
    end: PositionOrPoint
    samples: Samples

    _ends_differ = field_validator("end")(_different)

    def places(self) -> Array:
        """Return the points from start to end [length], shape ``(n, 3)``."""
        return np.linspace(self.start, self.end, self.samples)

    def arc_lengths(self) -> Array:
        """Return the distances of the points from the start [length], shape ``(n,)``."""
        return np.linspace(
            0.0, float(np.linalg.norm(np.subtract(self.end, self.start))), self.samples
        )

    def outline(self) -> Array:
        """Return points [length] that lie within space only if the probe does, ``(n, 3)``."""
        return np.array([self.start, self.end])


class GridProbe(_Probe):
    """Fields on a horizontal grid, as a scanning probe sees them.

    Args:
        center: Middle (x, y) of the grid [length].
        size: Its sizes along x and y [length].
        height: Its height z [length].
        samples: Numbers of points along x and y, the edges included.
        loop_radius: Radius [length] of a horizontal loop around each point, whose flux is added;
            needs ``height`` > 0.
    """

    kind: Literal["grid"] = "grid"
    center: Point
    size: tuple[PositiveLength, PositiveLength]
    height: Length
    samples: tuple[Samples, Samples]
    loop_radius: PositiveLength | None = None

    @field_validator("samples")
    @classmethod
    def _not_too_many(cls, samples: tuple[int, int]) -> tuple[int, int]:
        if samples[0] * samples[1] > MOST_SAMPLES:
            raise ValueError(f"input should be at most {MOST_SAMPLES} points together")
        return samples

    @field_validator("loop_radius")
    @classmethod
    def _above_film(cls, radius: float | None, info: ValidationInfo) -> float | None:
        if radius is None or "height" not in info.data:
            return radius
        return _loop_above_film(radius, info.data["height"])

    def places(self) -> Array:
        """Return the points row by row, x fastest [length], shape ``(nx ny, 3)``."""
        return self._lattice(*self.samples)

    def outline(self) -> Array:
        """Return points [length] that lie within space only if the probe does, ``(n, 3)``."""
        return _circled(self._lattice(2, 2), self.loop_radius or 0.0)

    def _lattice(self, nx: int, ny: int) -> Array:
        x, y = (
            np.linspace(middle - extent / 2, middle + extent / 2, count)
            for middle, extent, count in zip(self.center, self.size, (nx, ny), strict=True)
        )
        return np.column_stack([np.tile(x, ny), np.repeat(y, nx), np.full(nx * ny, self.height)])


class LoopProbe(_Probe):
    """The flux through a horizontal circular loop above the film.

    Args:
        center: Middle (x, y, z) of the loop [length], z > 0.
        radius: Its radius [length], at most 30 z.
    """

    kind: Literal["loop"] = "loop"
    center: PositionAbove
    radius: PositiveLength

    @field_validator("radius")
    @classmethod
    def _above_film(cls, radius: float, info: ValidationInfo) -> float:
        return _loop_above_film(radius, info.data["center"][2]) if "center" in info.data else radius

    def outline(self) -> Array:
        """Return points [length] that lie within space only if the probe does, ``(n, 3)``."""
        return _circled(np.array([self.center]), self.radius)


class CutProbe(_Probe):
    """The current through a straight cut of the film.

    A current is positive if it flows from the left to the right of someone who walks on the film
    from start to end.

    Args:
        start: First end (x, y) [length], on the film or off it.
        end: Second end (x, y) [length].
    """

    kind: Literal["cut"] = "cut"
    start: Point
    end: Point

    _ends_differ = field_validator("end")(_different)

    def outline(self) -> Array:
        """Return points [length] that lie within space only if the probe does, ``(n, 3)``."""
        return np.array([(*self.start, 0.0), (*self.end, 0.0)])


Probe = Annotated[
    PointsProbe | LineProbe | GridProbe | LoopProbe | CutProbe, Field(discriminator="kind")
]


def check_probes(probes: Sequence[Probe]) -> None:
    """Refuse probes of the same name, because that is the name of their file.

    Names that differ only in capitals are the same: some file systems do not tell them apart.

    Raises:
        StudyError: Two probes have the same name.
    """
    numbers: dict[str, int] = {}
    for number, probe in enumerate(probes, start=1):
        first = numbers.setdefault(probe.name.casefold(), number)
        if first != number:
            raise StudyError(
                f"output.probe {number}.name = {probe.name!r}: not allowed, probe {first} has this "
                "name; allowed: a name that no other probe has"
            )


def _circled(centers: Array, radius: float) -> Array:
    """Return the outermost points along x and y of circles, ``(n, 3)`` to ``(4n, 3)``."""
    steps = radius * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    return np.asarray((centers[:, None] + steps).reshape(-1, 3))
