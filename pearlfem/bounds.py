"""Guaranteed bounds of the interaction tensor: both formulations on one mesh.

As quadratic forms, stream formulation ≤ exact ≤ vector formulation. Covered by the guarantee are
the errors of the elements, of the far boundary, of the iterative solvers (squared, and of the right
sign) and of the polygon in place of a circle. Not covered are round-off and the quadrature of
Gaussian sources, whose relative error of 1e-9 is below every gap that is worth computing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from dolfinx.mesh import entities_to_geometry
from mpi4py import MPI

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Disc, Film
from pearlfem.model.sources import Impurity


def circumscribed(
    film: Film, impurities: Sequence[Impurity], space: TaggedMesh
) -> tuple[Film, tuple[Impurity, ...], float]:
    """Return film and impurities shrunk until the meshed film covers the true one, and by how much.

    A larger film has more energy. The mesh of a disc is inscribed, so the vector formulation on it
    bounds the disc's energy from above only after everything else (Pearl length, positions, widths)
    is divided by s = R/(distance of the polygon's sides from the centre). Energies scale as
    1/length: those of the shrunk problem divided by s bound the true ones.

    Returns:
        Film with its shape unchanged but a shorter Pearl length, impurities, and s ≥ 1.

    Note:
        Collective.
    """
    if not isinstance(film.shape, Disc):
        return film, tuple(impurities), 1.0
    s = film.shape.radius / _distance_of_sides(film.shape, space)
    center = np.array(film.shape.center)
    shrunk = []
    for i in impurities:
        x, y = center + (np.array(i.position) - center) / s
        shrunk.append(Impurity((float(x), float(y)), i.size / s, i.angle, i.strength))
    return Film(film.shape, film.pearl_length / s), tuple(shrunk), s


def _distance_of_sides(disc: Disc, space: TaggedMesh) -> float:
    """Return the smallest distance from the centre of an edge with both ends on the circle."""
    space.mesh.topology.create_connectivity(2, 3)
    nodes = entities_to_geometry(space.mesh, 2, space.facets("film"))
    corners = space.mesh.geometry.x[nodes][:, :, :2] - disc.center
    on_circle = np.linalg.norm(corners, axis=2) > disc.radius * (1 - 1e-9)
    nearest = disc.radius
    for a, b in ((0, 1), (1, 2), (2, 0)):
        sides = on_circle[:, a] & on_circle[:, b]
        middles: npt.NDArray[np.float64] = (corners[sides, a] + corners[sides, b]) / 2
        nearest = min(nearest, np.linalg.norm(middles, axis=1).min(initial=nearest))
    return float(space.mesh.comm.allreduce(nearest, op=MPI.MIN))
