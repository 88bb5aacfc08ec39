"""A and B of one triangle against quadrature over many small parts of it."""

import basix
import numpy as np
import pytest

from pearlfem.observables.biot_savart import panels
from pearlfem.observables.biot_savart.panels import MONOMIALS, quadratic_panels

CORNERS = np.array([[0.1, -0.2], [1.3, 0.1], [0.4, 0.9]])
K = np.random.default_rng(5).normal(size=(6, 2))  # coefficients of MONOMIALS

POINTS = np.array(
    [
        [0.5, 0.3, 0.5],
        [0.5, 0.3, -0.04],
        [0.1, -0.2, 0.1],  # above a corner
        [0.7, -0.05, -0.2],  # below an edge
        [2.0, -1.0, 0.0],  # in the plane
        [0.4 - 0.3, 0.9 - 0.5, 0.3],
        [-3.0, 1.0, 2.0],
    ]
)


def current(points):
    x, y = np.moveaxis(points, -1, 0)
    return sum(np.multiply.outer(x**a * y**b, c) for (a, b), c in zip(MONOMIALS, K, strict=True))


def panel(corners=CORNERS):
    nodes = np.concatenate(
        [corners, (np.roll(corners, -1, axis=0) + np.roll(corners, 1, axis=0)) / 2]
    )
    return quadratic_panels(nodes[None], current(nodes)[None])


def by_quadrature(point, levels=7):
    """A and B by Gauss's rule on 4^levels parts."""
    parts = CORNERS[None]
    for _ in range(levels):
        a, b, c = parts.transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        parts = np.concatenate(
            [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
    reference, weights = basix.make_quadrature(basix.CellType.triangle, 8)
    sides = parts[:, 1:] - parts[:, :1]
    places = (parts[:, :1] + reference @ sides).reshape(-1, 2)
    areas = np.outer(np.abs(np.linalg.det(sides)), weights).ravel()
    currents = np.column_stack([current(places), np.zeros(len(places))])
    offsets = point - np.column_stack([places, np.zeros(len(places))])
    R = np.linalg.norm(offsets, axis=1)
    A = (areas / R) @ currents
    B = (areas / R**3) @ np.cross(currents, offsets)
    return A / (4 * np.pi), B / (4 * np.pi)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_fields_are_those_of_quadrature(point):
    one = panel()
    offset = (point - [*one.centres[0], 0.0])[None]
    A, B = by_quadrature(point)
    # Quadrature at 0.04 from parts of 0.01: 1e-8.
    np.testing.assert_allclose(panels.vector_potential(one, offset)[0], A, atol=1e-9)
    np.testing.assert_allclose(panels.flux_density(one, offset)[0], B, atol=1e-7)


def test_order_of_the_corners_does_not_matter():
    offset = np.array([[0.3, 0.1, 0.2]])
    turned = panel(CORNERS[::-1])
    for field in (panels.vector_potential, panels.flux_density):
        np.testing.assert_allclose(field(panel(), offset), field(turned, offset), rtol=1e-12)


def test_field_jumps_by_the_current():
    one = panel()
    place = np.array([0.6, 0.25])
    offsets = np.column_stack([np.tile(place - one.centres[0], (3, 1)), [1e-12, 0.0, -1e-12]])
    above, at, below = panels.flux_density(_thrice(one), offsets)
    np.testing.assert_allclose(at, above, atol=1e-10)  # on the panel, the limit from above
    jump = np.cross([0.0, 0.0, 1.0], above - below)[:2]
    np.testing.assert_allclose(jump, current(place), atol=1e-10)


def test_field_is_finite_on_edges_and_corners():
    # On an edge the exact B_z is infinite: ln of a small number, and the same for both neighbours.
    one = _thrice(panel())
    places = [CORNERS[0], CORNERS.mean(axis=0), CORNERS[:2].mean(axis=0)]
    offsets = np.column_stack([np.array(places) - one.centres, np.zeros(3)])
    assert np.isfinite(panels.flux_density(one, offsets)).all()
    assert np.isfinite(panels.vector_potential(one, offsets)).all()


def _thrice(one):
    return panels.Panels(*(np.repeat(values, 3, axis=0) for values in one))
