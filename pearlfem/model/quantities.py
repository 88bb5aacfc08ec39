"""Numbers with a range: the annotated types that the model and the study file share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

# Unknown keys are refused everywhere; a text is not a number, though it may look like one.
FORBID_EXTRA = ConfigDict(extra="forbid")

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
PositiveOrInfinite = Annotated[float, Field(gt=0, strict=True)]  # NaN is not greater than 0


def _not_zero[Number: (int, float)](value: Number) -> Number:
    if value == 0:
        raise ValueError("input should not be 0")
    return value


NonZero = Annotated[Finite, AfterValidator(_not_zero)]
Winding = Annotated[int, Field(strict=True), AfterValidator(_not_zero)]
Point = tuple[Finite, Finite]
