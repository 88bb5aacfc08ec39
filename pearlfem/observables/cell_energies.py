"""Energies of the currents and of their magnetic field, cell by cell and in total.

    E_kin = Σ ∫_Γ |K|²/(2κ) dS over all films,    E_field = ∫ |B|²/(2μ0) dV over all space,

with B of the films' currents, without applied fields. Their sum is the free energy F:

- vector formulation: F is this sum, for any A;
- stream formulation: the sum is B(ψ, ψ) and F = 2ℓ(ψ) − B(ψ, ψ), which are equal at the solution,
  where B(ψ, ψ) = ℓ(ψ).

What is left is the error of the iterative solver and, where κ varies smoothly, its interpolation
in the operator.
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
    """Return E_kin = ∫_Γ |K|²/(2κ) dS of all films [μ0Γ²/length in reduced units].

    Raises:
        StudyError: A source is a point impurity, around which the energy is infinite.

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
    """Return E_field = ∫ |B|²/(2μ0) dV of all space [μ0Γ²/length in reduced units].

    Both halves of a mirror symmetric space count, and one cell of a periodic space.

    Raises:
        StudyError: A source is a point impurity, around which the energy is infinite.

    Note:
        Collective; the result is the same on every rank.
    """
    _refuse_points(solution)
    local = float(np.sum(field_energies(solution.mesh, nodal_vectors(flux_density(solution)))))
    return float(solution.mesh.comm.allreduce(local))


def has_finite_energy(solution: Solution) -> bool:
    """Return whether no source is a point impurity, around which energies are infinite."""
    return not has_points([drive.source for drive in solution.drives])


def kinetic_energies(film: FilmMesh, currents: FacetCurrents) -> Array:
    """Return ∫ |K|²/(2κ) dS over each of the film's facets that this rank owns, ``(facets,)``.

    Args:
        film: The film.
        currents: K at the points of ``facet_rule()``.

    Note:
        Not collective.
    """
    _, weights = facet_rule()
    regions = np.broadcast_to(film.regions[:, None], currents.K.shape[:-1])
    kappa = film.film.superfluid_weight(currents.points, regions)
    densities = np.sum(currents.K**2, axis=2) / (2 * kappa)
    return np.asarray(2 * facet_areas(film) * (densities @ weights))


def facet_areas(film: FilmMesh) -> Array:
    """Return the areas of the film's facets that this rank owns [length²], ``(facets,)``."""
    return np.asarray(np.abs(np.linalg.det(film.corners[:, 1:] - film.corners[:, :1])) / 2)


def field_energies(mesh: TaggedMesh, B: Array) -> Array:
    """Return ∫ |B|²/2 dV over each cell that this rank owns, ``(cells,)``.

    Args:
        mesh: The mesh; if it is one half of a mirror symmetric space, the other half counts too.
        B: Vectors at the nodes of the cells, as of ``nodal_vectors``, ``(cells, nodes, 3)``.

    Note:
        Not collective.
    """
    corners = mesh.domain.geometry.x[cell_corners(mesh)]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    squares = np.einsum("cik,ij,cjk->c", B, _mass(), B, optimize=True)
    return np.asarray((1.0 if mesh.mirrored else 0.5) * volumes * squares)


def nodal_vectors(B: fem.Function) -> Array:
    """Return a discontinuous vector field at the nodes of the cells that this rank owns.

    Returns:
        Array of shape ``(cells, nodes, 3)``.
    """
    owned = B.function_space.mesh.topology.index_map(3).size_local
    return np.asarray(B.x.array.reshape(-1, 3)[B.function_space.dofmap.list[:owned]])


def cell_corners(mesh: TaggedMesh) -> npt.NDArray[np.integer]:
    """Return the geometry's nodes of the cells that this rank owns."""
    owned = mesh.domain.topology.index_map(3).size_local
    return np.asarray(mesh.domain.geometry.dofmaps[0][:owned])


def _refuse_points(solution: Solution) -> None:
    refuse_points([drive.source for drive in solution.drives], "for the energy of fields")


def _mass() -> Array:
    """Return the products of B's basis functions, their means over a cell."""
    rule = basix.make_quadrature(basix.CellType.tetrahedron, 2 * FIELD_DEGREE)
    points, weights = (np.asarray(part, dtype=float) for part in rule)
    element = basix.ufl.element("DG", "tetrahedron", FIELD_DEGREE)
    shapes = np.asarray(element.tabulate(0, points), dtype=float)[0]
    return np.asarray(6.0 * shapes.T @ (weights[:, None] * shapes))
