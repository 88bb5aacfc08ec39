"""What drives currents in the film: every source is a background vector potential a(r) on it.

F[A, χ] = ∫_Γ ½ κ |A + a − ∇χ|² dS + ∫ |curl A|²/2μ0 dV, in reduced units (μ0 = 1, Φ0 = 1). What a
source does on its way through the film is rot a: −nΦ0 f of a vortex, B_z of an applied field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pearlfem.model.film import Film
from pearlfem.quantities.annotated import (
    Point,
)
from pearlfem.quantities.arrays import Array


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

    def vector_potential(self, film: Film, points: Array, superfluid_weight: Array) -> Array:
        """Return a [flux per length] at points (x, y) of ``film``, shape ``(…, 2)`` both.

        ``superfluid_weight`` is κ there, ``(…)``.
        """


def name_of(source: Source) -> str:
    """Return what messages call a source."""
    return type(source).__name__.lower()


def numbered(sources: Sequence[Source]) -> list[tuple[str, Source]]:
    """Return what messages call each source: its name, and its number among those of its kind."""
    counts: Counter[str] = Counter()
    found = []
    for source in sources:
        name = name_of(source)
        counts[name] += 1
        found.append((f"{name} {counts[name]}", source))
    return found
