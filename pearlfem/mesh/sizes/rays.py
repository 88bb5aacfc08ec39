"""Rays in the plane: how far it is from a point to the next side of an outline."""

from __future__ import annotations

import numpy as np
import shapely

from pearlfem.quantities.arrays import Array

_ROUND_OFF = 1e-8


class Sides:
    """Sides of outlines, among which the next one along a ray is found fast.

    Args:
        sides: Start and end of each, shape ``(m, 2, 2)``.
    """

    def __init__(self, sides: Array) -> None:
        self._sides = sides
        if len(sides):
            low, high = sides.min(axis=(0, 1)), sides.max(axis=(0, 1))
            self._size = float(np.linalg.norm(high - low))
            self._tree = shapely.STRtree(_boxes(sides, _ROUND_OFF * self._size))

    def hits(self, points: Array, directions: Array, farthest: float) -> Array:
        """Return the distance from each point along its ray to the next side.

        Rays begin short and become longer until they hit, so each meets few sides, however many
        there are.

        Args:
            points: Starts of the rays, ``(n, 2)``.
            directions: Their directions, unit vectors, ``(n, 2)``.
            farthest: Distance from which on hits do not count.

        Returns:
            The distances, ``(n,)``; ``inf`` without a hit.
        """
        far, sides = np.full(len(points), np.inf), self._sides
        if not len(sides):
            return far
        farthest, length = min(farthest, 2 * self._size), self._size / len(sides)
        left = np.arange(len(points))
        while len(left):
            rays = np.stack([points[left], points[left] + length * directions[left]], axis=1)
            ray, side = self._tree.query(_boxes(rays, 0.0))
            t = _distances(points[left[ray]], directions[left[ray]], sides[side])
            nearest = np.full(len(left), np.inf)
            np.minimum.at(nearest, ray, t)
            hit = nearest <= length
            far[left[hit]] = nearest[hit]
            left = left[~hit] if length < farthest else left[:0]
            length *= 2
        return far


def _boxes(lines: Array, margin: float) -> Array:
    """Return boxes around lines ``(n, 2, 2)``, wider by ``margin`` on all sides."""
    (x0, y0), (x1, y1) = (lines.min(axis=1) - margin).T, (lines.max(axis=1) + margin).T
    return np.asarray(shapely.box(x0, y0, x1, y1))


def _distances(points: Array, directions: Array, sides: Array) -> Array:
    """Return the distances ``(n,)`` of points ``(n, 2)`` from their sides ``(n, 2, 2)``."""
    # A ray p + t d meets a side q + u s where t = (q − p) × s / (d × s), u = (q − p) × d / (d × s).
    offset, s, d = sides[:, 0] - points, sides[:, 1] - sides[:, 0], directions
    determinant = d[:, 0] * s[:, 1] - d[:, 1] * s[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (offset[:, 0] * s[:, 1] - offset[:, 1] * s[:, 0]) / determinant
        u = (offset[:, 0] * d[:, 1] - offset[:, 1] * d[:, 0]) / determinant
    # A ray through a corner must meet a side, in spite of round-off.
    hit = (u > -_ROUND_OFF) & (u < 1 + _ROUND_OFF) & (t > 1e-6 * np.linalg.norm(s, axis=1))
    return np.where(hit, t, np.inf)
