"""Sums by the tree against the exact fields of all triangles."""

import basix
import numpy as np
import pytest
from scipy.spatial import Delaunay

from pearlfem.observables.biot_savart.panels import quadratic_panels
from pearlfem.observables.biot_savart.tree import FLUX_DENSITY, VECTOR_POTENTIAL, Sheet, Tree


@pytest.fixture(scope="module")
def sheet():
    """800 triangles of very different sizes, with a smooth quadratic current."""
    random = np.random.default_rng(3)
    radius, angle = np.geomspace(1e-3, 1.0, 400), random.uniform(0, 2 * np.pi, 400)
    points = np.column_stack([radius * np.cos(angle), 0.5 * radius * np.sin(angle)])
    corners = points[Delaunay(points).simplices]
    nodes = np.concatenate([corners, (np.roll(corners, -1, 1) + np.roll(corners, 1, 1)) / 2], 1)
    reference, weights = basix.make_quadrature(basix.CellType.triangle, 8)
    sides = corners[:, 1:] - corners[:, :1]
    inner = corners[:, :1] + reference @ sides
    areas = np.outer(np.abs(np.linalg.det(sides)), weights)
    panels = quadratic_panels(nodes, current(nodes))
    return Sheet(panels, inner, areas[..., None] * current(inner))


def current(points):
    x, y = np.moveaxis(points, -1, 0)
    return np.stack([1 - y + x * y, 0.3 + x - y**2], axis=-1)


@pytest.mark.parametrize("kernel", [VECTOR_POTENTIAL, FLUX_DENSITY])
def test_tree_sums_all_triangles(sheet, kernel):
    random = np.random.default_rng(4)
    points = np.concatenate(
        [scale * random.normal(size=(20, 3)) * [1, 1, 0.1] for scale in (1e-3, 0.1, 1.0, 10.0)]
    )
    found = Tree(sheet).field(kernel, points)
    for point, field in zip(points, found, strict=True):
        offsets = np.column_stack(
            [point[:2] - sheet.panels.centres, np.full(len(sheet.points), point[2])]
        )
        exact = kernel.of_panels(sheet.panels, offsets).sum(axis=0)
        # Gauss and Chebyshev rules of these orders and distances leave 4e-7.
        assert np.linalg.norm(field - exact) < 1e-6 * np.linalg.norm(exact)


def test_no_points_have_no_field(sheet):
    assert Tree(sheet).field(FLUX_DENSITY, np.empty((0, 3))).shape == (0, 3)
