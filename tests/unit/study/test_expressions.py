"""Expressions: right values, and nothing but numbers, x, y and functions of NumPy."""

import pickle
import time

import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.study.expressions import Expression

X, Y = np.array([0.0, 0.5, -2.0]), np.array([1.0, 0.25, 3.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", [2.0, 2.0, 2.0]),
        ("x", X),
        ("1 + 0.5*x*y - y/4", 1 + 0.5 * X * Y - Y / 4),
        ("-x**2 + +y", -(X**2) + Y),
        ("2**-1", [0.5, 0.5, 0.5]),
        ("cos(pi*x)*exp(-y)", np.cos(np.pi * X) * np.exp(-Y)),
        ("hypot(x, y) + arctan2(y, x)", np.hypot(X, Y) + np.arctan2(Y, X)),
        ("where(x < 0, 1, 2) + where(y > 0.5, 10, 20)", [12.0, 22.0, 11.0]),
        ("minimum(x, y) + maximum(x, 0) + abs(x)", np.minimum(X, Y) + np.maximum(X, 0) + np.abs(X)),
        ("tanh(x) + sinh(x) + cosh(x) + sqrt(y) + log(y) + sin(x) + tan(x)", None),
    ],
)
def test_values_are_those_of_numpy(text, expected):
    if expected is None:
        expected = np.tanh(X) + np.sinh(X) + np.cosh(X) + np.sqrt(Y) + np.log(Y)
        expected = expected + np.sin(X) + np.tan(X)
    values = Expression(text)(X, Y)
    np.testing.assert_allclose(np.broadcast_to(values, X.shape), expected, rtol=1e-15)
    assert str(Expression(text)) == text


def test_arguments_are_not_changed():
    x, y = np.array([4.0]), np.array([1.0])
    Expression("-x + abs(y)")(x, y)
    assert (x[0], y[0]) == (4.0, 1.0)


def test_expression_goes_from_rank_to_rank():
    assert pickle.loads(pickle.dumps(Expression("x + y")))(X, Y).tolist() == (X + Y).tolist()


def test_values_have_the_shape_of_the_points():
    assert Expression("x + y")(np.zeros((2, 3)), np.zeros((2, 3))).shape == (2, 3)
    assert Expression("x + y")(np.zeros(0), np.zeros(0)).shape == (0,)


def test_division_by_zero_is_a_number_that_the_film_refuses():
    assert Expression("1/x")(np.array([0.0]), np.array([0.0])) == np.inf
    assert np.isnan(Expression("x/x")(np.array([0.0]), np.array([0.0])))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x +",
        "z",
        "r0",
        "x(1)",
        "x, y",
        "x; y",
        "x = 1",
        "lambda: 1",
        "import os",
        "__import__('os').system('true')",
        "().__class__.__bases__",
        "x.__class__",
        "x.tofile",
        "sin.__globals__",
        "open('/etc/passwd')",
        "eval('1')",
        "exec('1')",
        "print(1)",
        "rand()",
        "int(x)",
        "'x'",
        "'a'*10",
        "[x for x in y]",
        "[1, 2]",
        "{'a': 1}",
        "x[0]",
        "x if y else 1",
        "x and y",
        "x == y",
        "x // 2",
        "x % 2",
        "x @ y",
        "1 << 100",
        "~1",
        "f'{x}'",
        "sqrt(x, out=y)",
        "sqrt(*x)",
        "sqrt()",
        "hypot(x)",
        "sqrt(x, y)",
        "where(x < 0)",
        "0 < x < 1",
        "True",
        "1j",
        "...",
        "1 + " * 400 + "1",
        "(" * 300 + "x" + ")" * 300,
        "x\0",
    ],
)
def test_anything_else_is_refused_by_its_text(text):
    with pytest.raises(StudyError) as refused:
        Expression(text)
    message = str(refused.value)
    assert message.startswith(f"expression {text!r}: ")
    assert "allowed: numbers, x, y, pi, " in message
    assert "hypot" in message


@pytest.mark.parametrize("text", ["9**9**9**9", "2**1000000", "10.0**400*x", "1e999"])
def test_large_powers_are_computed_at_once(text):
    start = time.perf_counter()
    try:
        assert not np.isfinite(Expression(text)(X, Y)).any()  # the film refuses it
    except StudyError as refused:
        assert "too large" in str(refused)
    assert time.perf_counter() - start < 1
