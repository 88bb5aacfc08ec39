"""Integrals of exact fields of point impurities over parts of the plane and the far boundary.

p = (p_x, p_y) are the potentials ψ_∞ on the infinite film for unit moments along x and y and the
strength 1.
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

# A field is singular at the distance r from the centre of a triangle with radius a. The quadrature
# rules need a/r below a limit: _SMALL for the degree _DEGREE, and _NEAR for the degree of loads.
# Their relative error is then 1e-9 (tests/unit/formulation/stream/test_point_products.py).
_DEGREE, _SMALL = 12, 0.4
_NEAR = 1 / 2
_RADIAL, _ALONG = 20, 30  # points from an impurity to an edge of a triangle, and along the edge
_NEAREST = 1e-3  # shortest distance of an impurity from an edge that counts, in lengths of the edge
_MOST_POINTS = 100_000  # largest number of points at the same time
_SPLINE_STEP = 0.01  # distance of knots in ln r


class Rule(NamedTuple):
    """A quadrature rule.

    Args:
        points: Shape ``(n, d)`` in d dimensions [length].
        weights: Shape ``(n,)``, or normals times weights of shape ``(n, d)``.
    """

    points: Array
    weights: Array


def energies_off_film(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return the part of B_∞(p_i, p_j) off the film and beyond the far boundary [energy].

    The formulas are in ``pearlfem.formulation.stream.point_lifts``.

    Args:
        film: The film, in the half of a mirror symmetric open space.
        positions: The n positions (x, y) of the impurities [length].

    Returns:
        Array of shape ``(2n, 2n)``; rows and columns are x and y of the first impurity, x and y of
        the second one, and so on.

    Note:
        Collective.
    """
    r0 = film.film.uniform_pearl_length  # 2/κ
    local = r0 * _gradient_products(film, positions)
    for rule, factor in ((_far_rule(film.mesh), 1.0), (_rim_rule(film.mesh), r0)):
        p, normal_derivatives = [], []
        for position in positions:
            p.append(potential_per_moment(rule.points, position, pearl_length=r0))
            gradient = potential_gradient_per_moment(rule.points, position, pearl_length=r0)
            normal_derivatives.append(np.einsum("nab,nb->na", gradient, rule.weights))
        product = np.concatenate(p, axis=1).T @ np.concatenate(normal_derivatives, axis=1)
        local -= factor * product
    return np.asarray(film.comm.allreduce(0.5 * (local + local.T)))


def film_pairings(film: FilmMesh, positions: Sequence[Point], sources: Sequence[Source]) -> Array:
    """Return ℓ_s(p) = −∫_Γ (∇p × ẑ)·a_s dS for all p and ``sources`` [energy].

    The integral is meant as a distribution: it contains the anomalous current at the impurity. With
    t from ``pearlfem.formulation.stream.forms.load_density`` it is, near an impurity at r_i,

        ∫ t·∇p dS = ∫ (t − t(r_i))·∇p dS + t(r_i)·∮ p ν dl.

    Args:
        film: The film, in the half of a mirror symmetric open space.
        positions: The n positions (x, y) of the impurities [length].
        sources: m other sources. Their a_s must be smooth on the scale of the cells at r_i.

    Returns:
        Array of shape ``(2n, m)``; rows as in ``energies_off_film``.

    Note:
        Collective.
    """
    rule = film.quadrature
    loads = [forms.load_density(rule.background(source), film.mesh) for source in sources]
    rows = [_pairing(film, rule, position, sources, loads) for position in positions]
    return np.asarray(film.comm.allreduce(np.concatenate(rows)))


def potential_integrals(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return ∫ p dS over the film and its holes [current length²], shape ``(n, 2)``.

    As p = (1/4π) ∇V with the Keldysh potential V, this is ∮ V ν dl/4π along the outer edge.

    Args:
        film: The film, in the half of a mirror symmetric open space.
        positions: The n positions (x, y) of the impurities [length].

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
    """Return the starts and ends of the edges around this rank's facets of film and holes.

    The facets are on the left of each edge. An edge between facets of two ranks is on both ranks,
    with opposite directions, so that integrals over it cancel.
    """
    nodes = film.mesh.nodes(*film.filled, height=film.height)
    corners = film.corners_of(*film.filled)
    counterclockwise = np.linalg.det(corners[:, 1:] - corners[:, :1]) > 0
    nodes = np.where(counterclockwise[:, None], nodes, nodes[:, ::-1])
    edges = np.stack([nodes, np.roll(nodes, -1, axis=1)], axis=2).reshape(-1, 2)
    _, first, count = np.unique(np.sort(edges), axis=0, return_index=True, return_counts=True)
    ends = film.mesh.domain.geometry.x[edges[first[count == 1]], :2]
    return ends[:, 0], ends[:, 1]


def _gradient_products(film: FilmMesh, positions: Sequence[Point]) -> Array:
    """Return this rank's part of ∫ ∇_s p_i·∇_s p_j dS over the plane off the film, ``(2n, 2n)``."""
    corners = _split(film.corners_of(film.plane, *film.holes.values()), np.array(positions))
    points, weights = _flat_rule(corners, _DEGREE)
    local = np.zeros((2 * len(positions),) * 2)
    step = max(1, _MOST_POINTS // len(positions))
    gradients = _PlaneGradients(film.film.uniform_pearl_length, points, positions)
    for start in range(0, len(points), step):
        block = slice(start, start + step)
        block_gradients = gradients.at(points[block])
        weighted = block_gradients * weights[block, None, None]
        local += np.tensordot(weighted, block_gradients, axes=([0, 2], [0, 2]))
    return local


class _PlaneGradients:
    """∇_s p of many impurities in the plane, from splines of two functions of the distance r.

        ∂_b p_a = (1/4π) [(V'/r) δ_ab + (V'' − V'/r) r̂_a r̂_b]

    The logarithms of −V'/r and V'' − V'/r are smooth functions of ln r; splines of them have a
    relative error of 1e-10. With exact values for each pair of a point and an impurity, a run with
    200 impurities takes twice as long.

    Args:
        pearl_length: r0 [length].
        points: All points at which gradients are needed [length], ``(n, 2)``.
        positions: The positions (x, y) of the k impurities [length].
    """

    def __init__(self, pearl_length: float, points: Array, positions: Sequence[Point]) -> None:
        self._positions = np.array(positions)
        tree = KDTree(self._positions)
        nearest = tree.query(points)[0].min(initial=np.inf)
        box = np.ptp(np.concatenate([points, self._positions]), axis=0)
        ends = np.log([min(nearest, pearl_length), 2.0 * max(np.hypot(*box), pearl_length)])
        log_r = np.arange(ends[0], ends[1] + 2 * _SPLINE_STEP, _SPLINE_STEP)
        slope, curvature = (keldysh_potential(np.exp(log_r), pearl_length, n) for n in (1, 2))
        slope_over_r = slope / np.exp(log_r)
        self._slope = CubicSpline(log_r, np.log(-slope_over_r))
        self._quadrupole = CubicSpline(log_r, np.log(curvature - slope_over_r))

    def at(self, points: Array) -> Array:
        """Return ∂_b p_a of the k impurities at points ``(n, 2)``, shape ``(n, 2k, 2)``."""
        offsets = points[:, None] - self._positions
        r = np.linalg.norm(offsets, axis=2)
        directions, log_r = offsets / r[..., None], np.log(r)
        gradients = directions[..., :, None] * directions[..., None, :]
        gradients *= np.exp(self._quadrupole(log_r))[..., None, None]
        gradients -= np.exp(self._slope(log_r))[..., None, None] * np.eye(2)
        return np.asarray(gradients.reshape(len(points), -1, 2) / (4.0 * np.pi))


def _pairing(
    film: FilmMesh,
    rule: FilmQuadrature,
    position: Point,
    sources: Sequence[Source],
    loads: Sequence[Array],
) -> Array:
    """Return this rank's part of ℓ_s(p) for one impurity, shape ``(2, m)``.

    Args:
        film: The film.
        rule: The quadrature of loads.
        position: The position (x, y) of the impurity [length].
        sources: The m other sources.
        loads: t of each source at the points of ``rule``.
    """
    corners, pearl_length = film.corners, film.film.uniform_pearl_length
    near = _near(corners, position)

    def loads_at(points: Array) -> Array:
        kappa = np.full(len(points), 2.0 / pearl_length)
        potentials = [source.vector_potential(film.layer, points, kappa) for source in sources]
        return forms.load_density(np.array(potentials), film.mesh)

    load_at_impurity = loads_at(np.array([position]))

    def gradient(points: Array) -> Array:
        return potential_gradient_per_moment(points, position, pearl_length=pearl_length)

    points, weights = _polar_rule(corners[near], position)
    smooth = (loads_at(points) - load_at_impurity) * weights[:, None]
    total = np.einsum("nab,snb->as", gradient(points), smooth)
    points, normals = _outline_rule(corners[near], position)
    p = potential_per_moment(points, position, pearl_length=pearl_length)
    total += p.T @ normals @ load_at_impurity[:, 0].T
    for column, load in zip(total.T, loads, strict=True):
        far_facets = np.flatnonzero(~near & load.any(axis=(1, 2)))
        for block in np.array_split(far_facets, 1 + load[far_facets].size // _MOST_POINTS):
            values = gradient(rule.points[block].reshape(-1, 2))
            weighted = load[block] * rule.weights[block, :, None]
            column += np.einsum("nab,nb->a", values, weighted.reshape(-1, 2))
    return np.asarray(total)


def _near(corners: Array, position: Point) -> BoolArray:
    """Return which triangles ``(n, 3, 2)`` are so near to ``position`` that they need more points.

    Returns:
        Array of shape ``(n,)``.
    """
    centres, radii = _circles(corners)
    return np.asarray(radii > _NEAR * np.linalg.norm(centres - position, axis=1))


def _circles(corners: Array) -> tuple[Array, Array]:
    """Return circles around triangles ``(n, 3, d)``: centres ``(n, d)`` and radii ``(n,)``."""
    centres = corners.mean(axis=1)
    return centres, np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1, initial=0.0)


def _split(corners: Array, positions: Array) -> Array:
    """Split triangles into four until they are smaller than their distances from ``positions``."""
    accepted = []
    while len(corners) > 0:
        centres, radii = _circles(corners)
        distances = np.linalg.norm(centres[:, None] - positions, axis=2).min(axis=1)
        small = radii <= _SMALL * distances
        accepted.append(corners[small])
        a, b, c = corners[~small].transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        quarters = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
        corners = np.concatenate([np.stack(quarter, axis=1) for quarter in quarters])
    return np.concatenate([np.empty((0, 3, 2)), *accepted])


def _flat_rule(corners: Array, degree: int) -> Rule:
    """Return the rule on triangles ``(n, 3, 2)`` that is exact for polynomials of ``degree``."""
    reference, weights = facet_rule(degree)
    edges = corners[:, 1:] - corners[:, :1]
    points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, edges)
    areas = np.outer(np.abs(np.linalg.det(edges)), weights)
    return Rule(points.reshape(-1, 2), areas.ravel())


def _polar_rule(corners: Array, position: Point) -> Rule:
    """Return a rule on triangles for functions that behave like 1/r around ``position``.

    Each edge and the position make a triangle. The original triangle is the sum of these three,
    with a minus sign if the position lies on the outer side of the edge. Points are dense at the
    position, because functions contain terms like r ln r.
    """
    x, w = np.polynomial.legendre.leggauss(_RADIAL)
    fraction, weight = ((1 + x) / 2) ** 2, (1 + x) / 2 * w
    edge_points, normals = _outline_rule(corners, position)
    offsets = edge_points - position
    doubled_areas = np.einsum("nx,nx->n", offsets, normals)
    points = position + fraction[None, :, None] * offsets[:, None]
    return Rule(points.reshape(-1, 2), np.outer(doubled_areas, fraction * weight).ravel())


def _outline_rule(corners: Array, position: Point) -> Rule:
    """Return points along the edges of triangles, dense near ``position``, and outward normals."""
    a, b, c = corners.transpose(1, 0, 2)
    counterclockwise = np.linalg.det(np.stack([b - a, c - a], axis=1))[:, None, None] > 0
    turned = np.stack([a, c, b], axis=1)
    starts = np.where(counterclockwise, np.stack([a, b, c], axis=1), turned)
    ends = np.roll(starts, -1, axis=1)
    return line_rule(starts.reshape(-1, 2), ends.reshape(-1, 2), position)


def line_rule(starts: Array, ends: Array, position: Point) -> Rule:
    """Return points on lines, dense near ``position``, and normals times weights.

    With the distance h of the position from the line and the coordinate s along it, from the foot
    of the perpendicular, s = h sinh σ. Gauss's rule in σ is accurate: √(s² + h²) = h cosh σ is
    smooth in σ also for small h.

    Args:
        starts: Where the lines start (x, y) [length], ``(n, 2)``.
        ends: Where they end, ``(n, 2)``.
        position: The position (x, y) of an impurity [length].

    Returns:
        Points ``(m, 2)``, and normals times weights ``(m, 2)``. The normals point to the right of
        the direction from start to end.
    """
    lengths = np.linalg.norm(ends - starts, axis=1)
    along = (ends - starts) / lengths[:, None]
    offsets = starts - position
    h = np.abs(offsets[:, 0] * along[:, 1] - offsets[:, 1] * along[:, 0])
    # An edge through the position itself lies between two triangles, and its integrals cancel.
    h = np.maximum(h, _NEAREST * lengths)[:, None]
    s_start = np.einsum("nx,nx->n", offsets, along)
    low, high = (np.arcsinh(s[:, None] / h) for s in (s_start, s_start + lengths))
    x, w = np.polynomial.legendre.leggauss(_ALONG)
    sigma = low + (high - low) * (1 + x) / 2
    steps = h * np.sinh(sigma) - s_start[:, None]
    weights = (high - low) / 2 * w * h * np.cosh(sigma)
    points = starts[:, None] + steps[..., None] * along[:, None]
    normals = weights[..., None] * np.stack([along[:, 1], -along[:, 0]], axis=-1)[:, None]
    return Rule(points.reshape(-1, 2), normals.reshape(-1, 2))


def _far_corners(mesh: TaggedMesh) -> Array:
    """Return the corners of this rank's facets on the far boundary [length], ``(n, 3, 3)``.

    The order of the corners makes the normals (b − a) × (c − a) point outwards.
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
    """Return points on the far boundary, and outward normals times weights."""
    corners = _far_corners(mesh)
    a, b, c = corners.transpose(1, 0, 2)
    reference, weights = facet_rule()
    points = a[:, None] + np.einsum("qk,fkx->fqx", reference, np.stack([b - a, c - a], axis=1))
    normals = np.cross(b - a, c - a)[:, None] * weights[:, None]
    return Rule(points.reshape(-1, 3), normals.reshape(-1, 3))


def _rim_rule(mesh: TaggedMesh) -> Rule:
    """Return points on the rim, and outward normals times weights.

    The rim is the line where the far boundary meets the plane z = 0. Each of its edges belongs to
    one facet of the far boundary and runs counterclockwise around the film.
    """
    corners = _far_corners(mesh)
    starts, ends = corners.reshape(-1, 3), np.roll(corners, -1, axis=1).reshape(-1, 3)
    scale = np.abs(corners).max(initial=0.0)
    in_plane = (np.abs(starts[:, 2]) < 1e-9 * scale) & (np.abs(ends[:, 2]) < 1e-9 * scale)
    start, along = starts[in_plane, None, :2], (ends - starts)[in_plane, None, :2]
    x, w = np.polynomial.legendre.leggauss(_ALONG)
    points = start + (1 + x[:, None]) / 2 * along
    normals = np.stack([along[..., 1], -along[..., 0]], axis=-1) * w[:, None] / 2
    return Rule(points.reshape(-1, 2), normals.reshape(-1, 2))
