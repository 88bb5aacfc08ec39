"""Two films at different heights: mesh, forms and energies are made for any number of films.

The exact couplings of Gaussian impurities on two infinite films a distance apart are integrals of
(Γ²/2κ_aκ_b) M_ab(q), M the inverse of [[1/κ_a + 1/2q, e^{−qd}/2q], [e^{−qd}/2q, 1/κ_b + 1/2q]].
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from helpers import OnFilm

from pearlfem import (
    Film,
    Impurity,
    MaxwellLondon,
    Plane,
    create_mesh,
    free_energy,
    interaction_tensor,
    sheet_current,
    superpose,
)
from pearlfem.errors import StudyError
from pearlfem.model.layers import Layer
from pearlfem.observables.cell_errors import cell_fields, cell_gaps
from pearlfem.observables.energy import tensor_bracket
from pearlfem.observables.fields import magnetic_field_of_mesh

DATA = Path(__file__).parents[1] / "data"
ROWS = [
    {key: float(value) for key, value in row.items()}
    for row in csv.DictReader((DATA / "two_films.csv").open())
]


def problem_of(row, formulation):
    layers = [
        Layer(Film(Plane(), row["r0_a"]), 0.0, "a"),
        Layer(Film(Plane(), row["r0_b"]), row["distance"], "b"),
    ]
    places = [(-row["r"] / 2, 0.0), (row["r"] / 2, 0.0)]
    sources = [
        OnFilm(Impurity(place, size=row[f"xi_{film}"]), film) for film in "ab" for place in places
    ]
    mesh = create_mesh(layers, sources, resolution=0.45, far=12.0)
    return MaxwellLondon(layers, mesh, 2, formulation), sources


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(ROWS[0], id="alike"),
        pytest.param(ROWS[1], id="different", marks=pytest.mark.slow),
    ],
)
def row(request):
    return request.param


@pytest.fixture(scope="module")
def both(row):
    """The solutions of both formulations for each moment of each impurity."""
    problems = [problem_of(row, name) for name in ("stream", "vector")]
    yield [problem.solve_each(sources) for problem, sources in problems]
    for problem, _ in problems:
        problem.destroy()


def test_exact_couplings_lie_between_the_bounds(row, both):
    lower, upper = map(interaction_tensor, both)
    bracket = tensor_bracket(lower, upper)
    for name, i, j in (("aa", 0, 1), ("bb", 2, 3), ("ab", 0, 3)):
        exact = [row[f"T_{name}_xx"], row[f"T_{name}_yy"]]
        assert np.all(np.diag(bracket.lower[i, j]) < exact)
        assert np.all(exact < np.diag(bracket.upper[i, j]))
        # Measured: 2e-3 of the largest coupling, by the mesh and the far boundary.
        np.testing.assert_allclose(np.diag(lower[i, j]), exact, atol=4e-3 * abs(row["T_aa_xx"]))


def test_gaps_of_the_cells_add_up_to_that_of_the_energies(both):
    stream, vector = (superpose(each, np.arange(1.0, 9.0)) for each in both)
    gaps = cell_gaps(cell_fields(stream), cell_fields(vector), stream.films)
    whole = free_energy(vector) - free_energy(stream)
    assert gaps.min() >= 0
    assert gaps.sum() == pytest.approx(whole, rel=1e-6)
    assert 0 < whole < 0.2 * free_energy(stream)


def test_field_jumps_by_the_current_of_each_film(row, both):
    # H_t above minus H_t below is K × ẑ.
    stream = both[0][0]
    places, step = np.array([[0.0, 0.2], [-0.1, -0.1], [0.2, 0.0]]), 1e-9
    for film in stream.films:
        above, below = (
            magnetic_field_of_mesh(
                stream, np.column_stack([places, np.full(3, film.height + side)])
            )
            for side in (0.0, -step)
        )
        K = sheet_current(stream, places, film.layer.name)
        jump = (above - below)[:, :2]
        expected = np.column_stack([K[:, 1], -K[:, 0]])
        np.testing.assert_allclose(jump, expected, atol=1e-5 * np.abs(expected).max())
        # The normal field is continuous, but for the error of the mesh.
        np.testing.assert_allclose(above[:, 2], below[:, 2], rtol=0.5)


def test_film_has_to_be_named():
    layers = [Layer(Film(Plane(), 1.0), 0.0, "a"), Layer(Film(Plane(), 1.0), 1.0, "a")]
    with pytest.raises(StudyError, match=r"names \['a', 'a'\]: not allowed"):
        create_mesh(layers, [Impurity((0.0, 0.0), size=0.5)])


def test_unnamed_film_of_several_is_refused(both):
    with pytest.raises(StudyError, match=r"film = None: not allowed; allowed: \['a', 'b'\]"):
        sheet_current(both[0][0], [(0.0, 0.0)])
