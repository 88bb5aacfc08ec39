"""Films between walls: exact kernels, mirror symmetry, bounds."""

import math
from itertools import pairwise

import basix.ufl
import numpy as np
import pytest
from dolfinx import mesh as dmesh
from mpi4py import MPI
from scipy.integrate import quad

from pearlfem import (
    Disc,
    Film,
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
)
from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import TaggedMesh

INF = math.inf
KINDS = ("shield", "magnetic-wall")
SOURCE = (Impurity((0.05, 0.0), size=0.1, angle=30.0),)


def self_energy(size, pearl_length, walls):
    """F = (Γ²/8πκ) ∫ q k(q) e^{−q²ξ²} dq, k = q r0 c/(1 + q r0 c), c the mean over both sides.

    c = coth qL of a shield at the distance L from the film, tanh qL of a magnetic wall.
    """

    def integrand(q):
        tanh = np.tanh(q * np.abs(walls.heights))
        c = np.mean(1 / tanh if walls.kind == "shield" else tanh)
        screened = q * pearl_length * c
        return q * screened / (1 + screened) * np.exp(-((q * size) ** 2))

    ends = np.concatenate([[1e-12], np.geomspace(1e-4, 10.0, 30)]) / size
    parts = [quad(integrand, a, b, epsrel=1e-11)[0] for a, b in pairwise(ends)]
    return sum(parts) * pearl_length / (16 * np.pi)


def solve(film, mesh, degree, formulation, impurities=SOURCE):
    problem = MaxwellLondon(film, mesh, degree, formulation)
    solution = problem.solve(impurities)
    energy = free_energy(solution)
    problem.destroy()
    return energy, solution


@pytest.mark.parametrize("pearl_length", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("height", [0.0, 0.2])  # of the centre: half and whole space
@pytest.mark.parametrize("kind", KINDS)
def test_exact_self_energy_lies_between_the_bounds(kind, height, pearl_length):
    walls = Walls(kind, (INF, INF, 0.8), (0.0, 0.0, height))
    film = Film(Plane(), pearl_length)
    mesh = create_mesh(film, SOURCE, boundary=walls, resolution=0.5, far=6.0)
    exact = self_energy(0.1, pearl_length, walls)
    for degree in (1, 2):
        lower, stream = solve(film, mesh, degree, "stream")
        upper, vector = solve(film, mesh, degree, "vector")
        assert lower < exact < upper
        assert stream.iterations <= 20
        assert vector.iterations <= {1: 15, 2: 25}[degree]
    # Cells of 0.8 ξ, and shields whose far field of 1/r² is cut off at 6 heights. If they are 8 r0
    # large, the gap is that of open space: 0.16.
    assert upper - lower < (0.25 if pearl_length == 0.01 else 0.1) * exact


def test_degree_three_in_the_whole_space_is_accurate():
    film, walls = Film(Plane(), 1.0), Walls("magnetic-wall", (INF, INF, 0.8), (0.0, 0.0, 0.2))
    mesh = create_mesh(film, SOURCE, boundary=walls, far=8.0)
    lower, solution = solve(film, mesh, 3, "stream")
    # Fields between magnetic walls fall exponentially, over √(r0 · 0.4), and end at 10 times that.
    assert -1e-5 < lower / self_energy(0.1, 1.0, walls) - 1 < 0
    assert solution.iterations <= 20


def unfolded(half: TaggedMesh) -> TaggedMesh:
    """The whole space of which ``half`` is the half, with mirrored cells below (serial)."""
    x, cells = half.domain.geometry.x, half.domain.geometry.dofmaps[0].astype(np.int64)
    image = np.where(x[:, 2] == 0.0, np.arange(len(x)), -1)
    image[image < 0] = len(x) + np.arange((image < 0).sum())
    nodes = np.concatenate([x, x[x[:, 2] != 0.0] * [1, 1, -1]])
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    both = np.concatenate([cells, image[cells]])
    whole = dmesh.create_mesh(MPI.COMM_SELF, both, element, nodes)
    half.domain.topology.create_connectivity(2, 3)
    names = half.facets(*half.groups)
    middles = x[dmesh.entities_to_geometry(half.domain, 2, names)].mean(axis=1).round(9)
    numbers = half.facet_tags.values[np.searchsorted(half.facet_tags.indices, names)]
    number_at = dict(zip(map(tuple, middles), numbers, strict=True))
    whole.topology.create_connectivity(2, 3)
    count = whole.topology.index_map(2).size_local
    corners = dmesh.entities_to_geometry(whole, 2, np.arange(count, dtype=np.int32))
    places = whole.geometry.x[corners].mean(axis=1).round(9)
    places[:, 2] = np.abs(places[:, 2])
    values = np.array([number_at.get(tuple(place), -1) for place in places], np.int32)
    tagged = np.flatnonzero(values >= 0).astype(np.int32)
    tags = dmesh.meshtags(whole, 2, tagged, values[tagged])
    return TaggedMesh(whole, tags, half.groups, mirrored=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["plane", "disc"])
def test_whole_space_gives_what_its_half_gives(shape, kind):
    # On the unfolded mesh the odd potentials are those of the half: equal but for the solver.
    film = Film(Disc(1.0) if shape == "disc" else Plane(), 0.5)
    walls = Walls(kind, (3.0, 2.5, 1.6), (0.1, 0.0, 0.0))
    resolution = {"plane": 0.25, "disc": 0.15}[shape]  # the disc's edge asks for finer cells anyway
    half = create_mesh(film, SOURCE, boundary=walls, resolution=resolution, comm=MPI.COMM_SELF)
    points = [(0.11, 0.07), (-0.32, 0.4)]
    mesh = [(0.1, 0.3, 0.2), (0.1, 0.3, -0.2), (0.2, 0.1, 0.0)]
    for formulation in ("stream", "vector"):
        energies, answers = [], []
        for domain in (half, unfolded(half)):
            energy, solution = solve(film, domain, 2, formulation)
            energies.append(energy)
            answers.append([sheet_current(solution, points), magnetic_field(solution, mesh)])
            if formulation == "stream" and (shape, kind) != ("plane", "shield"):
                answers[-1] += [stream_function(solution, points), magnetic_moment(solution)]
        assert energies[0] == pytest.approx(energies[1], rel=1e-11)
        for one, other in zip(*answers, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(one).max())


@pytest.mark.parametrize("kind", KINDS)
def test_field_obeys_the_walls(kind):
    film, walls = Film(Disc(1.0), 0.5), Walls(kind, (3.0, 3.0, 2.0), (0.0, 0.0, 0.5))
    mesh = create_mesh(film, SOURCE, boundary=walls, resolution=0.5)
    _, solution = solve(film, mesh, 2, "stream")
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
    on_walls = [np.column_stack([points, np.full(200, z)]) for z in (1.5, -0.5)]
    B = magnetic_field(solution, np.concatenate(on_walls))
    if kind == "shield":  # natural, so as small as the mesh is fine
        assert np.mean(B[:, 2] ** 2) < 0.2**2 * np.mean(np.sum(B[:, :2] ** 2, axis=1))
    else:
        assert np.abs(B[:, :2]).max() < 1e-9 * np.abs(B[:, 2]).max()


def test_current_into_shields_has_no_moment():
    film, walls = Film(Plane(), 0.5), Walls("shield", (2.0, 2.0, 1.0), (0.0, 0.0, 0.1))
    mesh = create_mesh(film, SOURCE, boundary=walls, resolution=0.3)
    _, solution = solve(film, mesh, 1, "stream")
    with pytest.raises(StudyError, match="shields"):
        magnetic_moment(solution)


# --- bounds of a disc


@pytest.mark.parametrize(("kind", "height"), [("shield", 0.2), ("magnetic-wall", 0.0)])
def test_bounds_of_a_disc_in_a_box_hold_on_coarse_meshes(kind, height):
    film, walls = Film(Disc(1.0), 0.3), Walls(kind, (2.6, 2.6, 1.0), (0.0, 0.0, height))
    off_centre = [Impurity((0.7, 0.1), size=0.2)]
    fine = create_mesh(film, off_centre, boundary=walls, resolution=0.15)
    problem = MaxwellLondon(film, fine, 3)
    # From below, by some 1e-4: the bounds are a hundred times as far apart.
    reference = interaction_tensor(problem.solve_each(off_centre))[0, 0]
    problem.destroy()
    for resolution in (0.05, 0.1):
        mesh = create_mesh(film, off_centre, boundary=walls, resolution=resolution)
        problem = MaxwellLondon(film, mesh, 2)
        lower = interaction_tensor(problem.solve_each(off_centre))[0, 0]
        problem.destroy()
        problem = MaxwellLondon(film, mesh, 2, "vector")
        upper = interaction_tensor(problem.solve_each(off_centre))[0, 0]
        problem.destroy()
        for a in (0, 1):
            assert lower[a, a] < reference[a, a]
            assert reference[a, a] < upper[a, a]
