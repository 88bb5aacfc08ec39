"""The sheet currents of a solution as sources of A and B in open space."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.formulation.film import FilmMesh, facet_rule
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.biot_savart.panels import quadratic_panels
from pearlfem.observables.biot_savart.tree import (
    FLUX_DENSITY,
    VECTOR_POTENTIAL,
    Kernel,
    Sheet,
    Tree,
)
from pearlfem.observables.facets import FACET_NODES, facet_currents
from pearlfem.observables.point_impurities.fields import distinct_nodes
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_DEGREE = 8  # of the quadrature over triangles that are not near


def knows_currents(solution: Solution) -> bool:
    """Return whether the fields are those of the films' currents alone, and K is finite.

    Walls, and the repetitions of a periodic space, have currents as well.
    """
    mesh = solution.mesh
    is_open = not mesh.has_walls and mesh.cell is None
    return is_open and not has_points([drive.source for drive in solution.drives])


def flux_density(solution: Solution, points: Array) -> Array:
    """Return B of the films' currents [μ0Γ/length² in reduced units]; on a film, from above.

    Args:
        solution: A solution that ``knows_currents``.
        points: The same points on every rank [length], shape ``(n, 3)``; also beyond the mesh.

    Returns:
        Array of shape ``(n, 3)``, the same on every rank.

    Raises:
        StudyError: A coordinate is not finite.

    Note:
        Collective: each rank sums over its facets.
    """
    return _sum(solution, FLUX_DENSITY, points)


def vector_potential(solution: Solution, points: Array) -> Array:
    """Return A of the films' currents [μ0Γ/length in reduced units] in Coulomb gauge.

    A is continuous everywhere. See ``flux_density``.
    """
    return _sum(solution, VECTOR_POTENTIAL, points)


def _sum(solution: Solution, kernel: Kernel, points: Array) -> Array:
    """Return the field of all films at ``points`` (collective)."""
    if np.any(wrong := ~np.isfinite(points).all(axis=1)):
        raise StudyError(f"point {points[wrong][0].tolist()}: not allowed; allowed: finite numbers")
    local = np.zeros_like(points)
    for film in solution.films:
        sheet = _sheet(solution, film, continuous=kernel is FLUX_DENSITY)
        if len(sheet.points):
            local += Tree(sheet).field(kernel, points - [0.0, 0.0, film.height])
    total = np.empty_like(local)
    solution.mesh.comm.Allreduce(local, total, op=MPI.SUM)
    return total


def _sheet(solution: Solution, film: FilmMesh, *, continuous: bool) -> Sheet:
    """Return K on this rank's facets of a film (collective).

    Where K jumps from facet to facet, as a gradient of finite elements does, B would be infinite:
    for B the currents near a point are made ``continuous``. A does not need it.
    """
    reference, weights = facet_rule(_DEGREE)
    inner = facet_currents(solution, film, reference)
    areas = np.abs(np.linalg.det(film.corners[:, 1:] - film.corners[:, :1]))
    currents = inner.K * np.outer(areas, weights)[..., None]
    nodes = facet_currents(solution, film, FACET_NODES)
    K = _continuous(film, nodes.points, nodes.K) if continuous else nodes.K
    return Sheet(quadratic_panels(nodes.points, K), inner.points, currents)


def _continuous(film: FilmMesh, nodes: Array, K: Array) -> Array:
    """Return K at the facets' nodes, averaged over all facets of the same region at a node.

    Args:
        film: The film.
        nodes: Nodes of this rank's facets, ``(n, 6, 2)``.
        K: K there, ``(n, 6, 2)``.

    Note:
        Collective.
    """
    comm = film.comm
    regions = np.repeat(film.regions.astype(float), nodes.shape[1])
    places = comm.allgather(nodes.reshape(-1, 2))
    starts = np.cumsum([0, *map(len, places)])
    _, position = distinct_nodes(np.concatenate(places))
    _, which = np.unique(
        np.stack([position.ravel(), np.concatenate(comm.allgather(regions))]),
        axis=1,
        return_inverse=True,
    )
    which = which.ravel()
    values = np.concatenate(comm.allgather(K.reshape(-1, 2)))
    counts = np.bincount(which)
    means = np.stack([np.bincount(which, values[:, k]) / counts for k in (0, 1)], axis=1)
    mine = which[starts[comm.rank] : starts[comm.rank + 1]]
    return np.asarray(means[mine].reshape(K.shape))
