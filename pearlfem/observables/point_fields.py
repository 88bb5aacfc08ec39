"""Exact fields of the infinite film around point impurities: what their potentials are short of.

The potential of a solution with point impurities is u = ψ − ψ_∞, see
``pearlfem.fem.point_impurities``. Here is what ψ_∞ adds to fields, with the weights of the drives:
nothing without point impurities. At a point impurity itself fields are infinite or NaN.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from dolfinx import fem

from pearlfem.analytic import infinite_film
from pearlfem.fem.point_products import film_pairings, line_rule, potential_integrals
from pearlfem.model.sources import Impurity, Source, is_point
from pearlfem.solution import Solution

_Array = npt.NDArray[np.float64]


class ExactField(Protocol):
    """A field of ``pearlfem.analytic.infinite_film``."""

    def __call__(
        self,
        points: npt.ArrayLike,
        position: npt.ArrayLike = ...,
        angle: float = ...,
        *,
        strength: float = ...,
        pearl_length: float = ...,
    ) -> _Array:
        """Return the field at ``points``."""


def exact_part(solution: Solution, field: ExactField, points: _Array) -> _Array | float:
    """Return the sum of ``field`` over the point impurities at ``points``, or 0 without any.

    Args:
        solution: Its drives.
        field: Of ``pearlfem.analytic.infinite_film``.
        points: As ``field`` takes them: (x, y) or (x, y, z) [length].
    """
    total: _Array | float = 0.0
    for impurity, weight in _points(solution):
        total = total + field(
            points,
            impurity.position,
            impurity.angle,
            strength=weight * impurity.strength,
            pearl_length=solution.film.least_pearl_length,
        )
    return total


def add_exact_part(
    function: fem.Function, solution: Solution, field: ExactField, *, on_film: bool = False
) -> fem.Function:
    """Add the sum of ``field`` over the point impurities at the nodes of ``function``; return it.

    Args:
        function: Discontinuous, on the mesh of the solution, with the components of ``field``.
        solution: Its drives.
        field: Of ``pearlfem.analytic.infinite_film``.
        on_film: Whether ``field`` is one of the film: then only the cells above it count.
    """
    if _points(solution):
        V = function.function_space
        cells = solution.space.sides("film")[:, 0] if on_film else slice(None)
        dofs = np.unique(V.dofmap.list[cells])
        nodes = V.tabulate_dof_coordinates()[dofs]
        nodes[:, 2] = np.abs(nodes[:, 2])  # z = 0 up to round-off, seen from above
        values = exact_part(solution, field, nodes[:, :2] if on_film else nodes)
        function.x.array.reshape(-1, V.dofmap.bs)[dofs] += np.reshape(values, (len(dofs), -1))
    return function


def exact_moment(solution: Solution) -> float:
    """Return ∫ g_∞ dS over film and holes of the point impurities [Γ·length] (collective)."""
    points = _points(solution)
    if not points:
        return 0.0
    positions = [impurity.position for impurity, _ in points]
    integrals = potential_integrals(solution.space, solution.film, positions)
    moments = [w * i.strength * np.array(i.moment) for i, w in points]
    return 2.0 * float(np.sum(integrals * moments))


def exact_work(solution: Solution, source: Source) -> float:
    """Return −∫_Γ K_∞·a dS of the point impurities, a of another ``source`` (collective)."""
    points = _points(solution)
    if not points:
        return 0.0
    positions = [impurity.position for impurity, _ in points]
    pairings = film_pairings(solution.space, solution.film, positions, [source])
    moments = [w * i.strength * np.array(i.moment) for i, w in points]
    return 2.0 * float(np.ravel(moments) @ pairings[:, 0])


def exact_flux(solution: Solution, ring: _Array) -> float:
    """Return ∫ B_∞z dS inside a polygon of the plane of the point impurities [μ0Γ].

    (2/κ) ∮ ∂_ν ψ_∞ dl, for B_∞z = (2/κ) ∇_s²ψ_∞ all over the infinite film. Not collective.

    Args:
        solution: Its drives.
        ring: The polygon's corners counterclockwise, the first one again at the end, ``(n, 2)``.
    """
    pearl_length, total = solution.film.least_pearl_length, 0.0
    for impurity, weight in _points(solution):
        points, normals = line_rule(ring[:-1], ring[1:], impurity.position)
        gradient = infinite_film.scalar_potential_gradient(
            points,
            impurity.position,
            impurity.angle,
            strength=weight * impurity.strength,
            pearl_length=pearl_length,
        )
        total += pearl_length * float(np.sum(gradient * normals))
    return total


def _points(solution: Solution) -> list[tuple[Impurity, float]]:
    return [(drive.source, drive.weight) for drive in solution.drives if is_point(drive.source)]
