"""Currents and fields: on the film, in space, and at points.

K = ∇g × ẑ with g = 2ψ(z = 0⁺), and B = −μ0 ∇ψ for z > 0 (reduced units, μ0 = 1). Below the film
the potential is odd in z: B_z is even and the components along the film are odd.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.errors import StudyError
from pearlfem.fem import stream
from pearlfem.observables.points import evaluate
from pearlfem.solution import Solution

FIELD_DEGREE = 2  # of B, the derivative of elements of degree 3 at most


def flux_density(solution: Solution) -> fem.Function:
    """Return B = −∇ψ or curl A above the film: discontinuous, of degree 2, three components.

    Exact for elements of degree 1 to 3, whose derivatives are of degree 2 at most.

    Note:
        Not collective, except for the compilation of the first call.
    """
    mesh = solution.space.mesh
    field = fem.Function(fem.functionspace(mesh, ("Discontinuous Lagrange", FIELD_DEGREE, (3,))), name="B")
    points = field.function_space.element.interpolation_points
    u = solution.potential
    derivative = -ufl.grad(u) if solution.formulation == "stream" else ufl.curl(u)
    field.interpolate(fem.Expression(derivative, points))
    return field


def magnetic_field(solution: Solution, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return B [μ0Γ/length² in reduced units] at points of space.

    At z = 0 the limit z → 0⁺.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 3)``.

    Returns:
        Array of shape ``(n, 3)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond the far boundary.

    Note:
        Collective.
    """
    above = np.array(points, dtype=float).reshape(-1, 3)
    below = above[:, 2] < 0
    above[below, 2] *= -1
    values = evaluate(flux_density(solution), above)
    values[below, :2] *= -1
    return values


def stream_function(solution: Solution, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return g [Γ/length in reduced units] at points (x, y) of the film, K = ∇g × ẑ.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.

    Returns:
        Array of shape ``(n,)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond the far boundary, or the solution is not of the stream
            formulation.

    Note:
        Collective.
    """
    _need_stream(solution, "stream_function")
    return 2.0 * evaluate(solution.potential, _in_plane(points))[:, 0]


def sheet_current(solution: Solution, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return K [Γ/length² in reduced units] at points (x, y) of the film.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 2)``.

    Returns:
        Array of shape ``(n, 2)``, the same on every rank; of one degree less than ψ in accuracy.

    Raises:
        StudyError: A point lies beyond the far boundary.

    Note:
        Collective.
    """
    return sheet_current_of(evaluate(flux_density(solution), _in_plane(points)))


def sheet_current_of(field: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return K = 2 ẑ × H from B at z = 0⁺: shape ``(…, 3)`` to ``(…, 2)``."""
    return 2.0 * np.stack([-field[..., 1], field[..., 0]], axis=-1)


def magnetic_moment(solution: Solution) -> npt.NDArray[np.float64]:
    """Return ½ ∫ r × K dS = ẑ ∫ g dS [Γ·length in reduced units], shape ``(3,)``.

    On the plane the integral runs to the far boundary.

    Raises:
        StudyError: The solution is not of the stream formulation.

    Note:
        Collective.
    """
    _need_stream(solution, "magnetic_moment")
    return np.array([0.0, 0.0, 2.0 * stream.film_integral(solution.potential, solution.space)])


def _need_stream(solution: Solution, what: str) -> None:
    if solution.formulation != "stream":
        raise StudyError(
            f"{what}: formulation = {solution.formulation!r}: not allowed; allowed: 'stream'"
        )


def _in_plane(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    flat = np.asarray(points, dtype=float).reshape(-1, 2)
    return np.column_stack([flat, np.zeros(len(flat))])
