"""What both formulations share: the film's facets, κ on them, sources at quadrature points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import basix
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array

# Gaussians times polynomials on cells of size 3 ξ, the coarsest allowed: relative error 3e-12, on
# those of 2 ξ round-off (tests/physics/test_bounds.py).
SOURCE_QUADRATURE_DEGREE = 20
_FINER_QUADRATURE_DEGREE = 30
ALLOWED_QUADRATURE_ERROR = 1e-10  # relative, below every gap that is worth computing
_MOST_VALUES = 2 * 10**7  # that are held at once
_WEIGHT_DEGREE = 2  # of κ in each cell, where it varies smoothly


@dataclass(frozen=True)
class FilmQuadrature:
    """Quadrature points on the facets of the film that this rank owns, as ``TaggedMesh.sides``.

    Args:
        film: The film.
        points: (x, y) [length], shape ``(n, q, 2)``.
        weights: Areas, shape ``(n, q)``.
        superfluid_weight: κ [1/length in reduced units], shape ``(n, q)``.
    """

    film: Film
    points: Array
    weights: Array
    superfluid_weight: Array

    def near(self, source: Source) -> npt.NDArray[np.intp]:
        """Return the facets, numbers from 0 to n − 1, that ``source`` reaches."""
        if not np.isfinite(source.reach):
            return np.arange(len(self.points))
        middles, radii = self._circles
        distances = np.linalg.norm(middles - source.cores[0].position, axis=1)
        return np.flatnonzero(distances < radii + source.reach)

    def part(self, facets: npt.NDArray[np.intp]) -> FilmQuadrature:
        """Return the same on some of the facets only."""
        kept = (self.points[facets], self.weights[facets], self.superfluid_weight[facets])
        return FilmQuadrature(self.film, *kept)

    def potential(self, source: Source) -> Array:
        """Return a of ``source`` [flux per length] at the points, shape ``(n, q, 2)``."""
        values = np.zeros_like(self.points)
        near = self.near(source)
        values[near] = source.vector_potential(
            self.film, self.points[near], self.superfluid_weight[near]
        )
        return values

    @cached_property
    def _circles(self) -> tuple[Array, Array]:
        """A circle around each facet's points: centres, shape ``(n, 2)``, and radii."""
        middles = self.points.mean(axis=1)
        radii = np.linalg.norm(self.points - middles[:, None], axis=2).max(axis=1, initial=0.0)
        return middles, radii


def film_quadrature(
    mesh: TaggedMesh,
    film: Film,
    degree: int = SOURCE_QUADRATURE_DEGREE,
    facets: npt.NDArray[np.intp] | None = None,
) -> FilmQuadrature:
    """Return the points at which sources are integrated, exactly for polynomials of ``degree``.

    On all facets, or on some of them.
    """
    corners = mesh.corners("film") if facets is None else mesh.corners("film")[facets]
    reference, weights = facet_rule(degree)
    sides = corners[:, 1:] - corners[:, :1]
    points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, sides)
    areas = np.outer(np.abs(np.linalg.det(sides)), weights)
    regions = film.regions_at(corners.mean(axis=1))
    kappa = film.superfluid_weight(points, np.broadcast_to(regions[:, None], areas.shape))
    return FilmQuadrature(film, points, areas, kappa)


def facet_rule(degree: int = SOURCE_QUADRATURE_DEGREE) -> tuple[Array, Array]:
    """Return points ``(q, 2)`` and weights [their sum is ½] on the reference triangle."""
    points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)


def film_function(mesh: TaggedMesh, film: Film, inverse: bool = False) -> fem.Function:
    """Return κ, or 1/κ, as a function that is right on the film, seen from above.

    Quadratic in each cell: exact where κ is constant in regions.
    """
    V = fem.functionspace(mesh.domain, ("Discontinuous Lagrange", _WEIGHT_DEGREE))
    function = fem.Function(V)
    cells = mesh.sides("film")[:, 0]
    dofs = V.dofmap.list[cells]
    nodes = V.tabulate_dof_coordinates()[dofs]
    regions = film.regions_at(mesh.corners("film").mean(axis=1))
    on_film = nodes[..., 2] < 1e-6 * nodes[..., 2].max(axis=1, keepdims=True)
    values = np.ones(dofs.shape)
    points = nodes[..., :2][on_film]
    numbers = np.broadcast_to(regions[:, None], dofs.shape)[on_film]
    values[on_film] = film.superfluid_weight(points, numbers)
    function.x.array[dofs] = 1.0 / values if inverse else values
    function.x.scatter_forward()
    return function


def film_measure(mesh: TaggedMesh, *others: str) -> Any:
    """Return UFL's measure of the film, and ``others``: integrands take their values from above."""
    # One-sided integrals do for a film within space as well as for one on its boundary.
    sides = [(1, mesh.sides("film", *others).ravel())]
    return ufl.Measure("ds", domain=mesh.domain, subdomain_data=sides)(1)


def half_space_weight(mesh: TaggedMesh) -> fem.Constant:
    """Return the weight of integrals over the mesh that makes them half of those over space."""
    return fem.Constant(mesh.domain, 1.0 if mesh.mirrored else 0.5)


def surface_gradient(u: Any) -> Any:
    """∇_s u of the film in z = 0: the components along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])


def potential_products(mesh: TaggedMesh, film: Film, sources: Sequence[Source]) -> Array:
    """Return ∫_Γ (κ/2) a_i·a_j dS [energy] of the sources, shape ``(n, n)``.

    With the quadrature of the loads on the same facets, so that energies are consistent.

    Note:
        Collective.
    """
    local = np.zeros((len(sources), len(sources)))
    whole = film_quadrature(mesh, film)
    points_each = max(1, whole.weights.shape[1] * len(sources))
    blocks = 1 + len(whole.weights) * points_each // _MOST_VALUES
    for block in np.array_split(np.arange(len(whole.weights)), blocks):
        part = whole.part(block)
        scale = np.sqrt(0.5 * part.superfluid_weight * part.weights)[..., None]
        values = np.array([(scale * part.potential(source)).ravel() for source in sources])
        local += values @ values.T
    return np.asarray(mesh.domain.comm.allreduce(local))


def quadrature_errors(mesh: TaggedMesh, film: Film, sources: Sequence[Source]) -> list[float]:
    """Return how wrong ∫_Γ (κ/2) a² dS of each source is, relatively.

    All facets' differences from a finer rule; infinite for a profile so narrow that it lies between
    all points.

    Note:
        Collective.
    """
    rule = film_quadrature(mesh, film)
    local = np.array([_difference(mesh, rule, source) for source in sources]).reshape(-1, 2)
    found = []
    for source, (error, total) in zip(sources, mesh.domain.comm.allreduce(local), strict=True):
        nothing = math.inf if source.cores else 0.0
        found.append(float(error / total) if total else nothing)
    return found


def _difference(mesh: TaggedMesh, rule: FilmQuadrature, source: Source) -> tuple[float, float]:
    """Return the sum of this rank's differences between ``rule`` and a finer one, and of all."""
    near = rule.near(source)
    finer = film_quadrature(mesh, rule.film, _FINER_QUADRATURE_DEGREE, near)
    integrals = [
        np.sum(
            each.superfluid_weight * np.sum(each.potential(source) ** 2, axis=2) * each.weights, 1
        )
        for each in (rule.part(near), finer)
    ]
    return float(np.abs(integrals[0] - integrals[1]).sum()), float(integrals[1].sum())
