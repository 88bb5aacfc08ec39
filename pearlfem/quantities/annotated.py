"""Annotated types for numbers with a range and a dimension, for the model and the study file.

In a study file, a number with a dimension may be a text with a unit; see
``pearlfem.quantities.units``.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pearlfem.quantities.units import in_units

FORBID_EXTRA = ConfigDict(extra="forbid")  # unknown keys are refused everywhere

# Strict: a text is not a number, even if it looks like one.
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
_PositiveOrInfinite = Annotated[float, Field(gt=0, strict=True)]  # NaN is not greater than 0


def not_zero[Number: (int, float)](value: Number) -> Number:
    """Return ``value``; refuse 0. For numbers that may be positive or negative."""
    if value == 0:
        raise ValueError("input should not be 0")
    return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)  # integers may be written as 1.0; last, so that it comes first
MOST_QUANTA = 10**9  # of a vortex or a hole: beyond every device, and far below overflow

_NOT_ZERO = Field(json_schema_extra={"not": {"const": 0}})
Length = Annotated[Finite, in_units("length")]
PositiveLength = Annotated[Positive, in_units("length")]
NotNegativeLength = Annotated[NotNegative, in_units("length")]
PositiveOrInfiniteLength = Annotated[_PositiveOrInfinite, in_units("length")]
Strength = Annotated[Finite, AfterValidator(not_zero), _NOT_ZERO, in_units("strength")]
FieldStrength = Annotated[Finite, in_units("field")]
Current = Annotated[Finite, in_units("current")]
Moment = Annotated[Finite, in_units("moment")]
PositiveEnergy = Annotated[Positive, in_units("energy")]
Quanta = Annotated[int, Field(ge=-MOST_QUANTA, le=MOST_QUANTA, strict=True), WHOLE]
Winding = Annotated[Quanta, AfterValidator(not_zero), _NOT_ZERO]
NaturalNumber = Annotated[int, Field(ge=0, strict=True), WHOLE]
Point = tuple[Length, Length]


class Table(BaseModel):
    """A table of a study file; keys that are not fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
