"""Solutions whose potential is a polynomial, so that every number in a file is known; a browser."""

import dataclasses
import shutil
import subprocess

import basix.ufl
import numpy as np
import pytest
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from pearlfem import MaxwellLondon
from pearlfem.formulation.fields import Fields
from pearlfem.mesh.tagged import TaggedMesh

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def inverted_box():
    """A box of which half the cells are inside out; its lid z = 0 is the film."""
    box = dmesh.create_box(MPI.COMM_SELF, [[-1, -1, 0], [2, 1, 1]], [3, 3, 2])
    cells = box.geometry.dofmaps[0].astype(np.int64)
    cells[::2, 1:3] = cells[::2, 2:0:-1]
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    box = dmesh.create_mesh(MPI.COMM_SELF, cells, element, box.geometry.x)
    box.topology.create_connectivity(2, 3)
    film = dmesh.locate_entities_boundary(box, 2, lambda x: np.isclose(x[2], 0.0))
    outer = dmesh.exterior_facet_indices(box.topology)  # sorted
    tags = dmesh.meshtags(box, 2, outer, np.where(np.isin(outer, film), 1, 2).astype(np.int32))
    return TaggedMesh(box, tags, {"film": 1, "far": 2})


@pytest.fixture(scope="session", params=["disc", "inverted"])
def stated(request, plane_film, impurities, inverted_box, solution):
    """ψ = x y − z²/2 + 3 z + x: then B = −(y + 1, x, 3 − z)."""
    if request.param == "inverted":
        problem = MaxwellLondon(plane_film, inverted_box, degree=2)
        request.addfinalizer(problem.destroy)
        solution = problem.solve([dataclasses.replace(i, size=0.5) for i in impurities])
    psi = fem.Function(solution.potential.function_space)
    psi.interpolate(lambda x: x[0] * x[1] - 0.5 * x[2] ** 2 + 3.0 * x[2] + x[0])
    g = fem.Function(psi.function_space)
    g.x.array[:] = 2 * psi.x.array
    return dataclasses.replace(solution, expand=lambda _: Fields(psi, (g,)))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Run headless Chromium; return what it prints."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is in PATH")
    profile = tmp_path_factory.mktemp("browser")

    def run(*arguments):
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        command = [found[0], *options, f"--user-data-dir={profile}", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
