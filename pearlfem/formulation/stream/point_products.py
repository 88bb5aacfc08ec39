"""Integrals of the exact fields of point impurities over parts of the plane and the far boundary.

p = (p_x, p_y) are the potentials ψ_∞ on the infinite film for moments along x and y, of strength 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import basix
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from pearlfem.analytic import keldysh_potential
from pearlfem.analytic.infinite_film import potential_gradient_per_moment, potential_per_moment
from pearlfem.formulation.film import FilmMesh, FilmQuadrature, facet_rule
from pearlfem.formulation.stream import forms
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources.base import Source
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array, BoolArray

# Rules for what is singular at the distance r from the middle of a triangle of radius a: a degree,
# and a/r at most. Wrong by 1e-9 (tests/unit/fem/test_point_products.py).
_DEGREE, _SMALL = 12, 0.4
_NEAR = 1 / 2  # at the degree of loads
_RADIAL, _ALONG = 20, 30  # points on a triangle with its tip at an impurity
_NEAREST = 1e-3  # of a side's length: sides nearer to an impurity than this are inner ones
_MOST_POINTS = 100_000  # at once
_SPLINE_STEP = 0.01  # of ln r


class Rule(NamedTuple):
    """Points ``(n, d)`` and weights ``(n,)``, or normals times weights ``(n, d)``."""

    points: Array
    weights: Array


def energies_off_film(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return B_∞ of all p on the plane off the film and beyond the far boundary [energy].

    See ``pearlfem.formulation.stream.point_lifts``.

    Args:
        film: The film, in the half of a mirror symmetric open space.
        positions: Of the impurities [length], n of them.

    Returns:
        Array of shape ``(2n, 2n)``: x and y of the first, x and y of the second, …

    Note:
        Collective.
    """
    r0 = film.film.uniform_pearl_length  # 2/κ
    local = r0 * _gradient_products(film, positions)
    for rule, weight in ((_far_rule(film.mesh), 1.0), (_rim_rule(film.mesh), r0)):
        p, flux = [], []
        for position in positions:
            p.append(potential_per_moment(rule.points, position, pearl_length=r0))
            gradient = potential_gradient_per_moment(rule.points, position, pearl_length=r0)
            flux.append(np.einsum("nab,nb->na", gradient, rule.weights))
        product = np.concatenate(p, axis=1).T @ np.concatenate(flux, axis=1)
        local -= weight * product
    return np.asarray(film.comm.allreduce(0.5 * (local + local.T)))


def film_pairings(film: FilmMesh, positions: Sequence[Point], sources: Sequence[Source]) -> Array:
    """Return ℓ_s(p) = −∫_Γ (∇p × ẑ)·a_s dS of all p and ``sources`` [energy], ``(2n, m)``.

    As distributions: with the anomalous current at the impurity. a_s has to be smooth there on the
    scale of the cells. Near an impurity at r_i, with t = ẑ-turned −a_s (``stream.load_density``),

        ∫ t·∇p dS = ∫ (t − t(r_i))·∇p dS + t(r_i)·∮ p ν dl.

    Note:
        Collective.
    """
    rule = film.quadrature
    loads = [forms.load_density(rule.background(source), film.mesh) for source in sources]
    rows = [_pairing(film, rule, position, sources, loads) for position in positions]
    return np.asarray(film.comm.allreduce(np.concatenate(rows)))


def potential_integrals(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return ∫ p dS over film and holes [current length²] of each impurity, shape ``(n, 2)``.

    With p = (1/4π) ∇V this is ∮ V ν dl/4π along the outer edge.

    Note:
        Collective.
    """
    starts, ends = _outer_edge(film)
    pearl_length = film.film.uniform_pearl_length

    def integral(position: Point) -> Array:
        points, normals = line_rule(starts, ends, position)
        distances = np.linalg.norm(points - position, axis=1)
        V = keldysh_potential(distances, pearl_length)
        return np.asarray(V @ normals) / (4.0 * np.pi)

    return np.asarray(film.comm.allreduce(np.array([integral(r) for r in positions])))


def _outer_edge(film: FilmMesh) -> tuple[Array, Array]:
    """Return start and end of the sides around this rank's facets of film and holes.

    What lies to the left is inside. Sides between two ranks come on both, in opposite directions.
    """
    nodes = film.mesh.nodes(*film.filled, height=film.height)
    corners = film.corners_of(*film.filled)
    around = np.linalg.det(corners[:, 1:] - corners[:, :1]) > 0
    nodes = np.where(around[:, None], nodes, nodes[:, ::-1])
    sides = np.stack([nodes, np.roll(nodes, -1, axis=1)], axis=2).reshape(-1, 2)
    _, first, count = np.unique(np.sort(sides), axis=0, return_index=True, return_counts=True)
    ends = film.mesh.domain.geometry.x[sides[first[count == 1]], :2]
    return ends[:, 0], ends[:, 1]


def _gradient_products(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return this rank's part of ∫ ∇_s p·∇_s p dS over the plane off the film, ``(2n, 2n)``."""
    corners = _split(film.corners_of(film.plane, *film.holes.values()), np.array(positions))
    points, weights = _flat_rule(corners, _DEGREE)
    local = np.zeros((2 * len(positions),) * 2)
    step = max(1, _MOST_POINTS // len(positions))
    gradients = _PlaneGradients(film.film.uniform_pearl_length, points, positions)
    for k in range(0, len(points), step):
        part = slice(k, k + step)
        found = gradients.at(points[part])
        weighted = found * weights[part, None, None]
        local += np.tensordot(weighted, found, axes=([0, 2], [0, 2]))
    return local


class _PlaneGradients:
    """∇_s p of many impurities in the plane, from splines of the two functions of the distance.

    (1/4π) [(V'/r) δ_ab + (V'' − V'/r) r̂_a r̂_b]: of both the logarithm is a smooth function of that
    of r, and the splines are right to 1e-10. Where the integrals are done for each pair of a point
    and an impurity, they take as long as all else together when there are 200.
    """

    def __init__(self, pearl_length: float, points: Array, positions: Sequence[Point]) -> None:
        self._positions = np.array(positions)
        tree = KDTree(self._positions)
        nearest = tree.query(points)[0].min(initial=np.inf)
        box = np.ptp(np.concatenate([points, self._positions]), axis=0)
        ends = np.log([min(nearest, pearl_length), 2.0 * max(np.hypot(*box), pearl_length)])
        at = np.arange(ends[0], ends[1] + 2 * _SPLINE_STEP, _SPLINE_STEP)
        slope, curvature = (keldysh_potential(np.exp(at), pearl_length, n) for n in (1, 2))
        slope_over_r = slope / np.exp(at)
        self._slope = CubicSpline(at, np.log(-slope_over_r))
        self._quadrupole = CubicSpline(at, np.log(curvature - slope_over_r))

    def at(self, points: Array) -> Array:
        """Return ∂_b p_a at ``(n, 2)`` points, shape ``(n, 2k, 2)`` of k impurities."""
        offsets = points[:, None] - self._positions
        r = np.linalg.norm(offsets, axis=2)
        directions, at = offsets / r[..., None], np.log(r)
        gradients = directions[..., :, None] * directions[..., None, :]
        gradients *= np.exp(self._quadrupole(at))[..., None, None]
        gradients -= np.exp(self._slope(at))[..., None, None] * np.eye(2)
        return np.asarray(gradients.reshape(len(points), -1, 2) / (4.0 * np.pi))


def _pairing(
    film: FilmMesh,
    rule: FilmQuadrature,
    position: Point,
    sources: Sequence[Source],
    loads: Sequence[Array],
) -> Array:
    """Return this rank's part of ℓ_s(p) of one impurity, shape ``(2, m)``."""
    corners, pearl_length = film.corners, film.film.uniform_pearl_length
    near = _near(corners, position)

    def loads_at(points: Array) -> Array:
        kappa = np.full(len(points), 2.0 / pearl_length)
        potentials = [source.vector_potential(film.layer, points, kappa) for source in sources]
        return forms.load_density(np.array(potentials), film.mesh)

    there = loads_at(np.array([position]))

    def gradient(points: Array) -> Array:
        return potential_gradient_per_moment(points, position, pearl_length=pearl_length)

    points, weights = _polar_rule(corners[near], position)
    smooth = (loads_at(points) - there) * weights[:, None]
    total = np.einsum("nab,snb->as", gradient(points), smooth)
    points, normals = _outline_rule(corners[near], position)
    p = potential_per_moment(points, position, pearl_length=pearl_length)
    total += p.T @ normals @ there[:, 0].T
    for column, load in zip(total.T, loads, strict=True):
        used = np.flatnonzero(~near & load.any(axis=(1, 2)))
        for block in np.array_split(used, 1 + load[used].size // _MOST_POINTS):
            values = gradient(rule.points[block].reshape(-1, 2))
            weighted = load[block] * rule.weights[block, :, None]
            column += np.einsum("nab,nb->a", values, weighted.reshape(-1, 2))
    return np.asarray(total)


def _near(corners: Array, position: Point) -> BoolArray:
    """Return which triangles are near to ``position``, in units of their size."""
    middles, radii = _circles(corners)
    return np.asarray(radii > _NEAR * np.linalg.norm(middles - position, axis=1))


def _circles(corners: Array) -> tuple[Array, Array]:
    """Return circles around triangles ``(n, 3, d)``: middles ``(n, d)`` and radii ``(n,)``."""
    middles = corners.mean(axis=1)
    return middles, np.linalg.norm(corners - middles[:, None], axis=2).max(axis=1, initial=0.0)


def _split(corners: Array, positions: Array) -> Array:
    """Cut triangles in four until all are small against their distances from ``positions``."""
    done = []
    while len(corners) > 0:
        middles, radii = _circles(corners)
        distances = np.linalg.norm(middles[:, None] - positions, axis=2).min(axis=1)
        small = radii <= _SMALL * distances
        done.append(corners[small])
        a, b, c = corners[~small].transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        pieces = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
        corners = np.concatenate([np.stack(piece, axis=1) for piece in pieces])
    return np.concatenate([np.empty((0, 3, 2)), *done])


def _flat_rule(corners: Array, degree: int) -> Rule:
    reference, weights = facet_rule(degree)
    sides = corners[:, 1:] - corners[:, :1]
    points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, sides)
    areas = np.outer(np.abs(np.linalg.det(sides)), weights)
    return Rule(points.reshape(-1, 2), areas.ravel())


def _polar_rule(corners: Array, position: Point) -> Rule:
    """Return a rule on triangles for what is as singular as 1/r around ``position``.

    A triangle is the sum of those that its sides make with the position, counted negative where it
    sees them from outside: sides between two triangles do not count at all. Points are dense at the
    position because of terms like r ln r.
    """
    x, w = np.polynomial.legendre.leggauss(_RADIAL)
    part, weight = ((1 + x) / 2) ** 2, (1 + x) / 2 * w
    ends, normals = _outline_rule(corners, position)
    offsets = ends - position
    doubled_areas = np.einsum("nx,nx->n", offsets, normals)
    points = position + part[None, :, None] * offsets[:, None]
    return Rule(points.reshape(-1, 2), np.outer(doubled_areas, part * weight).ravel())


def _outline_rule(corners: Array, position: Point) -> Rule:
    """Return points along the sides of triangles, dense near ``position``, and outward normals."""
    a, b, c = corners.transpose(1, 0, 2)
    around = np.linalg.det(np.stack([b - a, c - a], axis=1))[:, None] > 0
    sides = np.where(around[..., None], np.stack([a, b, c], axis=1), np.stack([a, c, b], axis=1))
    starts, ends = sides.reshape(-1, 2), np.roll(sides, -1, axis=1).reshape(-1, 2)
    return line_rule(starts, ends, position)


def line_rule(starts: Array, ends: Array, position: Point) -> Rule:
    """Return points on lines, dense near ``position``, and normals to the right times weights.

    Args:
        starts: Where the lines start [length], ``(n, 2)``.
        ends: Where they end, ``(n, 2)``.
        position: Of an impurity.
    """
    lengths = np.linalg.norm(ends - starts, axis=1)
    along = (ends - starts) / lengths[:, None]
    offsets = starts - position
    height = np.abs(offsets[:, 0] * along[:, 1] - offsets[:, 1] * along[:, 0])
    height = np.maximum(height, _NEAREST * lengths)[:, None]
    first = np.einsum("nx,nx->n", offsets, along)
    low, high = (np.arcsinh(x[:, None] / height) for x in (first, first + lengths))
    x, w = np.polynomial.legendre.leggauss(_ALONG)
    sigma = low + (high - low) * (1 + x) / 2
    steps = height * np.sinh(sigma) - first[:, None]
    weights = (high - low) / 2 * w * height * np.cosh(sigma)
    points = starts[:, None] + steps[..., None] * along[:, None]
    normals = weights[..., None] * np.stack([along[:, 1], -along[:, 0]], axis=-1)[:, None]
    return Rule(points.reshape(-1, 2), normals.reshape(-1, 2))


def _far_corners(mesh: TaggedMesh) -> Array:
    """Return the corners of the far boundary's facets that this rank owns, ``(n, 3, 3)``.

    In the order that makes their normals point outwards.
    """
    cells, local = mesh.sides("far").T
    nodes = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0][cells]]
    facets = np.array(basix.topology(basix.CellType.tetrahedron)[2])[local]
    corners = np.take_along_axis(nodes, facets[..., None], axis=1)
    a, b, c = corners.transpose(1, 0, 2)
    inward = np.einsum("nx,nx->n", np.cross(b - a, c - a), a - nodes.mean(axis=1)) < 0
    corners[inward] = corners[inward][:, ::-1]
    return np.asarray(corners)


def _far_rule(mesh: TaggedMesh) -> Rule:
    corners = _far_corners(mesh)
    a, b, c = corners.transpose(1, 0, 2)
    reference, weights = facet_rule()
    points = a[:, None] + np.einsum("qk,fkx->fqx", reference, np.stack([b - a, c - a], axis=1))
    normals = np.cross(b - a, c - a)[:, None] * weights[:, None]
    return Rule(points.reshape(-1, 3), normals.reshape(-1, 3))


def _rim_rule(mesh: TaggedMesh) -> Rule:
    """Return points and outward normals of the far boundary's edges in the plane z = 0.

    Each of them belongs to one facet, and runs counterclockwise around the film.
    """
    corners = _far_corners(mesh)
    starts, ends = corners.reshape(-1, 3), np.roll(corners, -1, axis=1).reshape(-1, 3)
    scale = np.abs(corners).max(initial=0.0)
    flat = (np.abs(starts[:, 2]) < 1e-9 * scale) & (np.abs(ends[:, 2]) < 1e-9 * scale)
    start, along = starts[flat, None, :2], (ends - starts)[flat, None, :2]
    x, w = np.polynomial.legendre.leggauss(_ALONG)
    points = start + (1 + x[:, None]) / 2 * along
    normals = np.stack([along[..., 1], -along[..., 0]], axis=-1) * w[:, None] / 2
    return Rule(points.reshape(-1, 2), normals.reshape(-1, 2))
