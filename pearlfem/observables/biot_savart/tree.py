"""Sums of 1/R and 1/R³ over many sources in a plane, at many points, by a tree of boxes.

Far from a box the kernels are smooth there, so the sources in it are replaced by sources at
Chebyshev nodes of the box (barycentric interpolation of the kernel). Triangles near a point are
summed exactly.

References:
    L. Wang, R. Krasny, S. Tlupova, Commun. Comput. Phys. 28, 1415 (2020).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from pearlfem.observables.biot_savart import panels as exact
from pearlfem.observables.biot_savart.panels import Panels
from pearlfem.quantities.arrays import Array, BoolArray, Int64Array

# Together they leave 4e-8 of the field (tests/unit/observables/biot_savart/test_tree.py).
_NODES = 10  # Chebyshev nodes along each side of a box
_FAR = 2.5  # distance beyond which a box is replaced, in units of its radius
_NEAR = 3.0  # distance up to which triangles are summed exactly, in units of their radius
_LEAF = 24  # most triangles in a box that is not divided
_MOST_VALUES = 2 * 10**6  # in memory at the same time

_FieldOfPanels = Callable[[Panels, Array], Array]
_FieldOfSources = Callable[[Array, Array], Array]


class Kernel(NamedTuple):
    """A field of sheet currents.

    Args:
        of_panels: The field of n panels at one point each; see ``panels.flux_density``.
        power: p, if the field of a current element decreases as 1/R^p times an offset.
        of_sums: From Σ K/R^p ``(m, 2)``, Σ (K × r')_z/R^p ``(m,)`` and the points ``(m, 3)``, the
            field times 4π ``(m, 3)``.
    """

    of_panels: _FieldOfPanels
    power: int
    of_sums: Callable[[Array, Array, Array], Array]


def _potential_of_sums(K: Array, torque: Array, points: Array) -> Array:
    del torque, points
    return np.column_stack([K, np.zeros(len(K))])


def _flux_density_of_sums(K: Array, torque: Array, points: Array) -> Array:
    x, y, z = points.T
    return np.column_stack([z * K[:, 1], -z * K[:, 0], K[:, 0] * y - K[:, 1] * x - torque])


VECTOR_POTENTIAL = Kernel(exact.vector_potential, 1, _potential_of_sums)
FLUX_DENSITY = Kernel(exact.flux_density, 3, _flux_density_of_sums)


class Sheet(NamedTuple):
    """Sheet currents on n triangles in the plane z = 0.

    Args:
        panels: K on each, for points near by.
        points: q points on each [length], ``(n, q, 2)``.
        currents: K times weights at these points, for points further away, ``(n, q, 2)``.
    """

    panels: Panels
    points: Array
    currents: Array

    def part(self, which: Int64Array) -> Sheet:
        """Return the triangles with these numbers."""
        panels = Panels(*(values[which] for values in self.panels))
        return Sheet(panels, self.points[which], self.currents[which])


class Tree:
    """A box that holds triangles, and the two halves of it.

    Args:
        sheet: At least one triangle.

    Note:
        Not collective: of this rank's triangles only.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        low, high = sheet.points.min(axis=(0, 1)), sheet.points.max(axis=(0, 1))
        self._centre, self._half = (low + high) / 2, (high - low) / 2
        self._halves: tuple[Tree, ...] = ()
        if len(sheet.points) > _LEAF:
            order = np.argsort(sheet.panels.centres[:, np.argmax(self._half)])
            halves = np.split(order, [len(order) // 2])
            self._halves = tuple(Tree(sheet.part(half)) for half in halves)

    @cached_property
    def proxies(self) -> tuple[Array, Array]:
        """Places (x, y) and currents of the sources that replace those of this box."""
        points, currents = self._sheet.points.reshape(-1, 2), self._sheet.currents.reshape(-1, 2)
        if self._halves:
            points = np.concatenate([half.proxies[0] for half in self._halves])
            currents = np.concatenate([half.proxies[1] for half in self._halves])
        nodes = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        along_x, along_y = (
            _interpolation(nodes, x) for x in ((points - self._centre) / self._half).T
        )
        x, y = self._centre[:, None] + self._half[:, None] * nodes
        places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
        totals = [(along_x * component[:, None]).T @ along_y for component in currents.T]
        return places.reshape(-1, 2), np.stack(totals, axis=-1).reshape(-1, 2)

    def field(self, kernel: Kernel, points: Array) -> Array:
        """Return the field of all triangles at ``points`` ``(m, 3)``, of the same shape."""
        total = np.zeros_like(points)
        radius = float(np.linalg.norm(self._half))
        far = np.linalg.norm(points - np.append(self._centre, 0.0), axis=1) > _FAR * radius
        if far.any():
            places, currents = self.proxies
            total[far] = _in_blocks(
                lambda block: self._sum(kernel, block, places, currents), points[far], len(places)
            )
        if not far.all():
            near = points[~far]
            if self._halves:
                total[~far] = sum(half.field(kernel, near) for half in self._halves)
            else:
                total[~far] = _in_blocks(
                    lambda block: self._directly(kernel, block), near, self._sheet.currents.size
                )
        return total

    def _directly(self, kernel: Kernel, points: Array) -> Array:
        """Return the field at points near this box, from each triangle."""
        panels, sources, currents = self._sheet
        radii = np.linalg.norm(panels.corners - panels.centres[:, None], axis=2).max(axis=1)
        flat = points[:, None, :2] - panels.centres
        near = np.sum(flat**2, axis=2) + points[:, 2:] ** 2 < (_NEAR * radii) ** 2
        total = self._sum(
            kernel,
            points,
            sources.reshape(-1, 2),
            currents.reshape(-1, 2),
            np.repeat(~near, sources.shape[1], axis=1),
        )
        which, triangles = np.nonzero(near)
        chosen = Panels(*(values[triangles] for values in panels))
        offsets = np.column_stack([flat[which, triangles], points[which, 2]])
        np.add.at(total, which, kernel.of_panels(chosen, offsets))
        return total

    def _sum(
        self,
        kernel: Kernel,
        points: Array,
        sources: Array,
        currents: Array,
        counted: BoolArray | None = None,
    ) -> Array:
        """Return the field of current elements.

        Args:
            kernel: The field.
            points: Where ``(m, 3)`` [length].
            sources: Places (x, y) of the elements, ``(k, 2)``.
            currents: K times area, ``(k, 2)``.
            counted: Which elements count at which point, ``(m, k)``; None for all.
        """
        points = points - np.append(self._centre, 0.0)
        sources = sources - self._centre
        squares = (points[:, :1] - sources[:, 0]) ** 2
        squares += (points[:, 1:2] - sources[:, 1]) ** 2
        squares += points[:, 2:] ** 2
        if counted is not None:
            squares[~counted] = np.inf
        weights = 1.0 / np.sqrt(squares)
        if kernel.power == 3:
            weights /= squares
        torque = currents[:, 0] * sources[:, 1] - currents[:, 1] * sources[:, 0]
        sums = weights @ np.column_stack([currents, torque])
        return kernel.of_sums(sums[:, :2], sums[:, 2], points) / (4 * np.pi)


def _interpolation(nodes: Array, x: Array) -> Array:
    """Return the Lagrange polynomials of Chebyshev nodes at ``x`` ``(s,)``, shape ``(s, k)``."""
    k = np.arange(len(nodes))
    # The T_n are orthogonal at the nodes: l_i(x) = (1/N)(1 + 2 Σ_n T_n(x_i) T_n(x)).
    factors = np.where(k > 0, 2.0, 1.0) / len(nodes)
    angles = np.arccos(np.clip(x, -1.0, 1.0))
    at_nodes = np.cos(np.outer(k, np.arccos(nodes)))
    return np.asarray(np.cos(np.outer(angles, k)) @ (factors[:, None] * at_nodes))


def _in_blocks(function: Callable[[Array], Array], points: Array, cost: int) -> Array:
    """Return ``function`` of ``points`` ``(m, 3)``, block by block to limit the memory."""
    step = max(1, _MOST_VALUES // cost)
    starts = range(0, len(points), step)
    return np.concatenate([function(points[start : start + step]) for start in starts])
