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

from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Disc, Film
from pearlfem.model.sources import Impurity


def circumscribed(
    film: Film, impurities: Sequence[Impurity], space: TaggedMesh
) -> tuple[Film, tuple[Impurity, ...], float]:
    """Return film and impurities shrunk until the meshed film covers the true one, and a factor.

    A larger film has more energy. The mesh of a disc is inscribed, so the vector formulation on it
    bounds the disc's energy from above only after everything else (Pearl length, positions, widths)
    is divided by s = R/(distance of the polygon's sides from the centre). Energies scale as
    1/length: those of the shrunk problem divided by s bound the true ones.

    Walls should shrink as well, but stay where they are meshed. Magnetic walls that are farther
    away only add to the energy, so that the bound holds; shields that are farther away take from
    it. There a field of the meshed space is squeezed into the shrunk one without a change on the
    film: along z, and along x and y beyond the disc, lengths become λ or more of what they were,
    and the energy of the field at most 1/λ² of what it was.

    Returns:
        Film with its shape unchanged but a shorter Pearl length, impurities, and the factor by
        which to divide energies: s, or sλ² between shields.

    Raises:
        StudyError: Shields are so near to the edge that a finer mesh is needed.

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
    factor = s * _squeeze(film.shape, space, s) ** 2
    return Film(film.shape, film.pearl_length / s), tuple(shrunk), factor


def _squeeze(disc: Disc, space: TaggedMesh, s: float) -> float:
    """Return λ for shields around a disc that all come nearer by the factor 1/s; 1 without any."""
    if "shield" not in space.groups:
        return 1.0
    space.mesh.topology.create_connectivity(2, 3)
    nodes = entities_to_geometry(space.mesh, 2, space.facets("shield")).ravel()
    offsets = space.mesh.geometry.x[nodes, :2] - disc.center
    reach = np.concatenate([offsets.max(axis=0, initial=0.0), (-offsets).max(axis=0, initial=0.0)])
    farthest = np.empty_like(reach)
    space.mesh.comm.Allreduce(reach, farthest, op=MPI.MAX)
    distance = float(farthest.min())
    if not distance > s * disc.radius:
        raise StudyError(
            f"boundary: shields at {distance:g} from the centre of {disc} are too near for a "
            f"bound on this mesh; allowed: more than {s * disc.radius:g}, or a higher resolution"
        )
    # The nearest wall is the one whose distance from the disc shrinks most; along z it is by 1/s.
    return (distance / s - disc.radius) / (distance - disc.radius)


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
