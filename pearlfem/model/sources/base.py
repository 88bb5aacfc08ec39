"""What drives currents in the film: every source is a background vector potential a(r) on it.

F[A, χ] = ∫_Γ ½ κ |A + a − ∇χ|² dS + ∫ |curl A|²/2μ0 dV, in reduced units (μ0 = 1, Φ0 = 1). What a
source does on its way through the film is rot a: −nΦ0 f of a vortex, B_z of an applied field.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt
from pydantic import Field
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.quantities.annotated import (
    FORBID_EXTRA,
    Finite,
    NotNegativeLength,
    Point,
    PositiveLength,
    Strength,
    Winding,
)

_Array = npt.NDArray[np.float64]
_GAUSSIAN_REACH = 9.0  # in units of ξ: beyond, the profile is below 3e-18 of its top


class Core(NamedTuple):
    """A place (x, y) [length] that asks for small cells, and the length over which a varies."""

    position: Point
    size: float


class Source(Protocol):
    """What every source has."""

    @property
    def cores(self) -> Sequence[Core]:
        """Where it varies fast."""

    @property
    def reach(self) -> float:
        """Distance [length] from its first core beyond which a is zero; may be ``inf``."""

    def vector_potential(self, film: Film, points: _Array, superfluid_weight: _Array) -> _Array:
        """Return a [flux per length] at points (x, y) of ``film``, shape ``(…, 2)`` both.

        ``superfluid_weight`` is κ there, ``(…)``.
        """


@dataclass(frozen=True, config=FORBID_EXTRA)
class Impurity:
    """A magnetic impurity with an in-plane moment and a Gaussian profile, or at a point.

    a(r) = (Γ/κ) (m × ẑ) f(r − r_i),  f(r) = exp(−r²/2ξ²)/(2πξ²),  m = (cos θ, sin θ).

    Args:
        position: r_i = (x, y) [length].
        size: ξ [length], the width of the anomalous current's profile (coherence length); 0 is a
            point impurity, f = δ. Of its own energy only what the film's edges add is finite, and
            that is what counts (see ``pearlfem.formulation.stream.point_lifts``).
        angle: θ [degrees], of the moment in the plane.
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
    def along_axes(self) -> tuple[Impurity, Impurity]:
        """The same impurity with its moment along x, and along y."""
        return replace(self, angle=0.0), replace(self, angle=90.0)

    @property
    def cores(self) -> Sequence[Core]:
        """Where it varies fast."""
        return (Core(self.position, self.size),)

    @property
    def reach(self) -> float:
        """Distance [length] beyond which a is zero."""
        return _GAUSSIAN_REACH * self.size

    def vector_potential(self, film: Film, points: _Array, superfluid_weight: _Array) -> _Array:
        """Return a = (Γ/κ)(m × ẑ) f; see ``Source``. Not of a point, where it is no function."""
        mx, my = self.moment
        amplitude = self.strength * _gaussian(points, self.position, self.size) / superfluid_weight
        return np.asarray(amplitude[..., None] * np.array([my, -mx]))


@dataclass(frozen=True, config=FORBID_EXTRA)
class Vortex:
    """A vortex: rot a = −nΦ0 f with a Gaussian core f.

    a = −(nΦ0/2πr) (1 − exp(−r²/2ξ²)) φ̂ around its centre.

    Args:
        position: Its centre (x, y) [length].
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
        """Where it varies fast."""
        return (Core(self.position, self.size),)

    @property
    def reach(self) -> float:
        """Distance [length] beyond which a is zero: none."""
        return math.inf

    def vector_potential(self, film: Film, points: _Array, superfluid_weight: _Array) -> _Array:
        """Return a; see ``Source``."""
        offset = points - self.position
        square = np.sum(offset**2, axis=-1)
        scaled = square / (2 * self.size**2)
        # (1 − e^{−s})/r², and its limit at the centre
        ratio = np.divide(-np.expm1(-scaled), square, where=square > 0, out=np.zeros_like(square))
        ratio[square == 0] = 1 / (2 * self.size**2)
        return np.asarray(-self.winding / (2 * np.pi) * ratio[..., None] * _turned(offset))


@dataclass(frozen=True, config=FORBID_EXTRA)
class Fluxoid:
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
    def cores(self) -> Sequence[Core]:
        """Where it varies fast: nowhere that the hole's edge does not already ask for."""
        return ()

    @property
    def reach(self) -> float:
        """Distance [length] beyond which a is zero: none."""
        return math.inf

    def vector_potential(self, film: Film, points: _Array, superfluid_weight: _Array) -> _Array:
        """Return a; see ``Source``."""
        offset = points - film.opening(self.hole).pole
        square = np.sum(offset**2, axis=-1, keepdims=True)
        return -self.number / (2 * np.pi) * _turned(offset) / square


def _gaussian(points: _Array, center: Point, size: float) -> _Array:
    """Return exp(−r²/2ξ²)/(2πξ²) at points, shape ``(…, 2)`` to ``(…)``."""
    square = np.sum((points - center) ** 2, axis=-1) / size**2
    return np.asarray(np.exp(-square / 2) / (2 * np.pi * size**2))


def _turned(vectors: _Array) -> _Array:
    """Return ẑ × v = r φ̂ for v = r r̂."""
    return np.stack([-vectors[..., 1], vectors[..., 0]], axis=-1)


def name_of(source: Source) -> str:
    """Return what messages call a source."""
    return type(source).__name__.lower()


def is_point(source: Source) -> TypeGuard[Impurity]:
    """Return whether ``source`` is a point impurity."""
    return isinstance(source, Impurity) and source.size == 0


def has_points(sources: Sequence[Source]) -> bool:
    """Return whether there are point impurities among ``sources``."""
    return any(is_point(source) for source in sources)


def refuse_points(sources: Sequence[Source], where: str) -> None:
    """Refuse point impurities; ``where`` ends the sentence "not allowed …".

    Raises:
        StudyError: There is one; says which.
    """
    for number, impurity in enumerate((s for s in sources if isinstance(s, Impurity)), start=1):
        if is_point(impurity):
            raise StudyError(
                f"impurity {number}: size = 0 (a point impurity): not allowed {where}; "
                "allowed: a size > 0"
            )


def numbered(sources: Sequence[Source]) -> list[tuple[str, Source]]:
    """Return what messages call each source: its name, and its number among those of its kind."""
    counts: Counter[str] = Counter()
    found = []
    for source in sources:
        name = name_of(source)
        counts[name] += 1
        found.append((f"{name} {counts[name]}", source))
    return found


def check_sources(film: Film, sources: Sequence[Source]) -> None:
    """Refuse sources that no film can answer.

    Raises:
        StudyError: There is no source; an impurity or a vortex lies outside the film or in a hole;
            a fluxoid in a hole that is not there; a net vorticity on the whole plane; point
            impurities at one place, or on a film without one Pearl length.
    """
    if not sources:
        raise StudyError("impurity: none given; a study needs at least one source")
    _check_points(film, sources)
    winding = 0
    for name, source in numbered(sources):
        if isinstance(source, Impurity | Vortex):
            check_position(film, name, source.position)
        if isinstance(source, Fluxoid):
            film.opening(source.hole)
            winding += source.number
        elif isinstance(source, Vortex):
            winding += source.winding
    if winding != 0 and not film.bounded:
        raise StudyError(
            f"vortex: the windings add up to {winding} on the whole plane, where currents then "
            "fall off too slowly for an answer; allowed: windings that add up to 0, or a film with "
            "an edge"
        )


def _check_points(film: Film, sources: Sequence[Source]) -> None:
    if not film.uniform:
        refuse_points(sources, "on a film whose Pearl length varies")
    check_apart([(name, source) for name, source in numbered(sources) if is_point(source)])


def check_apart(named: Sequence[tuple[str, Impurity]]) -> None:
    """Refuse impurities at one place; messages call them by their names.

    Raises:
        StudyError: There are two; says which and where.
    """
    first: dict[Point, str] = {}
    for name, impurity in named:
        other = first.setdefault(impurity.position, name)
        if other != name:
            raise StudyError(
                f"{name}: position = {list(impurity.position)} is that of {other}; allowed: "
                "different positions"
            )


def check_position(film: Film, name: str, position: Point) -> None:
    """Refuse a point that is not on the film.

    Raises:
        StudyError: It lies outside or in a hole; says which.
    """
    if film.contains(position):
        return
    hole = next((hole for hole in film.holes if hole.shape.contains(position)), None)
    where = "outside the film" if hole is None else f"in hole {hole.name!r}"
    raise StudyError(
        f"{name}: position = {list(position)} lies {where}; allowed: a point inside {film.shape}"
    )
