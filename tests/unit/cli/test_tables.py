"""Comparisons of computed and exact numbers, and the table that shows them."""

import math
from itertools import product

import numpy as np
import pytest
from rich.console import Console

from pearlfem.analytic import infinite_film
from pearlfem.cli.tables import comparison_table
from pearlfem.geometry.shapes import Disc, Plane
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.impurity import Impurity
from pearlfem.workflow.comparison import Comparison, coupling_comparisons

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


# --- lattices

CELL = Periodic(((1.0, 0.0), (0.3, 1.2)))
SITES = [Impurity((0.0, 0.0), size=0.1), Impurity((2.5, 0.0), size=0.2, strength=-2.0)]


def lattice_sum(one, other, pearl_length):
    """T of two impurities and all images: 15 shells of the film's own tensor, and no tail."""
    steps = np.array(list(product(range(-15, 16), repeat=2))) @ np.array(CELL.cell)
    total = np.zeros((2, 2))
    for x, y in steps + other.position:
        pair = [one, Impurity((x, y), size=other.size, strength=other.strength)]
        total += exact(Film(Plane(), pearl_length), pair)[0, 1]
    return total


def test_couplings_of_a_lattice_are_sums_over_images():
    rows = list(coupling_comparisons(FILM, SITES, np.zeros((2, 2, 2, 2)), boundary=CELL))
    found = {row.name: row.reference for row in rows}
    assert "self-energy 2 and images, m along y" in found
    direct = lattice_sum(*SITES, 1.0)
    # Beyond r = 15 terms are J* r0/2r³ in the mean, J* = 2/4π, one per area 1.2: π J*/(15 · 1.2).
    assert found["T_xx, pair 1-2, r = 0.5"] == pytest.approx(direct[0, 0], abs=0.05)
    assert found["T_yy, pair 1-2, r = 0.5"] == pytest.approx(direct[1, 1], abs=0.05)
    assert abs(direct[0, 0] - direct[1, 1]) > 0.3


def test_impurities_at_one_place_of_a_lattice_have_no_table():
    twice = [SITES[0], Impurity((1.3, 1.2), size=0.1)]
    assert list(coupling_comparisons(FILM, twice, np.zeros((2, 2, 2, 2)), boundary=CELL)) == []


def test_difference_from_another_problem_has_a_name_of_its_own():
    rows = [Comparison("energy", 0.5, 1.0, 1.0)]
    names = {"reference": "infinite film", "difference": "effect of the device"}
    text = shown(comparison_table(rows, title="", **names))
    assert "infinite film" in text
    assert "effect of the device" in text
    assert "rel. difference" not in text
