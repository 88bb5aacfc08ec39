"""Energies of the currents and of their magnetic field, in each cell and in total.

    E_kin = Σ ∫_Γ |K|²/(2κ) dS over all films,    E_field = ∫ |B|²/(2μ0) dV over all space.

B is the field of the films' currents, without applied fields. The sum of both energies is the free
energy F:

- In the vector formulation F is this sum, for any A.
- In the stream formulation the sum is B(ψ, ψ), and F = 2ℓ(ψ) − B(ψ, ψ). They are equal for the
  Galerkin solution, which has B(ψ, ψ) = ℓ(ψ).

So they differ only by the error of the iterative solver and, where κ varies smoothly, by its
interpolation in the operator.
"""

from __future__ import annotations

import basix
import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import fem

from pearlfem.formulation.film import FilmMesh, facet_rule
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.checks import refuse_points
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.facets import FacetCurrents, facet_currents
from pearlfem.observables.fields import FIELD_DEGREE, flux_density
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution


def kinetic_energy(solution: Solution) -> float:
    """Return E_kin = Σ ∫_Γ |K|²/(2κ) dS over all films [μ0Γ²/length in reduced units].

    Raises:
        StudyError: A source is a point impurity, which makes the energy infinite.

    Note:
        Collective; the result is the same on every rank.
    """
    _refuse_points(solution)
    reference, _ = facet_rule()
    local = 0.0
    for film in solution.films:
        local += float(np.sum(kinetic_energies(film, facet_currents(solution, film, reference))))
    return float(solution.mesh.comm.allreduce(local))


def field_energy(solution: Solution) -> float:
    """Return E_field = ∫ |B|²/(2μ0) dV over space [μ0Γ²/length in reduced units].

    The integral includes both halves of a mirror symmetric space, and one periodic cell of a
    periodic space.

    Raises:
        StudyError: A source is a point impurity, which makes the energy infinite.

    Note:
        Collective; the result is the same on every rank.
    """
    _refuse_points(solution)
    local = float(np.sum(field_energies(solution.mesh, nodal_vectors(flux_density(solution)))))
    return float(solution.mesh.comm.allreduce(local))


def has_finite_energy(solution: Solution) -> bool:
    """Return whether the energies are finite: whether no source is a point impurity."""
    return not has_points([drive.source for drive in solution.drives])


def kinetic_energies(film: FilmMesh, currents: FacetCurrents) -> Array:
    """Return ∫ |K|²/(2κ) dS over each of this rank's n facets of the film, shape ``(n,)``.

    Args:
        film: The film.
        currents: K at the points of ``facet_rule()`` on each facet.

    Returns:
        Energies [μ0Γ²/length in reduced units].

    Note:
        Not collective.
    """
    regions = np.broadcast_to(film.regions[:, None], currents.K.shape[:-1])
    kappa = film.film.superfluid_weight(currents.points, regions)
    densities = np.sum(currents.K**2, axis=2) / (2 * kappa)
    return np.asarray(np.sum(film.quadrature.weights * densities, axis=1))


def field_energies(mesh: TaggedMesh, B: Array) -> Array:
    """Return ∫ |B|²/(2μ0) dV over each of this rank's n owned cells, shape ``(n,)``.

    In the half of a mirror symmetric space, the energy of a cell includes that of its mirror image.

    Args:
        mesh: The mesh.
        B: Vectors at the k nodes of each cell, from ``nodal_vectors``, ``(n, k, 3)``.

    Returns:
        Energies [μ0Γ²/length in reduced units].

    Note:
        Not collective.
    """
    corners = mesh.domain.geometry.x[cell_corners(mesh)]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    squares = np.einsum("cik,ij,cjk->c", B, _mass(), B, optimize=True)
    return np.asarray((1.0 if mesh.mirrored else 0.5) * volumes * squares)


def nodal_vectors(B: fem.Function) -> Array:
    """Return the values of a discontinuous vector field at the nodes of each owned cell.

    Returns:
        Array of shape ``(n, k, 3)`` for n owned cells with k nodes each.
    """
    owned = B.function_space.mesh.topology.index_map(3).size_local
    return np.asarray(B.x.array.reshape(-1, 3)[B.function_space.dofmap.list[:owned]])


def cell_corners(mesh: TaggedMesh) -> npt.NDArray[np.integer]:
    """Return the numbers of the four corners of each owned cell, shape ``(n, 4)``."""
    owned = mesh.domain.topology.index_map(3).size_local
    return np.asarray(mesh.domain.geometry.dofmaps[0][:owned])


def _refuse_points(solution: Solution) -> None:
    """Refuse solutions with point impurities."""
    refuse_points([drive.source for drive in solution.drives], "for the energy of fields")


def _mass() -> Array:
    """Return the mean over a cell of each product of two basis functions of B, ``(k, k)``."""
    rule = basix.make_quadrature(basix.CellType.tetrahedron, 2 * FIELD_DEGREE)
    points, weights = (np.asarray(array, dtype=float) for array in rule)
    element = basix.ufl.element("DG", "tetrahedron", FIELD_DEGREE)
    functions = np.asarray(element.tabulate(0, points), dtype=float)[0]
    # The reference tetrahedron has the volume 1/6.
    return np.asarray(6.0 * functions.T @ (weights[:, None] * functions))
