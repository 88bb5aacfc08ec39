"""Expressions in x and y from a study file, evaluated without Python's own ``eval``."""

from __future__ import annotations

import ast
import operator
from typing import Any

import numpy as np
import numpy.typing as npt
import simpleeval

from pearlfem.enclosures.jets import Jet
from pearlfem.errors import StudyError
from pearlfem.quantities.arrays import Array
from pearlfem.study.enclosed import as_jet, enclosed

_FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        *("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "cosh", "sinh", "hypot", "abs"),
        *("minimum", "maximum", "where", "arctan2"),
    )
}
_OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: np.float_power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
}
_NODES = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.Load)
_LONGEST = 1000


class Expression:
    """A function of x and y on arrays, such as ``2 + 0.5*cos(x)*exp(-y**2)``.

    Args:
        text: The expression: numbers, x, y, pi, ``+ - * / ** < >``, and functions of NumPy.

    Raises:
        StudyError: The text is not an expression, or has names that are not allowed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = _parsed(text)
        except Exception as error:  # Python raises many kinds, depending on the text
            raise self._refusal(error) from None
        self(np.array([0.5, 0.75]), np.array([0.25, 0.5]))

    def __call__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Return the values at x and y, arrays of one shape."""
        names = {"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float), "pi": np.pi}
        parser = simpleeval.SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=names)
        try:
            with np.errstate(all="ignore"):
                return np.asarray(parser.eval(self.text, previously_parsed=self._tree), dtype=float)
        except Exception as error:  # the parser raises Python's errors and its own
            raise self._refusal(error) from None

    def enclosure(self, x: Jet, y: Jet) -> Jet:
        """Return bounds of the values and of their derivatives, from those of x and y."""
        return as_jet(enclosed(self._tree, {"x": x, "y": y}), x)

    def _refusal(self, error: Exception) -> StudyError:
        return StudyError(
            f"expression {self.text!r}: {error}; allowed: numbers, x, y, pi, + - * / ** < > and "
            + ", ".join(_FUNCTIONS)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        """Return the text."""
        return self.text


def _parsed(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    Raises:
        ValueError: It has something that is not allowed.
        SyntaxError: It is not an expression.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"more than {_LONGEST} characters")
    tree = ast.parse(text.strip(), mode="eval").body
    for node in ast.walk(tree):
        if not isinstance(node, (*_NODES, *_OPERATORS)):
            raise ValueError(f"{type(node).__name__} is not allowed")
        if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
            raise ValueError(f"{node.value!r} is not a number")
        if isinstance(node, ast.Call):
            _check_call(node)
    return tree


def _check_call(node: ast.Call) -> None:
    """Refuse additional arguments, because NumPy would write to them."""
    name = ast.unparse(node.func)
    if name not in _FUNCTIONS:
        raise ValueError(f"{name!r} is not a function")
    count = getattr(_FUNCTIONS[name], "nin", 3)  # where: a condition and two values
    if len(node.args) != count or node.keywords:
        raise ValueError(f"{name} takes {count} value{'s' if count > 1 else ''}")
