"""Units of a study: its ``[units]`` table, texts such as "250 nm", and names for results.

Inside, everything is in reduced units: lengths in one unit L, μ0 = 1 and Φ0 = h/2e = 1. The unit
of each kind of quantity is thus a product of powers of Φ0, μ0 and L (the table below; that of
temperature is the kelvin, which no other quantity knows), and with
``[units]`` a number is converted once, when it is read, and once more when it is written.

Without ``[units]`` the reduced units are named after the strength Γ of impurities, whose unit is
Φ0/μ0 when Φ0 = 1. If impurities are the only sources everything is linear in Γ, or quadratic, and
its unit is arbitrary: an energy then reads in μ0Γ²/L, the same number as in Φ0²/(μ0 L).

Loading pint takes most of a second, so it is loaded when a study has ``[units]``, and only then.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import with_info_wrap_validator_function

from pearlfem.errors import StudyError

if TYPE_CHECKING:
    from pint import UnitRegistry
    from pint.util import UnitsContainer

Kind = Literal[
    "length",
    "field",
    "current",
    "energy",
    "flux",
    "strength",
    "inductance",
    "moment",
    "sheet_current",
    "temperature",
]


class _Quantity(NamedTuple):
    """What a kind is called, and its reduced unit: by name, and as Φ0^a μ0^b L^c K^d."""

    noun: str
    reduced: str
    powers: tuple[int, int, int]
    kelvins: int = 0


_QUANTITIES: dict[Kind, _Quantity] = {
    "length": _Quantity("a length", "L", (0, 0, 1)),
    "field": _Quantity("a magnetic field", "mu0 Gamma / L^2", (1, 0, -2)),
    "current": _Quantity("a current", "Gamma / L", (1, -1, -1)),
    "energy": _Quantity("an energy", "mu0 Gamma^2 / L", (2, -1, -1)),
    "flux": _Quantity("a magnetic flux", "Phi0", (1, 0, 0)),
    "strength": _Quantity("a strength (current times length)", "Gamma", (1, -1, 0)),
    "inductance": _Quantity("an inductance", "mu0 L", (0, 1, 1)),
    "moment": _Quantity("a magnetic moment", "Gamma L", (1, -1, 1)),
    "sheet_current": _Quantity("a sheet current", "Gamma / L^2", (1, -1, -2)),
    "temperature": _Quantity("a temperature", "Theta", (0, 0, 0), kelvins=1),
}

# Repetitions are possessive (*+): what does not match is refused at once, however long it is.
_TEXT = re.compile(r"([-+]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?)\s*+(\S.*)")

# Words, each with at most one power of one digit, and what joins them, in not too many characters:
# pint would take "m**9**9**9" at its word and compute for ever.
_LETTERS = "A-Za-z_\u00b5\u03bcÅΦΩ"  # the micro sign, and the Greek letter
_UNIT = re.compile(
    rf"(?=.{{0,60}}\Z)"
    rf"(?:[{_LETTERS}][{_LETTERS}0-9]*+(?:[²³]|\s*(?:\^|\*\*)\s*-?[0-9](?![0-9]))?|[\s()*/·])*"
)


class ReducedUnits(BaseModel):
    """The units of a study without ``[units]``: μ0 = 1, and L and Γ (Φ0/μ0) are the units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def name(self, kind: Kind) -> str:
        """Return the name of the unit of ``kind``."""
        return _QUANTITIES[kind].reduced

    def to_reduced(self, value: float | str, kind: Kind) -> float:
        """Return the number ``value`` as it is.

        Raises:
            StudyError: ``value`` is a text.
        """
        if isinstance(value, str):
            raise StudyError("a text with a unit needs a [units] table; allowed: a number")
        return value

    def from_reduced[T: (float, NDArray[np.float64])](self, value: T, kind: Kind) -> T:
        """Return ``value`` as it is."""
        return value


class Units(BaseModel):
    """The ``[units]`` table: in which unit a bare number of each kind is, here and in results.

    Units are texts as pint knows them ("um", "µm", "A*m^2", …), and Phi0 = h/2e.

    Args:
        length: Lengths. Reduced lengths have this unit as well; only rounding depends on it.
        field: Magnetic field B.
        current: Currents, and the stream function g.
        energy: Energies, and the interaction tensor.
        flux: Magnetic flux, and fluxoids.
        strength: Strength Γ of impurities, a current times a length.
        inductance: Inductances.
        moment: Magnetic moments.
        sheet_current: Sheet current K.
        temperature: Temperatures, from absolute zero on.

    Raises:
        pydantic.ValidationError: Not a unit, or not one of this kind (a ``ValueError``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    length: str
    field: str = "mT"
    current: str = "uA"
    energy: str = "meV"
    flux: str = "Phi0"
    strength: str = "A*m"
    inductance: str = "pH"
    moment: str = "A*m^2"
    sheet_current: str = "A/m"
    temperature: str = "K"

    @field_validator("*")
    @classmethod
    def _measures_its_kind(cls, unit: str, info: ValidationInfo) -> str:
        try:
            _size(unit, cast(Kind, info.field_name))
        except StudyError as error:
            raise _refusal(str(error)) from None
        return unit

    def name(self, kind: Kind) -> str:
        """Return the unit of ``kind`` as the table has it."""
        return cast(str, getattr(self, kind))

    def to_reduced(self, value: float | str, kind: Kind) -> float:
        """Return ``value`` in reduced units.

        Args:
            value: A number in the table's unit of ``kind``, or a text with a unit of its own.
            kind: What ``value`` measures.

        Raises:
            StudyError: A text that is not a number and a unit of ``kind``, or a finite value that
                is infinite in reduced units.
        """
        number, unit = _split(value) if isinstance(value, str) else (value, self.name(kind))
        try:
            reduced = number * (_size(unit, kind) / self._reduced_size(kind))
        except OverflowError:  # an integer beyond the largest float
            reduced = math.inf
        if math.isinf(reduced) and not (isinstance(number, float) and math.isinf(number)):
            raise StudyError(f"{value!r} is too large")
        return reduced

    def from_reduced[T: (float, NDArray[np.float64])](self, value: T, kind: Kind) -> T:
        """Return ``value``, a number or an array of any shape in reduced units, in the table's."""
        return value / (_size(self.name(kind), kind) / self._reduced_size(kind))

    def _reduced_size(self, kind: Kind) -> float:
        """Return the reduced unit of ``kind`` in SI units."""
        flux, permeability, length = _QUANTITIES[kind].powers
        return (
            _size("Phi0", "flux") ** flux
            * _size("mu0 m", "inductance") ** permeability
            * _size(self.length, "length") ** length
        )


def in_units(kind: Kind) -> _InUnits:
    """Return what makes an annotated number one of ``kind``, which may be a text with a unit.

    ``Annotated[Positive, in_units("length")]`` takes what the units of the validation context
    (``model_validate(…, context=units)``) can convert, and is a positive number in reduced units.
    Without a context units are reduced: only numbers are taken, and they stay as they are. The
    JSON schema of the number names its kind as ``quantity``.

    A default is not validated and so a reduced number, unless ``Field(validate_default=True)``.
    """
    return _InUnits(kind)


@dataclass(frozen=True)
class _InUnits:
    """See ``in_units``."""

    kind: Kind

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return with_info_wrap_validator_function(self._convert, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "quantity": self.kind}

    def _convert(
        self, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        units: ReducedUnits | Units = ReducedUnits() if info.context is None else info.context
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return handler(value)  # refuses it
        try:
            return handler(units.to_reduced(value, self.kind))
        except ValidationError as error:  # would name the converted number as the input
            raise _refusal("; ".join(fault["msg"] for fault in error.errors())) from None
        except StudyError as error:
            raise _refusal(str(error)) from None


def in_si(like: str) -> WrapValidator:
    """Return what makes an annotated number one in SI units, which may be a text with a unit.

    Args:
        like: A unit of the dimension that texts must have, "J*m" say.
    """

    def convert(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(value, str):
            return handler(value)
        try:
            number, unit = _split(value)
            dimension, size = _measured(unit)
            if dimension != (needed := _measured(like)[0]):
                raise StudyError(f"{unit!r} has dimension {dimension}, but {needed} is needed")
            return handler(number * size)
        except ValidationError as error:  # would name the converted number as the input
            raise _refusal("; ".join(fault["msg"] for fault in error.errors())) from None
        except StudyError as error:
            raise _refusal(str(error)) from None

    return WrapValidator(convert)


def _refusal(reason: str) -> PydanticCustomError:
    """Return the error whose message is ``reason``, without pydantic's "Value error" before it."""
    return PydanticCustomError("quantity", "{reason}", {"reason": reason})


def _split(text: str) -> tuple[float, str]:
    """Return number and unit of ``text``.

    Raises:
        StudyError: It does not begin with a number, or with one beyond the largest float.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None or math.isinf(float(match[1])):
        raise StudyError(f"{text!r} is not a number with a unit, such as '0.25 um'")
    return float(match[1]), match[2]


@functools.cache
def _size(unit: str, kind: Kind) -> float:
    """Return how large ``unit``, a unit of ``kind``, is in SI units.

    Raises:
        StudyError: It is not a unit, or one of another kind.
    """
    dimension, size = _measured(unit)
    noun = _nouns().get(dimension, f"a quantity of dimension {dimension}")
    needed = _QUANTITIES[kind].noun
    if noun != needed:
        raise StudyError(f"{unit!r} is {noun}, but {needed} is needed")
    if _registry().Quantity(0.0, unit).to_base_units().magnitude != 0:
        raise StudyError(f"{unit!r} does not begin at absolute zero, as K does")
    return size


def _measured(unit: str) -> tuple[UnitsContainer, float]:
    """Return the dimension of ``unit``, and how large it is in SI units.

    Raises:
        StudyError: It is not a unit.
    """
    registry = _registry()
    try:
        if _UNIT.fullmatch(unit) is None:
            raise ValueError
        dimension = registry.parse_units(unit).dimensionality
        size = float(registry.Quantity(1.0, unit).to_base_units().magnitude)
        if not 1e-99 < size < 1e99:  # its powers would leave the range of floats
            raise ValueError
    except Exception:  # pint raises what it trips over: its own errors, tokenize's, assertions, …
        raise StudyError(f"{unit!r} is not a unit that is known") from None
    return dimension, size


@functools.cache
def _registry() -> UnitRegistry:
    """Return the one registry of units, with Φ0 under the name that studies use."""
    from pint import UnitRegistry

    registry = UnitRegistry()
    registry.define("@alias magnetic_flux_quantum = Phi0")
    return registry


@functools.cache
def _nouns() -> dict[UnitsContainer, str]:
    """Return what a quantity is called, by its dimension."""
    flux, permeability, length, kelvin = map(_registry().Unit, ("Phi0", "mu0", "m", "K"))
    nouns = {_registry().dimensionless.dimensionality: "a number without a unit"}
    for quantity in _QUANTITIES.values():
        a, b, c = quantity.powers
        unit = flux**a * permeability**b * length**c * kelvin**quantity.kelvins
        nouns[unit.dimensionality] = quantity.noun
    return nouns
