"""A film as a mesh has it: its facets and holes, κ on them, and sources at quadrature points."""

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
from mpi4py import MPI

from pearlfem.mesh.tagged import HOLE, TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.jit import compiled_form

# Gaussians times polynomials on cells of size 3 ξ, the coarsest allowed: relative error 3e-12, on
# those of 2 ξ round-off (tests/physics/test_bounds.py).
SOURCE_QUADRATURE_DEGREE = 20
_FINER_QUADRATURE_DEGREE = 30
ALLOWED_QUADRATURE_ERROR = 1e-10  # relative, below every gap that is worth computing
_MOST_VALUES = 2 * 10**7  # held at once
_WEIGHT_DEGREE = 2  # of κ in each cell, where it varies smoothly
_IN_PLANE = 1e-6  # of a cell's height: nodes nearer to the film's plane than this lie in it


class FilmMesh:
    """A film in space: the film, and its facets in a mesh.

    Args:
        layer: The film and its height.
        mesh: A mesh with the film's groups.
    """

    def __init__(self, layer: Layer, mesh: TaggedMesh) -> None:
        self.layer, self.mesh = layer, mesh

    @property
    def film(self) -> Film:
        """The film without its height."""
        return self.layer.film

    @property
    def height(self) -> float:
        """The plane of the film: z [length]."""
        return self.layer.height

    @property
    def comm(self) -> MPI.Comm:
        """Communicator of all ranks that have a part of the mesh."""
        return self.mesh.comm

    @property
    def group(self) -> str:
        """The mesh's group of the film's facets."""
        return self.layer.group("film")

    @cached_property
    def holes(self) -> dict[str, str]:
        """The names of the film's holes, with the groups of their facets."""
        before = self.layer.group(HOLE)
        return {name[len(before) :]: name for name in self.mesh.groups if name.startswith(before)}

    @property
    def plane(self) -> str:
        """The group of the facets in the film's plane that are neither film nor hole."""
        return self.layer.group("plane")

    @property
    def filled(self) -> tuple[str, ...]:
        """The groups of film and holes: where the stream function is not zero."""
        return (self.group, *self.holes.values())

    @cached_property
    def sides(self) -> Int32Array:
        """The film's facets seen from above, as ``TaggedMesh.sides``."""
        return self.sides_of(self.group)

    def sides_of(self, *groups: str) -> Int32Array:
        """Return the facets of ``groups`` in the film's plane, as ``TaggedMesh.sides``."""
        return self.mesh.sides(*groups, height=self.height)

    @cached_property
    def corners(self) -> Array:
        """The corners (x, y) of the film's facets [length], shape ``(n, 3, 2)``."""
        return self.corners_of(self.group)

    def corners_of(self, *groups: str) -> Array:
        """Return the corners (x, y) of the facets of ``sides_of`` [length], ``(n, 3, 2)``."""
        return self.mesh.corners(*groups, height=self.height)

    @cached_property
    def regions(self) -> Int64Array:
        """The region of each of the film's facets, −1 for none, ``(n,)``."""
        return self.film.regions_at(self.corners.mean(axis=1))

    @cached_property
    def quadrature(self) -> FilmQuadrature:
        """The points at which sources are integrated."""
        return self.quadrature_of_degree(SOURCE_QUADRATURE_DEGREE)

    def quadrature_of_degree(
        self, degree: int, facets: npt.NDArray[np.intp] | None = None
    ) -> FilmQuadrature:
        """Return points at which polynomials of ``degree`` are integrated exactly.

        On all facets of the film, or on some of them.
        """
        which: Any = slice(None) if facets is None else facets
        corners, regions = self.corners[which], self.regions[which]
        reference, weights = facet_rule(degree)
        sides = corners[:, 1:] - corners[:, :1]
        points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, sides)
        areas = np.outer(np.abs(np.linalg.det(sides)), weights)
        kappa = self.film.superfluid_weight(points, np.broadcast_to(regions[:, None], areas.shape))
        return FilmQuadrature(self.layer, points, areas, kappa)

    def superfluid_weight(self, inverse: bool = False) -> fem.Function:
        """Return κ, or 1/κ, as a function that is right on the film, seen from above.

        Quadratic in each cell: exact where κ is constant in regions.
        """
        V = fem.functionspace(self.mesh.domain, ("Discontinuous Lagrange", _WEIGHT_DEGREE))
        function = fem.Function(V)
        dofs = V.dofmap.list[self.sides[:, 0]]
        nodes = V.tabulate_dof_coordinates()[dofs]
        above = nodes[..., 2] - self.height
        in_plane = above < _IN_PLANE * above.max(axis=1, keepdims=True)
        values = np.ones(dofs.shape)
        regions = np.broadcast_to(self.regions[:, None], dofs.shape)[in_plane]
        values[in_plane] = self.film.superfluid_weight(nodes[..., :2][in_plane], regions)
        function.x.array[dofs] = 1.0 / values if inverse else values
        function.x.scatter_forward()
        return function

    def measure(self, *others: str) -> Any:
        """Return UFL's measure of the film, and of other groups in its plane.

        Integrands take their values from above: one-sided integrals serve a film within space as
        well as one on its boundary.
        """
        sides = self.sides if not others else self.sides_of(self.group, *others)
        subdomains = [(1, sides.ravel())]
        return ufl.Measure("ds", domain=self.mesh.domain, subdomain_data=subdomains)(1)

    def integral(self, function: Any) -> float:
        """Return ∫ function dS over film and holes, summed over ranks (collective)."""
        form = compiled_form(function * self.measure(*self.holes.values()), self.comm)
        return float(self.comm.allreduce(fem.assemble_scalar(form)))

    def half_sign(self) -> fem.Function:
        """Return ½ sign(z − height), constant in each cell."""
        V = fem.functionspace(self.mesh.domain, ("Discontinuous Lagrange", 0))
        function = fem.Function(V)
        dofs = V.dofmap.list[:, 0]
        function.x.array[dofs[self.mesh.cells_above(self.height)]] = 0.5
        function.x.array[dofs[self.mesh.cells_below(self.height)]] = -0.5
        function.x.scatter_forward()
        return function


@dataclass(frozen=True)
class FilmQuadrature:
    """Quadrature points on the facets of the film that this rank owns, as ``FilmMesh.sides``.

    Args:
        layer: The film.
        points: (x, y) [length], shape ``(n, q, 2)``.
        weights: Areas, shape ``(n, q)``.
        superfluid_weight: κ [1/length in reduced units], shape ``(n, q)``.
    """

    layer: Layer
    points: Array
    weights: Array
    superfluid_weight: Array

    def near(self, source: Source) -> npt.NDArray[np.intp]:
        """Return the facets, numbers from 0 to n − 1, that ``source`` reaches."""
        if not np.isfinite(source.reach):
            return np.arange(len(self.points))
        middles, radii = self._circles
        reached = np.zeros(len(middles), dtype=bool)
        for core in source.cores:
            distances = np.linalg.norm(middles - core.position, axis=1)
            reached |= distances < radii + source.reach
        return np.flatnonzero(reached)

    def part(self, facets: npt.NDArray[np.intp]) -> FilmQuadrature:
        """Return the same on some of the facets only."""
        kept = (self.points[facets], self.weights[facets], self.superfluid_weight[facets])
        return FilmQuadrature(self.layer, *kept)

    def background(self, source: Source) -> Array:
        """Return a of ``source`` [flux per length] at the points, shape ``(n, q, 2)``."""
        values = np.zeros_like(self.points)
        near = self.near(source)
        values[near] = source.vector_potential(
            self.layer, self.points[near], self.superfluid_weight[near]
        )
        return values

    @cached_property
    def _circles(self) -> tuple[Array, Array]:
        """A circle around each facet's points: centres, shape ``(n, 2)``, and radii."""
        middles = self.points.mean(axis=1)
        radii = np.linalg.norm(self.points - middles[:, None], axis=2).max(axis=1, initial=0.0)
        return middles, radii


def facet_rule(degree: int = SOURCE_QUADRATURE_DEGREE) -> tuple[Array, Array]:
    """Return points ``(q, 2)`` and weights [their sum is ½] on the reference triangle."""
    points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)


def film_measures(films: Sequence[FilmMesh]) -> list[Any]:
    """Return UFL's measure of each film, to be used in one form."""
    subdomains = [(k, film.sides.ravel()) for k, film in enumerate(films, start=1)]
    ds = ufl.Measure("ds", domain=films[0].mesh.domain, subdomain_data=subdomains)
    return [ds(k) for k, _ in subdomains]


def half_space_weight(mesh: TaggedMesh) -> fem.Constant:
    """Return the weight of integrals over the mesh that makes them half of those over space."""
    return fem.Constant(mesh.domain, 1.0 if mesh.mirrored else 0.5)


def surface_gradient(u: Any) -> Any:
    """∇_s u on a film: the components along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])


def background_products(films: Sequence[FilmMesh], sources: Sequence[Source]) -> Array:
    """Return Σ ∫_Γ (κ/2) a_i·a_j dS over the films [energy] of the sources, shape ``(n, n)``.

    With the quadrature of the loads on the same facets, so that energies are consistent.

    Note:
        Collective.
    """
    local = np.zeros((len(sources), len(sources)))
    for film in films:
        whole = film.quadrature
        points_each = max(1, whole.weights.shape[1] * len(sources))
        blocks = 1 + len(whole.weights) * points_each // _MOST_VALUES
        for block in np.array_split(np.arange(len(whole.weights)), blocks):
            part = whole.part(block)
            scale = np.sqrt(0.5 * part.superfluid_weight * part.weights)[..., None]
            values = np.array([(scale * part.background(source)).ravel() for source in sources])
            local += values @ values.T
    return np.asarray(films[0].comm.allreduce(local))


def quadrature_errors(films: Sequence[FilmMesh], sources: Sequence[Source]) -> list[float]:
    """Return the relative error of ∫_Γ (κ/2) a² dS of each source.

    The differences from a finer rule on all facets; infinite for a profile so narrow that it lies
    between all points.

    Note:
        Collective.
    """
    local = np.zeros((len(sources), 2))
    for film in films:
        for row, source in zip(local, sources, strict=True):
            row += _difference(film, source)
    errors = []
    for source, (error, total) in zip(sources, films[0].comm.allreduce(local), strict=True):
        missed = math.inf if source.cores else 0.0
        errors.append(float(error / total) if total else missed)
    return errors


def _difference(film: FilmMesh, source: Source) -> tuple[float, float]:
    """Return this rank's sum of differences between the rule and a finer one, and the integral."""
    rule = film.quadrature
    near = rule.near(source)
    finer = film.quadrature_of_degree(_FINER_QUADRATURE_DEGREE, near)
    integrals = [
        np.sum(
            each.superfluid_weight * np.sum(each.background(source) ** 2, axis=2) * each.weights, 1
        )
        for each in (rule.part(near), finer)
    ]
    return float(np.abs(integrals[0] - integrals[1]).sum()), float(integrals[1].sum())
