"""Expressions in x and y from a study file, evaluated without Python's own ``eval``."""

from __future__ import annotations

import ast
import operator
from typing import Any

import numpy as np
import numpy.typing as npt
import simpleeval

from pearlfem.errors import StudyError

_FUNCTIONS = (
    *("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "cosh", "sinh", "hypot", "abs"),
    *("minimum", "maximum", "where", "arctan2"),
)
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
_LONGEST = 1000


class Expression:
    """A function of x and y on arrays, such as ``2 + 0.5*cos(x)*exp(-y**2)``.

    Args:
        text: The expression: numbers, x, y, pi, + − * / **, < >, and functions of NumPy.

    Raises:
        StudyError: It is no expression, or has names that are not allowed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self(np.array([0.5]), np.array([0.25]))

    def __call__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the values at x and y, arrays of one shape."""
        names = {"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float), "pi": np.pi}
        functions = {name: getattr(np, name) for name in _FUNCTIONS}
        parser = simpleeval.SimpleEval(operators=_OPERATORS, functions=functions, names=names)
        try:
            if len(self.text) > _LONGEST:
                raise ValueError(f"more than {_LONGEST} characters")
            if any(
                isinstance(n, ast.Constant) and isinstance(n.value, str)
                for n in ast.walk(ast.parse(self.text))
            ):
                raise ValueError("a text within it")
            with np.errstate(all="ignore"):
                return np.asarray(parser.eval(self.text), dtype=float)
        except Exception as error:  # the parser raises what Python raises, and its own
            raise StudyError(
                f"expression {self.text!r}: {error}; allowed: numbers, x, y, pi, + - * / ** < > "
                "and " + ", ".join(_FUNCTIONS)
            ) from None

    def __str__(self) -> str:
        """Return the text."""
        return self.text
