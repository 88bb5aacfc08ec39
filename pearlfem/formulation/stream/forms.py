"""The stream formulation: magnetic scalar potential ψ off the film (dual: a lower bound).

K = ∇g × ẑ on the film and H = −∇ψ in space, where ψ jumps by g across the film. ψ is zero on the
far boundary and on magnetic walls; B·n = 0 on shields is natural. In reduced units (μ0 = 1) find ψ

    B(ψ, v) = ½ ∫ ∇ψ·∇v dV + ∫_Γ (1/2κ) ∇_s g·∇_s h dS = ℓ(v),     ℓ(v) = −½ ∫_Γ h rot a dS,

for all v that are zero where ψ is, where v jumps by h; Γ is all films. Every conforming ψ gives
F ≥ 2ℓ(ψ) − B(ψ, ψ) with equality at the solution, so a Galerkin solution bounds the free energy of
unbounded space from below.

In a mirror symmetric space ψ is odd in z: z > 0 is enough, where ψ is zero on the plane off the
film and g = 2ψ(z = 0⁺). In any other space ψ = u + Σ_k ½ sign(z − z_k) g_k with u and the g_k of
all films continuous: u is the mean of both sides on a film. Discretely g_k has its dofs on film k
and reaches one cell far.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

from pearlfem.formulation.film import FilmMesh, surface_gradient
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_form


def create_function_space(mesh: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the continuous Lagrange space of ``degree`` for ψ, or for u and g."""
    return fem.functionspace(mesh.domain, ("Lagrange", degree))


def fixed_dofs(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> Int32Array:
    """Return this rank's dofs (ghosts too) where ψ, or u, is zero.

    On the far boundary, on magnetic walls, and in a mirror symmetric space on the plane off the
    film. If there is none of these, one dof stands for the constant that has no energy.

    Note:
        Collective.
    """
    mesh = films[0].mesh
    planes = [film.plane for film in films] if mesh.mirrored else []
    fixed = fem.locate_dofs_topological(V, 2, mesh.facets("far", "magnetic-wall", *planes))
    index_map = V.dofmap.index_map
    if V.mesh.comm.allreduce(len(fixed)) > 0:
        return np.asarray(fixed)
    return _corner(V, np.arange(index_map.size_local + index_map.num_ghosts, dtype=np.int32))


def jump_dofs(V: fem.FunctionSpace, film: FilmMesh) -> Int32Array:
    """Return this rank's own dofs of a film's g in a space meshed as a whole.

    Those of the film and its holes, without the outer edge, the far boundary and magnetic walls,
    where g = 0. If there are none of these, g is free up to a constant, for which one dof is left
    out.

    Note:
        Collective.
    """
    mesh = film.mesh
    dofs = fem.locate_dofs_topological(V, 2, mesh.facets(*film.filled))
    ends = fem.locate_dofs_topological(V, 2, mesh.facets(film.plane, "far", "magnetic-wall"))
    edge = np.intersect1d(dofs, ends)
    if V.mesh.comm.allreduce(len(edge)) == 0:
        edge = _corner(V, dofs)
    jumps = np.setdiff1d(dofs, edge)
    return np.asarray(jumps[jumps < V.dofmap.index_map.size_local], dtype=np.int32)


def _corner(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return that one of all ranks' ``dofs`` in the lower left corner of a box, if it is here."""
    # Corners are in the spaces of all degrees, and such a combination is lowest in one of them.
    heights = V.tabulate_dof_coordinates()[dofs] @ [1.0, np.sqrt(2.0), np.sqrt(3.0)]
    lowest = V.mesh.comm.allreduce(heights.min(initial=np.inf), op=MPI.MIN)
    return np.asarray(dofs[heights == lowest])


def hole_dofs(V: fem.FunctionSpace, film: FilmMesh) -> list[Int32Array]:
    """Return each hole's dofs (ghosts too) in it and on its edge, where ψ is one constant."""
    facets = [film.mesh.facets(group) for group in film.holes.values()]
    return [np.asarray(fem.locate_dofs_topological(V, 2, each)) for each in facets]


def energy_form(V: fem.FunctionSpace, film: FilmMesh) -> fem.Form:
    """Return B(u, v) = ∫_{z>0} ∇u·∇v dV + ∫_Γ (2/κ) ∇_s u·∇_s v dS of a mirror symmetric space."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    weight = fem.Constant(V.mesh, 2.0) * film.superfluid_weight(inverse=True)
    surface = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) * film.measure()
    return compiled_form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + surface, V.mesh.comm)


class JumpForms(NamedTuple):
    """B of a space meshed as a whole, in parts.

    Args:
        continuous: ½ ∫ ∇u·∇v dV.
        couplings: ½ ∫ ½ sign(z − z_k) ∇g_k·∇v dV of each film k.
        jumps: ½ ∫ ¼ sign(z − z_k) sign(z − z_l) ∇g_k·∇h_l dV of each pair k ≤ l of films, and with
            k = l also ∫_Γ (1/2κ) ∇_s g·∇_s h dS.

    Forms of g_k only hold for the dofs of film k.
    """

    continuous: fem.Form
    couplings: list[fem.Form]
    jumps: dict[tuple[int, int], fem.Form]


def jump_forms(
    V: fem.FunctionSpace, films: Sequence[FilmMesh], jumps: Sequence[Int32Array]
) -> JumpForms:
    """Return B of a space meshed as a whole, ψ = u + Σ_k ½ sign(z − z_k) g_k.

    Args:
        V: Of u and of all g.
        films: The films.
        jumps: The dofs of each film's g.

    Note:
        Collective.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    product, comm = ufl.inner(ufl.grad(u), ufl.grad(v)), V.mesh.comm
    half, quarter = fem.Constant(V.mesh, 0.5), fem.Constant(V.mesh, 0.25)
    reached = [_cells_around(V, dofs) for dofs in jumps]

    def around(cells: Int32Array) -> Any:
        return ufl.Measure("dx", domain=V.mesh, subdomain_data=[(1, cells)])(1)

    couplings = [
        compiled_form(half * film.half_sign() * product * around(cells), comm)
        for film, cells in zip(films, reached, strict=True)
    ]
    pairs = {}
    for k, m in combinations_with_replacement(range(len(films)), 2):
        if k == m:
            weight = half * films[k].superfluid_weight(inverse=True)
            gradients = ufl.inner(surface_gradient(u), surface_gradient(v))
            form = half * quarter * product * around(reached[k])
            form += weight * gradients * films[k].measure()
        else:
            signs = films[k].half_sign() * films[m].half_sign()
            form = half * signs * product * around(np.intersect1d(reached[k], reached[m]))
        pairs[k, m] = compiled_form(form, comm)
    return JumpForms(compiled_form(half * product * ufl.dx, comm), couplings, pairs)


def _cells_around(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return this rank's own cells to which any rank's ``dofs`` belong."""
    marks = fem.Function(V)
    marks.x.array[dofs] = 1.0
    marks.x.scatter_forward()
    owned = V.mesh.topology.index_map(3).size_local
    reached = marks.x.array[V.dofmap.list[:owned]].any(axis=1)
    return np.flatnonzero(reached).astype(np.int32)


def half_sign_at_dofs(V: fem.FunctionSpace, film: FilmMesh) -> Array:
    """Return ½ sign(z − z_k) at this rank's own dofs of a Lagrange space, exactly 0 in z = z_k."""
    values = 0.5 * np.sign(V.tabulate_dof_coordinates()[:, 2] - film.height)
    facets = film.mesh.facets(film.plane, *film.filled)
    values[fem.locate_dofs_topological(V, 2, facets)] = 0.0
    return np.asarray(values[: V.dofmap.index_map.size_local])


def potential(u: fem.Function, jumps: Iterable[fem.Function], films: Sequence[FilmMesh]) -> Any:
    """Return the expression of ψ on both sides of the films."""
    if films[0].mesh.mirrored:
        return u
    return u + sum(film.half_sign() * g for film, g in zip(films, jumps, strict=True))


def load_density(background: Array, mesh: TaggedMesh) -> Array:
    """Return t in ℓ(v) = −½ ∫_Γ (∇h × ẑ)·a dS = ∫_Γ t·∇v dS, shape ``(…, 2)`` as a.

    In a mirror symmetric space the jump h is 2v, otherwise it is the argument itself. Equal to
    −½ ∫ h rot a dS over film and holes.
    """
    factor = -1.0 if mesh.mirrored else -0.5
    return factor * np.stack([-background[..., 1], background[..., 0]], axis=-1)
