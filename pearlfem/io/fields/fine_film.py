"""Facets of a film cut into finer pieces near point impurities, where fields vary as 1/r³.

Facets are bisected until each piece is small compared with its distance to the nearest impurity. In
a piece, the smooth rest of a field is the polynomial on the facet, and the exact part of the
infinite film is evaluated at the nodes of the piece.

This is newest-vertex bisection: the midpoint m of the base pq cuts a triangle (p, q, r) into
(r, p, m) and (q, r, m), whose bases are the other two sides. So pieces have few different shapes,
and no piece has a node inside a side of another, which would break current lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from pearlfem.quantities.arrays import Array, BoolArray, Int64Array

_FINENESS = 0.5  # largest size of a piece, in units of its distance to the nearest point
_CORE = 0.1  # size of the smallest pieces in units of the distance between points


class Pieces(NamedTuple):
    """Pieces of facets.

    Args:
        facets: The facet of each of the k pieces, ``(k,)``.
        corners: The corners of each piece, as weights of the corners of its facet, ``(k, 3, 3)``.
    """

    facets: Int64Array
    corners: Array

    def nodes(self) -> Array:
        """Return the weights of the facet's corners at the pieces' six nodes, ``(k, 6, 3)``."""
        middles = (self.corners + np.roll(self.corners, -1, axis=1)) / 2
        return np.concatenate([self.corners, middles], axis=1)

    def interpolated(self, values: Array) -> Array:
        """Return quadratic functions at the pieces' nodes, ``(k, 6, …)``.

        Args:
            values: Their values at the six nodes of each facet, in VTK's order, ``(n, 6, …)``.
        """
        weights = self.nodes()
        middles = 4 * weights * np.roll(weights, -1, axis=2)
        shape = np.concatenate([weights * (2 * weights - 1), middles], axis=2)
        return np.asarray(np.einsum("kab,kb...->ka...", shape, values[self.facets]))


class _Triangles(NamedTuple):
    """Pieces, and the numbers of their corners in a list of all corners, ``(k, 3)``."""

    pieces: Pieces
    vertices: Int64Array

    def bisected(self, chosen: BoolArray, middles: Int64Array) -> _Triangles:
        """Return all pieces, the ``chosen`` ones cut in two; ``middles`` number their midpoints."""
        (facets, corners), kept = self.pieces, ~chosen
        p, q, r = np.moveaxis(corners[chosen], 1, 0)
        a, b, c = self.vertices[chosen].T
        m = (p + q) / 2
        halves = np.stack([[r, p, m], [q, r, m]]).transpose(0, 2, 1, 3).reshape(-1, 3, 3)
        numbers = np.stack([[c, a, middles[chosen]], [b, c, middles[chosen]]])
        return _Triangles(
            Pieces(
                np.concatenate([facets[kept], facets[chosen], facets[chosen]]),
                np.concatenate([corners[kept], halves]),
            ),
            np.concatenate([self.vertices[kept], numbers.transpose(0, 2, 1).reshape(-1, 3)]),
        )


def split_near(vertices: Int64Array, corners: Array, points: Array, scale: float) -> Pieces:
    """Cut triangles into pieces that are small compared with the distance to the nearest point.

    Args:
        vertices: Numbers of the triangles' corners, ``(n, 3)``.
        corners: Their coordinates [length], ``(n, 3, 2)``.
        points: Points where fields are singular [length], ``(m, 2)``.
        scale: The smallest pieces are a tenth of this [length], or of the distance between points
            if that is smaller.
    """
    tree = KDTree(points)
    apart = np.minimum(tree.query(points, k=[2])[0][:, 0], scale)  # inf for a single point
    found = _with_longest_base(vertices, corners)
    while True:
        places = found.pieces.corners @ corners[found.pieces.facets]
        sides = np.linalg.norm(places - np.roll(places, 1, axis=1), axis=2).max(axis=1)
        distance, nearest = tree.query(places.mean(axis=1))
        coarse = sides > np.maximum(_FINENESS * distance, _CORE * apart[nearest])
        if not coarse.any():
            return found.pieces
        found = _refined(found, coarse)


def _with_longest_base(vertices: Int64Array, corners: Array) -> _Triangles:
    """Return the triangles with their corners rotated so that the longest side is the base."""
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    turned = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3
    pieces = Pieces(np.arange(len(corners)), np.eye(3)[turned])
    return _Triangles(pieces, np.take_along_axis(vertices, turned, axis=1))


def _refined(found: _Triangles, coarse: BoolArray) -> _Triangles:
    """Bisect the ``coarse`` triangles, and more until no corner lies on the side of another."""
    sides = _sides(found.vertices)
    names, which = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
    which = which.reshape(-1, 3)  # the number of each side, the base first
    marked = np.zeros(len(names), dtype=bool)
    while coarse.any():
        marked[which[coarse, 0]] = True
        coarse = marked[which].any(axis=1) & ~marked[which[:, 0]]
    numbers = found.vertices.max() + 1 + np.arange(len(names))
    for _ in range(2):  # the halves have old sides as bases, which may be marked too
        base = _sides(found.vertices)[:, 0]
        chosen, middles = _looked_up(base, names[marked], numbers[marked])
        found = found.bisected(chosen, middles)
    return found


def _sides(vertices: Int64Array) -> Int64Array:
    """Return the numbers of the two ends of each side, sorted, base first: ``(k, 3, 2)``."""
    return np.sort(np.stack([vertices, np.roll(vertices, -1, axis=1)], axis=2), axis=2)


def _looked_up(
    sides: Int64Array, names: Int64Array, numbers: Int64Array
) -> tuple[BoolArray, Int64Array]:
    """Return which ``sides`` are among ``names``, and their numbers."""
    top = max(sides.max(), names.max()) + 1
    keys, wanted = names @ [top, 1], sides @ [top, 1]  # names are sorted, so keys are too
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[place] == wanted, numbers[place]
