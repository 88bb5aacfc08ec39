"""A lattice: its geometry, and refused input."""

import numpy as np
import pytest

from pearlfem.analytic.lattice import Lattice, rhombic_lattice
from pearlfem.analytic.lattice.cell import points_within


def test_rhombic_lattice():
    lattice = rhombic_lattice(60, 2.0)
    np.testing.assert_allclose(lattice.vectors, [[2, 0], [1, np.sqrt(3)]])
    np.testing.assert_array_equal(lattice.sites, [[0, 0]])
    assert lattice.area == pytest.approx(2 * np.sqrt(3), rel=1e-15)


def test_reciprocal_vectors():
    lattice = Lattice([[1.0, 0.2], [-0.4, -1.3]])
    np.testing.assert_allclose(
        lattice.vectors @ lattice.reciprocal_vectors.T, 2 * np.pi * np.eye(2), atol=1e-15
    )


def test_separations_go_from_the_first_site_to_the_second():
    lattice = Lattice(np.eye(2), [[0.0, 0.0], [0.3, 0.4]])
    np.testing.assert_allclose(lattice.separations[0, 1], [0.3, 0.4])


def test_is_frozen_and_keeps_copies():
    vectors = np.eye(2)
    lattice = Lattice(vectors)
    vectors[0, 0] = 5.0
    assert lattice.area == 1.0
    with pytest.raises(ValueError, match="read-only"):
        lattice.vectors[0, 0] = 2.0
    with pytest.raises(AttributeError):
        lattice.sites = np.zeros((1, 2))


@pytest.mark.parametrize("radius", [0.0, 0.9, 1.0, 7.3])
def test_points_within_a_skew_cell_are_all_points(radius):
    # This cell describes the same lattice as a unit square.
    got = points_within(np.array([[1.0, 0.0], [7.0, 1.0]]), radius)
    i, j = np.meshgrid(np.arange(-8, 9), np.arange(-8, 9))
    square = np.column_stack([i.ravel(), j.ravel()])
    expected = square[np.hypot(*square.T) <= radius]
    assert {tuple(p) for p in got} == {tuple(p) for p in expected}
    assert len(got) == len(expected)


@pytest.mark.parametrize(
    ("vectors", "sites", "message"),
    [
        ([[1.0, 2], [2, 4]], [[0.0, 0]], r"vectors = \[\[1.0, 2.0\], \[2.0, 4.0\]\]: .*parallel"),
        ([[1.0, 0], [0, 0]], [[0.0, 0]], "parallel or zero"),
        ([1.0, 0], [[0.0, 0]], r"vectors has shape \(2,\): must be \(2, 2\)"),
        ([[1.0, 0], [0, np.nan]], [[0.0, 0]], "finite"),
        ([[1.0, 0], [0, 1]], [[0.0, 0], [0.5, 0], [2.5, -1]], "sites 1 and 2 coincide"),
        ([[1.0, 0], [0, 1]], [0.0, 0], r"sites has shape \(2,\): must be \(n, 2\)"),
        ([[1.0, 0], [0, 1]], np.zeros((0, 2)), "n >= 1"),
    ],
)
def test_refuses(vectors, sites, message):
    with pytest.raises(ValueError, match=message):
        Lattice(vectors, sites)


@pytest.mark.parametrize(
    ("angle", "constant", "message"),
    [(0.0, 1.0, "angle = 0.0: must be between"), (60.0, 0.0, "constant = 0.0: must be")],
)
def test_rhombic_lattice_refuses(angle, constant, message):
    with pytest.raises(ValueError, match=message):
        rhombic_lattice(angle, constant)
