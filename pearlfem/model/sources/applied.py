"""Applied magnetic fields as sources: of a coil, a magnet or a tip.

The film responds to their vector potential A_ext on it; in space their field adds to the field of
the film's currents.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from pearlfem.analytic import applied_fields
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Core, Source
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.quantities.annotated import (
    FORBID_EXTRA,
    Current,
    FieldStrength,
    Length,
    Moment,
    Point,
    PositiveLength,
)
from pearlfem.quantities.arrays import Array

_MOST_CORES = 1000


def _off_film(place: tuple[float, float, float]) -> tuple[float, float, float]:
    if place[2] == 0:
        raise ValueError("z = 0 lies in the film's plane; allowed: a place above or below it")
    return place


PositionOffFilm = Annotated[tuple[Length, Length, Length], AfterValidator(_off_film)]


class Applied(Source):
    """A source with a magnetic field in all space."""

    @abstractmethod
    def magnetic_field(self, points: Array) -> Array:
        """Return B [flux/length², reduced units] at points (x, y, z), ``(n, 3)`` to ``(n, 3)``."""


@dataclass(frozen=True, config=FORBID_EXTRA)
class UniformField(Applied):
    """A uniform field B; a component along the film has no effect.

    Args:
        field: (B_x, B_y, B_z) [flux/length²], not all zero.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    field: tuple[FieldStrength, FieldStrength, FieldStrength]

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return ½ B × r from the film's centre; see ``Source``."""
        return applied_fields.uniform_vector_potential(
            _lifted(points - layer.film.center, layer), self.field
        )[..., :2]

    def magnetic_field(self, points: Array) -> Array:
        """Return B; see ``Applied``."""
        return applied_fields.uniform_magnetic_field(points, self.field)


@dataclass(frozen=True, config=FORBID_EXTRA)
class Dipole(Applied):
    """A magnetic dipole above or below the film.

    Args:
        position: (x, y, z) [length], z not 0.
        moment: (m_x, m_y, m_z) [current length²].

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    position: PositionOffFilm
    moment: tuple[Moment, Moment, Moment]

    @property
    def cores(self) -> Sequence[Core]:
        """The place next to the dipole: A_ext varies over the distance between them."""
        x, y, z = self.position
        return (Core((x, y), abs(z)),)

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return A_ext on the film; see ``Source``."""
        A = applied_fields.dipole_vector_potential(
            _lifted(points, layer), self.position, self.moment
        )
        return A[..., :2]

    def magnetic_field(self, points: Array) -> Array:
        """Return B; see ``Applied``."""
        return applied_fields.dipole_magnetic_field(points, self.position, self.moment)


@dataclass(frozen=True, config=FORBID_EXTRA)
class CurrentLoop(Applied):
    """A circular current with its axis along z, above or below the film.

    Args:
        center: (x, y, z) [length], z not 0.
        radius: Radius of the circle [length].
        current: Current I, counterclockwise seen from above.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    center: PositionOffFilm
    radius: PositiveLength
    current: Current

    @property
    def cores(self) -> Sequence[Core]:
        """Places along the circle: A_ext varies over the loop's distance from the film."""
        x, y, z = self.center
        count = math.ceil(min(2 * math.pi * self.radius / abs(z), _MOST_CORES))
        angles = 2 * math.pi * np.arange(count) / count
        circle = self.radius * np.column_stack([np.cos(angles), np.sin(angles)]) + (x, y)
        return tuple(Core((float(u), float(v)), abs(z)) for u, v in circle)

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return A_ext on the film; see ``Source``."""
        loop = (self.center, self.radius, self.current)
        return applied_fields.loop_vector_potential(_lifted(points, layer), *loop)[..., :2]

    def magnetic_field(self, points: Array) -> Array:
        """Return B; see ``Applied``."""
        return applied_fields.loop_magnetic_field(points, self.center, self.radius, self.current)


@dataclass(frozen=True)
class AppliedPotential(Source):
    """Any vector potential on the film, from Python.

    Args:
        function: Takes x and y, arrays [length] of one shape; returns A_x and A_y there [flux per
            length]. It must be smooth on the scale of the film's cells, which is checked before
            solving.
    """

    function: Callable[[Array, Array], tuple[npt.ArrayLike, npt.ArrayLike]]

    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return A_ext; see ``Source``."""
        x, y = points[..., 0], points[..., 1]
        return np.stack([np.broadcast_to(a, x.shape) for a in self.function(x, y)], axis=-1)


def is_applied(source: Source) -> bool:
    """Return whether ``source`` is an applied field."""
    return isinstance(source, Applied | AppliedPotential)


def idle_islands(film: Film, sources: Sequence[Source]) -> list[Point]:
    """Return a point (x, y) of each island without a source on it or in one of its holes.

    The list is empty if the film is one island, or with an applied field, which reaches all.
    """
    if film.islands == 1 or any(is_applied(source) for source in sources):
        return []
    places = [core.position for source in sources for core in source.cores]
    places += [film.opening(s.hole).pole for s in sources if isinstance(s, Fluxoid)]
    return film.islands_without(places)


def applied_field(sources: Sequence[tuple[Source, float]], points: Array) -> Array | None:
    """Return the sum of all applied fields at ``points``, ``(n, 3)``; None if there is none.

    Args:
        sources: Sources with their weights.
        points: (x, y, z) [length].
    """
    fields = [w * s.magnetic_field(points) for s, w in sources if isinstance(s, Applied)]
    return np.sum(fields, axis=0) if fields else None


def _lifted(points: Array, layer: Layer) -> Array:
    """Return points (x, y) of a film as (x, y, z)."""
    return np.concatenate([points, np.full_like(points[..., :1], layer.height)], axis=-1)
