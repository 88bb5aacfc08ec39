"""Energies of the solver beside the exact ones of the infinite film, or of a lattice on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pearlfem.analytic import infinite_film, lattice
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.arrays import Array

_OPEN = Open()
_ZERO = 1e-9  # of a pair's largest entry: entries below are those that symmetry forbids


class Comparison(NamedTuple):
    """A computed number beside its exact value.

    Args:
        name: What the number is.
        computed: The number of the solver.
        reference: The exact number.
        scale: The unit in which their difference counts.
        tolerance: Largest difference allowed, in units of ``scale``; None if any is.
    """

    name: str
    computed: float
    reference: float
    scale: float
    tolerance: float | None = None

    @property
    def difference(self) -> float:
        """Relative difference, computed minus reference."""
        return (self.computed - self.reference) / self.scale

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance, if there is one."""
        return self.tolerance is None or abs(self.difference) <= self.tolerance

    def scaled(self, factor: float) -> Comparison:
        """Return the same comparison in a unit ``factor`` times smaller."""
        computed, reference, scale = (factor * x for x in self[1:4])
        return Comparison(self.name, computed, reference, scale, self.tolerance)


def coupling_comparisons(
    film: Film,
    impurities: Sequence[Impurity],
    tensor: Array,
    tolerance: float | None = None,
    boundary: Boundary = _OPEN,
) -> Iterator[Comparison]:
    """Yield self-energies and couplings beside the exact ones of impurities on the infinite film.

    In a periodic space the exact ones include all images of an impurity. Walls and edges of the
    film do not count in them. Left out are self-energies of points, which are infinite, entries
    that symmetry forbids, and everything if two impurities of a lattice are at one place.

    Args:
        film: Its Pearl length, which must be uniform.
        impurities: The impurities, n of them.
        tensor: Computed interaction tensor, shape ``(n, n, 2, 2)`` [μ0Γ²/length].
        tolerance: Largest relative difference allowed.
        boundary: The space that ``tensor`` is for.

    Raises:
        StudyError: The Pearl length varies over the film.
    """
    exact = _exact_tensor(film, impurities, boundary)
    if exact is None:
        return
    images = " and images" if isinstance(boundary, Periodic) else ""
    for i, impurity in enumerate(impurities):
        for a, axis in enumerate("xy") if impurity.size > 0 else ():
            name = f"self-energy {i + 1}{images}, m along {axis}"
            energy = exact[i, i, a, a] / 2
            yield Comparison(name, tensor[i, i, a, a] / 2, energy, abs(energy), tolerance)
        for j in range(i):
            r = _distance(impurities[j], impurity, boundary)
            for a, b in np.ndindex(2, 2):
                name = f"T_{'xy'[a]}{'xy'[b]}, pair {j + 1}-{i + 1}, r = {r:.4g}"
                coupling = exact[j, i, a, b]
                if abs(coupling) > _ZERO * np.abs(exact[j, i]).max():
                    computed = tensor[j, i, a, b]
                    yield Comparison(name, computed, coupling, abs(coupling), tolerance)


def _exact_tensor(film: Film, impurities: Sequence[Impurity], boundary: Boundary) -> Array | None:
    """Return T on the infinite film, shape ``(n, n, 2, 2)`` [μ0Γ²/length].

    None for two impurities of a lattice at one place, for which there is no sum.
    """
    positions = [impurity.position for impurity in impurities]
    strengths = [impurity.strength for impurity in impurities]
    sizes = [impurity.size for impurity in impurities]
    r0 = film.uniform_pearl_length
    if not isinstance(boundary, Periodic):
        return infinite_film.interaction_tensor(positions, r0, strengths, sizes)
    try:
        sites = lattice.Lattice(boundary.cell, positions)
    except ValueError:
        return None
    tensor = lattice.gaussian_interaction(sites, sizes, r0).transpose(0, 2, 1, 3)
    unit = np.outer(strengths, strengths) * r0 / (4 * np.pi)  # J*
    return np.asarray(unit[..., None, None] * tensor)


def _distance(one: Impurity, other: Impurity, boundary: Boundary) -> float:
    """Return the distance of two impurities [length], in a lattice that to the nearest image."""
    offset = np.subtract(other.position, one.position)
    if isinstance(boundary, Periodic):
        return boundary.distance(offset)
    return float(np.hypot(*offset))
