"""The weak form of the stream formulation, with the scalar potential ψ (dual: a lower bound).

K = ∇g × ẑ on the film and H = −∇ψ in space. g is the jump of ψ across the film: the value above
minus the value below. ψ is zero on the far boundary and on magnetic walls. B·n = 0 on shields is a
natural boundary condition. In reduced units (μ0 = 1) find ψ such that for all v that are zero where
ψ is fixed to zero

    B(ψ, v) = ½ ∫ ∇ψ·∇v dV + ∫_Γ (1/2κ) ∇_s g·∇_s h dS = ℓ(v),     ℓ(v) = −½ ∫_Γ h rot a dS.

h is the jump of v, and Γ is the union of all films. Every conforming ψ has F ≥ 2ℓ(ψ) − B(ψ, ψ),
with equality for the exact solution. So a Galerkin solution bounds the free energy of unbounded
space from below.

In a mirror symmetric space ψ is odd in z. Then the half z > 0 is enough: there ψ is zero on the
plane off the film, and g = 2ψ(z = 0⁺). In any other space ψ = u + Σ_k ½ sign(z − z_k) g_k, where u
and g_k of each film k are continuous. On a film, u is the mean of ψ above and below. The dofs of
g_k lie on film k, so g_k is zero outside the cells that touch the film.
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
    """Return the Lagrange space of ``degree`` for ψ, or for u and g (collective)."""
    return fem.functionspace(mesh.domain, ("Lagrange", degree))


def fixed_dofs(V: fem.FunctionSpace, films: Sequence[FilmMesh]) -> Int32Array:
    """Return this rank's dofs, including ghosts, where ψ (or u) is zero.

    These are the dofs on the far boundary, on magnetic walls, and, in a mirror symmetric space, on
    the plane off the film. Without any of them a constant ψ has no energy. Then one dof is fixed to
    make the solution unique.

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
    """Return the owned dofs of a film's g, in a mesh of all space.

    These are the dofs on the film and its holes, except on the outer edge, the far boundary and
    magnetic walls, where g = 0. Without such an edge, g is determined up to a constant only. Then
    one dof is not used, to make g unique.

    Note:
        Collective.
    """
    mesh = film.mesh
    dofs = fem.locate_dofs_topological(V, 2, mesh.facets(*film.filled))
    outside = fem.locate_dofs_topological(V, 2, mesh.facets(film.plane, "far", "magnetic-wall"))
    edge = np.intersect1d(dofs, outside)
    if V.mesh.comm.allreduce(len(edge)) == 0:
        edge = _corner(V, dofs)
    jumps = np.setdiff1d(dofs, edge)
    return np.asarray(jumps[jumps < V.dofmap.index_map.size_local], dtype=np.int32)


def _corner(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return the dof with the smallest x + √2 y + √3 z of all ranks; empty where it is absent.

    In a box this is the lower left corner, whose vertex has a dof in spaces of every degree.

    Note:
        Collective.
    """
    sums = V.tabulate_dof_coordinates()[dofs] @ [1.0, np.sqrt(2.0), np.sqrt(3.0)]
    smallest = V.mesh.comm.allreduce(sums.min(initial=np.inf), op=MPI.MIN)
    return np.asarray(dofs[sums == smallest])


def hole_dofs(V: fem.FunctionSpace, film: FilmMesh) -> list[Int32Array]:
    """Return this rank's dofs (with ghosts) of each hole and its edge, where g is one constant."""
    holes = [film.mesh.facets(group) for group in film.holes.values()]
    return [np.asarray(fem.locate_dofs_topological(V, 2, facets)) for facets in holes]


def energy_form(V: fem.FunctionSpace, film: FilmMesh) -> fem.Form:
    """Return B(u, v) = ∫_{z>0} ∇u·∇v dV + ∫_Γ (2/κ) ∇_s u·∇_s v dS in a mirror symmetric space.

    Note:
        Collective.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    weight = fem.Constant(V.mesh, 2.0) * film.superfluid_weight(inverse=True)
    surface = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) * film.measure()
    return compiled_form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + surface, V.mesh.comm)


class JumpForms(NamedTuple):
    """The parts of B in a mesh of all space.

    Forms with g_k integrate only over the cells that touch film k. They are right for the dofs of
    film k only.

    Args:
        continuous: ½ ∫ ∇u·∇v dV.
        couplings: ½ ∫ ½ sign(z − z_k) ∇g_k·∇v dV for each film k.
        jumps: ½ ∫ ¼ sign(z − z_k) sign(z − z_l) ∇g_k·∇h_l dV for each pair k ≤ l of films; for
            k = l, ∫_Γ (1/2κ) ∇_s g·∇_s h dS is added.
    """

    continuous: fem.Form
    couplings: list[fem.Form]
    jumps: dict[tuple[int, int], fem.Form]


def jump_forms(
    V: fem.FunctionSpace, films: Sequence[FilmMesh], jumps: Sequence[Int32Array]
) -> JumpForms:
    """Return the parts of B in a mesh of all space, where ψ = u + Σ_k ½ sign(z − z_k) g_k.

    Args:
        V: The space of u and all g.
        films: The films in their mesh.
        jumps: For each film the owned dofs of its g.

    Note:
        Collective.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    product, comm = ufl.inner(ufl.grad(u), ufl.grad(v)), V.mesh.comm
    half, quarter = fem.Constant(V.mesh, 0.5), fem.Constant(V.mesh, 0.25)
    cells_at_film = [_cells_around(V, dofs) for dofs in jumps]

    def measure(cells: Int32Array) -> Any:
        return ufl.Measure("dx", domain=V.mesh, subdomain_data=[(1, cells)])(1)

    couplings = [
        compiled_form(half * film.half_sign() * product * measure(cells), comm)
        for film, cells in zip(films, cells_at_film, strict=True)
    ]
    pairs = {}
    for k, m in combinations_with_replacement(range(len(films)), 2):
        if k == m:
            weight = half * films[k].superfluid_weight(inverse=True)
            gradients = ufl.inner(surface_gradient(u), surface_gradient(v))
            form = half * quarter * product * measure(cells_at_film[k])
            form += weight * gradients * films[k].measure()
        else:
            signs = films[k].half_sign() * films[m].half_sign()
            common = np.intersect1d(cells_at_film[k], cells_at_film[m])
            form = half * signs * product * measure(common)
        pairs[k, m] = compiled_form(form, comm)
    return JumpForms(compiled_form(half * product * ufl.dx, comm), couplings, pairs)


def _cells_around(V: fem.FunctionSpace, dofs: Int32Array) -> Int32Array:
    """Return the owned cells with at least one of the ``dofs``, of this or another rank."""
    marks = fem.Function(V)
    marks.x.array[dofs] = 1.0
    marks.x.scatter_forward()
    owned = V.mesh.topology.index_map(3).size_local
    marked = marks.x.array[V.dofmap.list[:owned]].any(axis=1)
    return np.flatnonzero(marked).astype(np.int32)


def half_sign_at_dofs(V: fem.FunctionSpace, film: FilmMesh) -> Array:
    """Return ½ sign(z − z_k) at the owned dofs of a Lagrange space, ``(n,)``; exactly 0 at z_k."""
    values = 0.5 * np.sign(V.tabulate_dof_coordinates()[:, 2] - film.height)
    facets = film.mesh.facets(film.plane, *film.filled)
    values[fem.locate_dofs_topological(V, 2, facets)] = 0.0
    return np.asarray(values[: V.dofmap.index_map.size_local])


def potential(u: fem.Function, jumps: Iterable[fem.Function], films: Sequence[FilmMesh]) -> Any:
    """Return ψ as a UFL expression.

    Args:
        u: ψ in a mirror symmetric space, otherwise its continuous part u.
        jumps: g of each film; not used in a mirror symmetric space.
        films: The films in their mesh.
    """
    if films[0].mesh.mirrored:
        return u
    return u + sum(film.half_sign() * g for film, g in zip(films, jumps, strict=True))


def load_density(background: Array, mesh: TaggedMesh) -> Array:
    """Return t in ℓ(v) = −½ ∫_Γ (∇h × ẑ)·a dS = ∫_Γ t·∇v dS.

    In a mirror symmetric space the jump is h = 2v; otherwise the test function v is the jump h. By
    partial integration ℓ(v) is also −½ ∫ h rot a dS over the film and its holes.

    Args:
        background: a, shape ``(…, 2)``.
        mesh: The mesh.

    Returns:
        Array of shape ``(…, 2)``.
    """
    factor = -1.0 if mesh.mirrored else -0.5
    return factor * np.stack([-background[..., 1], background[..., 0]], axis=-1)
