"""The stream formulation: magnetic scalar potential ψ off the film (dual: a lower bound).

K = ∇g × ẑ on the film and H = −∇ψ in space, where ψ jumps by g across the film. ψ is zero on the
far boundary and on magnetic walls; B·n = 0 on shields is natural. In reduced units (μ0 = 1) find ψ

    B(ψ, v) = ½ ∫ ∇ψ·∇v dV + ∫_Γ (1/2κ) ∇_s g·∇_s h dS = ℓ(v),     ℓ(v) = −½ ∫_Γ h rot a dS,

for all v that are zero where ψ is, where v jumps by h. Every conforming ψ gives F ≥ 2ℓ(ψ) − B(ψ, ψ)
with equality at the solution, so a Galerkin solution bounds the free energy of unbounded space from
below.

In a mirror symmetric space ψ is odd in z: z > 0 is enough, where ψ is zero on the plane off the
film and g = 2ψ(z = 0⁺). In any other space ψ = u + ½ sign(z) g with u and g continuous: u is the
mean of both sides on the film. Discretely g has its dofs on the film and reaches one cell far.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

from pearlfem.formulation.film import film_function, film_measure, surface_gradient
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_form


def create_function_space(mesh: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the continuous Lagrange space of ``degree`` for ψ, or for u and g."""
    return fem.functionspace(mesh.domain, ("Lagrange", degree))


def fixed_dofs(V: fem.FunctionSpace, mesh: TaggedMesh) -> Int32Array:
    """Return this rank's dofs (ghosts too) where ψ, or u, is zero.

    On the far boundary, on magnetic walls, and in a mirror symmetric space on the plane off the
    film. If there is none of these, one dof stands for the constant that has no energy.

    Note:
        Collective.
    """
    names = ("far", "magnetic-wall", "plane") if mesh.mirrored else ("far", "magnetic-wall")
    fixed = fem.locate_dofs_topological(V, 2, mesh.facets(*names))
    index_map = V.dofmap.index_map
    if mesh.domain.comm.allreduce(len(fixed)) > 0:
        return np.asarray(fixed)
    return _corner(V, np.arange(index_map.size_local + index_map.num_ghosts, dtype=np.int32))


def jump_dofs(V: fem.FunctionSpace, mesh: TaggedMesh) -> Int32Array:
    """Return this rank's own dofs of g in a space meshed as a whole.

    Those of the film and its holes, without the outer edge, the far boundary and magnetic walls,
    where g = 0. If there are none of these, g is free up to a constant, for which one dof is left
    out.

    Note:
        Collective.
    """
    film = fem.locate_dofs_topological(V, 2, mesh.facets("film", *mesh.holes.values()))
    names = ("plane", "far", "magnetic-wall")
    edge = np.intersect1d(film, fem.locate_dofs_topological(V, 2, mesh.facets(*names)))
    if mesh.domain.comm.allreduce(len(edge)) == 0:
        edge = _corner(V, film)
    jumps = np.setdiff1d(film, edge)
    return np.asarray(jumps[jumps < V.dofmap.index_map.size_local], dtype=np.int32)


def _corner(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return that one of all ranks' ``dofs`` in the lower left corner of a box, if it is here."""
    # Corners are in the spaces of all degrees, and such a combination is lowest in one of them.
    heights = V.tabulate_dof_coordinates()[dofs] @ [1.0, np.sqrt(2.0), np.sqrt(3.0)]
    lowest = V.mesh.comm.allreduce(heights.min(initial=np.inf), op=MPI.MIN)
    return np.asarray(dofs[heights == lowest])


def hole_dofs(V: fem.FunctionSpace, mesh: TaggedMesh) -> list[Int32Array]:
    """Return each hole's dofs (ghosts too) in it and on its edge, where ψ is one constant."""
    groups = mesh.holes.values()
    return [np.asarray(fem.locate_dofs_topological(V, 2, mesh.facets(g))) for g in groups]


def energy_form(V: fem.FunctionSpace, mesh: TaggedMesh, film: Film) -> fem.Form:
    """Return B(u, v) = ∫_{z>0} ∇u·∇v dV + ∫_Γ (2/κ) ∇_s u·∇_s v dS of a mirror symmetric space."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    weight = fem.Constant(mesh.domain, 2.0) * film_function(mesh, film, inverse=True)
    surface = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) * film_measure(mesh)
    return compiled_form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + surface, mesh.domain.comm)


def two_sided_forms(
    V: fem.FunctionSpace, mesh: TaggedMesh, film: Film, jumps: Int32Array
) -> tuple[fem.Form, fem.Form, fem.Form]:
    """Return B of a space meshed as a whole, ψ = u + ½ sign(z) g, in parts.

    Returns:
        ½ ∫ ∇u·∇v dV, the coupling ½ ∫ ½ sign(z) ∇g·∇v dV, and for g alone
        ½ ∫ ¼ ∇g·∇h dV + ∫_Γ (1/2κ) ∇_s g·∇_s h dS. Those of g only hold for the dofs ``jumps``.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    product = ufl.inner(ufl.grad(u), ufl.grad(v))
    half, quarter = fem.Constant(mesh.domain, 0.5), fem.Constant(mesh.domain, 0.25)
    weight = half * film_function(mesh, film, inverse=True)
    surface = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) * film_measure(mesh)
    reached = _cells_around(V, jumps)
    dx = ufl.Measure("dx", domain=mesh.domain, subdomain_data=[(1, reached)])(1)
    parts = (
        half * product * ufl.dx,
        half * half_sign(mesh) * product * dx,
        half * quarter * product * dx + surface,
    )
    whole, coupling, jump = (compiled_form(part, mesh.domain.comm) for part in parts)
    return whole, coupling, jump


def _cells_around(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return this rank's own cells to which any rank's ``dofs`` belong."""
    marks = fem.Function(V)
    marks.x.array[dofs] = 1.0
    marks.x.scatter_forward()
    owned = V.mesh.topology.index_map(3).size_local
    reached = marks.x.array[V.dofmap.list[:owned]].any(axis=1)
    return np.flatnonzero(reached).astype(np.int32)


def half_sign(mesh: TaggedMesh) -> fem.Function:
    """Return ½ sign(z), constant in each cell."""
    function = fem.Function(fem.functionspace(mesh.domain, ("Discontinuous Lagrange", 0)))
    dofs = function.function_space.dofmap.list[:, 0]
    function.x.array[dofs[mesh.cells_above()]] = 0.5
    function.x.array[dofs[mesh.cells_below()]] = -0.5
    function.x.scatter_forward()
    return function


def half_sign_at_dofs(V: fem.FunctionSpace, mesh: TaggedMesh) -> Array:
    """Return ½ sign(z) at this rank's own dofs of a Lagrange space, exactly 0 in z = 0."""
    values = 0.5 * np.sign(V.tabulate_dof_coordinates()[:, 2])
    values[
        fem.locate_dofs_topological(V, 2, mesh.facets("film", "plane", *mesh.holes.values()))
    ] = 0.0
    return np.asarray(values[: V.dofmap.index_map.size_local])


def potential(u: fem.Function, g: fem.Function, mesh: TaggedMesh) -> Any:
    """Return the expression of ψ on both sides of the film."""
    return u if mesh.mirrored else u + half_sign(mesh) * g


def load_density(potential: Array, mesh: TaggedMesh) -> Array:
    """Return t in ℓ(v) = −½ ∫_Γ (∇h × ẑ)·a dS = ∫_Γ t·∇v dS, shape ``(…, 2)`` as a.

    In a mirror symmetric space the jump h is 2v, otherwise it is the argument itself. Equal to
    −½ ∫ h rot a dS over film and holes.
    """
    factor = -1.0 if mesh.mirrored else -0.5
    return factor * np.stack([-potential[..., 1], potential[..., 0]], axis=-1)


def film_integral(function: fem.Function, mesh: TaggedMesh) -> float:
    """Return ∫ function dS over film and holes, summed over ranks (collective)."""
    comm = mesh.domain.comm
    form = compiled_form(function * film_measure(mesh, *mesh.holes.values()), comm)
    return float(comm.allreduce(fem.assemble_scalar(form)))
