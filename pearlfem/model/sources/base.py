"""Sources of currents: each is a background vector potential a(r) on the film Γ.

F[A, χ] = ∫_Γ ½ κ |A + a − ∇χ|² dS + ∫ |curl A|²/2μ0 dV, in reduced units (μ0 = 1, Φ0 = 1). Only
rot a and the circulation of a around holes matter: rot a is −nΦ0 f for a vortex with the core
profile f, and B_z for an applied field.
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
    """A place (x, y) [length] where a source varies fast, and the length over which it does."""

    position: Point
    size: float


class Source(ABC):
    """A background vector potential a(r) on the film.

    Every source is the sum of its ``components`` times ``weights``. Loads are linear and energies
    quadratic in the weights, so one solution per component is enough for all weights: a moment that
    may rotate has one component for each axis. By default the only component is the source itself.
    """

    @property
    def cores(self) -> Sequence[Core]:
        """Places where the source varies fast: cells must be small there."""
        return ()

    @property
    def reach(self) -> float:
        """Distance [length] from the nearest core beyond which a is zero; may be ``inf``."""
        return math.inf

    @property
    def places(self) -> Sequence[Point]:
        """Places (x, y) [length] that must lie on the film, and not in a hole."""
        return ()

    @property
    def vorticity(self) -> int:
        """Number of flux quanta of all its vortices and fluxoids, with their signs."""
        return 0

    @property
    def components(self) -> Sequence[Source]:
        """The sources whose weighted sum it is."""
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
    """Return the name of this kind of source in messages."""
    return type(source).__name__.lower()


def numbered(sources: Sequence[Source]) -> list[tuple[str, Source]]:
    """Return each source with its name in messages, such as "vortex 2": counted by kind."""
    counts: Counter[str] = Counter()
    pairs = []
    for source in sources:
        name = name_of(source)
        counts[name] += 1
        pairs.append((f"{name} {counts[name]}", source))
    return pairs
