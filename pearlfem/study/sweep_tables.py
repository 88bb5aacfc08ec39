"""[sweep] of a study file: which keys take which values, and how they are combined."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import Table

MOST_POINTS = 100_000
_DIGITS = 12  # of what a range has between its ends: tidy, and the same on every machine
_End = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)] | str


class RangeTable(Table):
    """``number`` values from ``start`` to ``stop``, both of them included; texts have a unit."""

    start: _End
    stop: _End
    number: Annotated[int, Field(ge=2, le=MOST_POINTS, strict=True)]
    spacing: Literal["linear", "log"] = "linear"

    def values(self, start: float, stop: float) -> list[float]:
        """Return the values between ``start`` and ``stop``, its own as numbers.

        They are whole numbers if both ends are, and there is room for that.

        Raises:
            StudyError: An end is not finite, or not positive though ``spacing`` is "log".
        """
        for name, end in (("start", start), ("stop", stop)):
            if not math.isfinite(end) or (self.spacing == "log" and end <= 0):
                what = "a number > 0" if self.spacing == "log" else "a number"
                raise StudyError(f"range.{name} = {end!r}: not allowed; allowed: {what}")
        spaced = np.linspace if self.spacing == "linear" else np.geomspace
        inner = [float(f"{x:.{_DIGITS}g}") for x in spaced(start, stop, self.number)[1:-1]]
        found = [start, *inner, stop]
        if isinstance(start, int) and isinstance(stop, int) and all(x == round(x) for x in found):
            return [round(x) for x in found]
        return found


class ParameterTable(Table):
    """[[sweep.parameter]]: a key of the study, named as in messages, and its values."""

    key: Annotated[str, Field(min_length=1)]
    values: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    range: RangeTable | None = None


class SweepTable(Table):
    """[sweep]: all combinations of the values, the last key's fastest, or the first of each etc."""

    mode: Literal["grid", "zip"] = "grid"
    parameter: Annotated[tuple[ParameterTable, ...], Field(min_length=1)]

    def combined(self, values: list[list[Any]]) -> list[tuple[Any, ...]]:
        """Return one value of each parameter for every point.

        Raises:
            StudyError: The parameters of a zip do not have equally many values, or there are more
                than 100,000 points.
        """
        counts = [len(each) for each in values]
        if self.mode == "zip" and len(set(counts)) > 1:
            each = ", ".join(f"{p.key}: {n}" for p, n in zip(self.parameter, counts, strict=True))
            raise StudyError(
                f"sweep.mode = 'zip': not allowed with different numbers of values ({each}); "
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
        StudyError: An unknown key or an impossible value; a parameter with both values and a range,
            or neither; a key given twice.
    """
    try:
        table = SweepTable.model_validate(content)
    except ValidationError as error:
        raise StudyError(_explain(error)) from None
    for number, parameter in enumerate(table.parameter, start=1):
        if (parameter.values is None) == (parameter.range is None):
            given = "none of them" if parameter.values is None else "both"
            raise StudyError(
                f"sweep.parameter {number} ({parameter.key}): {given} given; "
                "allowed: one of values and range"
            )
    for key, count in Counter(parameter.key for parameter in table.parameter).items():
        if count > 1:
            raise StudyError(f"sweep.parameter: key = {key!r} stands {count} times; allowed: once")
    return table


def _explain(error: ValidationError) -> str:
    """Return every fault in one line each: key, value, what is allowed."""
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        # A range's ends are of one of several types; which one did not fit is of no interest.
        parts = [part for part in fault["loc"] if part not in ("float", "int", "str")]
        key = "sweep"
        for part in parts:
            key += f" {part + 1}" if isinstance(part, int) else f".{part}"
        found.setdefault(key, f"{key}{_reason(parts, fault)}")
    return "\n  ".join(found.values())


def _reason(parts: list[int | str], fault: Any) -> str:
    if fault["type"] == "missing":
        return ": missing, but needed"
    if fault["type"] == "extra_forbidden":
        tables: dict[int | str, type[Table]] = {"parameter": ParameterTable, "range": RangeTable}
        parent = next((tables[part] for part in reversed(parts[:-1]) if part in tables), SweepTable)
        return (
            f" = {fault['input']!r}: not a key that this version knows; "
            f"allowed here: {', '.join(parent.model_fields)}"
        )
    return f" = {fault['input']!r}: not allowed; {fault['msg']}"
