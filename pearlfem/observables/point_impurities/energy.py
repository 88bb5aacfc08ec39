"""The part C of the energies of point impurities that finite element potentials do not contain.

The energies are E = C + D with D from ``pearlfem.observables.energy``. C comes from exact fields of
the infinite film and from the lifts; ``pearlfem.formulation.stream.point_lifts`` derives it.
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
    """Return C for all pairs of k solutions [energy], shape ``(k, k)``; 0 without point impurities.

    Note:
        Collective.
    """
    sources, weights = drive_weights(solutions)
    points = [source for source in sources if is_point(source)]
    if not points:
        return np.zeros((len(solutions), len(solutions)))
    lifts: dict[Source, Lift] = {}
    for solution in solutions:
        lifts.update(solution.lifts)
    of_points = np.array([is_point(source) for source in sources])
    point_weights, other_weights = weights[:, of_points], weights[:, ~of_points]
    energies = point_weights @ _among_points(solutions[0], points, lifts) @ point_weights.T
    if other_weights.any():
        others = [source for source in sources if not is_point(source)]
        pairings = _with_others(solutions[0], points, lifts, others)
        mutual = point_weights @ pairings @ other_weights.T
        energies += mutual + mutual.T
    return np.asarray(energies)


def _among_points(
    solution: Solution, points: Sequence[Impurity], lifts: Mapping[Source, Lift]
) -> Array:
    """Return C for all pairs of n point impurities, shape ``(n, n)``.

    C_ij = E_ij^Keldysh − B(l_i, l_j) − (integrals of exact fields off the film and beyond the far
    boundary). E_ij^Keldysh is infinite for two moments at the same position and is not included.

    Note:
        Collective.
    """
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
    """Return ℓ_s(ψ_∞ + l) for n point impurities and m other sources s, shape ``(n, m)``.

    Note:
        Collective.
    """
    (film,) = solution.films
    positions, moments = _moments(points)
    exact = film_pairings(film, positions, others)
    rule = film.quadrature
    assembler = FilmLoad(solution.potential.function_space, film)
    local = np.empty((len(points), len(others)))
    for column, source in zip(local.T, others, strict=True):
        near = rule.facets_near(source)
        rule_near = rule.restricted_to(near)
        density = forms.load_density(rule_near.background(source), film.mesh)
        load = assembler.assemble(density, rule_near, near).array
        column[:] = [lifts[point].values @ load[lifts[point].dofs] for point in points]
    return np.asarray(moments @ exact + film.comm.allreduce(local))


def _moments(points: Sequence[Impurity]) -> tuple[list[Point], Array]:
    """Return the positions of point impurities and their moments.

    Args:
        points: k point impurities; several may be at the same position.

    Returns:
        The n different positions, and a matrix ``(k, 2n)``: each row has the moment Γm of an
        impurity in the two columns of its position.
    """
    positions = list(dict.fromkeys(point.position for point in points))
    moments = np.zeros((len(points), len(positions), 2))
    for row, point in zip(moments, points, strict=True):
        row[positions.index(point.position)] = np.array(point.moment) * point.strength
    return positions, moments.reshape(len(points), -1)


def _keldysh_energies(positions: Sequence[Point], pearl_length: float) -> Array:
    """Return E = T/2 on the infinite film for unit moments along x and y at n positions.

    Returns:
        Array of shape ``(2n, 2n)``; 0 for two moments at the same position.
    """
    n = len(positions)
    tensor = infinite_film.interaction_tensor(positions, pearl_length)
    tensor[range(n), range(n)] = 0.0
    return 0.5 * as_matrix(tensor)
