"""Units of a study: its ``[units]`` table, texts such as "250 nm", and names of units for results.

The solver works in reduced units: lengths in one unit L, μ0 = 1 and Φ0 = h/2e = 1. So the unit of
each kind of quantity is a product of powers of Φ0, μ0 and L (see the table below); only
temperatures are in kelvin. With ``[units]`` a number is converted when it is read, and once more
when it is written.

Without ``[units]`` the names of reduced units contain the strength Γ of impurities, whose unit is
Φ0/μ0. If impurities are the only sources, all results are linear or quadratic in Γ and the unit of
Γ is arbitrary: an energy in μ0Γ²/L is then the same number as in Φ0²/(μ0 L).

Loading pint takes most of a second, so it is loaded only if a study has ``[units]``.
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
    """A noun for the kind, the name of its reduced unit, and this unit as Φ0^a μ0^b L^c K^d."""

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

# Repetitions are possessive (*+), so a long text that does not match is refused at once.
_TEXT = re.compile(r"([-+]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?)\s*+(\S.*)")

# Words, each with at most one power of one digit, and the signs between them, up to 60 characters.
# Without these limits pint would try to compute "m**9**9**9".
_LETTERS = "A-Za-z_\u00b5\u03bcÅΦΩ"  # the micro sign, and the Greek letter
_UNIT = re.compile(
    rf"(?=.{{0,60}}\Z)"
    rf"(?:[{_LETTERS}][{_LETTERS}0-9]*+(?:[²³]|\s*(?:\^|\*\*)\s*-?[0-9](?![0-9]))?|[\s()*/·])*"
)


class ReducedUnits(BaseModel):
    """The units of a study without ``[units]``: μ0 = 1, lengths in L, strengths in Γ (Φ0/μ0)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def name(self, kind: Kind) -> str:
        """Return the name of the unit of ``kind``."""
        return _QUANTITIES[kind].reduced

    def to_reduced(self, value: float | str, kind: Kind) -> float:
        """Return the number ``value`` unchanged.

        Raises:
            StudyError: ``value`` is a text.
        """
        if isinstance(value, str):
            raise StudyError("a text with a unit needs a [units] table; allowed: a number")
        return value

    def from_reduced[T: (float, NDArray[np.float64])](self, value: T, kind: Kind) -> T:
        """Return ``value`` unchanged: without [units], results are in reduced units.

        Raises:
            StudyError: There is no such kind.
        """
        _known(kind)
        return value


class Units(BaseModel):
    """The ``[units]`` table: the unit of plain numbers of each kind, in the study and in results.

    Units are texts that pint knows ("um", "µm", "A*m^2", …), and Phi0 = h/2e.

    Args:
        length: Lengths. Reduced lengths have the same unit; the choice only changes rounding.
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
        pydantic.ValidationError: A text is not a unit, or not one of this kind (a ``ValueError``).
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
        """Return the unit of ``kind`` as written in the table."""
        return cast(str, getattr(self, kind))

    def to_reduced(self, value: float | str, kind: Kind) -> float:
        """Return ``value`` in reduced units.

        Args:
            value: A number in the table's unit of ``kind``, or a text with its own unit.
            kind: The kind of quantity.

        Raises:
            StudyError: The text is not a number with a unit of ``kind``, or a finite value becomes
                infinite in reduced units.
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
        """Return a result of Python in the units of its study.

        Functions of Python return reduced numbers. summary.json and the command line have them in
        the units of [units] already.

        Args:
            value: A number or array in reduced units.
            kind: The kind of quantity: "energy" (also of the interaction tensor), "field",
                "current" (also of the stream function), "sheet_current", "moment", "flux" (also of
                fluxoids), "inductance", "strength", "length" or "temperature".

        Returns:
            The number or array in the table's unit of ``kind``; ``name(kind)`` is its name.

        Raises:
            StudyError: There is no such kind.

        Example:
            >>> study.units.from_reduced(free_energy(solution), "energy"), study.units.energy
        """
        _known(kind)
        return value / (_size(self.name(kind), kind) / self._reduced_size(kind))

    def _reduced_size(self, kind: Kind) -> float:
        """Return the reduced unit of ``kind`` in SI units."""
        flux, permeability, length = _QUANTITIES[kind].powers
        return (
            _size("Phi0", "flux") ** flux
            * _size("mu0 m", "inductance") ** permeability
            * _size(self.length, "length") ** length
        )


def _known(kind: str) -> None:
    if kind not in _QUANTITIES:
        raise StudyError(f"kind = {kind!r}: not allowed; allowed: {', '.join(_QUANTITIES)}")


def in_units(kind: Kind) -> _InUnits:
    """Return a validator that converts numbers and texts with a unit of ``kind`` to reduced units.

    ``Annotated[Positive, in_units("length")]`` accepts what the units of the validation context
    (``model_validate(…, context=units)``) can convert; the result is a positive number in reduced
    units. Without a context only numbers are accepted, and they are not changed. The JSON schema of
    the number names its kind as ``quantity``.

    A default value is not validated, so it is in reduced units, unless the field has
    ``Field(validate_default=True)``.
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
            return handler(value)  # which refuses it
        try:
            return handler(units.to_reduced(value, self.kind))
        except ValidationError as error:  # its message would show the converted number
            raise _refusal("; ".join(fault["msg"] for fault in error.errors())) from None
        except StudyError as error:
            raise _refusal(str(error)) from None


def in_si(like: str) -> WrapValidator:
    """Return a validator that converts texts with a unit to SI units; numbers are in SI already.

    Args:
        like: An example of a unit with the right dimension, "J*m" say.
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
        except ValidationError as error:  # its message would show the converted number
            raise _refusal("; ".join(fault["msg"] for fault in error.errors())) from None
        except StudyError as error:
            raise _refusal(str(error)) from None

    return WrapValidator(convert)


def _refusal(reason: str) -> PydanticCustomError:
    """Return an error with the message ``reason``; a ValueError would add "Value error" to it."""
    return PydanticCustomError("quantity", "{reason}", {"reason": reason})


def _split(text: str) -> tuple[float, str]:
    """Return the number and the unit in ``text``.

    Raises:
        StudyError: It does not start with a number, or the number is too large for a float.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None or math.isinf(float(match[1])):
        raise StudyError(f"{text!r} is not a number with a unit, such as '0.25 um'")
    return float(match[1]), match[2]


@functools.cache
def _size(unit: str, kind: Kind) -> float:
    """Return the size of ``unit``, a unit of ``kind``, in SI units.

    Raises:
        StudyError: It is not a unit, or a unit of another kind.
    """
    dimension, size = _measured(unit)
    noun = _nouns().get(dimension, f"a quantity of dimension {dimension}")
    needed = _QUANTITIES[kind].noun
    if noun != needed:
        raise StudyError(f"{unit!r} is {noun}, but {needed} is needed")
    if _registry().Quantity(0.0, unit).to_base_units().magnitude != 0:
        raise StudyError(f"{unit!r} does not start at absolute zero; allowed: K, for example")
    return size


def _measured(unit: str) -> tuple[UnitsContainer, float]:
    """Return the dimension of ``unit`` and its size in SI units.

    Raises:
        StudyError: It is not a unit.
    """
    registry = _registry()
    try:
        if _UNIT.fullmatch(unit) is None:
            raise ValueError
        dimension = registry.parse_units(unit).dimensionality
        size = float(registry.Quantity(1.0, unit).to_base_units().magnitude)
        if not 1e-99 < size < 1e99:  # its powers might leave the range of floats
            raise ValueError
    except Exception:  # pint lets many kinds of errors through: its own, tokenize's, assertions, …
        raise StudyError(f"{unit!r} is not a known unit") from None
    return dimension, size


@functools.cache
def _registry() -> UnitRegistry:
    """Return the registry of units, in which Φ0 has the name that studies use."""
    from pint import UnitRegistry

    registry = UnitRegistry()
    registry.define("@alias magnetic_flux_quantum = Phi0")
    return registry


@functools.cache
def _nouns() -> dict[UnitsContainer, str]:
    """Return the noun for each dimension of the table above."""
    flux, permeability, length, kelvin = map(_registry().Unit, ("Phi0", "mu0", "m", "K"))
    nouns = {_registry().dimensionless.dimensionality: "a number without a unit"}
    for quantity in _QUANTITIES.values():
        a, b, c = quantity.powers
        unit = flux**a * permeability**b * length**c * kelvin**quantity.kelvins
        nouns[unit.dimensionality] = quantity.noun
    return nouns
