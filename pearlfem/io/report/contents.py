"""What summary.json must hold for a page: read and checked, so that a damaged one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from pearlfem.errors import StudyError
from pearlfem.quantities.arrays import Array

_Tensor = list[list[list[list[float]]]]
_Pair = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Bounded(_Part):
    """A number with its bounds, of which either may be missing."""

    value: float
    lower: float | None = None
    upper: float | None = None
    unit: str

    @property
    def gap(self) -> float | None:
        """Upper minus lower bound."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower

    @property
    def relative_gap(self) -> float | None:
        """Gap relative to the value."""
        return None if self.gap is None or self.value == 0 else self.gap / abs(self.value)


class Interaction(_Part):
    """The interaction tensor of n impurities."""

    tensor: _Tensor
    lower: _Tensor | None
    upper: _Tensor | None
    unit: str

    def arrays(self) -> tuple[Array | None, ...]:
        """Return tensor, lower and upper bounds, each of shape ``(n, n, 2, 2)``.

        Raises:
            ValueError: One has another shape.
        """
        sides = (self.tensor, self.lower, self.upper)
        arrays = tuple(None if side is None else np.array(side) for side in sides)
        n = len(self.tensor)
        if any(array is not None and array.shape != (n, n, 2, 2) for array in arrays):
            raise ValueError(f"interaction: not of shape ({n}, {n}, 2, 2)")
        return arrays


class Hole(_Part):
    """What is in a hole."""

    name: str
    current: float
    flux: float
    fluxoid: float


class Round(_Part):
    """What one mesh of a refinement gave."""

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
    energy: Bounded
    degenerate: bool
    starts: int
    reached: int
    parameters: dict[str, float]
    thermal: list[Thermal]


class Temperature(_Part):
    """Temperature and what it does to the superfluid weight."""

    value: float
    critical: float
    unit: str
    weight: str
    factor: float


class Summary(_Part):
    """summary.json or partial.json, as ``pearlfem.io.results.summary`` writes it."""

    schema_version: Literal[1] = Field(alias="schema")
    title: str
    converged: bool
    shortfall: str | None = None
    units: Mapping[str, str]
    temperature: Temperature | None
    free_energy: Bounded
    interaction: Interaction | None
    magnetic_moment: _Pair | None
    holes: list[Hole]
    order: Order | None
    rounds: list[Round]
    cells: NonNegativeInt
    dofs: NonNegativeInt
    ranks: NonNegativeInt
    iterations: NonNegativeInt | None = None
    seconds: Mapping[str, Annotated[float, Field(ge=0)]]
    versions: Mapping[str, str]


def read_summary(path: Path) -> Summary:
    """Return the content of ``path``.

    Raises:
        StudyError: It cannot be read, or is not what a run writes.
    """
    try:
        return Summary.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise StudyError(f"{path}: is damaged: {where}: {first['msg']}") from None


def read_text(path: Path) -> str:
    """Return the text in ``path``.

    Raises:
        StudyError: There is no such file, it cannot be read, or holds something else.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing") from None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path}: is damaged: not a text file") from None
