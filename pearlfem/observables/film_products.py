"""Energies of currents on the films, for all pairs of many solutions.

The sums are over the quadrature points of the loads, in blocks of facets, so that the values of
hundreds of solutions fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.load import FilmLoad
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_MOST_VALUES = 2 * 10**7  # largest number of values in memory at the same time


def london_energies(solutions: Sequence[Solution], scales: Array) -> Array:
    """Return Σ ∫_Γ (κ/2) (A_i + a_i)·(A_j + a_j) dS over the films, shape ``(k, k)``.

    Args:
        solutions: k solutions of the vector formulation.
        scales: Their A and a are divided by these numbers, ``(k,)``.

    Note:
        Collective.
    """
    count = len(solutions)
    local = np.zeros((count, count))
    for film in solutions[0].films:
        trace = _Trace(film, solutions)
        for block in _blocks(film, count):
            values = []
            # κ is that of the operator, so that the parts of an energy are consistent.
            kappa = film.weight_above(block)
            factors = np.sqrt(0.5 * kappa * film.quadrature.weights[block])
            for solution, own, scale in zip(solutions, trace.values, scales.tolist(), strict=True):
                total = trace.at(own, block) / scale + _background(solution, film, block, scale)
                values.append(factors[..., None] * total)
            rows = np.array(values).reshape(count, -1)
            local += rows @ rows.T
    return np.asarray(solutions[0].mesh.comm.allreduce(local))


class _Trace:
    """A of solutions on the facets of a film.

    Only the dofs on the facets are kept.

    Attributes:
        values: These dofs for each solution.
    """

    def __init__(self, film: FilmMesh, solutions: Sequence[Solution]) -> None:
        functions = (solution.film_potential() for solution in solutions)
        first = next(functions)
        V = first.function_space
        self._load = FilmLoad(V, film)
        dofs = self._load.facet_dofs
        unique, self._positions = np.unique(dofs, return_inverse=True)
        self._positions = self._positions.reshape(dofs.shape)
        self.values = [first.x.array[unique], *(other.x.array[unique] for other in functions)]

    def at(self, values: Array, facets: npt.NDArray[np.intp]) -> Array:
        """Return A at the quadrature points of ``facets``, ``(n, q, 2)``."""
        return self._load.trace(values[self._positions[facets]], facets)


def _blocks(film: FilmMesh, count: int) -> list[npt.NDArray[np.intp]]:
    """Return the film's facets in blocks for the values of ``count`` solutions."""
    facets, points = film.quadrature.weights.shape
    blocks = 1 + facets * max(1, 2 * points * count) // _MOST_VALUES
    return np.array_split(np.arange(facets), blocks)


def _background(
    solution: Solution, film: FilmMesh, facets: npt.NDArray[np.intp], scale: float
) -> Array:
    """Return a/scale at the quadrature points of ``facets``, ``(n, q, 2)``."""
    rule = film.quadrature.restricted_to(facets)
    total = np.zeros_like(rule.points)
    for source, weight in solution.drives:
        total += weight / scale * rule.background(source)
    return total
