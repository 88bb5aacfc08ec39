"""Numbers of the solver beside the exact infinite film, or its lattice."""

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


class Comparison(NamedTuple):
    """A number of the solver beside its reference; ``scale`` is the unit of their difference."""

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
        """Return the same in a unit ``factor`` times smaller."""
        computed, reference, scale = (factor * x for x in self[1:4])
        return Comparison(self.name, computed, reference, scale, self.tolerance)


def coupling_comparisons(
    film: Film,
    impurities: Sequence[Impurity],
    tensor: Array,
    tolerance: float | None = None,
    boundary: Boundary = _OPEN,
) -> Iterator[Comparison]:
    """Yield the self-energies and couplings of ``tensor`` beside those on the infinite film.

    In a periodic space both are those with all images of an impurity, in the film without end; in
    any other they are those of impurities in open space. Entries that symmetry forbids are left
    out; all are where two impurities of a lattice are at one place, for which there is no sum.
    """
    periodic = boundary if isinstance(boundary, Periodic) else None
    if periodic is None:
        exact = infinite_film.interaction_tensor(
            [i.position for i in impurities],
            film.uniform_pearl_length,
            [i.strength for i in impurities],
            [i.size for i in impurities],
        )
    else:
        try:
            sites = lattice.Lattice(periodic.cell, [i.position for i in impurities])
        except ValueError:  # two at one place
            return
        exact = _lattice_tensor(film, impurities, sites)
    for i, own in enumerate(impurities):
        for a, axis in enumerate("xy") if own.size > 0 else ():  # that of a point is infinite
            energy = exact[i, i, a, a] / 2
            images = "" if periodic is None else " and images"
            name = f"self-energy {i + 1}{images}, m along {axis}"
            yield Comparison(name, tensor[i, i, a, a] / 2, energy, abs(energy), tolerance)
        for j in range(i):
            offset = np.subtract(own.position, impurities[j].position)
            r = np.hypot(*offset) if periodic is None else periodic.distance(offset)
            for a, b in np.ndindex(2, 2):
                reference = exact[j, i, a, b]
                if abs(reference) > 1e-9 * np.abs(exact[j, i]).max():
                    name = f"T_{'xy'[a]}{'xy'[b]}, pair {j + 1}-{i + 1}, r = {r:.4g}"
                    computed = tensor[j, i, a, b]
                    yield Comparison(name, computed, reference, abs(reference), tolerance)


def _lattice_tensor(film: Film, impurities: Sequence[Impurity], sites: lattice.Lattice) -> Array:
    """Return T of one cell, shape ``(n, n, 2, 2)`` [μ0Γ²/length]."""
    sizes, strengths = [i.size for i in impurities], np.array([i.strength for i in impurities])
    tensor = lattice.gaussian_interaction(sites, sizes, film.uniform_pearl_length)
    scale = np.outer(strengths, strengths) * film.uniform_pearl_length / (4 * np.pi)  # J*
    return np.asarray(scale[..., None, None] * tensor.transpose(0, 2, 1, 3))
