"""Units: numbers compared with constants given here, texts, refusals, and use in pydantic."""

import pickle
import subprocess
import sys
from dataclasses import asdict
from typing import Annotated, get_args

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import (
    FORBID_EXTRA,
    FieldStrength,
    Finite,
    Length,
    PositiveLength,
    PositiveOrInfiniteLength,
    Strength,
)
from pearlfem.quantities.units import Kind, ReducedUnits, Units, in_units

# CODATA 2022; h and e are exact, and so is Φ0. The tolerance allows for CODATA 2018, where μ0 is
# larger by 7e-10.
PHI0 = 6.62607015e-34 / (2 * 1.602176634e-19)  # Wb
MU0 = 1.25663706127e-6  # H/m
MEV = 1.602176634e-22  # J
CONSTANTS = 1e-9
ROUNDING = 4 * np.finfo(float).eps

KINDS = get_args(Kind)
SI = {
    "length": "m",
    "field": "T",
    "current": "A",
    "energy": "J",
    "flux": "Wb",
    "strength": "A*m",
    "inductance": "H",
    "moment": "A*m^2",
    "sheet_current": "A/m",
    "temperature": "K",
}


@pytest.fixture(scope="module")
def um() -> Units:
    """Lengths in µm, all other units by default."""
    return Units(length="um")


@pytest.mark.parametrize(
    ("kind", "unit", "expected"),
    [  # the reduced unit for L = 1 µm, in the given unit
        ("length", "um", 1.0),
        ("field", "mT", PHI0 / 1e-12 / 1e-3),  # 2.0678
        ("current", "uA", PHI0 / (MU0 * 1e-6) / 1e-6),  # 1645.5
        ("energy", "meV", PHI0**2 / (MU0 * 1e-6) / MEV),  # 21238
        ("flux", "Phi0", 1.0),
        ("strength", "A*m", PHI0 / MU0),  # 1.6455e-9
        ("inductance", "pH", MU0 * 1e-6 / 1e-12),  # 1.2566
        ("moment", "A*m^2", PHI0 * 1e-6 / MU0),  # 1.6455e-15
        ("sheet_current", "A/m", PHI0 / (MU0 * 1e-12)),  # 1645.5
        ("temperature", "K", 1.0),
    ],
)
def test_one_reduced_unit_in_the_default_units(um, kind, unit, expected):
    assert um.name(kind) == unit
    assert um.from_reduced(1.0, kind) == pytest.approx(expected, rel=CONSTANTS)
    assert um.to_reduced(expected, kind) == pytest.approx(1.0, rel=CONSTANTS)


def test_numbers_from_the_literature(um):
    assert um.from_reduced(1.0, "field") == pytest.approx(2.0678, abs=5e-5)
    assert um.from_reduced(1.0, "inductance") == pytest.approx(1.2566, abs=5e-5)
    joule = Units(length="um", energy="J").from_reduced(1.0, "energy")
    assert joule == pytest.approx(3.40268e-18, rel=2e-6)  # (2.067834e-15)² / 1.256637e-12


def test_kinds_are_related_as_in_physics():
    """Products of converted values for any L; this needs no table of powers."""
    units = Units(**SI | {"length": "nm"})
    one = {kind: units.from_reduced(1.0, kind) for kind in KINDS}
    length = one["length"] * 1e-9
    relations = [
        (one["flux"], one["field"] * length**2),
        (one["flux"], one["inductance"] * one["current"]),
        (one["energy"], one["flux"] * one["current"]),
        (one["energy"], one["moment"] * one["field"]),
        (one["strength"], one["current"] * length),
        (one["moment"], one["current"] * length**2),
        (one["sheet_current"], one["current"] / length),
        (one["energy"], MU0 * one["strength"] ** 2 / length),  # the other name of the unit
    ]
    for left, right in relations:
        assert left == pytest.approx(right, rel=CONSTANTS)


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind):
    units = Units(length="nm", field="uT", energy="aJ", flux="mPhi0", moment="nA*um^2")
    values = np.array([[1.0, -2.5, 3e-7], [0.0, 1e9, 7.0]])
    back = units.from_reduced(values, kind)
    assert back.shape == values.shape
    assert [
        [units.to_reduced(number, kind) for number in row] for row in back.tolist()
    ] == pytest.approx(values, rel=ROUNDING)


def test_lengths_in_the_unit_of_length_do_not_change(um):
    assert um.to_reduced(0.1, "length") == 0.1
    assert um.to_reduced(3, "length") == 3.0


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("250 nm", "length", 0.25),
        ("250nm", "length", 0.25),
        ("  2.5e2\tnm ", "length", 0.25),
        (".25 um", "length", 0.25),
        ("+0.25 µm", "length", 0.25),  # micro sign
        ("-0.25 μm", "length", -0.25),  # Greek letter
        ("2500 Å", "length", 0.25),
        ("0 mm", "length", 0.0),
        ("3.um", "length", 3.0),
        ("1 mT", "field", 1e-3 * 1e-12 / PHI0),
        ("1 Phi0/um^2", "field", 1.0),
        ("1 Phi0 / µm²", "field", 1.0),
        ("-3 mPhi0", "flux", -3e-3),
        ("1 pWb", "flux", 1e-12 / PHI0),
        ("1 Phi0^2/(mu0 um)", "energy", 1.0),
        ("1 meV", "energy", MEV * MU0 * 1e-6 / PHI0**2),
        ("1 nA*um", "strength", 1e-15 * MU0 / PHI0),
        ("2 eV", "energy", 2e3 * MEV * MU0 * 1e-6 / PHI0**2),  # no exponent: the e of eV
    ],
)
def test_text_is_converted_from_its_unit(um, text, kind, expected):
    assert um.to_reduced(text, kind) == pytest.approx(expected, rel=CONSTANTS, abs=0)


def test_infinity_stays_infinite(um):
    assert um.to_reduced(float("inf"), "length") == float("inf")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("3 mT", "length", "'mT' is a magnetic field, but a length is needed"),
        ("3 nm", "field", "'nm' is a length, but a magnetic field is needed"),
        ("3 A/m", "strength", "'A/m' is a sheet current, but a strength (current times length)"),
        ("3 pH", "moment", "'pH' is an inductance, but a magnetic moment is needed"),
        ("3 kg/s", "length", "dimension [mass] / [time], but a length is needed"),
        ("20 degC", "length", "'degC' is a temperature, but a length is needed"),
        ("4.2 K", "field", "'K' is a temperature, but a magnetic field is needed"),
        ("4.2 mT", "temperature", "'mT' is a magnetic field, but a temperature is needed"),
        (
            "-269 degC",
            "temperature",
            "'degC' does not start at absolute zero; allowed: K, for example",
        ),
        ("5 G", "field", "[time], but a magnetic field is needed"),  # pint's gauss is Gaussian
        ("50 percent", "length", "'percent' is a number without a unit, but a length is needed"),
        ("3 furlings", "length", "'furlings' is not a known unit"),
        ("3 nM", "length", "'nM' is a quantity of dimension"),  # nanomolar
        ("3 dBm*s", "energy", "'dBm*s' is not a known unit"),  # logarithmic
        ("1e305 km", "length", "'1e305 km' is too large"),
    ],
)
def test_refusal_names_both_dimensions(um, text, kind, message):
    with pytest.raises(StudyError) as caught:
        um.to_reduced(text, kind)
    assert message in str(caught.value)


LESS = ["", "um", "3", "-", "nan um", "inf um", "1e999 um", "1 \n", "9" * 100_000, " " * 100_000]


@pytest.mark.parametrize("text", LESS, ids=lambda text: ascii(text[:16]))
def test_text_without_a_number_and_a_unit_is_refused(um, text):
    with pytest.raises(StudyError, match="is not a number with a unit"):
        um.to_reduced(text, "length")


NONSENSE = [
    "m**9**9**9",  # pint would compute 370 million digits
    "(m**9)**9",
    "m^10",
    "m²²²²²²²²²",
    "m" * 100_000,
    "m*" * 50_000 + "m",
    "(" * 500 + "m" + ")" * 500,
    "km^9/pm^9*km^9/pm^9*m",  # 1e270 m
    "pm^9/km^9*pm^9/km^9*pm^9/km^9*m",  # 0
    "(um",
    "um)",
    "()um",
    "um +",
    "um - nm",
    "um / 2",
    "10 nm",  # a unit contains no number
    "(2 um)",
    "nan",
    "um^nan",
    "__import__('os')",
    "um; um",
    "um #",
    "um\x00",
    "\ud800",
    "{reason}",
]


@pytest.mark.parametrize("unit", NONSENSE, ids=lambda unit: ascii(unit[:16]))
def test_nonsense_is_refused_at_once(unit):
    with pytest.raises(ValidationError) as caught:
        Units(length=unit)
    (fault,) = caught.value.errors()
    assert fault["msg"] == f"{unit!r} is not a known unit"


def test_integer_beyond_floats_is_refused(um):
    with pytest.raises(StudyError, match="is too large"):
        um.to_reduced(10**400, "length")


def faults(call, *args, **kwargs) -> list[tuple]:
    """Location, input and message of every fault that pydantic reports."""
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return [(fault["loc"], fault["input"], fault["msg"]) for fault in caught.value.errors()]


def test_table_must_have_a_length_and_units_of_the_right_kinds():
    table = {"field": "nm", "flux": "", "energy": 3, "colour": "red"}
    assert faults(Units.model_validate, table) == [
        (("length",), table, "Field required"),
        (("field",), "nm", "'nm' is a length, but a magnetic field is needed"),
        (("energy",), 3, "Input should be a valid string"),
        (("flux",), "", "'' is a number without a unit, but a magnetic flux is needed"),
        (("colour",), "red", "Extra inputs are not permitted"),
    ]
    assert faults(Units, length="mT") == [
        (("length",), "mT", "'mT' is a magnetic field, but a length is needed")
    ]


def test_every_kind_has_a_key_and_every_unit_in_si_is_accepted():
    assert list(Units.model_fields) == list(KINDS) == list(SI)
    units = Units(**SI)
    assert [units.name(kind) for kind in KINDS] == list(SI.values())


@pytest.mark.parametrize("units", [Units(length="nm", energy="N*m"), ReducedUnits()])
def test_units_are_frozen_and_survive_pickling(units):
    with pytest.raises(ValidationError, match="frozen"):
        units.length = "m"
    copy = pickle.loads(pickle.dumps(units))
    assert copy == units
    assert hash(copy) == hash(units)
    assert copy.from_reduced(2.0, "field") == units.from_reduced(2.0, "field")


def test_reduced_units_do_not_change_numbers():
    units = ReducedUnits()
    values = np.array([1.0, 2.0])
    assert units.to_reduced(0.1, "field") == 0.1
    assert units.from_reduced(values, "energy") is values
    with pytest.raises(StudyError, match=r"needs a \[units\] table"):
        units.to_reduced("3 um", "length")


def test_names_of_reduced_units():
    assert {kind: ReducedUnits().name(kind) for kind in KINDS} == {
        "length": "L",
        "field": "mu0 Gamma / L^2",
        "current": "Gamma / L",
        "energy": "mu0 Gamma^2 / L",
        "flux": "Phi0",
        "strength": "Gamma",
        "inductance": "mu0 L",
        "moment": "Gamma L",
        "sheet_current": "Gamma / L^2",
        "temperature": "Theta",
    }


def test_pint_is_loaded_only_for_a_table():
    code = """
import sys
from typing import Annotated
from pydantic import TypeAdapter
from pearlfem.quantities.units import ReducedUnits, Units, in_units
length = TypeAdapter(Annotated[float, in_units("length")])
assert length.validate_python(2.0, context=ReducedUnits()) == length.validate_python(2.0) == 2.0
assert "pint" not in sys.modules
assert length.validate_python("2 um", context=Units(length="mm")) == 2e-3
assert "pint" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Use in pydantic, with tables like those of a study.


@dataclass(frozen=True, config=FORBID_EXTRA)
class Spot:
    position: tuple[Length, Length]
    size: PositiveLength
    angle: Finite = 0.0
    strength: Strength = Field(default=1.0, validate_default=True)


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pearl_length: PositiveLength
    points: list[tuple[Length, Length]] = []
    field: tuple[FieldStrength, ...] = ()
    box: tuple[PositiveOrInfiniteLength, PositiveOrInfiniteLength, PositiveLength] | None = None
    depth: Annotated[float, in_units("length"), Field(gt=0, strict=True)] = 1.0


class Table(BaseModel):
    film: Sheet
    spot: tuple[Spot, ...] = ()


TABLE = {
    "film": {
        "pearl_length": "250 nm",
        "points": [[0, "1 um"], ["-500 nm", 2.5]],
        "field": ["1 Phi0/um^2", 0.0],
        "box": [float("inf"), "1 mm", 3],
        "depth": "10 nm",
    },
    "spot": [
        {"position": ["100 nm", -0.5], "size": "10 nm", "angle": 30.0, "strength": "1 Phi0/mu0"},
        {"position": [1, 2], "size": 0.5},
    ],
}


def test_texts_and_numbers_are_converted_everywhere(um):
    table = Table.model_validate(TABLE, context=um)
    film = table.film
    assert film.pearl_length == pytest.approx(0.25, rel=ROUNDING)
    assert np.array(film.points) == pytest.approx(np.array([[0.0, 1.0], [-0.5, 2.5]]), rel=ROUNDING)
    assert film.field == pytest.approx((1.0, 0.0), rel=ROUNDING)
    assert film.box == pytest.approx((float("inf"), 1000.0, 3.0), rel=ROUNDING)
    assert film.depth == pytest.approx(0.01, rel=ROUNDING)
    first, second = table.spot
    assert first.position == pytest.approx((0.1, -0.5), rel=ROUNDING)
    assert first.size == pytest.approx(0.01, rel=ROUNDING)
    assert first.angle == 30.0
    assert first.strength == pytest.approx(1.0, rel=ROUNDING)
    assert second.position == (1.0, 2.0)
    assert second.strength == pytest.approx(MU0 / PHI0, rel=CONSTANTS)  # the default: 1 A·m


NUMBERS = {
    "film": {"pearl_length": 2, "points": [[0, 1]], "box": [float("inf"), float("inf"), 1.0]},
    "spot": [{"position": [1, 2.5], "size": 0.5}],
}


@pytest.mark.parametrize("units", [None, ReducedUnits()])
def test_numbers_do_not_change_in_reduced_units(units):
    table = Table.model_validate(NUMBERS, context=units)
    assert (table.film.pearl_length, table.film.points) == (2.0, [(0.0, 1.0)])
    (spot,) = table.spot
    assert asdict(spot) == {"position": (1.0, 2.5), "size": 0.5, "angle": 0.0, "strength": 1.0}
    assert spot == Spot((1.0, 2.5), size=0.5)


def test_fault_names_key_value_and_both_dimensions(um):
    table = {
        "film": {
            "pearl_length": "3 mT",
            "points": [[0, "1 s"]],
            "field": ["3 um"],
            "box": ["inf", "1e400 um", "-3 um"],
            "depth": "-3 um",
        },
        "spot": [
            {"position": ["wide", 0.0], "size": "-10 nm", "angle": "30", "strength": "0 A*m"},
        ],
    }
    number = "is not a number with a unit, such as '0.25 um'"
    positive = "Input should be greater than 0"
    assert faults(Table.model_validate, table, context=um) == [
        (
            ("film", "pearl_length"),
            "3 mT",
            "'mT' is a magnetic field, but a length is needed",
        ),
        (
            ("film", "points", 0, 1),
            "1 s",
            "'s' is a quantity of dimension [time], but a length is needed",
        ),
        (("film", "field", 0), "3 um", "'um' is a length, but a magnetic field is needed"),
        (("film", "box", 0), "inf", f"'inf' {number}"),
        (("film", "box", 1), "1e400 um", f"'1e400 um' {number}"),
        (("film", "box", 2), "-3 um", positive),
        (("film", "depth"), "-3 um", positive),
        (("spot", 0, "position", 0), "wide", f"'wide' {number}"),
        (("spot", 0, "size"), "-10 nm", positive),
        (("spot", 0, "angle"), "30", "Input should be a valid number"),
        (("spot", 0, "strength"), "0 A*m", "Value error, input should not be 0"),
    ]


@pytest.mark.parametrize("units", [None, Units(length="um")])
@pytest.mark.parametrize("value", [True, None, [1.0], {"value": 1.0}, b"1"])
def test_value_that_is_not_a_number_or_text_is_refused(units, value):
    film = {"pearl_length": value}
    assert faults(Sheet.model_validate, film, context=units) == [
        (("pearl_length",), value, "Input should be a valid number")
    ]


@pytest.mark.parametrize("value", [-3, float("inf"), float("nan")])
def test_range_is_checked_in_any_units(value):
    texts = [
        [message for _, _, message in faults(Sheet.model_validate, film, context=units)]
        for units in (None, Units(length="um"))
        for film in [{"pearl_length": value}]
    ]
    assert texts[0] == texts[1] != []


def test_text_without_a_units_table_is_refused():
    refused = "a text with a unit needs a [units] table; allowed: a number"
    assert faults(Table.model_validate, TABLE)[0] == (("film", "pearl_length"), "250 nm", refused)
    assert faults(Spot, (0.0, 0.0), size="1 um") == [(("size",), "1 um", refused)]


@pytest.mark.parametrize("units", [ReducedUnits(), Units(length="um")])
def test_unknown_kind_is_refused(units):
    with pytest.raises(StudyError, match="kind = 'tensor': not allowed; allowed: length, field,"):
        units.from_reduced(1.0, "tensor")
