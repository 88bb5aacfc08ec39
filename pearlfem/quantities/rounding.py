"""Numbers with bounds as texts: a displayed bound is still a bound."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from typing import Literal

Side = Literal["", "lower", "upper"]

_ROUNDING = {"": ROUND_HALF_EVEN, "lower": ROUND_FLOOR, "upper": ROUND_CEILING}


def rounded(value: float, gap: float | None = None, side: Side = "", digits: int = 9) -> str:
    """Return a number, or a bound of one, with as many digits as its bounds are worth.

    Args:
        value: The number or one of its bounds.
        gap: Upper minus lower bound, of which three digits are shown; None if one is not known.
        side: "lower" or "upper": rounded outward, away from the truth, so that it still is a bound.
        digits: At most so many digits are shown if there is no gap.
    """
    if not value or not math.isfinite(value):
        return f"{value:g}"
    form = ""
    if gap is not None and gap > 0:
        digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(gap)) + 3
        digits, form = min(max(digits, 3), 12), "#"  # "#" keeps zeros at the end
    # From the shortest text of the number: the digits of 1.4 beyond it are round-off.
    exact = Context(prec=digits, rounding=_ROUNDING[side]).create_decimal(repr(float(value)))
    return f"{float(exact):{form}.{digits}g}".removesuffix(".")
