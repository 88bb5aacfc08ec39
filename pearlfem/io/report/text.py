"""Numbers, units and headings of columns, as people read them."""

from __future__ import annotations

import re
from typing import NamedTuple

from pearlfem.quantities.rounding import Side, rounded

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_GREEK = {"mu0": "μ₀", "Gamma": "Γ", "Phi0": "Φ₀", "kappa": "κ", "psi": "ψ"}
_GREEK_NAME = re.compile("|".join(rf"\b{name}\b" for name in _GREEK))
_HEADING = re.compile(r"(?P<name>.*?)(?: \[(?P<unit>[^\[\]]*)\])?", re.DOTALL)


class Heading(NamedTuple):
    """The heading of a column: a name, and a unit that may be empty."""

    name: str
    unit: str

    @property
    def side(self) -> Side:
        """Which bound the numbers are: "lower", "upper", or none."""
        if self.name.endswith(".lower"):
            return "lower"
        return "upper" if self.name.endswith(".upper") else ""

    def __str__(self) -> str:
        """Return ``name [unit]`` for people."""
        return f"{greek(self.name)} [{unit(self.unit)}]" if self.unit else greek(self.name)


def heading(text: str) -> Heading:
    """Return the parts of ``"Bz [uT]"``."""
    found = _HEADING.fullmatch(text)
    assert found is not None  # it matches any text
    return Heading(found["name"], found["unit"] or "")


def number(value: float | None, digits: int = 9) -> str:
    """Return ``value`` with at most ``digits`` digits and a proper minus sign; a dash if None."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−").replace(",", "\u202f")
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return _typeset(mantissa, exponent)


def bounded(value: float | None, gap: float | None, side: Side = "") -> str:
    """Return a number, or a bound of one, as ``quantities.rounding.rounded``; a dash if None."""
    if value is None:
        return number(value)
    mantissa, _, exponent = rounded(value, gap, side).partition("e")
    return _typeset(mantissa, exponent)


def power_of_ten(exponent: int) -> str:
    """Return ``10⁻⁶``, say."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def unit(name: str) -> str:
    """Return the name of a unit with Greek letters and raised powers."""
    text = re.sub(r"\^(-?\d+)", lambda power: power[1].translate(_SUPERSCRIPTS), greek(name))
    text = re.sub(r"\bu(?=[A-Zm])", "µ", text)  # "uT", "um"
    return text.replace(" / ", "/").replace("*", "·").replace(" ", "\u202f")


def greek(text: str) -> str:
    """Return ``text`` with Greek letters in place of their names."""
    return _GREEK_NAME.sub(lambda name: _GREEK[name[0]], text)


def _typeset(mantissa: str, exponent: str) -> str:
    return (mantissa + (f"e{int(exponent)}" if exponent else "")).replace("-", "−")
