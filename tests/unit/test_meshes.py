"""The stored meshes are what meshes/README.md says, and what their scripts write."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import MaxwellLondon, free_energy, read_mesh

MESHES = Path(__file__).parents[2] / "meshes"
FAR = 10.0
FILM_RADIUS = {"plane": FAR, "disc": 1.0}


@pytest.fixture(scope="module", params=["plane", "disc"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def generator(name):
    return runpy.run_path(str(MESHES / f"{name}.py"))


@pytest.fixture(scope="module")
def mesh(name):
    return read_mesh(MESHES / f"{name}.msh", MPI.COMM_SELF)


def corners(mesh, group):
    """Return the corners of a group's triangles, shape (n, 3, 3)."""
    topology, geometry = mesh.domain.topology, mesh.domain.geometry
    nodes = np.empty(len(geometry.x), dtype=int)
    nodes[topology.connectivity(3, 0).array] = geometry.dofmaps[0].ravel()
    vertices = topology.connectivity(2, 0).array.reshape(-1, 3)
    return geometry.x[nodes[vertices[mesh.facets(group)]]]


def area(triangles):
    sides = triangles[:, 1:] - triangles[:, :1]
    return np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2


def circumradius(triangles):
    """Return the largest radius abc / 4·area of the circles through the corners."""
    sides = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2)
    return max(abc / (4 * area(t[None])) for abc, t in zip(sides.prod(1), triangles, strict=True))


def test_groups(name, mesh):
    text = (MESHES / f"{name}.msh").read_text(encoding="ascii")
    expected = {"film", "far"} | ({"plane"} if name == "disc" else set())
    assert set(mesh.groups) == expected
    assert all(len(mesh.facets(group)) for group in expected)
    assert '3 1 "space"' in text
    assert "/" not in text, "a path of some machine"


def check_inscribed_polygon(triangles, radius):
    """Compare the area of flat ``triangles`` with the polygon through their corners on the rim."""
    assert np.abs(triangles[..., 2]).max() < 1e-12
    flat = triangles.reshape(-1, 3)
    rim = flat[np.isclose(np.hypot(flat[:, 0], flat[:, 1]), radius, rtol=1e-9)]
    angles = np.unique(np.arctan2(rim[:, 1], rim[:, 0]).round(9))
    steps = np.diff(angles, append=angles[0] + 2 * math.pi)
    assert area(triangles) == pytest.approx(radius**2 / 2 * np.sin(steps).sum(), rel=1e-7)
    # A chord that spans the angle θ cuts off the part 1 − sin θ/θ < θ²/6 of its sector.
    assert 1 - steps.max() ** 2 / 6 < area(triangles) / (math.pi * radius**2) < 1


def test_film_is_inscribed_in_its_shape(name, mesh):
    check_inscribed_polygon(corners(mesh, "film"), FILM_RADIUS[name])


def test_film_and_plane_are_the_bottom(mesh):
    bottom = np.concatenate([corners(mesh, "film"), corners(mesh, "plane")])
    check_inscribed_polygon(bottom, FAR)


def test_volume_is_that_of_the_half_ball(mesh):
    far = corners(mesh, "far")
    assert np.linalg.norm(far, axis=2) == pytest.approx(FAR, rel=1e-9)
    tetrahedra = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
    volume = np.abs(np.linalg.det(tetrahedra[:, 1:] - tetrahedra[:, :1])).sum() / 6
    # A facet whose corners lie on the sphere comes as close to the centre as √(R² − ρ²), ρ its
    # circumradius.
    inner = (1 - (circumradius(far) / FAR) ** 2) ** 1.5
    assert inner < volume / (2 * math.pi / 3 * FAR**3) < 1


def test_script_writes_it_again(mesh, generator, tmp_path):
    cells = generator["write"](tmp_path / "again.msh")
    assert cells == pytest.approx(mesh.cells, rel=0.1)  # another gmsh may differ a little


def test_solve_on_it(mesh, generator):
    problem = MaxwellLondon(generator["FILM"], mesh, degree=1)
    energy = free_energy(problem.solve(generator["IMPURITIES"]))
    problem.destroy()
    fine = MaxwellLondon(generator["FILM"], mesh, degree=3)
    better = free_energy(fine.solve(generator["IMPURITIES"]))
    fine.destroy()
    assert 0 < energy < better  # both bound the energy from below, in nested spaces
