"""Points on the film, and a problem of degree 3 on the mesh that all share."""

import numpy as np
import pytest
from dolfinx import mesh as dmesh

from pearlfem import MaxwellLondon


@pytest.fixture(scope="session")
def cubic(film, mesh, impurities):
    problem = MaxwellLondon(film, mesh, degree=3)
    yield problem.solve(impurities)
    problem.destroy()


@pytest.fixture(scope="session")
def film_triangles(mesh):
    """Corners (x, y) of the film's facets, ``(n, 3, 2)`` (serial)."""
    mesh.domain.topology.create_connectivity(2, 3)
    nodes = dmesh.entities_to_geometry(mesh.domain, 2, mesh.facets("film"))
    return mesh.domain.geometry.x[nodes][..., :2]


@pytest.fixture(scope="session")
def film_points(film_triangles):
    """A point within each facet of the film, not its middle."""
    return np.einsum("c,ncx->nx", [0.5, 0.3, 0.2], film_triangles)
