"""The functions that a formulation's unknowns stand for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dolfinx import fem

from pearlfem.quantities.arrays import Array, Int32Array


class Fields(NamedTuple):
    """Unknowns as functions, ghosts up to date.

    Args:
        potential: A, or ψ or its continuous part.
        stream_functions: g of each film, in the stream formulation; none in the vector formulation.
    """

    potential: fem.Function
    stream_functions: tuple[fem.Function, ...] = ()


class Lift(NamedTuple):
    """The lift l of a point impurity.

    Args:
        dofs: The dofs that this rank owns at which u = ψ − ψ_∞ is given, ``(n,)``.
        values: l = −ψ_∞ there [current], ``(n,)``.
        image: B(l, ·) of the functions of these dofs [energy per current], ``(n,)``.
    """

    dofs: Int32Array
    values: Array
    image: Array


def add_lifts(fields: Fields, lifts: Collection[tuple[Lift, float]]) -> None:
    """Make of w and 2w the potential u = l + w and the stream function 2u (collective).

    Args:
        fields: w and 2w, overwritten.
        lifts: Lifts and their weights in l.
    """
    u, (g,) = fields
    for lift, weight in lifts:
        u.x.array[lift.dofs] += weight * lift.values
        g.x.array[lift.dofs] += 2.0 * weight * lift.values
    u.x.scatter_forward()
    g.x.scatter_forward()
