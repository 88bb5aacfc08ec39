"""Exact fields of the infinite film around point impurities: what their potentials are short of.

The potential of a solution with point impurities is u = ψ − ψ_∞, see
``pearlfem.formulation.stream.point_lifts``. Here is what ψ_∞ adds to fields, with the weights of
the drives: nothing without point impurities. At a point impurity itself fields are infinite or NaN.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
from dolfinx import fem

from pearlfem.analytic import infinite_film
from pearlfem.formulation.stream.point_products import film_pairings, line_rule, potential_integrals
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import is_point
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_DIGITS = 12  # of coordinates that are the same up to round-off


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
    ) -> Array:
        """Return the field at ``points``."""


def exact_part(solution: Solution, field: ExactField, points: Array) -> Array | float:
    """Return the sum of ``field`` over the point impurities at ``points``, or 0 without any.

    Args:
        solution: Its drives.
        field: Of ``pearlfem.analytic.infinite_film``.
        points: As ``field`` takes them: (x, y) or (x, y, z) [length].
    """
    total: Array | float = 0.0
    for position, moment in point_moments(solution):
        total = total + field(
            points,
            position,
            math.degrees(math.atan2(moment[1], moment[0])),
            strength=math.hypot(*moment),
            pearl_length=pearl_length_of(solution),
        )
    return total


def add_exact_part(function: fem.Function, solution: Solution, field: ExactField) -> fem.Function:
    """Add the sum of ``field`` over the point impurities at the nodes of ``function``; return it.

    Args:
        function: Discontinuous, on the mesh of the solution, with the components of ``field``.
        solution: Its drives.
        field: Of ``pearlfem.analytic.infinite_film``, in space.
    """
    if point_moments(solution):
        V = function.function_space
        dofs = np.unique(V.dofmap.list)
        nodes = V.tabulate_dof_coordinates()[dofs]
        nodes[:, 2] = np.abs(nodes[:, 2])  # z = 0 up to round-off, seen from above
        # A node belongs to about twenty cells, each of which has its own.
        places, which = distinct_nodes(nodes)
        values = np.reshape(exact_part(solution, field, places), (len(places), -1))
        function.x.array.reshape(-1, V.dofmap.bs)[dofs] += values[which]
    return function


def distinct_nodes(nodes: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return each place among ``nodes`` once, and where each node stands in this list.

    Args:
        nodes: Places [length], the same up to round-off if they are the same, ``(n, d)``.
    """
    unit = np.abs(nodes).max(initial=0.0) or 1.0
    _, first, which = np.unique(
        np.round(nodes / unit, _DIGITS), axis=0, return_index=True, return_inverse=True
    )
    return nodes[first], which


def exact_moment(solution: Solution) -> float:
    """Return ∫ g_∞ dS over film and holes of the point impurities [Γ·length] (collective)."""
    points = point_moments(solution)
    if not points:
        return 0.0
    positions, moments = zip(*points, strict=True)
    integrals = potential_integrals(solution.films[0], positions)
    return 2.0 * float(np.sum(integrals * moments))


def exact_work(solution: Solution, source: Source) -> float:
    """Return −∫_Γ K_∞·a dS of the point impurities, a of another ``source`` (collective)."""
    points = point_moments(solution)
    if not points:
        return 0.0
    positions, moments = zip(*points, strict=True)
    pairings = film_pairings(solution.films[0], positions, [source])
    return 2.0 * float(np.ravel(moments) @ pairings[:, 0])


def exact_flux(solution: Solution, ring: Array) -> float:
    """Return ∫ B_∞z dS inside a polygon of the plane of the point impurities [μ0Γ].

    (2/κ) ∮ ∂_ν ψ_∞ dl, for B_∞z = (2/κ) ∇_s²ψ_∞ all over the infinite film. Not collective.

    Args:
        solution: Its drives.
        ring: The polygon's corners counterclockwise, the first one again at the end, ``(n, 2)``.
    """
    total = 0.0
    for position, moment in point_moments(solution):
        pearl_length = pearl_length_of(solution)
        points, normals = line_rule(ring[:-1], ring[1:], position)
        gradients = infinite_film.potential_gradient_per_moment(
            points, position, pearl_length=pearl_length
        )
        total += pearl_length * float(np.einsum("a,nab,nb->", moment, gradients, normals))
    return total


def pearl_length_of(solution: Solution) -> float:
    """Return r0 [length] of the only film that point impurities may lie on."""
    (film,) = solution.films
    return film.film.uniform_pearl_length


def point_moments(solution: Solution) -> list[tuple[Point, Array]]:
    """Return the places of the point impurities, and Γm of all drives at each, ``(2,)``."""
    found: dict[Point, Array] = {}
    for source, weight in solution.drives:
        if is_point(source):
            before = found.get(source.position, np.zeros(2))
            found[source.position] = before + weight * source.strength * np.array(source.moment)
    return list(found.items())
