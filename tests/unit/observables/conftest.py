"""Points on the film, and a problem of degree 3 on the mesh that all share."""

import numpy as np
import pytest
from dolfinx import mesh

from pearlfem import MaxwellLondon


@pytest.fixture(scope="session")
def cubic(film, space, impurities):
    problem = MaxwellLondon(film, space, degree=3)
    yield problem.solve(impurities)
    problem.destroy()


@pytest.fixture(scope="session")
def film_triangles(space):
    """Corners (x, y) of the film's facets, ``(n, 3, 2)`` (serial)."""
    space.mesh.topology.create_connectivity(2, 3)
    nodes = mesh.entities_to_geometry(space.mesh, 2, space.facets("film"))
    return space.mesh.geometry.x[nodes][..., :2]


@pytest.fixture(scope="session")
def film_points(film_triangles):
    """A point within each facet of the film, not its middle."""
    return np.einsum("c,ncx->nx", [0.5, 0.3, 0.2], film_triangles)
