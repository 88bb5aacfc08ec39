"""What drives currents in the film: every source is a background vector potential a(r)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.model.quantities import FORBID_EXTRA, Finite, NonZero, Point, Positive


@dataclass(frozen=True, config=FORBID_EXTRA)
class Impurity:
    """A magnetic impurity with an in-plane moment and a Gaussian profile.

    a(r) = (Γ/κ) (m × ẑ) f(r − r_i),  f(r) = exp(−r²/2ξ²)/(2πξ²),  m = (cos θ, sin θ).

    Args:
        position: r_i = (x, y) [length].
        size: ξ [length], the width of the anomalous current's profile (coherence length).
        angle: θ [degrees], of the moment in the plane.
        strength: Γ, the anomalous current J_an = Γ m × ẑ; of either sign, not zero.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), before Eq. (2).
    """

    position: Point
    size: Positive
    angle: Finite = 0.0
    strength: NonZero = 1.0

    @property
    def moment(self) -> tuple[float, float]:
        """Unit vector m of the magnetic moment (dimensionless)."""
        theta = math.radians(self.angle)
        return math.cos(theta), math.sin(theta)


def check_impurities(film: Film, impurities: Sequence[Impurity]) -> None:
    """Refuse impurities that no film can answer.

    Raises:
        StudyError: There is no impurity, or one lies outside the film.
    """
    if not impurities:
        raise StudyError("impurity: none given; a study needs at least one source")
    for number, impurity in enumerate(impurities, start=1):
        if not film.shape.contains(impurity.position):
            raise StudyError(
                f"impurity {number}: position = {list(impurity.position)} lies outside the film; "
                f"allowed: a point inside {film.shape}"
            )
