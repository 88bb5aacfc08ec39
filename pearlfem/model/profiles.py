"""Pearl lengths that vary over the film: functions of x and y, with or without proven bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy.typing as npt

from pearlfem.enclosures.triangles import Function
from pearlfem.quantities.arrays import Array

Profile = Callable[[Array, Array], npt.ArrayLike]


def enclosure_of(profile: Profile) -> Function | None:
    """Return a profile as a function of jets (``pearlfem.enclosures.jets``).

    It is the attribute ``enclosure`` of the profile. None for profiles without, of which nothing is
    known between the points where they are evaluated: then bounds of energies are not guaranteed.
    """
    enclosure: Function | None = getattr(profile, "enclosure", None)
    return enclosure
