"""κ and 1/κ on the facets of a film, as polynomials that are nowhere smaller than the true ones.

For given background potentials a (those of impurities are made with the true κ), the energy

    F = min_A ∫_Γ ½κ |A + a|² dS + ½ ∫ |curl A|² dV
      = max_K −∫_Γ |K|²/2κ dS − ½ ∫ |H|² dV − ∫_Γ K·a dS

grows if κ is replaced by a larger weight in the first form, and falls if 1/κ is replaced by a
larger one in the second form. So such weights leave an upper bound an upper bound, and a lower
bound a lower one. The loads of the second form have no weight.

A facet at a circle may reach beyond it by the height of an arc. There the weight is the largest of
those on both sides.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from pearlfem.enclosures.jets import Jet, maximum
from pearlfem.enclosures.triangles import Function, polynomials_above, powers
from pearlfem.mesh.reached import regions_reached
from pearlfem.model.film import Film
from pearlfem.model.profiles import Profile, enclosure_of
from pearlfem.quantities.arrays import Array, BoolArray, Int64Array

DEGREE = 3  # of the polynomials: they are too large by the order h⁴
_TERMS = len(powers(np.zeros(2), DEGREE))


class WeightsAbove:
    """Polynomials on n facets that are nowhere smaller than κ or 1/κ.

    Args:
        film: The film.
        corners: Corners (x, y) of the facets [length], ``(n, 3, 2)``.
        regions: The number of the region of each facet, −1 for none, ``(n,)``.
        inverse: Whether they are for 1/κ.

    Note:
        Not collective.
    """

    def __init__(self, film: Film, corners: Array, regions: Int64Array, inverse: bool) -> None:
        self._corners = corners
        self._coefficients = np.zeros((len(corners), _TERMS))
        rows, kinds = np.unique(
            regions_reached(film, corners, regions), axis=0, return_inverse=True
        )
        for kind, row in enumerate(rows):
            here = kinds.ravel() == kind
            lengths = [film.pearl_length_in(int(number)) for number in np.flatnonzero(row) - 1]
            self._coefficients[here] = _above(lengths, corners[here], inverse)

    @property
    def known(self) -> BoolArray:
        """On which facets there is such a polynomial, ``(n,)``."""
        return np.asarray(np.isfinite(self._coefficients).all(axis=1))

    def at_reference(self, points: Array, facets: npt.NDArray[np.integer]) -> Array:
        """Return the values at points of the reference triangle, ``(q, 2)``, on m of the facets.

        Returns:
            Array of shape ``(m, q)``; not finite where there is no polynomial.
        """
        return np.asarray(self._coefficients[facets] @ powers(points, DEGREE).T)

    def at(self, points: Array) -> Array:
        """Return the values at points (x, y) [length] of facets, ``(n, q, 2)`` to ``(n, q)``."""
        edges = self._corners[:, 1:] - self._corners[:, :1]
        reference = (points - self._corners[:, :1]) @ np.linalg.inv(edges)
        terms = powers(reference, DEGREE)
        return np.asarray(np.einsum("nm,nqm->nq", self._coefficients, terms))


def _above(lengths: list[float | Profile], corners: Array, inverse: bool) -> Array:
    """Return polynomials above the weights of all lengths, ``(n, m)``; infinite if unknown."""
    coefficients = np.zeros((len(corners), _TERMS))
    numbers = [2.0 / length for length in lengths if not callable(length)]
    if len(numbers) == len(lengths):
        coefficients[:, 0] = max(1.0 / kappa if inverse else kappa for kappa in numbers)
        return coefficients
    functions = [_enclosed_weight(length, inverse) for length in lengths]
    known = [function for function in functions if function is not None]
    if len(known) < len(functions):
        coefficients[:, 0] = np.inf
        return coefficients

    def largest(x: Jet, y: Jet) -> Jet:
        return reduce(maximum, [function(x, y) for function in known])

    return polynomials_above(largest, corners, DEGREE)


def _enclosed_weight(length: float | Profile, inverse: bool) -> Function | None:
    """Return κ = 2/r0, or 1/κ, as a function of jets; None if no bounds of r0 are known."""
    function = enclosure_of(length) if callable(length) else lambda x, _: x.constant(length)
    if function is None:
        return None
    if inverse:
        return lambda x, y: x.constant(0.5) * function(x, y)
    return lambda x, y: x.constant(2.0) / function(x, y)
