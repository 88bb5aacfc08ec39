"""Finite element functions that are made from the unknowns of a formulation."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dolfinx import fem

from pearlfem.quantities.arrays import Array, Int32Array


class Fields(NamedTuple):
    """The unknowns as finite element functions, with ghosts up to date.

    Args:
        potential: A without its ``Gauge`` in the vector formulation; ψ, or its continuous part u,
            in the stream formulation.
        stream_functions: g of each film in the stream formulation; none in the vector formulation.
    """

    potential: fem.Function
    stream_functions: tuple[fem.Function, ...] = ()


class Gauge(NamedTuple):
    """A gradient, the part of A on films that has no field: A = values + (the unknowns).

    It is kept apart from the unknowns: a film that hardly screens answers with a gradient far
    larger than the rest of A, whose curl would drown in its round-off.

    Args:
        dofs: Owned dofs, ``(n,)``.
        values: The gradient at these dofs [flux], ``(n,)``.
    """

    dofs: Int32Array
    values: Array


class Lift(NamedTuple):
    """The lift l of a point impurity: see ``pearlfem.formulation.stream.point_lifts``.

    Args:
        dofs: The owned dofs at which u = ψ − ψ_∞ is prescribed, ``(n,)``.
        values: l = −ψ_∞ at these dofs [current], ``(n,)``.
        image: B(l, v) for the basis functions v of these dofs [energy per current], ``(n,)``.
    """

    dofs: Int32Array
    values: Array
    image: Array


def add_lifts(fields: Fields, lifts: Collection[tuple[Lift, float]]) -> None:
    """Add the lift l to the functions w and 2w, in place: they become u = l + w and g = 2u.

    Args:
        fields: w and 2w; overwritten.
        lifts: Lifts and their weights; l is the weighted sum.

    Note:
        Collective.
    """
    u, (g,) = fields
    for lift, weight in lifts:
        u.x.array[lift.dofs] += weight * lift.values
        g.x.array[lift.dofs] += 2.0 * weight * lift.values
    u.x.scatter_forward()
    g.x.scatter_forward()
