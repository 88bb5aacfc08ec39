"""Estimates of the number of cells, compared with the meshes that gmsh makes."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Hole,
    Impurity,
    Open,
    Periodic,
    Plane,
    Rectangle,
    StudyError,
    UniformField,
    Walls,
    create_mesh,
    ring,
)
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.mesh.sizes.grading import Growth, seeds
from pearlfem.mesh.sizes.least import least_cells

PLANE = Film(Plane(), 1.0)
OFF_CENTRE = Film(Disc(1.0, center=(3.0, 2.0)), 0.5)
ONE = [Impurity((0.0, 0.0), size=0.3)]
MANY = [Impurity((float(i), float(j)), size=0.2) for i in range(5) for j in range(4)]
INF = math.inf
CASES = {
    "plane": (PLANE, ONE, Open()),
    "two sizes": (PLANE, [*ONE, Impurity((2.0, 0.5), size=0.1)], Open()),
    "many": (PLANE, MANY, Open()),
    "disc": (Film(Disc(1.0), 1.0), ONE, Open()),
    "near the edge": (OFF_CENTRE, [Impurity((3.9, 2.0), size=0.1)], Open()),
    "narrow edge": (Film(Disc(1.0), 0.02), ONE, Open()),
    "half a box": (PLANE, ONE, Walls("shield", (4.0, 4.0, 2.0))),
    "whole box": (PLANE, ONE, Walls("shield", (4.0, 4.0, 2.0), (0.5, 0.0, 0.3))),
    "disc in a box": (
        OFF_CENTRE,
        [Impurity((3.5, 2.0), size=0.3)],
        Walls("magnetic-wall", (4.0, 4.0, 2.0), (3.0, 2.0, 0.3)),
    ),
    "cell": (PLANE, MANY[:3], Periodic(((4.0, 0.0), (1.5, 3.0)))),
    "flat": (PLANE, ONE, Walls("magnetic-wall", (INF, INF, 0.5))),
    "flat, whole": (PLANE, ONE, Walls("shield", (INF, INF, 0.5), (0.0, 0.0, 0.1))),
}


@pytest.mark.parametrize("resolution", [0.2, 0.4])
@pytest.mark.parametrize("case", CASES)
def test_estimate_is_about_the_number_of_cells(case, resolution):
    film, impurities, boundary = CASES[case]
    options = {"boundary": boundary, "resolution": resolution, "far": 10.0}
    cells = create_mesh(film, impurities, **options).cells
    assert 0.5 < estimated_cells(film, impurities, **options) / cells < 2


@pytest.mark.parametrize("case", CASES)
def test_time_of_the_estimate_does_not_depend_on_the_resolution(case, monkeypatch):
    film, impurities, boundary = CASES[case]
    points = []

    def at(growth, distance):
        points.append(np.size(distance))
        return original(growth, distance)

    original = Growth.at
    monkeypatch.setattr(Growth, "at", at)
    work, cells = [], []
    for resolution in (1.0, 1e3):
        points.clear()
        options = {"boundary": boundary, "resolution": resolution, "far": 100.0}
        cells.append(estimated_cells(film, impurities, **options))
        work.append(sum(points))
    assert work[1] < 2 * work[0] < 1e7
    assert cells[1] > 1e5 * cells[0]
    assert math.isfinite(cells[1])


def test_number_of_cells_grows_as_the_cube_of_the_resolution():
    options = {"boundary": Open(), "far": 10.0}
    few, many = (estimated_cells(PLANE, ONE, resolution=r, **options) for r in (2.0, 20.0))
    assert many / few == pytest.approx(1e3, rel=0.05)


def test_each_doubling_of_far_adds_the_same_number_of_cells():
    options = {"boundary": Open(), "resolution": 1.0}
    cells = [estimated_cells(PLANE, ONE, far=far, **options) for far in (25.0, 50.0, 100.0, 200.0)]
    first, *others = np.diff(cells)
    assert first > 0
    np.testing.assert_allclose(others, first, rtol=0.1)


def test_position_of_the_device_does_not_matter():
    options = {"boundary": Open(), "resolution": 0.5, "far": 10.0}
    moved = [Impurity((i.position[0] + 50.0, i.position[1] - 20.0), size=i.size) for i in MANY]
    here = estimated_cells(PLANE, MANY, **options)
    assert estimated_cells(PLANE, moved, **options) == pytest.approx(here, rel=1e-6)


def test_coarser_edges_need_fewer_cells_in_the_estimate_and_in_the_mesh():
    film, field = Film(ring(0.7, 1.0), 1.0), [UniformField((0.0, 0.0, 1.0))]
    options = {"boundary": Open(), "resolution": 0.2, "far": 3.0}
    fine, coarse = (estimated_cells(film, field, edge_share=e, **options) for e in (1.0, 0.2))
    assert coarse < fine / 3
    mesh = create_mesh(film, field, edge_share=0.2, comm=MPI.COMM_SELF, **options)
    assert 0.5 < coarse / mesh.cells < 2


# --- lower estimates, and where they stop the rest

ANTIDOTS = tuple(Hole(Disc(0.3, (x, y)), f"{x}, {y}") for x in (-1.0, 1.0) for y in (-1.0, 1.0))
LARGE = {
    **CASES,
    "short Pearl length": (Film(Rectangle((20.0, 20.0)), 0.08), ONE, Open()),
    "narrow strip": (Film(Rectangle((20.0, 0.1)), 1.0), [UniformField((0.0, 0.0, 1.0))], Open()),
    "antidots": (Film(Rectangle((4.0, 4.0)), 0.1, holes=ANTIDOTS), ONE, Open()),
    "lattice of cores": (PLANE, [Impurity(i.position, size=0.01) for i in MANY], Open()),
}


@pytest.mark.parametrize("resolution", [0.2, 1.0])
@pytest.mark.parametrize("case", LARGE)
def test_edges_or_cores_alone_need_fewer_cells(case, resolution):
    film, sources, boundary = LARGE[case]
    least = least_cells(film, sources, boundary=boundary, resolution=resolution)
    options = {"boundary": boundary, "resolution": resolution, "far": 10.0}
    assert 0 < least < 1.1 * estimated_cells(film, sources, **options)


@pytest.mark.parametrize("case", ["short Pearl length", "antidots", "lattice of cores"])
def test_edges_or_cores_need_most_of_the_cells_of_large_studies(case):
    film, sources, boundary = LARGE[case]
    least = least_cells(film, sources, boundary=boundary, resolution=1.0)
    cells = estimated_cells(film, sources, boundary=boundary, resolution=1.0, far=10.0)
    assert least > 0.25 * cells


@pytest.mark.parametrize("case", LARGE)
def test_estimate_beyond_the_most_cells_of_interest_is_not_too_high(case):
    film, sources, boundary = LARGE[case]
    options = {"boundary": boundary, "resolution": 1.0, "far": 10.0}
    cells = estimated_cells(film, sources, **options)
    for most in (0.1 * cells, 0.9 * cells):
        assert most < estimated_cells(film, sources, most=most, **options) < 1.1 * cells
    assert estimated_cells(film, sources, most=1.2 * cells, **options) == cells


def test_edges_too_long_for_any_mesh_are_refused():
    film = Film(Rectangle((2e4, 2e4)), 0.08)
    with pytest.raises(StudyError, match=r"film: its edges need about 5e\+06 cells .* 0\.016"):
        seeds(film, ONE, Open(), 1.0)
