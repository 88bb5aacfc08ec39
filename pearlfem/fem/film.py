"""What both formulations share: the film's facets, κ on them, sources at quadrature points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import basix
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.sources import Source

# Gaussians times polynomials on cells of size 3 ξ, the coarsest allowed: relative error 3e-12, on
# those of 2 ξ round-off (tests/physics/test_bounds.py).
SOURCE_QUADRATURE_DEGREE = 20
_FINER_QUADRATURE_DEGREE = 30
ALLOWED_QUADRATURE_ERROR = 1e-10  # relative, below every gap that is worth computing
_MOST_VALUES = 2 * 10**7  # that are held at once
_WEIGHT_DEGREE = 2  # of κ in each cell, where it varies smoothly

_Array = npt.NDArray[np.float64]


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
    points: _Array
    weights: _Array
    superfluid_weight: _Array

    def potential(self, source: Source) -> _Array:
        """Return a of ``source`` [flux per length] at the points, shape ``(n, q, 2)``."""
        values = np.zeros_like(self.points)
        near: Any = slice(None)
        if np.isfinite(source.reach):
            middles = self.points.mean(axis=1)
            radii = np.linalg.norm(self.points - middles[:, None], axis=2).max(axis=1, initial=0.0)
            distances = np.linalg.norm(middles - source.cores[0].position, axis=1)
            near = np.flatnonzero(distances < radii + source.reach)
        values[near] = source.vector_potential(
            self.film, self.points[near], self.superfluid_weight[near]
        )
        return values


def film_quadrature(
    space: TaggedMesh, film: Film, degree: int = SOURCE_QUADRATURE_DEGREE
) -> FilmQuadrature:
    """Return the points at which sources are integrated, exactly for polynomials of ``degree``."""
    corners = space.corners("film")
    reference, weights = facet_rule(degree)
    sides = corners[:, 1:] - corners[:, :1]
    points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, sides)
    areas = np.outer(np.abs(np.linalg.det(sides)), weights)
    regions = film.regions_at(corners.mean(axis=1))
    kappa = film.superfluid_weight(points, np.broadcast_to(regions[:, None], areas.shape))
    return FilmQuadrature(film, points, areas, kappa)


def facet_rule(degree: int = SOURCE_QUADRATURE_DEGREE) -> tuple[_Array, _Array]:
    """Return points ``(q, 2)`` and weights [their sum is ½] on the reference triangle."""
    points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)


def film_function(space: TaggedMesh, film: Film, inverse: bool = False) -> fem.Function:
    """Return κ, or 1/κ, as a function that is right on the film, seen from above.

    Quadratic in each cell: exact where κ is constant in regions.
    """
    V = fem.functionspace(space.mesh, ("Discontinuous Lagrange", _WEIGHT_DEGREE))
    function = fem.Function(V)
    cells = space.sides("film")[:, 0]
    dofs = V.dofmap.list[cells]
    nodes = V.tabulate_dof_coordinates()[dofs]
    regions = film.regions_at(space.corners("film").mean(axis=1))
    on_film = nodes[..., 2] < 1e-6 * nodes[..., 2].max(axis=1, keepdims=True)
    values = np.ones(dofs.shape)
    points = nodes[..., :2][on_film]
    numbers = np.broadcast_to(regions[:, None], dofs.shape)[on_film]
    values[on_film] = film.superfluid_weight(points, numbers)
    function.x.array[dofs] = 1.0 / values if inverse else values
    function.x.scatter_forward()
    return function


def film_measure(space: TaggedMesh, *others: str) -> Any:
    """Return UFL's measure of the film, and ``others``: integrands take their values from above."""
    # One-sided integrals do for a film within space as well as for one on its boundary.
    sides = [(1, space.sides("film", *others).ravel())]
    return ufl.Measure("ds", domain=space.mesh, subdomain_data=sides)(1)


def half_space_weight(space: TaggedMesh) -> fem.Constant:
    """Return the weight of integrals over the mesh that makes them half of those over space."""
    return fem.Constant(space.mesh, 1.0 if space.mirrored else 0.5)


def surface_gradient(u: Any) -> Any:
    """∇_s u of the film in z = 0: the components along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])


def potential_products(
    space: TaggedMesh, film: Film, sources: Sequence[Source]
) -> npt.NDArray[np.float64]:
    """Return ∫_Γ (κ/2) a_i·a_j dS [energy] of the sources, shape ``(n, n)``.

    With the quadrature of the loads on the same facets, so that energies are consistent.

    Note:
        Collective.
    """
    local = np.zeros((len(sources), len(sources)))
    whole = film_quadrature(space, film)
    points_each = max(1, whole.weights.shape[1] * len(sources))
    blocks = 1 + len(whole.weights) * points_each // _MOST_VALUES
    for block in np.array_split(np.arange(len(whole.weights)), blocks):
        part = FilmQuadrature(
            film, whole.points[block], whole.weights[block], whole.superfluid_weight[block]
        )
        scale = np.sqrt(0.5 * part.superfluid_weight * part.weights)[..., None]
        values = np.array([(scale * part.potential(source)).ravel() for source in sources])
        local += values @ values.T
    return np.asarray(space.mesh.comm.allreduce(local))


def quadrature_error(space: TaggedMesh, film: Film, source: Source) -> float:
    """Return how wrong ∫_Γ (κ/2) a² dS is, relatively: all facets' differences from a finer rule.

    Infinite for a profile so narrow that it lies between all points.

    Note:
        Collective.
    """
    integrals = []
    for degree in (SOURCE_QUADRATURE_DEGREE, _FINER_QUADRATURE_DEGREE):
        rule = film_quadrature(space, film, degree)
        densities = rule.superfluid_weight * np.sum(rule.potential(source) ** 2, axis=2)
        integrals.append(np.sum(densities * rule.weights, axis=1))
    local = np.array([np.abs(integrals[0] - integrals[1]).sum(), integrals[1].sum()])
    error, total = space.mesh.comm.allreduce(local)
    if total == 0:
        return math.inf if math.isfinite(source.reach) else 0.0
    return float(error / total)
