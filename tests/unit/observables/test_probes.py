"""Fluxes, cuts and tables of probes, against potentials whose integrals are known."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
from dolfinx import fem
from dolfinx import mesh as dmesh
from scipy.integrate import quad
from scipy.spatial import ConvexHull
from scipy.special import j0, j1

from pearlfem import (
    MaxwellLondon,
    Walls,
    create_mesh,
    magnetic_field,
    sheet_current,
    stream_function,
)
from pearlfem.errors import StudyError
from pearlfem.formulation.fields import Fields
from pearlfem.model.probes import CutProbe, GridProbe, LineProbe, LoopProbe, PointsProbe
from pearlfem.observables import probes
from pearlfem.observables.fields import magnetic_field_of_mesh
from pearlfem.observables.probes import (
    current_through,
    disc_rule,
    flux_through_loops,
    loop_flux,
    magnetic_potential,
)
from pearlfem.observables.tables import check_probes, measure

CUTS = [((0.1, -0.6), (0.9, 0.3)), ((0.3, 0.4), (0.3, -0.7)), ((1.1, 0.1), (-0.1, -0.3))]


@pytest.fixture(scope="module")
def vector(film, mesh, impurities):
    problem = MaxwellLondon(film, mesh, 2, "vector")
    yield problem.solve(impurities)
    problem.destroy()


@pytest.fixture(scope="module")
def shielded(film, impurities):
    """The stream formulation in a space that is meshed as a whole."""
    walls = Walls("shield", (4.0, 3.0, 2.0), (0.5, 0.0, 0.3))
    mesh = create_mesh(film, impurities, boundary=walls, resolution=0.2)
    problem = MaxwellLondon(film, mesh, 2)
    yield problem.solve(impurities)
    problem.destroy()


def stated(solution, potential):
    """``solution`` with ``potential`` for ψ (and g = 2ψ) or for A, and no source."""
    value = fem.Function(solution.potential.function_space)
    value.interpolate(potential)
    jumps = tuple(fem.Function(value.function_space) for _ in solution.stream_functions)
    for g in jumps:
        g.x.array[:] = 2 * value.x.array
    return dataclasses.replace(solution, expand=lambda _: Fields(value, jumps), drives=())


# --- flux


def flux_of_mesh(solution, centers, radius):
    return flux_through_loops(partial(magnetic_field_of_mesh, solution), centers, radius)


@pytest.mark.parametrize("radius", [0.1, 0.4])
def test_flux_of_a_polynomial_field(cubic, radius):
    # ψ = x² z − z³/3 + x z has B_z = z² − x² − x; the mean of x² over the disc is c_x² + R²/4.
    solution = stated(cubic, lambda x: x[0] ** 2 * x[2] - x[2] ** 3 / 3 + x[0] * x[2])
    centers = np.array([[0.3, -0.2, 0.4], [0.9, 0.1, 0.7], [0.5, 0.0, 1.2]])
    x, _, z = centers.T
    expected = np.pi * radius**2 * (z**2 - x**2 - radius**2 / 4 - x)
    np.testing.assert_allclose(flux_of_mesh(solution, centers, radius), expected, atol=1e-11)


def test_flux_of_a_vector_potential_is_its_circulation(vector):
    # A = (−y, 2x, 0)/3 and the gradient of x y: B_z = 1.
    solution = stated(vector, lambda x: np.stack([2 * x[1] / 3, 5 * x[0] / 3, 0 * x[2]]))
    flux = flux_of_mesh(solution, [(0.5, 0.0, 0.3)], 0.25)
    assert flux == pytest.approx([np.pi / 16], rel=1e-11)


@pytest.mark.parametrize(("ratio", "error"), [(1, 1e-11), (2, 3e-8), (4, 2e-6), (10, 3e-5)])
def test_rule_for_the_field_of_a_point_source(ratio, error):
    # A monopole in the origin and the derivative of its field along x, through a disc of radius 1
    # at (d, 0): ∫ J0(qd) J1(q) e^{−qz} dq and −∂d of it, from their Hankel transforms.
    z = 1 / ratio

    def monopole(points):
        return points * (np.linalg.norm(points, axis=1) ** -3)[:, None] / (2 * np.pi)

    def dipole(points):  # its z component is all that counts
        r = np.linalg.norm(points, axis=1)
        return np.outer(3 * points[:, 0] * points[:, 2] / (2 * np.pi * r**5), [0, 0, 1])

    distances = np.linspace(0.0, 2.0, 9)
    centers = np.column_stack([distances, 0 * distances, np.full(9, z)])
    integrands = {
        monopole: lambda q, d: j0(q * d) * j1(q) * math.exp(-q * z),
        dipole: lambda q, d: q * j1(q * d) * j1(q) * math.exp(-q * z),
    }
    for field, integrand in integrands.items():
        exact = np.array(
            [quad(integrand, 0, 40 * ratio, (d,), epsabs=1e-13, limit=500)[0] for d in distances]
        )
        found = flux_through_loops(field, centers, 1.0)
        assert np.abs(found - exact).max() < error * np.abs(exact).max()


def test_rule_integrates_polynomials():
    points, weights = disc_rule(2.0, 10.0)
    x, y, z = points.T
    assert weights @ np.ones_like(x) == pytest.approx(4 * np.pi)
    assert weights @ (x**2 * y**2) == pytest.approx(np.pi * 2.0**6 / 24)
    assert weights @ x**4 == pytest.approx(np.pi * 2.0**6 / 8)
    assert np.abs(weights @ (x**3 * y)) < 1e-13
    assert not z.any()


def test_loops_in_batches_are_the_same(solution, monkeypatch):
    centers = np.column_stack([np.linspace(0, 1, 7), np.zeros(7), np.full(7, 0.3)])
    together = loop_flux(solution, centers, 0.2)
    monkeypatch.setattr(probes, "_BATCH", 500)
    # Rounding: sums of products over the same points, in another order.
    np.testing.assert_allclose(loop_flux(solution, centers, 0.2), together, rtol=1e-13)
    assert loop_flux(solution, np.empty((0, 3)), 0.2).shape == (0,)


@pytest.mark.parametrize(
    ("center", "radius", "message"),
    [
        ((0.1, 0.2, 0.0), 0.1, r"\[0.1, 0.2, 0.0\].*above the film"),
        ((0.1, 0.2, -0.3), 0.1, r"\[0.1, 0.2, -0.3\].*above the film"),
        ((0.1, 0.2, 0.01), 0.6, "z of at least 0.02"),
        ((0.1, 0.2, math.nan), 0.1, "nan"),
        ((0.1, 0.2, 0.3), 0.0, "radius = 0.0"),
        ((0.1, 0.2, 0.3), -1.0, "radius = -1.0"),
        ((0.1, 0.2, 0.3), math.nan, "radius = nan"),
        ((0.5, 0.0, 0.3), 3.0, "outside the mesh"),
    ],
)
def test_loop_that_has_no_flux_is_refused(shielded, center, radius, message):
    with pytest.raises(StudyError, match=message):
        loop_flux(shielded, [(0.5, 0.0, 0.3), center], radius)


def test_loops_in_open_space_may_have_any_place_but_no_negative_radius(solution):
    flux = loop_flux(solution, [(0.5, 0.0, 0.0), (0.5, 0.0, 1e-9), (0.5, 0.0, 1e3)], 0.3)
    assert flux[0] == pytest.approx(flux[1], rel=1e-6)
    assert 0 < abs(flux[2]) < 1e-6 * abs(flux[0])
    with pytest.raises(StudyError, match=r"radius = -1\.0"):
        loop_flux(solution, [(0.5, 0.0, 1.0)], -1.0)


# --- current


def chord(points, start, end):
    """The part of the cut, from 0 to 1, that lies in the convex hull of points."""
    hull = ConvexHull(points).equations
    a, b = hull[:, :2] @ start + hull[:, 2], hull[:, :2] @ end + hull[:, 2]  # < 0 inside
    places = a / (a - b)
    entered, left = places[(a > 0) & (b < 0)], places[(a < 0) & (b > 0)]
    return entered.max(initial=0.0), left.min(initial=1.0)


def film_triangles_of(solution):
    """Corners (x, y) of the film's facets, ``(n, 3, 2)``, in the mesh of the solution."""
    mesh = solution.mesh
    mesh.domain.topology.create_connectivity(2, 3)
    nodes = dmesh.entities_to_geometry(mesh.domain, 2, mesh.facets("film"))
    return mesh.domain.geometry.x[nodes][..., :2]


@pytest.mark.parametrize(
    ("start", "end"), [*CUTS, ((-1.0, -1.0), (2.0, 0.7)), ((0.4, -0.1), (3.0, 0.2))]
)
def test_current_of_a_linear_vector_potential(vector, start, end):
    # K = −κ A on the film only: A along the cut is linear, its integral that of the middle.
    solution = stated(vector, lambda x: np.stack([1 + x[1] - 2 * x[0], x[0] / 2 - x[1], 0 * x[2]]))
    start, end = np.array(start), np.array(end)
    low, high = chord(film_triangles_of(vector).reshape(-1, 2), start, end)
    x, y = start + (low + high) / 2 * (end - start)
    step = (high - low) * (end - start)
    K = -2 / vector.films[0].film.pearl_length * np.array([1 + y - 2 * x, x / 2 - y])
    expected = K @ [step[1], -step[0]]  # n = t × ẑ
    assert abs(expected) > 0.1
    assert current_through(solution, start, end) == pytest.approx(expected, rel=1e-10)


def test_current_is_positive_from_left_to_right(cubic, vector):
    # K along x, and somebody who walks along y.
    potentials = (lambda x: x[1] / 2, lambda x: np.outer([-1.0, 0.0, 0.0], np.ones(x.shape[1])))
    weights = (1.0, 2 / vector.films[0].film.pearl_length)
    for solution, potential, weight in zip((cubic, vector), potentials, weights, strict=True):
        flowing = stated(solution, potential)
        np.testing.assert_allclose(sheet_current(flowing, [(0.5, 0.0)]), [[weight, 0.0]], atol=1e-9)
        assert current_through(flowing, (0.5, -0.3), (0.5, 0.4)) == pytest.approx(0.7 * weight)
        assert current_through(flowing, (0.2, 0.0), (0.7, 0.0)) == pytest.approx(0.0, abs=1e-9)


def test_cut_along_edges_of_cells_counts_once(vector, film):
    # Edges well inside the film: two facets hold such a cut.
    solution = stated(vector, lambda x: np.stack([1 + x[1], x[0] - 2, 0 * x[2]]))
    ends = film_triangles_of(vector)[:, :2]
    distances = np.linalg.norm(ends - film.shape.center, axis=2)
    ends = ends[distances.max(axis=1) < 0.9 * film.shape.radius]
    assert len(ends) > 10
    for start, end in ends[:10]:
        (x, y), (tx, ty) = (start + end) / 2, end - start
        expected = -2 / film.pearl_length * ((1 + y) * ty - (x - 2) * tx)
        assert current_through(solution, start, end) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("start", "end"), CUTS)
def test_current_of_the_stream_function_is_that_of_its_sheet_current(cubic, start, end):
    # The same integral point by point: K is quadratic in each facet, the jumps between them leave
    # 1/n of their size.
    places = (np.arange(20_000) + 0.5)[:, None] / 20_000
    step = np.subtract(end, start)
    K = sheet_current(cubic, start + places * step)
    expected = np.mean(K @ [step[1], -step[0]])
    scale = np.abs(K).max() * np.linalg.norm(step)
    assert abs(current_through(cubic, start, end) - expected) < 1e-4 * scale


@pytest.mark.parametrize(("start", "end"), CUTS)
def test_current_of_the_vector_formulation_is_that_of_its_sheet_current(vector, start, end):
    places = (np.arange(20_000) + 0.5)[:, None] / 20_000
    step = np.subtract(end, start)
    K = sheet_current(vector, start + places * step)
    scale = np.abs(K).max() * np.linalg.norm(step)
    error = current_through(vector, start, end) - np.mean(K @ [step[1], -step[0]])
    assert abs(error) < 1e-4 * scale


@pytest.mark.parametrize("formulation", ["cubic", "vector", "shielded"])
def test_currents_add_up_and_change_sign(request, formulation):
    solution = request.getfixturevalue(formulation)
    a, c = np.array([-1.0, 0.1]), np.array([2.0, -0.12])
    b = a + 0.6 * (c - a)
    whole, parts = (
        current_through(solution, a, c),
        [current_through(solution, a, b), current_through(solution, b, c)],
    )
    scale = abs(parts[0])
    assert scale > 1e-2
    assert sum(parts) == pytest.approx(whole, abs=1e-9 * scale)
    assert current_through(solution, b, a) == pytest.approx(-parts[0], rel=1e-9)


THROUGH, HALF = ((-1.0, 0.1), (2.0, -0.2)), ((-1.0, 0.1), (0.3, -0.03))


def test_no_current_passes_a_film_in_total(cubic, shielded):
    for solution in (cubic, shielded):
        assert abs(current_through(solution, *THROUGH)) < 1e-15
        assert abs(current_through(solution, *HALF)) > 1e-2


def test_current_through_a_film_is_the_error_of_the_vector_formulation(film, impurities):
    # −κ (A + a) is free of divergence only up to the error of K.
    problem = MaxwellLondon(film, create_mesh(film, impurities, resolution=0.5), 2, "vector")
    solution = problem.solve(impurities)
    problem.destroy()
    half = current_through(solution, *HALF)
    assert 1e-15 < abs(current_through(solution, *THROUGH)) < 0.05 * abs(half)


@pytest.mark.parametrize("formulation", ["cubic", "vector"])
def test_cut_that_leaves_the_mesh_names_its_end(request, formulation):
    solution = request.getfixturevalue(formulation)
    with pytest.raises(StudyError, match=r"\[77.0, 0.0, 0.0\] lies outside"):
        current_through(solution, (0.5, 0.0), (77.0, 0.0))
    with pytest.raises(StudyError, match=r"both \[0.5, 0.0\]"):
        current_through(solution, (0.5, 0.0), (0.5, 0.0))


# --- potential


@pytest.mark.parametrize("formulation", ["cubic", "shielded"])
def test_field_is_minus_the_gradient_of_the_potential(request, formulation):
    # ψ is a cubic in each cell: differences of fourth order are exact but for rounding.
    solution = request.getfixturevalue(formulation)
    points = np.array([[0.41, 0.13, 0.3], [0.9, -0.52, 0.7], [0.32, 0.2, -0.4], [1.4, 0.3, -0.2]])
    h, B = 1e-4, np.empty_like(points)
    for axis, step in enumerate(h * np.eye(3)):
        psi = {k: magnetic_potential(solution, points + k * step) for k in (-2, -1, 1, 2)}
        B[:, axis] = -(8 * (psi[1] - psi[-1]) - (psi[2] - psi[-2])) / (12 * h)
    expected = magnetic_field_of_mesh(solution, points)
    np.testing.assert_allclose(B, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("formulation", ["cubic", "shielded"])
def test_potential_jumps_by_the_stream_function(request, formulation, film_points):
    solution = request.getfixturevalue(formulation)
    sides = [np.column_stack([film_points, np.full(len(film_points), z)]) for z in (0.0, -1e-12)]
    above, below = (magnetic_potential(solution, points) for points in sides)
    g = stream_function(solution, film_points)
    np.testing.assert_allclose(above - below, g, atol=1e-9 * np.abs(g).max())


def test_vector_formulation_has_no_scalar_potential(vector):
    with pytest.raises(StudyError, match="'vector'"):
        magnetic_potential(vector, [(0.0, 0.0, 0.1)])


# --- tables


def table(solution, probe, applied=None):
    """Columns by their names."""
    return {column.name: column.values for column in measure(solution, probe, applied)}


def applied_field(points):
    return points * [1.0, 2.0, 3.0]


def test_points_have_fields_and_on_the_film_currents(cubic):
    points = [(0.3, 0.1, 0.2), (0.4, -0.2, 0.0), (0.4, -0.2, -0.5)]
    columns = measure(cubic, PointsProbe(name="a", points=points))
    assert [column.name for column in columns] == [
        *("x", "y", "z", "Bx", "By", "Bz", "psi", "Kx", "Ky", "g")
    ]
    assert [column.kind for column in columns] == [
        *["length"] * 3, *["field"] * 3, "current", *["sheet_current"] * 2, "current"
    ]  # fmt: skip
    *places, Bx, By, Bz, psi, Kx, Ky, g = (column.values for column in columns)
    np.testing.assert_array_equal(np.transpose(places), points)
    np.testing.assert_array_equal(np.transpose([Bx, By, Bz]), magnetic_field(cubic, points))
    np.testing.assert_array_equal(psi, magnetic_potential(cubic, points))
    on_film = [points[1][:2]]
    np.testing.assert_array_equal([[Kx[1], Ky[1]]], sheet_current(cubic, on_film))
    assert g[1] == stream_function(cubic, on_film)[0]
    assert np.isnan([Kx[[0, 2]], Ky[[0, 2]], g[[0, 2]]]).all()


def test_line_begins_with_the_distance(cubic):
    columns = table(cubic, LineProbe(name="a", start=(0, 0, 1), end=(0.3, 0.4, 1), samples=3))
    assert next(iter(columns)) == "s"
    np.testing.assert_allclose(columns["s"], [0.0, 0.25, 0.5])
    assert not {"Kx", "g"} & set(columns)
    points = [(0.0, 0.0, 1.0), (0.15, 0.2, 1.0), (0.3, 0.4, 1.0)]
    np.testing.assert_allclose(columns["Bz"], magnetic_field(cubic, points)[:, 2], rtol=1e-9)


def test_grid_with_loop_ends_with_flux(cubic):
    grid = {"name": "a", "center": (0.5, 0), "size": (1, 1), "height": 0.2, "samples": (2, 3)}
    assert "flux" not in table(cubic, GridProbe(**grid))
    columns = table(cubic, GridProbe(**grid, loop_radius=0.1))
    assert list(columns)[-1] == "flux"
    centers = np.column_stack([columns[axis] for axis in "xyz"])
    np.testing.assert_array_equal(columns["flux"], loop_flux(cubic, centers, 0.1))


def test_loop_and_cut_have_one_row(cubic):
    loop = table(cubic, LoopProbe(name="a", center=(0.5, 0, 0.4), radius=0.2))
    (flux,) = loop_flux(cubic, (0.5, 0, 0.4), 0.2)
    assert loop == {"x": [0.5], "y": [0.0], "z": [0.4], "radius": [0.2], "flux": [flux]}
    cut = table(cubic, CutProbe(name="a", start=(0.5, 0), end=(2, 0.1)))
    current = current_through(cubic, (0.5, 0), (2, 0.1))
    ends = {"start_x": [0.5], "start_y": [0.0], "end_x": [2.0], "end_y": [0.1]}
    assert cut == {**ends, "current": [current]}


def test_vector_formulation_has_no_columns_of_potentials(vector):
    columns = table(vector, PointsProbe(name="a", points=[(0.3, 0.1, 0.0)]))
    assert list(columns) == ["x", "y", "z", "Bx", "By", "Bz", "Kx", "Ky"]


def test_applied_field_comes_in_columns_of_its_own(cubic):
    grid = GridProbe(
        name="a", center=(0.5, 0), size=(1, 1), height=0.2, samples=(2, 2), loop_radius=0.1
    )
    bare, columns = table(cubic, grid), table(cubic, grid, applied_field)
    added = ["Bx_applied", "By_applied", "Bz_applied", "flux_applied"]
    assert [name for name in columns if name not in bare] == added
    for name, values in bare.items():
        np.testing.assert_array_equal(values, columns[name])
    np.testing.assert_array_equal(columns["By_applied"], 2 * columns["y"])
    np.testing.assert_allclose(columns["flux_applied"], np.pi * 0.1**2 * 3 * 0.2)
    loop = table(cubic, LoopProbe(name="a", center=(0.5, 0, 0.4), radius=0.2), applied_field)
    np.testing.assert_allclose(loop["flux_applied"], [np.pi * 0.2**2 * 3 * 0.4])


OUTSIDE = [
    PointsProbe(name="far", points=[(0, 0, 0.1), (0, 99, 0)]),
    PointsProbe(name="far", points=[(0, 0, 0.1), (0, 0, -99)]),
    LineProbe(name="far", start=(0, 0), end=(0, 0, 99), samples=5),
    GridProbe(name="far", center=(0, 0), size=(99, 1), height=0.1, samples=(2, 3)),
    GridProbe(
        name="far", center=(0, 0), size=(1, 1), height=1, samples=(2, 2), loop_radius=29
    ),
    LoopProbe(name="far", center=(0, 0, 1), radius=29),
    CutProbe(name="far", start=(0, 0), end=(0, 99)),
]  # fmt: skip


@pytest.mark.parametrize("probe", OUTSIDE, ids=lambda probe: probe.kind)
def test_probe_outside_the_mesh_is_refused_before_and_after(cubic, shielded, probe):
    for solution in (cubic, shielded):
        for work in (
            lambda s: check_probes(s.mesh, [probe]),
            lambda s: measure(s, probe),
        ):
            with pytest.raises(StudyError, match=r"probe 'far': point \[.*lies outside"):
                work(solution)


def test_probes_inside_the_mesh_are_accepted(cubic, shielded):
    inside = [
        PointsProbe(name="a", points=[(0, 0, 0.1), (0.5, 0.2, -0.5)]),
        LineProbe(name="b", start=(0, 0), end=(0.5, 0, 1), samples=5),
        GridProbe(
            name="c", center=(0.5, 0), size=(2, 1), height=0.5, samples=(2, 3), loop_radius=0.9
        ),
        LoopProbe(name="d", center=(0.5, 0, 1), radius=1.4),
        CutProbe(name="e", start=(-1, 0), end=(0, 1)),
    ]
    for solution in (cubic, shielded):
        check_probes(solution.mesh, inside)
