"""The regions that a facet reaches into: sides of facets are straight, and edges may be round."""

from __future__ import annotations

import numpy as np

from pearlfem.geometry.shapes import Disc
from pearlfem.mesh.round_edges import STEP
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, BoolArray, Int64Array

_ROUND_OFF = 1e-8  # of the radius: nearer to a circle a point is on it


def regions_reached(film: Film, corners: Array, regions: Int64Array) -> BoolArray:
    """Return which regions each facet has a part in.

    A facet at a circle may reach beyond it by the height of an arc.

    Args:
        film: The film.
        corners: Corners (x, y) of n facets [length], ``(n, 3, 2)``.
        regions: The number of the region of each facet, −1 for none, ``(n,)``.

    Returns:
        Array of shape ``(n, 1 + regions)``; the first column is the film off all regions.

    Note:
        Not collective.
    """
    present = np.zeros((len(corners), 1 + len(film.regions)), dtype=bool)
    present[np.arange(len(corners)), regions + 1] = True
    for disc in {disc for region in film.regions for disc in region.shape.discs}:
        cut = np.flatnonzero(_are_cut(corners, disc))
        for place in _both_sides(corners[cut], disc):
            covered = film.covers(place)
            present[cut[covered], film.regions_at(place[covered]) + 1] = True
    return present


def _are_cut(corners: Array, disc: Disc) -> BoolArray:
    """Return which triangles have points on both sides of a circle."""
    x, y = np.moveaxis((corners - disc.center) / disc.radius, -1, 0)
    ends = x + 1j * y
    sides = np.roll(ends, -1, axis=1) - ends
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.clip(np.nan_to_num(-(ends * sides.conj()).real / np.abs(sides) ** 2), 0.0, 1.0)
    # A triangle around the centre is larger than its circle: meshes have none.
    nearest = np.abs(ends + along * sides).min(axis=1)
    farthest = np.abs(ends).max(axis=1)
    return np.asarray((nearest < 1 - _ROUND_OFF) & (farthest > 1 + _ROUND_OFF))


def _both_sides(corners: Array, disc: Disc) -> list[Array]:
    """Return points just inside and outside of a circle, in the directions of each triangle."""
    centers = corners.mean(axis=1, keepdims=True)
    places = np.concatenate([centers, centers + 0.99 * (corners - centers)], axis=1) - disc.center
    directions = places / np.linalg.norm(places, axis=2, keepdims=True)
    return [
        disc.center + part * disc.radius * directions[:, k]
        for part in (1 - STEP, 1 + STEP)
        for k in range(4)
    ]
