"""Comparisons of computed and exact numbers, and the table that shows them."""

import math

import pytest
from rich.console import Console

from pearlfem.analytic import infinite_film
from pearlfem.model.film import Film
from pearlfem.model.shapes import Disc, Plane
from pearlfem.model.sources import Impurity
from pearlfem.report import Comparison, comparison_table, coupling_comparisons

FILM = Film(Plane(), pearl_length=1.0)
ALONG = [Impurity((0.0, 0.0), size=0.1), Impurity((0.5, 0.0), size=0.1, strength=2.0)]
OBLIQUE = [Impurity((0.0, 0.0), size=0.1), Impurity((0.3, 0.4), size=0.1)]


def exact(film, impurities):
    return infinite_film.interaction_tensor(
        [i.position for i in impurities],
        film.pearl_length,
        [i.strength for i in impurities],
        [i.size for i in impurities],
    )


def shown(table):
    console = Console(width=120, record=True)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_difference_is_in_units_of_the_scale_with_its_sign():
    assert Comparison("", 1.5, 2.0, 10.0).difference == -0.05
    assert Comparison("", 2.0, 1.5, 10.0).difference == 0.05


@pytest.mark.parametrize(
    ("computed", "tolerance", "passed"),
    [
        (1.5, 0.5, True),
        (0.5, 0.5, True),
        (1.51, 0.5, False),
        (0.49, 0.5, False),
        (99.0, None, True),
        (math.nan, 0.5, False),
    ],
)
def test_comparison_passes_within_its_tolerance(computed, tolerance, passed):
    assert Comparison("", computed, 1.0, 1.0, tolerance).passed is passed


def test_exact_tensor_has_no_difference():
    rows = list(coupling_comparisons(FILM, OBLIQUE, exact(FILM, OBLIQUE), 1e-15))
    assert [row.difference for row in rows] == [0.0] * len(rows)
    assert all(row.passed for row in rows)


def test_each_self_energy_and_coupling_is_compared_once():
    # Two self-energies for each impurity, and for the pair xx, xy, yx and yy.
    assert len(list(coupling_comparisons(FILM, OBLIQUE, exact(FILM, OBLIQUE)))) == 2 * 2 + 4


def test_entries_that_symmetry_forbids_are_left_out():
    rows = list(coupling_comparisons(FILM, ALONG, exact(FILM, ALONG)))
    pairs = [row.name for row in rows if "T_" in row.name]
    assert len(pairs) == 2
    assert "T_xx" in pairs[0]
    assert "T_yy" in pairs[1]
    assert all("0.5" in name for name in pairs)  # their distance


def test_wrong_entry_is_found():
    tensor = exact(FILM, OBLIQUE)
    tensor[0, 1, 0, 1] *= 1.01
    failed = [r for r in coupling_comparisons(FILM, OBLIQUE, tensor, 1e-3) if not r.passed]
    assert [round(abs(row.difference), 6) for row in failed] == [0.01]
    assert "T_xy" in failed[0].name


def test_disc_is_compared_with_the_infinite_film():
    disc = Film(Disc(2.0), pearl_length=1.0)
    rows = list(coupling_comparisons(disc, ALONG, exact(FILM, ALONG)))
    assert all(row.difference == 0.0 for row in rows)


def test_table_shows_every_number_and_heading():
    rows = [Comparison("energy", 1.25, 1.0, 1.0, 0.1), Comparison("field", -3.5, -3.5, 1.0)]
    text = shown(comparison_table(rows, title="a title", reference="exact"))
    for word in ("a title", "exact", "energy", "1.25", "+2.5e-01", "field", "-3.5", "+0.0e+00"):
        assert word in text


def test_failed_row_stands_out():
    rows = [Comparison("bad", 2.0, 1.0, 1.0, 0.1), Comparison("good", 1.0, 1.0, 1.0, 0.1)]
    table = comparison_table(rows, title="", reference="exact")
    bad, good = (row.style for row in table.rows)
    assert bad != good
