"""Point impurities: the edges' part of their energies, their couplings and fields."""

import itertools

import numpy as np
import pytest
from helpers import case
from references import disc as reference
from references.annulus import Ring
from scipy.interpolate import CubicSpline

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Impurity,
    MaxwellLondon,
    Plane,
    Walls,
    create_mesh,
    free_energy,
    interaction_tensor,
    magnetic_field,
    magnetic_moment,
    sheet_current,
    stream_function,
    superpose,
)
from pearlfem.analytic import infinite_film
from pearlfem.analytic.weak_screening import disc_interaction_tensor, half_plane_interaction_tensor
from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Polygon, Rectangle, ring
from pearlfem.io.fields.nodal import nodal_values
from pearlfem.model.film import Region
from pearlfem.model.sources.applied import UniformField
from pearlfem.model.sources.flux import Vortex
from pearlfem.observables.energy import mutual_energies
from pearlfem.observables.fields import flux_density
from pearlfem.observables.holes import hole_states
from pearlfem.observables.probes import magnetic_potential
from pearlfem.quantities.units import ReducedUnits

LONG = 1e6  # Pearl length in sizes of the film: the limit of weak screening up to 1e-6


def points(*positions):
    return [Impurity(position, size=0.0) for position in positions]


def tensor(film, impurities, resolution=1.0, degree=3, far=100.0, mesh=None):
    mesh = mesh or create_mesh(film, impurities, resolution=resolution, far=far)
    problem = MaxwellLondon(film, mesh, degree)
    found = interaction_tensor(problem.solve_each(impurities))
    problem.destroy()
    return found


def assert_close(found, exact, allowed):
    """Edges' parts and couplings are wrong by at most ``allowed``, relatively."""
    for i, j in itertools.product(range(len(exact)), repeat=2):
        error, scale = found[i, j] - exact[i, j], np.abs(exact[i, j]).max()
        assert np.abs(error).max() < allowed * scale, f"T of {i}, {j}"
    np.testing.assert_array_equal(found, found.transpose(1, 0, 3, 2))


@pytest.mark.parametrize(
    "positions", [((0.0, 0.0), (0.5, 0.1), (-0.3, 0.6)), ((-0.95, 0.0), (0.0, -0.8))], ids=str
)
def test_disc_with_a_long_pearl_length(positions):
    found = tensor(Film(Disc(1.0), LONG), points(*positions))
    assert_close(found, disc_interaction_tensor(positions, 1.0, LONG), 1e-5)


def test_what_lies_beyond_the_far_boundary_counts():
    # Without it T of the centre would be off by (R/far)² = 6 %.
    found = tensor(Film(Disc(1.0), LONG), points((0.0, 0.0)), resolution=0.5, far=4.0)
    assert_close(found, disc_interaction_tensor([(0.0, 0.0)], 1.0, LONG), 5e-5)


def square_tensor(positions, size, pearl_length):
    """T on the square 0 < x < size, |y| < size/2 for r0 → ∞, by images in a lattice of squares.

    With complex positions and moments an image of sign σ at w has −σ J* Re[μ_i μ'_j/(z_i − w)²].
    """
    z = np.array([complex(*position) for position in positions])
    shifts = 2 * size * np.arange(-20, 21)
    lattice = (shifts[:, None] + 1j * shifts).ravel()
    result = np.zeros((len(z), len(z), 2, 2))
    for i, j in itertools.product(range(len(z)), repeat=2):
        for x, y in itertools.product((1, -1), repeat=2):
            image = complex(x * z[j].real, z[j].imag if y > 0 else size - z[j].imag)
            distance = z[i] - image - lattice
            inverse = np.sum(distance[distance != 0] ** -2.0)
            own, other = np.array([1, 1j]), np.array([x, y * 1j])
            result[i, j] -= x * y * np.real(np.outer(own, other) * inverse)
    return result * pearl_length / (4 * np.pi)


def test_straight_edge_of_a_large_square():
    size, positions = 250.0, ((1.0, 0.0), (2.0, 0.5), (1.5, -1.0))
    half = size / 2
    film = Film(Polygon([(0.0, -half), (size, -half), (size, half), (0.0, half)]), LONG * size)
    found = tensor(film, points(*positions))
    assert_close(found, square_tensor(positions, size, film.pearl_length), 1e-5)
    # What the other edges add is (π d/size)²/3, 2e-4 at d = 2.
    exact = half_plane_interaction_tensor(positions, film.pearl_length)
    for i in range(3):
        np.testing.assert_allclose(np.diag(found[i, i]), np.diag(exact[i, i]), rtol=1e-3)


POSITIONS = ((0.0, 0.0), (0.5, 0.1), (0.0, -0.85))


@pytest.fixture(scope="module")
def disc_space():
    return create_mesh(Film(Disc(1.0), 0.1), points(*POSITIONS))


@pytest.mark.parametrize(
    ("pearl_length", "allowed"),
    [case(0.1, 4e-4, slow=False), case(1.0, 1e-4, slow=True), case(10.0, 2e-5, slow=True)],
)
def test_disc_with_any_pearl_length(disc_space, pearl_length, allowed):
    film, impurities = Film(Disc(1.0), pearl_length), points(*POSITIONS)
    problem = MaxwellLondon(film, disc_space)
    solutions = problem.solve_each(impurities)
    exact = reference.interaction_tensor(pearl_length, POSITIONS, [0.0] * 3)
    assert_close(interaction_tensor(solutions), exact, allowed)
    moments = [magnetic_moment(solution)[2] for solution in solutions]
    sources = [reference.Impurity(p, 0.0, angle) for p in POSITIONS for angle in (0.0, 90.0)]
    exact = reference.magnetic_moments(pearl_length, sources)
    np.testing.assert_allclose(moments, exact, rtol=0, atol=allowed * np.abs(exact).max())
    problem.destroy()


def test_coarse_meshes_are_good_estimates():
    film, impurities = Film(Disc(1.0), 1.0), points(*POSITIONS[1:])
    exact = reference.interaction_tensor(1.0, POSITIONS[1:], [0.0] * 2)
    for resolution in (0.6, 0.9):
        mesh = create_mesh(film, impurities, resolution=resolution)
        for degree, allowed in ((1, 0.06), (2, 3e-3), (3, 3e-4)):
            assert_close(tensor(film, impurities, degree=degree, mesh=mesh), exact, allowed)


def test_film_without_edges_has_keldysh_couplings_and_nothing_else():
    positions = ((0.0, 0.0), (1.5, 0.5))
    found = tensor(Film(Plane(), 1.0), points(*positions))
    exact = infinite_film.interaction_tensor(positions, 1.0)
    # What is cut off beyond R = 100 is like 1/R³.
    np.testing.assert_allclose(found[0, 1], exact[0, 1], rtol=0, atol=1e-6)
    for i in (0, 1):
        assert -1e-6 < np.linalg.eigvalsh(found[i, i]).max() < 0


OTHERS = {
    "gaussian": (
        Impurity((0.0, -0.5), size=0.1, angle=40.0),
        reference.Impurity((0.0, -0.5), 0.1, 40.0),
    ),
    "wide gaussian around a point": (
        Impurity((0.35, 0.1), size=0.15, angle=110.0, strength=0.5),
        reference.Impurity((0.35, 0.1), 0.15, 110.0, 0.5),
    ),
    "vortex": (Vortex((-0.1, 0.4), size=0.1), reference.Vortex((-0.1, 0.4), 0.1)),
    "field": (UniformField((0.0, 0.0, 1.0)), reference.Field(1.0)),
}


def test_points_with_other_sources():
    own = [
        Impurity((0.4, 0.1), size=0.0, angle=20.0),
        Impurity((-0.5, 0.3), size=0.0, angle=-70.0, strength=2.0),
    ]
    sources = own + [ours for ours, _ in OTHERS.values()]
    exact = reference.mutual_energies(
        0.7,
        [reference.Impurity(s.position, 0.0, s.angle, s.strength) for s in own]
        + [theirs for _, theirs in OTHERS.values()],
    )
    film = Film(Disc(1.0), 0.7)
    problem = MaxwellLondon(film, create_mesh(film, sources, resolution=0.8))
    solutions = [problem.solve([source]) for source in sources]
    errors = 2 * mutual_energies(solutions) - exact
    scale = np.sqrt(np.abs(np.outer(np.diag(exact), np.diag(exact))))
    np.testing.assert_allclose(errors[:2] / scale[:2], 0, atol=1e-4)
    together = free_energy(problem.solve(sources))
    assert together == pytest.approx(exact.sum() / 2, rel=5e-4)
    sum_ = superpose(solutions, [1.0] * len(sources))
    assert free_energy(sum_) == pytest.approx(together, rel=1e-12)
    problem.destroy()


INNER, RING_POSITIONS = 0.4, ((0.6, 0.0), (-0.2, 0.8))
RING = Film(ring(INNER, 1.0), 1.0)


@pytest.fixture(scope="module")
def ring_answers():
    """Solutions of both moments of both impurities, of a fluxoid, and of a field."""
    impurities, others = points(*RING_POSITIONS), [Fluxoid("hole 1", 1), UniformField((0, 0, 1))]
    problem = MaxwellLondon(RING, create_mesh(RING, impurities, resolution=0.4))
    yield problem.solve_each([*impurities, *others])
    problem.destroy()


@pytest.mark.parametrize(("number", "drive"), [(4, {"fluxoid": 1.0}), (5, {"field": 1.0})])
def test_points_on_a_ring_couple_to_its_currents(ring_answers, number, drive):
    # −∫ K·a dS with a = (Γ/κ)(m × ẑ) δ and K = K(r) φ̂: both are x/r K r0/2 for m = x̂, y alike.
    answer = Ring(INNER, 1.0, 1.0)
    K = CubicSpline(answer.r, answer.solve(**drive).K)
    exact = []
    for position in RING_POSITIONS:
        r = np.hypot(*position)
        exact += [0.5 * K(r) * x / r for x in position]
    found = 2 * mutual_energies(ring_answers)[:4, number]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4 * np.abs(exact).max())


def test_hole_with_points_around_it(ring_answers):
    energies = mutual_energies(ring_answers)
    flux = []
    for k, solution in enumerate(ring_answers[:4]):
        (hole,) = hole_states(solution)
        # F = ½ Φ I: the current is what a fluxoid's energy changes by.
        assert hole.current == pytest.approx(2 * energies[k, 4], abs=1e-4)
        assert hole.fluxoid == pytest.approx(0.0, abs=5e-3)
        flux.append(hole.flux)
        g = stream_function(solution, [(0.0, 0.0), (0.2, -0.3)])
        np.testing.assert_allclose(g, hole.current, rtol=0, atol=1e-3)
    assert np.abs(flux).max() > 0.03  # or the fluxoids would say nothing


def test_ring_as_the_limit_of_gaussian_impurities(ring_answers):
    found = 2 * mutual_energies(ring_answers)[:4, :4]
    sizes = (0.025, 0.05)
    small, large = ([Impurity(place, size=size) for place in RING_POSITIONS] for size in sizes)
    problem = MaxwellLondon(RING, create_mesh(RING, small, resolution=0.6))
    tensors = []
    for size, impurities in zip(sizes, (small, large), strict=True):
        both = interaction_tensor(problem.solve_each(impurities))
        both[range(2), range(2)] -= 2 * infinite_film.self_energy(size) * np.eye(2)
        tensors.append(both.transpose(0, 2, 1, 3).reshape(4, 4))
    problem.destroy()
    # Errors of ξ² cancel. What is left is one of ξ⁴, and that of a Gaussian's whole energy.
    limit = (4 * tensors[0] - tensors[1]) / 3
    between = np.s_[:2, 2:]
    np.testing.assert_allclose(found[between], limit[between], rtol=0, atol=5e-5)
    np.testing.assert_allclose(np.diag(found), np.diag(limit), rtol=0, atol=5e-3)


def disc_fields(impurity, places):
    """g and K in a disc of radius 1 for r0 → ∞: g = −Γ m·∇_j N, a dipole and its image.

    N = (1/2π) Re ln[(1 − z z̄_j)/(z − z_j)] as in ``pearlfem.analytic.weak_screening``.
    """
    z, source = places[..., 0] + 1j * places[..., 1], complex(*impurity.position)
    mu = complex(*impurity.moment)
    image = 1 - z * source.conjugate()
    g = z * mu.conjugate() / image - mu / (z - source)
    slope = mu.conjugate() / image**2 + mu / (z - source) ** 2
    K = np.stack([np.real(1j * slope), -np.real(slope)], axis=-1)
    return impurity.strength * np.real(g) / (2 * np.pi), impurity.strength * K / (2 * np.pi)


def test_fields_in_a_disc_with_a_long_pearl_length():
    impurity = Impurity((0.4, -0.3), size=0.0, angle=35.0, strength=-1.5)
    film = Film(Disc(1.0), LONG)
    problem = MaxwellLondon(film, create_mesh(film, [impurity], resolution=0.8))
    solution = problem.solve([impurity])
    places = np.array([(0.45, -0.3), (-0.2, 0.5), (0.0, 0.0), (0.6, -0.7)])
    g, K = disc_fields(impurity, places)
    np.testing.assert_allclose(stream_function(solution, places), g, rtol=0, atol=1e-4)
    np.testing.assert_allclose(sheet_current(solution, places), K, rtol=0, atol=2e-3)
    for off_film in [(1.2, 0.3), (0.0, -3.0)]:
        assert stream_function(solution, [off_film]) == pytest.approx(0.0, abs=1e-4)
    # The same in the file of the film: away from the impurity.
    (block,) = nodal_values(solution, ReducedUnits()).films
    nodes = block.nodes[..., :2]
    away = np.linalg.norm(nodes - impurity.position, axis=-1) > 0.1
    chosen = away & (np.linalg.norm(nodes, axis=-1) < 0.98)
    g, K = disc_fields(impurity, nodes[chosen])
    np.testing.assert_allclose(block.fields["g"][chosen], g, rtol=0, atol=1e-3)
    np.testing.assert_allclose(block.fields["K"][chosen][:, :2], K, rtol=0, atol=0.05)
    problem.destroy()


def test_fields_without_edges_are_those_of_the_infinite_film():
    impurity = Impurity((0.4, -0.3), size=0.0, angle=35.0, strength=-1.5)
    film = Film(Plane(), 1.0)
    problem = MaxwellLondon(film, create_mesh(film, [impurity]))
    solution = problem.solve([impurity])
    where = {"position": impurity.position, "angle": 35.0, "strength": -1.5, "pearl_length": 1.0}
    places = np.array([(0.5, 0.1, 0.2), (-0.3, 0.7, -0.4), (1.5, -0.3, 0.0)])
    exact = infinite_film.magnetic_field(places, **where)
    np.testing.assert_allclose(magnetic_field(solution, places), exact, rtol=0, atol=1e-5)
    exact = infinite_film.scalar_potential(places, **where)
    np.testing.assert_allclose(magnetic_potential(solution, places), exact, rtol=0, atol=1e-5)
    B = flux_density(solution)
    nodes = B.function_space.tabulate_dof_coordinates()
    here = np.linalg.norm(nodes - [*impurity.position, 0.0], axis=1) > 0.1
    exact = infinite_film.magnetic_field(
        np.abs(nodes[here] * [0, 0, 1]) + nodes[here] * [1, 1, 0], **where
    )
    np.testing.assert_allclose(B.x.array.reshape(-1, 3)[here], exact, rtol=0, atol=1e-5)
    problem.destroy()


def test_refused_by_name():
    point = points((0.1, 0.2))
    film = Film(Rectangle((1.0, 1.0)), 1.0)
    with pytest.raises(StudyError, match=r"impurity 2: size = 0 .*Pearl length varies; allowed"):
        regions = (Region(Disc(0.1), 2.0),)
        patched = Film(film.shape, 1.0, regions=regions)
        create_mesh(patched, [Impurity((0.0, 0.0), size=0.1), *point])
    with pytest.raises(StudyError, match=r"impurity 1: size = 0 .*walls"):
        create_mesh(film, point, boundary=Walls("shield", (4.0, 4.0, 2.0)))
    with pytest.raises(StudyError, match=r"impurity 2: .*\[0\.1, 0\.2\] is that of impurity 1"):
        create_mesh(film, [*point, Impurity((0.1, 0.2), size=0.0, angle=5.0)])
    mesh = create_mesh(film, point, resolution=0.06, far=5.0)
    problem = MaxwellLondon(film, mesh, 1, "vector")
    with pytest.raises(StudyError, match=r"impurity 1: size = 0 .*formulation = 'vector'"):
        problem.solve(point)
    problem.destroy()


def test_impurity_between_a_round_edge_and_its_polygon_is_refused():
    film = Film(Disc(1.0), 1.0)
    mesh = create_mesh(film, points((0.0, 0.0)), resolution=0.05, far=5.0)
    problem = MaxwellLondon(film, mesh, 1)
    corners = mesh.corners("film")
    on_edge = np.linalg.norm(corners, axis=2) > 1 - 1e-9
    sides = corners[on_edge.sum(axis=1) == 2][0][on_edge[on_edge.sum(axis=1) == 2][0]]
    middle = sides.mean(axis=0)
    outside = middle / np.linalg.norm(middle) * (1 + np.linalg.norm(middle)) / 2
    with pytest.raises(StudyError, match=r"impurity 1: position = .*beyond the edge"):
        problem.solve(points(tuple(outside.tolist())))
    problem.destroy()


def test_couplings_on_growing_discs_tend_to_those_of_the_infinite_film():
    # On P off the film ψ_∞ ~ r0/R², over R: to take it away costs (r0/R²)² R = r0²/R³ of energy.
    # That is 100 times what meshes of this resolution are wrong by.
    positions = ((-0.2, 0.0), (0.25, 0.1), (0.0, -0.3))
    exact = infinite_film.interaction_tensor(positions, 1.0)
    exact[range(3), range(3)] = 0.0  # and so do edge parts of self-energies
    wrong = [
        np.abs(tensor(Film(Disc(radius), 1.0), points(*positions), resolution=0.4) - exact).max()
        for radius in (4.0, 8.0, 16.0)
    ]
    rates = np.log2(np.array(wrong[:-1]) / wrong[1:])
    assert np.all(np.abs(rates - 3.0) < 0.25)
