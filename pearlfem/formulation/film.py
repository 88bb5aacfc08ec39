"""A film in a mesh: its facets and holes, κ on them, and sources at quadrature points."""

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

from pearlfem.formulation import weights
from pearlfem.formulation.weights import WeightsAbove
from pearlfem.mesh.tagged import HOLE, TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.layers import Layer
from pearlfem.model.sources.base import Source
from pearlfem.quantities.arrays import Array, Int32Array, Int64Array
from pearlfem.runtime.jit import compiled_form

# Relative error for Gaussians times polynomials: 3e-12 on cells of size 3 ξ, the coarsest allowed,
# and round-off on cells of size 2 ξ (tests/physics/test_bounds.py).
SOURCE_QUADRATURE_DEGREE = 20
_FINER_QUADRATURE_DEGREE = 30
ALLOWED_QUADRATURE_ERROR = 1e-10  # relative; far below the gap between bounds on any mesh
_PLAIN_DEGREE = 2  # of the function for κ in each cell, where it is one number
_IN_PLANE = 1e-6  # times the height of a cell: nodes nearer to the film's plane than this are in it


class FilmMesh:
    """A film in space: the layer (film and height) and its facets in a mesh.

    Args:
        layer: The film and its height.
        mesh: A mesh that has the groups of facets of this film.
    """

    def __init__(self, layer: Layer, mesh: TaggedMesh) -> None:
        self.layer, self.mesh = layer, mesh
        self._known_weights: dict[bool, WeightsAbove] = {}

    @property
    def film(self) -> Film:
        """The film without its height."""
        return self.layer.film

    @property
    def height(self) -> float:
        """The height z of the film's plane [length]."""
        return self.layer.height

    @property
    def comm(self) -> MPI.Comm:
        """The communicator of all ranks that share the mesh."""
        return self.mesh.comm

    @property
    def group(self) -> str:
        """The name of the group of the film's facets in the mesh."""
        return self.layer.group("film")

    @cached_property
    def holes(self) -> dict[str, str]:
        """From the name of each hole to the name of the group of its facets."""
        prefix = self.layer.group(HOLE)
        groups = [group for group in self.mesh.groups if group.startswith(prefix)]
        return {group.removeprefix(prefix): group for group in groups}

    @property
    def plane(self) -> str:
        """The group of the facets in the film's plane that are neither film nor hole."""
        return self.layer.group("plane")

    @property
    def filled(self) -> tuple[str, ...]:
        """The groups of the film and its holes, where the stream function is not zero."""
        return (self.group, *self.holes.values())

    @cached_property
    def sides(self) -> Int32Array:
        """The film's facets as sides of the cells above them, ``(n, 2)``: see ``sides_of``."""
        return self.sides_of(self.group)

    def sides_of(self, *groups: str) -> Int32Array:
        """Return the facets of ``groups`` in the film's plane as sides of the cells above them.

        Returns:
            Pairs of an owned cell and the local number of its facet, shape ``(n, 2)``, as
            ``TaggedMesh.sides`` returns them. Each facet is on one rank only.
        """
        return self.mesh.sides(*groups, height=self.height)

    @cached_property
    def corners(self) -> Array:
        """The corners (x, y) of the film's facets, in the order of ``sides``, ``(n, 3, 2)``."""
        return self.corners_of(self.group)

    def corners_of(self, *groups: str) -> Array:
        """Return the corners (x, y) of the facets in ``sides_of`` [length], ``(n, 3, 2)``."""
        return self.mesh.corners(*groups, height=self.height)

    @cached_property
    def regions(self) -> Int64Array:
        """The number of the region of each of the film's facets, −1 for no region, ``(n,)``."""
        return self.film.regions_at(self.corners.mean(axis=1))

    @cached_property
    def quadrature(self) -> FilmQuadrature:
        """The quadrature points for integrals over sources."""
        return self.quadrature_of_degree(SOURCE_QUADRATURE_DEGREE)

    def quadrature_of_degree(
        self, degree: int, facets: npt.NDArray[np.intp] | None = None
    ) -> FilmQuadrature:
        """Return a quadrature rule that is exact for polynomials of ``degree``.

        Args:
            degree: The degree.
            facets: Indices of the film's facets, ``(n,)``; None for all of them.
        """
        chosen: Any = slice(None) if facets is None else facets
        corners, regions = self.corners[chosen], self.regions[chosen]
        reference, weights = facet_rule(degree)
        edges = corners[:, 1:] - corners[:, :1]
        points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, edges)
        areas = np.outer(np.abs(np.linalg.det(edges)), weights)
        kappa = self.film.superfluid_weight(points, np.broadcast_to(regions[:, None], areas.shape))
        return FilmQuadrature(self.layer, points, areas, kappa)

    def superfluid_weight(self, inverse: bool = False) -> fem.Function:
        """Return a function that equals κ [1/length in reduced units] on the film, or 1/κ.

        Where κ varies, it is a polynomial that is nowhere smaller, if bounds of κ are known (see
        ``is_guaranteed``), and otherwise an interpolating one. It is exact on facets with a
        constant κ. Its values away from the film have no meaning.

        Args:
            inverse: Return 1/κ.

        Note:
            Collective.
        """
        degree = weights.DEGREE if self.film.varies else _PLAIN_DEGREE
        V = fem.functionspace(self.mesh.domain, ("Discontinuous Lagrange", degree))
        function = fem.Function(V)
        dofs = V.dofmap.list[self.sides[:, 0]]
        nodes = V.tabulate_dof_coordinates()[dofs]
        above = nodes[..., 2] - self.height
        in_plane = above < _IN_PLANE * above.max(axis=1, keepdims=True)
        points = nodes[..., :2][in_plane].reshape(len(dofs), (degree + 1) * (degree + 2) // 2, 2)
        regions = np.broadcast_to(self.regions[:, None], points.shape[:2])
        kappa = self.film.superfluid_weight(points, regions)
        on_facets = 1.0 / kappa if inverse else kappa
        if not self.film.uniform:
            above_it = self._weights_above(inverse)
            known = above_it.known
            on_facets[known] = above_it.at(points)[known]
        values = np.ones(dofs.shape)
        values[in_plane] = on_facets.ravel()
        function.x.array[dofs] = values
        function.x.scatter_forward()
        return function

    def weight_above(
        self, facets: npt.NDArray[np.intp] | None = None, inverse: bool = False
    ) -> Array:
        """Return the values of ``superfluid_weight(inverse)`` at the points of ``quadrature``.

        Args:
            facets: Indices of m of the film's facets; None for all of them.
            inverse: Return those for 1/κ.

        Returns:
            Array of shape ``(m, q)``.
        """
        chosen = np.arange(len(self.corners)) if facets is None else facets
        kappa = self.quadrature.superfluid_weight[chosen]
        values = 1.0 / kappa if inverse else kappa
        if self.film.uniform:
            return values
        weights_above = self._weights_above(inverse)
        known = weights_above.known[chosen]
        reference, _ = facet_rule()
        return np.where(known[:, None], weights_above.at_reference(reference, chosen), values)

    def is_guaranteed(self, inverse: bool) -> bool:
        """Return whether ``superfluid_weight(inverse)`` is nowhere smaller than κ or 1/κ.

        Note:
            Collective.
        """
        known = self.film.uniform or bool(self._weights_above(inverse).known.all())
        return bool(self.comm.allreduce(known, op=MPI.LAND))

    def _weights_above(self, inverse: bool) -> WeightsAbove:
        if inverse not in self._known_weights:
            self._known_weights[inverse] = WeightsAbove(
                self.film, self.corners, self.regions, inverse
            )
        return self._known_weights[inverse]

    def measure(self, *groups: str) -> Any:
        """Return the UFL measure dS of the film, and of other ``groups`` of facets in its plane.

        Integrands are evaluated in the cells above. Therefore the measure is the same for a film
        inside the mesh and for a film on its boundary.
        """
        sides = self.sides if not groups else self.sides_of(self.group, *groups)
        subdomains = [(1, sides.ravel())]
        return ufl.Measure("ds", domain=self.mesh.domain, subdomain_data=subdomains)(1)

    def integral(self, function: Any) -> float:
        """Return ∫ function dS over the film and its holes, summed over ranks (collective)."""
        form = compiled_form(function * self.measure(*self.holes.values()), self.comm)
        return float(self.comm.allreduce(fem.assemble_scalar(form)))

    def half_sign(self) -> fem.Function:
        """Return ½ sign(z − height), which is constant in each cell (collective)."""
        V = fem.functionspace(self.mesh.domain, ("Discontinuous Lagrange", 0))
        function = fem.Function(V)
        dofs = V.dofmap.list[:, 0]
        function.x.array[dofs[self.mesh.cells_above(self.height)]] = 0.5
        function.x.array[dofs[self.mesh.cells_below(self.height)]] = -0.5
        function.x.scatter_forward()
        return function


@dataclass(frozen=True)
class FilmQuadrature:
    """q quadrature points on each of n facets, in the order of ``FilmMesh.sides``.

    Args:
        layer: The film and its height.
        points: (x, y) [length], shape ``(n, q, 2)``.
        weights: Quadrature weights [area], shape ``(n, q)``.
        superfluid_weight: κ at the points [1/length in reduced units], shape ``(n, q)``.
    """

    layer: Layer
    points: Array
    weights: Array
    superfluid_weight: Array

    def facets_near(self, source: Source) -> npt.NDArray[np.intp]:
        """Return the indices (0 to n − 1) of the facets within the reach of ``source``."""
        if not np.isfinite(source.reach):
            return np.arange(len(self.points))
        centres, radii = self._circles
        reached = np.zeros(len(centres), dtype=bool)
        for core in source.cores:
            distances = np.linalg.norm(centres - core.position, axis=1)
            reached |= distances < radii + source.reach
        return np.flatnonzero(reached)

    def restricted_to(self, facets: npt.NDArray[np.intp]) -> FilmQuadrature:
        """Return the rule on the facets with these indices only."""
        return FilmQuadrature(
            self.layer, self.points[facets], self.weights[facets], self.superfluid_weight[facets]
        )

    def background(self, source: Source) -> Array:
        """Return a of ``source`` [flux per length] at the points, shape ``(n, q, 2)``."""
        values = np.zeros_like(self.points)
        near = self.facets_near(source)
        values[near] = source.vector_potential(
            self.layer, self.points[near], self.superfluid_weight[near]
        )
        return values

    @cached_property
    def _circles(self) -> tuple[Array, Array]:
        """A circle around the points of each facet: centres ``(n, 2)`` and radii ``(n,)``."""
        centres = self.points.mean(axis=1)
        radii = np.linalg.norm(self.points - centres[:, None], axis=2).max(axis=1, initial=0.0)
        return centres, radii


def facet_rule(degree: int = SOURCE_QUADRATURE_DEGREE) -> tuple[Array, Array]:
    """Return points ``(q, 2)`` and weights ``(q,)`` on the reference triangle of area ½."""
    points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)


def film_measures(films: Sequence[FilmMesh]) -> list[Any]:
    """Return the UFL measure of each film; they can be used together in one form."""
    subdomains = [(k, film.sides.ravel()) for k, film in enumerate(films, start=1)]
    ds = ufl.Measure("ds", domain=films[0].mesh.domain, subdomain_data=subdomains)
    return [ds(k) for k, _ in subdomains]


def unit_length(films: Sequence[FilmMesh]) -> float:
    """Return the size of the films, √area, as the nearest power of two [length] (collective)."""
    edges = [film.corners[:, 1:] - film.corners[:, :1] for film in films]
    area = sum(float(np.abs(np.linalg.det(pair)).sum()) / 2 for pair in edges)
    return float(2.0 ** round(math.log2(films[0].comm.allreduce(area)) / 2))


def half_space_weight(mesh: TaggedMesh) -> fem.Constant:
    """Return w such that w ∫_mesh is ½ ∫_space: 1 if the mesh is half of a symmetric space."""
    return fem.Constant(mesh.domain, 1.0 if mesh.mirrored else 0.5)


def surface_gradient(u: Any) -> Any:
    """Return the UFL expression ∇_s u of a scalar u: the components of ∇u along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])


def background_norms(films: Sequence[FilmMesh], sources: Sequence[Source]) -> Array:
    """Return √(Σ ∫_Γ (κ/2) |a|² dS) over the films for n ``sources`` [√energy], shape ``(n,)``.

    Note:
        Collective.
    """
    local = np.zeros(len(sources), np.longdouble)
    for film in films:
        for k, source in enumerate(sources):
            near = film.quadrature.restricted_to(film.quadrature.facets_near(source))
            local[k] += 0.5 * _squares(near, source, near.superfluid_weight).sum()
    return np.asarray(np.sqrt(films[0].comm.allreduce(local)), dtype=float)


def quadrature_errors(films: Sequence[FilmMesh], sources: Sequence[Source]) -> list[float]:
    """Return an estimate of the relative error of ∫_Γ (κ/2) a² dS for each source.

    It is the sum over facets of the difference from a finer rule. It is infinite for a profile so
    narrow that no quadrature point sees it.

    Note:
        Collective.
    """
    local = np.zeros((len(sources), 2), np.longdouble)
    for film in films:
        for row, source in zip(local, sources, strict=True):
            row += _difference(film, source)
    errors = []
    for source, (error, total) in zip(sources, films[0].comm.allreduce(local), strict=True):
        error_of_zero = math.inf if source.cores else 0.0
        errors.append(float(error / total) if total else error_of_zero)
    return errors


def _difference(film: FilmMesh, source: Source) -> tuple[np.longdouble, np.longdouble]:
    """Return Σ |I − I_finer| and Σ I_finer of I = κ ∫ a² dS over facets, κ their mean."""
    facets = film.quadrature.facets_near(source)
    rule = film.quadrature.restricted_to(facets)
    # κ itself is a polynomial in the operator, and not in the loads: only a must be integrated.
    kappa = rule.superfluid_weight.mean(axis=1, keepdims=True)
    coarse = _squares(rule, source, kappa)
    finer = film.quadrature_of_degree(_FINER_QUADRATURE_DEGREE, facets)
    fine = _squares(finer, source, kappa)
    return np.abs(coarse - fine).sum(), fine.sum()


def _squares(rule: FilmQuadrature, source: Source, kappa: Array) -> npt.NDArray[np.longdouble]:
    """Return ∫ κ a² dS over each facet of ``rule``, shape ``(n,)``.

    The squares of very large or small strengths are out of the range of 64 bits, not of 80.
    """
    a = rule.background(source)
    largest = np.abs(a).max(initial=0.0) or 1.0
    squares = np.sum((a / largest) ** 2, axis=2)
    return np.sum(kappa * squares * rule.weights, axis=1) * np.longdouble(largest) ** 2
