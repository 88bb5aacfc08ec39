"""The critical angle of rhombic lattices, which depends little on screening."""

import numpy as np
import pytest
from references.lattice_sums import unscreened_energies
from scipy.optimize import brentq

from pearlfem.analytic.lattice import critical_angle, luttinger_tisza, rhombic_lattice


def test_critical_angle_at_fifty_lattice_constants():
    assert critical_angle(50.0) == pytest.approx(79.1367, abs=2e-4)


def test_critical_angle_without_screening():
    expected = brentq(lambda angle: np.subtract(*unscreened_energies(angle)), 60, 90)
    assert critical_angle(np.inf) == pytest.approx(expected, abs=1e-8)


def test_critical_angle_hardly_moves_as_the_pearl_length_grows():
    angles = np.array([critical_angle(r0) for r0 in (50.0, 100.0, 1e3, 1e6, np.inf)])
    assert np.all(np.diff(angles) <= 1e-8)
    assert 0.0014 < angles[0] - angles[-1] < 0.0016


@pytest.mark.parametrize("pearl_length", [1e-3, 0.1, 1.0, 10.0])
def test_ground_state_changes_at_the_critical_angle(pearl_length):
    # Each of the two states is the ground state on its side, not only lower than the other one.
    angle = critical_angle(pearl_length)
    for offset, order in ((-0.01, 0.0), (0.01, 0.5)):
        lattice = rhombic_lattice(angle + offset)
        result = luttinger_tisza(lattice, pearl_length)
        fractions = np.abs(lattice.vectors @ result.wavevector) / (2 * np.pi)
        assert result.attained
        assert fractions.max() == pytest.approx(order, abs=1e-7)


def test_refuses():
    with pytest.raises(ValueError, match="pearl_length = 0"):
        critical_angle(0)
