"""Bounds of expressions: their syntax tree evaluated with enclosures in place of numbers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pearlfem.enclosures import jets
from pearlfem.enclosures.jets import Jet, Truth

Value = Jet | Truth | float

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[..., Jet]] = {
    name: getattr(jets, name)
    for name in (
        *("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "cosh", "sinh", "hypot"),
        *("minimum", "maximum", "arctan2"),
    )
} | {"abs": jets.absolute}


def enclosed(node: ast.expr, names: dict[str, Jet]) -> Value:
    """Return the value of an expression's syntax tree; what has no x and no y stays a number.

    Args:
        node: The tree, with the operators and functions of ``pearlfem.study.expressions``.
        names: The jets of x and y.
    """
    like = names["x"]
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return float(np.pi) if name == "pi" else names[name]
        case ast.UnaryOp(op=sign, operand=operand):
            inner = _number_or_jet(enclosed(operand, names), like)
            return -inner if isinstance(sign, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            a, b = (_number_or_jet(enclosed(side, names), like) for side in (left, right))
            if isinstance(op, ast.Pow):
                return _power(a, b, like)
            if isinstance(op, ast.Mult) and ast.dump(left) == ast.dump(right):
                return _power(a, 2.0, like)
            if isinstance(a, float) and isinstance(b, float):
                return float(_OPERATORS[type(op)](np.float64(a), np.float64(b)))
            result: Jet = _OPERATORS[type(op)](as_jet(a, like), as_jet(b, like))
            return result
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            a, b = (as_jet(enclosed(side, names), like) for side in (left, right))
            return jets.less(a, b) if isinstance(op, ast.Lt) else jets.less(b, a)
        case ast.Call(func=ast.Name(id="where"), args=[condition, *values]):
            a, b = (as_jet(enclosed(value, names), like) for value in values)
            return jets.where(_truth(enclosed(condition, names), like), a, b)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(as_jet(enclosed(each, names), like) for each in arguments))
    raise TypeError(f"{type(node).__name__} is not a part of an expression")


def as_jet(value: Value, like: Jet) -> Jet:
    """Return a jet of the same kind as ``like``; a condition is 1 where it holds, or else 0."""
    if isinstance(value, Truth):
        return jets.where(value, like.constant(1.0), like.constant(0.0))
    return value if isinstance(value, Jet) else like.constant(value)


def _number_or_jet(value: Value, like: Jet) -> Jet | float:
    return as_jet(value, like) if isinstance(value, Truth) else value


def _power(base: Jet | float, exponent: Jet | float, like: Jet) -> Jet | float:
    if isinstance(exponent, Jet):
        return jets.exp(exponent * jets.log(as_jet(base, like)))
    return base**exponent if isinstance(base, Jet) else float(np.float_power(base, exponent))


def _truth(value: Value, like: Jet) -> Truth:
    """Return a condition; a number is one that holds where it is not 0."""
    if isinstance(value, Truth):
        return value
    low, high = as_jet(value, like).value
    return Truth((low != 0) | (high != 0), (low <= 0) & (high >= 0))
