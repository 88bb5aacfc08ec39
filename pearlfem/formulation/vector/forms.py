"""The weak form of the vector formulation in London gauge (primal: an upper bound).

A contains the gradient of the phase. Find A in H(curl), with n × A = 0 on the far boundary and on
shields, such that for all v with the same boundary values

    B(A, v) = ½ ∫ (1/μ0) curl A·curl v dV + ∫_Γ (κ/2) A_t·v_t dS = ℓ(v),
    ℓ(v) = −∫_Γ (κ/2) a·v_t dS,     F = ∫_Γ (κ/2) |a|² dS − [2ℓ(A) − B(A, A)],

in reduced units (μ0 = 1). Γ is the union of all films. In a mirror symmetric space, half of the
integral over space is the integral over z > 0. H_t = 0 is a natural boundary condition: on magnetic
walls and, in a mirror symmetric space, on the plane off the film.

Where the film hardly screens, A is nearly a gradient, which has no field. So the gradient is split
off first: with χ in the space of potentials, and ∫_Γ (κ/2) (a + ∇χ)·∇w dS = 0 for all w in it,
a + ∇χ takes the place of a. This changes neither F nor the sum A + a, but the rest of A is as small
as the size of the film over r0, and its curl does not drown in the round-off of the gradient.

F is the minimum over all A of H(curl). So a Galerkin solution bounds the free energy of unbounded
space from above. B and ℓ are both zero for gradients that vanish on the films: the linear system is
singular but consistent, and conjugate gradients converge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

from pearlfem.formulation.film import (
    FilmMesh,
    film_measures,
    half_space_weight,
    surface_gradient,
)
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_form


def create_function_space(mesh: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the Nédélec space (first kind) of ``degree`` for A (collective)."""
    return fem.functionspace(mesh.domain, ("N1curl", degree))


def create_potential_space(mesh: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the Lagrange space of ``degree``; its gradients lie in the space of A (collective)."""
    return fem.functionspace(mesh.domain, ("Lagrange", degree))


def create_vector_space(mesh: TaggedMesh) -> fem.FunctionSpace:
    """Return the space of continuous vector fields of degree 1 (collective)."""
    return fem.functionspace(mesh.domain, ("Lagrange", 1, (3,)))


def fixed_dofs(V: fem.FunctionSpace, mesh: TaggedMesh) -> Int32Array:
    """Return this rank's dofs, including ghosts, on the far boundary and on shields.

    Blocks of a vector space are unrolled: each component has its own dof.
    """
    blocks = fem.locate_dofs_topological(V, 2, mesh.facets("far", "shield"))
    size = V.dofmap.index_map_bs
    unrolled = size * blocks[:, None] + np.arange(size)
    return np.asarray(unrolled.ravel(), dtype=np.int32)


def dofs_without_film(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> Int32Array:
    """Return this rank's dofs (with ghosts) of a scalar space that are fixed or not on a film."""
    mesh, index_map = films[0].mesh, V.dofmap.index_map
    free = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=bool)
    facets = mesh.facets(*(film.group for film in films))
    free[fem.locate_dofs_topological(V, 2, facets)] = True
    free[fixed_dofs(V, mesh)] = False
    return np.flatnonzero(~free).astype(np.int32)


def free_islands(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> list[Int32Array]:
    """Return the owned dofs of a scalar space on each island without fixed dofs.

    On such an island a constant scalar has no gradient, and thus no energy.

    Returns:
        One array for each free island of all films; it may be empty on this rank.

    Note:
        Collective.
    """
    return [dofs for film in films for dofs in _free_islands_of(V, film)]


def _free_islands_of(V: fem.FunctionSpace, film: FilmMesh) -> list[Int32Array]:
    """Return ``free_islands`` of one film."""
    mesh = film.mesh
    cells, local = film.sides.T
    facets = mesh.domain.topology.connectivity(3, 2).array.reshape(-1, 4)[cells, local]
    islands = film.film.islands_at(film.corners.mean(axis=1))
    fixed, owned = fixed_dofs(V, mesh), V.dofmap.index_map.size_local
    free = []
    for island in range(film.film.islands):
        marks = fem.Function(V)
        marks.x.array[fem.locate_dofs_topological(V, 2, facets[islands == island])] = 1.0
        # A facet is on one rank, but its dofs may be on several.
        marks.x.scatter_reverse(dolfinx.la.InsertMode.add)
        marks.x.scatter_forward()
        has_fixed = np.any(marks.x.array[fixed] > 0)
        if not film.comm.allreduce(bool(has_fixed), op=MPI.LOR):
            free.append(np.flatnonzero(marks.x.array[:owned] > 0).astype(np.int32))
    return free


def energy_form(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> fem.Form:
    """Return the form B(A, v) = ½ ∫ curl A·curl v dV + ∫_Γ (κ/2) A_t·v_t dS (collective)."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    form = half_space_weight(films[0].mesh) * ufl.inner(ufl.curl(u), ufl.curl(v)) * ufl.dx
    return compiled_form(form + _film_term(u, v, films), V.mesh.comm)


def film_form(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> fem.Form:
    """Return the part ∫_Γ (κ/2) A_t·v_t dS of B (collective)."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    return compiled_form(_film_term(u, v, films), V.mesh.comm)


def _film_term(u: Any, v: Any, films: Sequence[FilmMesh]) -> Any:
    """Return ∫_Γ (κ/2) u_t·v_t dS as a UFL form (collective)."""
    half = fem.Constant(films[0].mesh.domain, 0.5)
    return sum(
        half * film.superfluid_weight() * ufl.inner(_tangential(u), _tangential(v)) * dS
        for film, dS in zip(films, film_measures(films), strict=True)
    )


def potential_form(V: fem.FunctionSpace, films: Sequence[FilmMesh], *, definite: bool) -> fem.Form:
    """Return the form ∫_Γ (κ/2) (∇_s u·∇_s v + ε u v) dS of potentials; B(∇u, ∇v) for ε = 0.

    With ε = 0, a constant on an island has no energy. ε = 1/area makes the form ``definite`` and
    changes other energies by a few per cent, which is accurate enough for a preconditioner.

    Note:
        Collective.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    comm, one, half = V.mesh.comm, fem.Constant(V.mesh, 1.0), fem.Constant(V.mesh, 0.5)
    parts = []
    for film, dS in zip(films, film_measures(films), strict=True):
        area = comm.allreduce(fem.assemble_scalar(compiled_form(one * film.measure(), comm)))
        shift = fem.Constant(V.mesh, 1.0 / area if definite else 0.0)
        product = ufl.inner(surface_gradient(u), surface_gradient(v)) + shift * u * v
        parts.append(half * film.superfluid_weight() * product * dS)
    return compiled_form(sum(parts[1:], start=parts[0]), comm)


def load_density(background: Array, superfluid_weight: Array) -> Array:
    """Return t = −(κ/2) a, so that ℓ(v) = −∫_Γ (κ/2) a·v dS = ∫_Γ t·v dS.

    Args:
        background: a, shape ``(…, 2)``.
        superfluid_weight: κ, shape ``(…)``.

    Returns:
        Array of shape ``(…, 2)``.
    """
    return -0.5 * superfluid_weight[..., None] * background


def _tangential(u: Any) -> Any:
    """Return the UFL expression u_t: the components of u along the films."""
    return ufl.as_vector([u[0], u[1]])
