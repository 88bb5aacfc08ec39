"""The content of summary.json, read and checked: a page of a damaged one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, create_model

from pearlfem.errors import StudyError
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.result_shapes import AXES, NumberResult, Result, TableResult, VectorResult
from pearlfem.quantities.results import RESULTS
from pearlfem.quantities.rounding import Side

_Tensor = list[list[list[list[float]]]]
_Vector = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class BoundedNumber(_Part):
    """A number with its bounds, of which either may be missing."""

    value: float
    lower: float | None = None
    upper: float | None = None
    unit: str
    guaranteed: bool = True

    @property
    def gap(self) -> float | None:
        """Upper minus lower bound."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower

    @property
    def relative_gap(self) -> float | None:
        """Gap relative to the value."""
        return None if self.gap is None or self.value == 0 else self.gap / abs(self.value)

    @property
    def side(self) -> Side:
        """Which bound the value itself is: the only one that is known, or none."""
        if not self.guaranteed:
            return ""
        if self.lower is not None and self.upper is None:
            return "lower"
        return "upper" if self.upper is not None and self.lower is None else ""


class Interaction(_Part):
    """The interaction tensor of n impurities."""

    tensor: _Tensor
    lower: _Tensor | None
    upper: _Tensor | None
    unit: str
    guaranteed: bool = True

    def arrays(self) -> tuple[Array | None, ...]:
        """Return tensor, lower and upper bounds, each of shape ``(n, n, c, c)``.

        Raises:
            ValueError: One has another shape.
        """
        sides = (self.tensor, self.lower, self.upper)
        arrays = tuple(None if side is None else np.array(side) for side in sides)
        shape = np.shape(self.tensor)
        n, components = len(self.tensor), shape[-1]
        expected = (n, n, components, components)
        if any(array is not None and array.shape != expected for array in arrays):
            raise ValueError(f"interaction: not of shape {expected}")
        if components > len(AXES):
            raise ValueError(f"interaction: {components} components; allowed: {len(AXES)}")
        return arrays


class Round(_Part):
    """A round of refinement: a mesh and its bounds."""

    cells: int
    dofs: int
    lower: float | None
    upper: float | None
    error: float
    seconds: float

    @property
    def gap(self) -> float | None:
        """Upper minus lower bound."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower


class Mean(_Part):
    """A thermal average and its statistical error."""

    mean: float
    error: float


class Thermal(_Part):
    """Thermal averages at one temperature."""

    temperature: float = Field(alias="kT")
    unit: str
    energy: Mean
    specific_heat: Mean
    net_moment: Mean


class Order(_Part):
    """The ground state of the moments."""

    angles: list[float]
    energy: BoundedNumber
    degenerate: bool
    starts: int
    reached: int
    parameters: dict[str, float]
    thermal: list[Thermal]


class Temperature(_Part):
    """The temperature, and the factor of the superfluid weight."""

    value: float
    critical: float
    unit: str
    weight: str
    factor: float


class Summary(_Part):
    """summary.json or partial.json, as ``pearlfem.io.results.summary`` writes it.

    Results have further attributes, which the table of results tells: see ``read_summary``.
    """

    schema_version: Literal[1] = Field(alias="schema")
    title: str
    converged: bool
    shortfall: str | None = None
    units: Mapping[str, str]
    temperature: Temperature | None
    free_energy: BoundedNumber
    interaction: Interaction | None
    order: Order | None
    rounds: list[Round]
    cells: NonNegativeInt
    dofs: NonNegativeInt
    ranks: NonNegativeInt
    iterations: NonNegativeInt | None = None
    seconds: Mapping[str, Annotated[float, Field(ge=0)]]
    versions: Mapping[str, str]


def _content_type(result: Result) -> Any:
    """Return the type of what summary.json has of a result, with its default.

    A summary of an earlier version does not have all results.
    """
    match result:
        case NumberResult():
            return float | None, None
        case VectorResult():
            return _Vector | None, None
        case TableResult():
            # An earlier program may not have written all of them.
            columns: dict[str, Any] = {part.name: (float | None, None) for part in result.parts}
            row: Any = create_model(result.name, __base__=_Part, **{"name": (str, ...)} | columns)
            return list[row], []
    raise TypeError(f"no content of {result}")


_Summary: type[Summary] = create_model(
    "Summary",
    __base__=Summary,
    **{r.name: _content_type(r) for r in RESULTS if r.name not in Summary.model_fields},
)


def read_summary(path: Path) -> Summary:
    """Return the content of ``path``.

    Raises:
        StudyError: The file cannot be read, or is not what a run writes.
    """
    try:
        return _Summary.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise StudyError(f"{path}: is damaged: {where}: {first['msg']}") from None


def read_text(path: Path) -> str:
    """Return the text in ``path``.

    Raises:
        StudyError: The file is missing, cannot be read, or is not a text file.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing") from None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path}: is damaged: not a text file") from None
