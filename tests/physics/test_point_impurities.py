"""Point impurities against closed forms for r0 → ∞ and against the spectral disc."""

import numpy as np
import pytest
from references import disc

from pearlfem import Disc, Film, Impurity, MaxwellLondon, create_space, interaction_tensor
from pearlfem.analytic.weak_screening import disc_interaction_tensor

PLACES = [(0.2, 0.1), (0.0, 0.8)]


@pytest.mark.parametrize("pearl_length", [1e6, 0.5])
def test_points_on_a_disc(pearl_length):
    film, points = Film(Disc(1.0), pearl_length), [Impurity(place, size=0.0) for place in PLACES]
    problem = MaxwellLondon(film, create_space(film, points))
    tensor = interaction_tensor(problem.solve_each(points))
    problem.destroy()
    if pearl_length > 1e3:
        exact, error = disc_interaction_tensor(PLACES, 1.0, pearl_length), 1e-5
    else:
        exact, error = disc.interaction_tensor(pearl_length, PLACES, [0.0, 0.0]), 5e-5
    for i, j in np.ndindex(2, 2):
        scale = np.abs(exact[i, j]).max()
        assert tensor[i, j] == pytest.approx(exact[i, j], abs=error * scale)
    # What edges add only lowers the energy, and the solver finds too little of it or too much of
    # the rest: one-sided.
    assert np.all(np.linalg.eigvalsh(tensor[0, 0] - exact[0, 0]) < 1e-9 * np.abs(exact[0, 0]).max())
