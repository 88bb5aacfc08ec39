"""Temperature of a study: film and impurities are given at T = 0 and scaled to T.

With w(T) = D(T)/D(0), the BCS superfluid weight relative to T = 0,

    κ = κ(0) w,   r0 = r0(0)/w,   Γ = Γ(0) w

Γ/κ, and so the background vector potential of an impurity, does not depend on temperature. This is
derived for Dirac surface states and, in the clean limit, for a Rashba splitting far above the gap
(see ``pearlfem.model.materials``); for other materials it is an assumption. J* = Γ²/(2πκ) is then
J*(0) w. Vortices, fluxoids and applied fields do not depend on temperature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pearlfem.analytic import bcs
from pearlfem.enclosures.triangles import Function
from pearlfem.model.film import Film
from pearlfem.model.profiles import Profile, enclosure_of
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.annotated import NotNegative, Positive, Table
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import ReducedUnits, Units, in_units

_WEIGHTS = {"clean": bcs.clean_weight, "dirty": bcs.dirty_weight}


class Temperature(Table):
    """[temperature]: T and Tc in one unit, and the limit in which D(T) is taken.

    Args:
        critical: Critical temperature Tc.
        value: Temperature T, below Tc.
        weight: Mean free path far above ("clean") or far below ("dirty") the coherence length.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    critical: Annotated[Positive, in_units("temperature")]  # first: ``value`` is compared with it
    value: Annotated[NotNegative, in_units("temperature")]
    weight: Literal["clean", "dirty"] = "clean"

    @field_validator("value")
    @classmethod
    def _below_critical(cls, value: float, info: ValidationInfo) -> float:
        critical = info.data.get("critical")
        if critical is not None and value >= critical:
            units: Units | ReducedUnits = info.context or ReducedUnits()
            limit = f"{units.from_reduced(critical, 'temperature'):g}"
            if isinstance(units, Units):
                limit += f" {units.name('temperature')}"
            raise PydanticCustomError(
                "above_critical",
                "Input should be less than temperature.critical = {limit}",
                {"limit": limit},
            )
        return value

    @cached_property
    def factor(self) -> float:
        """D(T)/D(0), between 0 and 1."""
        return float(_WEIGHTS[self.weight](self.value, self.critical))

    def film(self, cold: Film) -> Film:
        """Return the film with its Pearl lengths at T; ``cold`` is the film at T = 0."""
        regions = tuple(
            replace(region, pearl_length=self._longer(region.pearl_length))
            for region in cold.regions
        )
        return replace(cold, pearl_length=self._longer(cold.pearl_length), regions=regions)

    def impurities(self, cold: Sequence[Impurity]) -> tuple[Impurity, ...]:
        """Return the impurities with their strengths at T; ``cold`` are those at T = 0."""
        return tuple(replace(i, strength=self.factor * i.strength) for i in cold)

    def _longer(self, length: float | Profile) -> float | Profile:
        if callable(length):
            return ScaledProfile(length, 1.0 / self.factor)
        return length / self.factor


@dataclass(frozen=True)
class ScaledProfile:
    """A function of (x, y) times a factor."""

    profile: Profile
    factor: float

    def __call__(self, x: Array, y: Array) -> Array:
        """Return the values at x and y, arrays of one shape."""
        return self.factor * np.asarray(self.profile(x, y), dtype=float)

    @property
    def enclosure(self) -> Function | None:
        """The function of jets, if the profile has one."""
        inner = enclosure_of(self.profile)
        return None if inner is None else lambda x, y: inner(x, y) * x.constant(self.factor)
