"""Exact fields of point impurities on the infinite film, to be added to computed fields.

The potential of a solution with point impurities is u = ψ − ψ_∞ (see
``pearlfem.formulation.stream.point_lifts``). The functions here return the fields of ψ_∞, summed
over all point impurities with the weights of the drives. They return 0 without point impurities. At
the position of a point impurity fields are infinite or NaN.
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

_DIGITS = 12  # decimal digits to which equal coordinates agree, in units of the largest one


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
        """Return the field of one impurity at ``points``; ``angle`` is in degrees."""


def exact_part(solution: Solution, field: ExactField, points: Array) -> Array | float:
    """Return the sum of ``field`` over the point impurities at ``points``.

    Args:
        solution: The solution, whose drives include the point impurities.
        field: A function of ``pearlfem.analytic.infinite_film``.
        points: Points (x, y) or (x, y, z) [length], as ``field`` takes them.

    Returns:
        An array as ``field`` returns it, in reduced units; the number 0 without point impurities.

    Note:
        Not collective.
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
    """Add the sum of ``field`` over the point impurities to ``function``, in place; return it.

    Args:
        function: A discontinuous function on the mesh of the solution, with as many components as
            ``field``.
        solution: The solution, whose drives include the point impurities.
        field: A function of ``pearlfem.analytic.infinite_film`` that takes points (x, y, z).

    Note:
        Not collective.
    """
    if point_moments(solution):
        V = function.function_space
        dofs = np.unique(V.dofmap.list)
        nodes = V.tabulate_dof_coordinates()[dofs]
        nodes[:, 2] = np.abs(nodes[:, 2])  # no node is below the film because of round-off
        # About twenty cells share a node, and each of them has a dof there: evaluate once.
        distinct, indices = distinct_nodes(nodes)
        values = np.reshape(exact_part(solution, field, distinct), (len(distinct), -1))
        function.x.array.reshape(-1, V.dofmap.bs)[dofs] += values[indices]
    return function


def distinct_nodes(nodes: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return the distinct positions of ``nodes``.

    Args:
        nodes: Positions [length], ``(n, d)``; equal ones may differ by round-off.

    Returns:
        The k distinct positions [length], ``(k, d)``, and the index of each node's position among
        them, ``(n,)``.
    """
    unit = np.abs(nodes).max(initial=0.0) or 1.0
    _, first, indices = np.unique(
        np.round(nodes / unit, _DIGITS), axis=0, return_index=True, return_inverse=True
    )
    return nodes[first], indices


def exact_moment(solution: Solution) -> float:
    """Return ∫ g_∞ dS over the film and its holes [Γ·length in reduced units] (collective)."""
    points = point_moments(solution)
    if not points:
        return 0.0
    positions, moments = zip(*points, strict=True)
    integrals = potential_integrals(solution.films[0], positions)
    return 2.0 * float(np.sum(integrals * moments))


def exact_work(solution: Solution, source: Source) -> float:
    """Return −∫_Γ K_∞·a dS with the a of another ``source`` [energy] (collective)."""
    points = point_moments(solution)
    if not points:
        return 0.0
    positions, moments = zip(*points, strict=True)
    pairings = film_pairings(solution.films[0], positions, [source])
    return 2.0 * float(np.ravel(moments) @ pairings[:, 0])


def exact_flux(solution: Solution, ring: Array) -> float:
    """Return ∫ B_∞z dS over a polygon in the film's plane [μ0Γ in reduced units].

    On the infinite film B_∞z = (2/κ) ∇_s²ψ_∞, so this is (2/κ) ∮ ∂_ν ψ_∞ dl along the edge.

    Args:
        solution: The solution, whose drives include the point impurities.
        ring: The corners of the polygon counterclockwise [length], ``(n, 2)``. The first corner is
            repeated at the end.

    Note:
        Not collective.
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
    """Return the uniform Pearl length r0 [length] of the only film (point impurities need this)."""
    (film,) = solution.films
    return film.film.uniform_pearl_length


def point_moments(solution: Solution) -> list[tuple[Point, Array]]:
    """Return each position of point impurities with the sum of the moments Γm there, ``(2,)``."""
    moments: dict[Point, Array] = {}
    for source, weight in solution.drives:
        if is_point(source):
            sum_before = moments.get(source.position, np.zeros(2))
            moment = weight * source.strength * np.array(source.moment)
            moments[source.position] = sum_before + moment
    return list(moments.items())
