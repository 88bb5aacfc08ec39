"""Polynomials on triangles are nowhere smaller than the function, and as near as it is smooth."""

import numpy as np
import pytest

from pearlfem.enclosures.triangles import polynomials_above, powers
from pearlfem.study.expressions import Expression

DEGREE = 3
SMOOTH = [
    "4.0",
    "2*pi - x**3 + 2**-1 + x*y**2",
    "2 + 0.5*cos(3*x)*exp(-y**2)",
    "5*exp(3.3*(x*x + y*y))",
    "1/(1.1 + 0.25*sin(7*x + 3)*cosh(y))",
    "(2 + x)**y + 3**(x*y) + (x + 2)**-1.5",
    "3 + arctan2(y, x + 2) - log(1.5 + x)*tan(y/2)",
    "hypot(x - 2, y) + sinh(y)**3/100 + tanh(4*x) + sqrt(1 + x*x)",
]
ROUGH = [
    "1 + where(x < 0.2, hypot(x, y), abs(y - x)**1.5)",
    "2 + (x > 0.1)*tanh(5*y) + minimum(x, y)**3 - maximum(0.2, sin(x*y))",
    "sqrt(x**2 + y**2) + 1e-3",
    "4 + arctan2(y, x)",
    "2 + abs(x)*(y > x) + where(x, 0.3, 2)",
]


def excess(text, size, inverse=False, n=25):
    """p − f at random points of random triangles, in units of |f|, the least and the median."""
    random = np.random.default_rng(7)
    corners = random.uniform(-0.9, 0.9, (n, 1, 2)) + random.uniform(-size / 2, size / 2, (n, 3, 2))
    expression = Expression(text)

    def enclosure(x, y):
        value = expression.enclosure(x, y)
        return x.constant(1.0) / value if inverse else value

    coefficients = polynomials_above(enclosure, corners, DEGREE)
    shares = random.dirichlet([0.7] * 3, 60)
    points = np.einsum("pk,nkd->npd", shares, corners)
    values = np.broadcast_to(expression(points[..., 0], points[..., 1]), points.shape[:2])
    exact = 1 / values if inverse else values
    difference = coefficients @ powers(shares[:, 1:], DEGREE).T - exact
    relative = difference / np.abs(exact).max(axis=1, keepdims=True)
    return relative.min(), np.median(relative)


@pytest.mark.parametrize("text", [*SMOOTH, *ROUGH])
@pytest.mark.parametrize("size", [0.4, 0.1])
def test_polynomials_are_nowhere_smaller(text, size):
    least, median = excess(text, size)
    assert least >= 0
    assert median < 0.05


@pytest.mark.parametrize("text", SMOOTH)
def test_bounds_of_the_inverse_close_with_the_size_of_the_triangles(text):
    (coarse_least, coarse), (fine_least, fine) = (excess(text, h, inverse=True) for h in (0.4, 0.1))
    assert coarse_least >= 0
    assert fine_least >= 0
    # h⁴ would be 256 times, but below 1e-5 no better one is looked for
    assert fine <= max(coarse / 50, 1e-5)


def test_a_function_without_bounds_gets_none():
    (coefficients,) = polynomials_above(
        Expression("1 + 1/x").enclosure, np.array([[(-0.1, 0), (0.2, 0), (0, 0.2)]]), DEGREE
    )
    assert not np.isfinite(coefficients).all()
