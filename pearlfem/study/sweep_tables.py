"""[sweep] of a study file: which keys take which values, and how the values are combined."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import WHOLE, Table
from pearlfem.study.messages import explain, shown

MOST_POINTS = 100_000
_DIGITS = 12  # of the values inside a range: readable, and the same on every machine
_End = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)] | str


def is_finite(value: float) -> bool:
    """Return whether a number is finite as a float; an integer may be too large for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


class RangeTable(Table):
    """Values at equal distances, from ``start`` to ``stop``.

    Args:
        start: First value, a number or a text with a unit.
        stop: Last value, a number or a text with a unit.
        number: Number of values, both ends included.
        spacing: Equal differences ("linear") or equal ratios ("log").
    """

    start: _End
    stop: _End
    number: Annotated[int, Field(ge=2, le=MOST_POINTS, strict=True), WHOLE]
    spacing: Literal["linear", "log"] = "linear"

    def values(self, start: float, stop: float) -> list[float]:
        """Return the values between ``start`` and ``stop``, which are the table's ends as numbers.

        They are integers if both ends are integers and the steps allow it.

        Raises:
            StudyError: An end is not finite, or not positive though ``spacing`` is "log".
        """
        for name, end in (("start", start), ("stop", stop)):
            if not is_finite(end) or (self.spacing == "log" and end <= 0):
                allowed = "a number > 0" if self.spacing == "log" else "a number"
                raise StudyError(f"{name} = {shown(end)}: not allowed; allowed: {allowed}")
        spaced = np.linspace if self.spacing == "linear" else np.geomspace
        inner = [float(f"{x:.{_DIGITS}g}") for x in spaced(start, stop, self.number)[1:-1]]
        values = [start, *inner, stop]
        if isinstance(start, int) and isinstance(stop, int) and all(x == round(x) for x in values):
            return [round(x) for x in values]
        return values


class ParameterTable(Table):
    """[[sweep.parameter]]: one key and its values; one of values and range says which.

    Args:
        key: A key of the study, written as in messages.
        values: List of values.
        range: Values at equal distances.
    """

    key: Annotated[str, Field(min_length=1)]
    values: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    range: RangeTable | None = None


class SweepTable(Table):
    """[sweep]: one study for each combination of values.

    Args:
        mode: Every combination, the last key fastest ("grid"), or first with first ("zip").
        parameter: The keys that vary, one table for each.
    """

    mode: Literal["grid", "zip"] = "grid"
    parameter: Annotated[tuple[ParameterTable, ...], Field(min_length=1)]

    def combined(self, values: list[list[Any]]) -> list[tuple[Any, ...]]:
        """Return one value of each parameter for every point.

        Args:
            values: All values of each parameter.

        Raises:
            StudyError: With "zip" the parameters have different numbers of values, or there are
                more than 100,000 points.
        """
        counts = [len(each) for each in values]
        if self.mode == "zip" and len(set(counts)) > 1:
            pairs = zip(self.parameter, counts, strict=True)
            listed = ", ".join(f"{parameter.key}: {count}" for parameter, count in pairs)
            raise StudyError(
                f"sweep.mode = 'zip': not allowed with different numbers of values ({listed}); "
                "allowed: equally many values of all, or mode = 'grid'"
            )
        if self.mode == "zip":
            return list(zip(*values, strict=True))
        if math.prod(counts) > MOST_POINTS:
            raise StudyError(
                f"sweep: {math.prod(counts):,} points; allowed: at most {MOST_POINTS:,}"
            )
        return list(itertools.product(*values))


def sweep_table(content: Any) -> SweepTable:
    """Validate the content of [sweep].

    Raises:
        StudyError: An unknown key or an impossible value, a parameter with both or none of values
            and range, or a key that is given twice.
    """
    try:
        table = SweepTable.model_validate(content)
    except ValidationError as error:
        raise StudyError(explain(error, SweepTable, "sweep")) from None
    for number, parameter in enumerate(table.parameter, start=1):
        if (parameter.values is None) == (parameter.range is None):
            given = "none of them" if parameter.values is None else "both"
            raise StudyError(
                f"sweep.parameter {number} ({parameter.key}): {given} given; "
                "allowed: one of values and range"
            )
    for key, count in Counter(parameter.key for parameter in table.parameter).items():
        if count > 1:
            raise StudyError(
                f"sweep.parameter: key = {key!r}: not allowed {count} times; allowed: once"
            )
    return table
