"""B of a disc at any distance and K at its edge, against the integral equation for K_φ(r).

B of the reference is the sum over circles of current (elliptic integrals).
"""

import numpy as np
import pytest
from references import annulus
from scipy.special import ellipe, ellipk

from pearlfem import (
    Disc,
    Film,
    MaxwellLondon,
    UniformField,
    create_mesh,
    loop_flux,
    magnetic_field,
    sheet_current,
)

R0 = 0.3
DISTANCES = np.array([0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0])
DIRECTION = np.array([0.6, 0.8])
FORMULATIONS = {"stream": 3, "vector": 2}  # with their degrees
# The error of the moment at this resolution, and of K near by; the far boundary is at 20.
TOLERANCES = {"stream": 1e-3, "vector": 3e-3}


@pytest.fixture(scope="module")
def exact():
    return annulus.Ring(0.0, 1.0, R0).solve(field=1.0)


@pytest.fixture(scope="module", params=FORMULATIONS)
def solution(request):
    film, field = Film(Disc(1.0), R0), UniformField((0.0, 0.0, 1.0))
    mesh = create_mesh(film, [field], resolution=0.5, far=20.0)
    problem = MaxwellLondon(film, mesh, FORMULATIONS[request.param], request.param)
    yield problem.solve([field])
    problem.destroy()


def field_of_circles(exact, rho, z):
    """B along ρ and z."""
    a, r, h = exact.ring.r[:, None], np.maximum(rho, 1e-9), z
    near, far = (a - r) ** 2 + h**2, (a + r) ** 2 + h**2
    K, E = ellipk(4 * a * r / far), ellipe(4 * a * r / far)
    radial = h / r * ((a**2 + r**2 + h**2) * E / near - K)
    axial = (a**2 - r**2 - h**2) * E / near + K
    weights = exact.ring.dr * exact.K
    B = weights @ (np.stack([radial, axial]) / (2 * np.pi * np.sqrt(far)))
    return B * np.array([rho > 0, np.ones_like(rho)])


def errors(solution, exact, rho, z):
    """|B − exact| in units of |exact|."""
    B = magnetic_field(solution, np.column_stack([np.outer(rho, DIRECTION), z]))
    radial, across = B[:, :2] @ DIRECTION, B[:, :2] @ [-DIRECTION[1], DIRECTION[0]]
    expected = field_of_circles(exact, rho, z)
    wrong = np.array([radial - expected[0], B[:, 2] - expected[1], across])
    return np.linalg.norm(wrong, axis=0) / np.linalg.norm(expected, axis=0)


@pytest.mark.parametrize("place", ["axis", "plane", "between"])
def test_field_is_right_at_any_distance(solution, exact, place):
    d, zero = DISTANCES, np.zeros_like(DISTANCES)
    rho, z = {"axis": (zero, d), "plane": (1.0 + d, zero), "between": (0.8 * d, 0.6 * d)}[place]
    assert errors(solution, exact, rho, z).max() < TOLERANCES[solution.formulation]


def test_current_reaches_the_round_edge(solution, exact):
    # The mesh's polygon ends up to 1e-4 before the circle.
    radii = np.array([1 - 1e-4, 1 - 1e-6, 1 - 1e-9, 1.0])
    angles = np.linspace(0.0, 2 * np.pi, 200, endpoint=False)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    for radius in radii:
        K = sheet_current(solution, radius * places)
        along = places[:, 0] * K[:, 1] - places[:, 1] * K[:, 0]
        assert along == pytest.approx(exact.sheet_current(radius), rel=0.03)
    assert not sheet_current(solution, (1 + 1e-3) * places).any()


def test_flux_through_loops_at_any_height(solution, exact):
    # ∮ A·dl, in the plane by London's law: Φ = −2πρ K/κ − B πρ².
    radius = 0.6
    in_plane, on_top = loop_flux(solution, [(0.0, 0.0, 0.0), (0.0, 0.0, 1e-9)], radius)
    expected = -np.pi * radius * (R0 * exact.sheet_current(radius) + radius)
    assert in_plane == pytest.approx(expected, rel=TOLERANCES[solution.formulation])
    assert on_top == pytest.approx(in_plane, rel=1e-6)
    far = loop_flux(solution, [(0.0, 0.0, 200.0)], 3.0)[0]
    B = field_of_circles(exact, np.zeros(1), np.array([200.0]))[1, 0]
    # B falls by (3/200)² towards the loop.
    assert far == pytest.approx(9 * np.pi * B, rel=TOLERANCES[solution.formulation])
