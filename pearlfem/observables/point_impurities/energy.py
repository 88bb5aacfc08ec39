"""Energies of point impurities apart from what the finite element potentials have.

See ``pearlfem.formulation.stream.point_lifts`` for what they are: with D of
``pearlfem.observables.energy`` the energies are E = C + D, with C from exact fields of the infinite
film and from the lifts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pearlfem.analytic import infinite_film
from pearlfem.formulation.fields import Lift
from pearlfem.formulation.load import FilmLoad
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.point_products import energies_off_film, film_pairings
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.impurity import Impurity, is_point
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.tensors import as_matrix
from pearlfem.solution import Solution, drive_weights


def point_energies(solutions: Sequence[Solution]) -> Array:
    """Return C for all pairs of solutions [energy], shape ``(k, k)``; 0 without point impurities.

    Note:
        Collective.
    """
    sources, weights = drive_weights(solutions)
    points = [source for source in sources if is_point(source)]
    if not points:
        return np.zeros((len(solutions), len(solutions)))
    lifts = {source: lift for one in solutions for source, lift in one.lifts.items()}
    chosen = np.array([is_point(source) for source in sources])
    own, other = weights[:, chosen], weights[:, ~chosen]
    energies = own @ _among_points(solutions[0], points, lifts) @ own.T
    if other.any():
        rest = [source for source in sources if not is_point(source)]
        mutual = own @ _with_others(solutions[0], points, lifts, rest) @ other.T
        energies += mutual + mutual.T
    return np.asarray(energies)


def _among_points(
    solution: Solution, points: Sequence[Impurity], lifts: Mapping[Source, Lift]
) -> Array:
    """Return E^Keldysh − (…) − B(l_i, l_j) of all pairs; without E^Keldysh at the same place."""
    (film,) = solution.films
    positions, moments = _moments(points)
    exact = _keldysh_energies(positions, film.film.uniform_pearl_length)
    exact -= energies_off_film(film, positions)
    values = np.array([lifts[point].values for point in points])
    images = np.array([lifts[point].image for point in points])
    products = film.comm.allreduce(values @ images.T)
    return np.asarray(moments @ exact @ moments.T - (products + products.T) / 2)


def _with_others(
    solution: Solution,
    points: Sequence[Impurity],
    lifts: Mapping[Source, Lift],
    others: Sequence[Source],
) -> Array:
    """Return ℓ_s(ψ_∞ + l) of all points and other sources s, shape ``(n, m)``."""
    (film,) = solution.films
    positions, moments = _moments(points)
    exact = film_pairings(film, positions, others)
    rule = film.quadrature
    assembler = FilmLoad(solution.potential.function_space, film)
    local = np.empty((len(points), len(others)))
    for column, source in zip(local.T, others, strict=True):
        near = rule.facets_near(source)
        part = rule.restricted_to(near)
        density = forms.load_density(part.background(source), film.mesh)
        load = assembler.assemble(density, part, near).array
        column[:] = [lifts[point].values @ load[lifts[point].dofs] for point in points]
    return np.asarray(moments @ exact + film.comm.allreduce(local))


def _moments(points: Sequence[Impurity]) -> tuple[list[Point], Array]:
    """Return the n places of ``points`` and Γm of each in columns of its place, ``(k, 2n)``."""
    positions = list(dict.fromkeys(point.position for point in points))
    moments = np.zeros((len(points), len(positions), 2))
    for row, point in zip(moments, points, strict=True):
        row[positions.index(point.position)] = np.array(point.moment) * point.strength
    return positions, moments.reshape(len(points), -1)


def _keldysh_energies(positions: Sequence[Point], pearl_length: float) -> Array:
    """Return E = T/2 on the infinite film, strength 1, and 0 at the same place, ``(2n, 2n)``."""
    n = len(positions)
    tensor = infinite_film.interaction_tensor(positions, pearl_length)
    tensor[range(n), range(n)] = 0.0
    return 0.5 * as_matrix(tensor)
