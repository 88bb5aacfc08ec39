"""What drives currents in the film: every source is a background vector potential a(r) on it.

F[A, χ] = ∫_Γ ½ κ |A + a − ∇χ|² dS + ∫ |curl A|²/2μ0 dV, in reduced units (μ0 = 1, Φ0 = 1). What a
source does on its way through the film is rot a: −nΦ0 f of a vortex, B_z of an applied field.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pearlfem.model.layers import Layer
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array


class Core(NamedTuple):
    """A place (x, y) [length] that asks for small cells, and the length over which a varies."""

    position: Point
    size: float


class Source(ABC):
    """A background vector potential a(r) on the film.

    Every source is a sum of ``weights`` times ``components``. Loads and energies are linear or
    quadratic in the weights, so one solution for each component answers for all weights: a moment
    that may turn has a component for each axis. By default a source is its own only component.
    """

    @property
    def cores(self) -> Sequence[Core]:
        """Where it varies fast."""
        return ()

    @property
    def reach(self) -> float:
        """Distance [length] from its nearest core beyond which a is zero; may be ``inf``."""
        return math.inf

    @property
    def components(self) -> Sequence[Source]:
        """The sources of which it is a sum."""
        return (self,)

    @property
    def weights(self) -> Sequence[float]:
        """The factor of each component."""
        return (1.0,)

    @abstractmethod
    def vector_potential(self, layer: Layer, points: Array, superfluid_weight: Array) -> Array:
        """Return a [flux per length] at points of a film.

        Args:
            layer: The film.
            points: (x, y) [length], shape ``(…, 2)``.
            superfluid_weight: κ there, shape ``(…)``.

        Returns:
            Array of shape ``(…, 2)``.
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
