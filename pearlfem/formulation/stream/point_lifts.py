"""Point impurities (size = 0) in the stream formulation: the infinite film is subtracted.

The potential ψ of a point impurity is infinite at its position, and so is its energy. On an
infinite film with the same Pearl length its potential ψ_∞ is known exactly
(``pearlfem.analytic.infinite_film``). So we compute only the difference u = ψ − ψ_∞. Let P be the
plane z = 0 and Γ the film in it. For functions on z > 0 (mirror symmetric open space) we define

    B_∞(u, v) = ∫_{z>0} ∇u·∇v dV + ∫_P (2/κ) ∇_s u·∇_s v dS,

so B_∞(ψ_∞, v) = ℓ(v) for all v. A potential v is admissible if it is zero on P off the film and
constant on each hole. For admissible v, B_∞(·, v) equals the form B(·, v) of the film, which has Γ
instead of P. The potential ψ of the film is admissible, and B(ψ, v) = ℓ(v) for all admissible v.
Therefore

    B_∞(ψ − ψ_∞, v) = 0:

ψ is the admissible potential nearest to ψ_∞. The difference u is smooth around the impurity and has
no source. Its values are −ψ_∞ on P off the film, and c_k − ψ_∞ on hole k with an unknown constant
c_k. By Pythagoras' theorem, two impurities i and j have the energy E_ij = B(ψ_i, ψ_j) with

    E_ij = B_∞(ψ_∞i, ψ_∞j) − B_∞(u_i, u_j)
         = E_ij^Keldysh − B(u_i, u_j) − ∫_{P∖Γ} (2/κ) ∇_s ψ_∞i·∇_s ψ_∞j dS.

P∖Γ includes all holes, because a constant c_k has no gradient. For i = j the first term is
infinite, but it depends neither on the film nor on the direction of the moment. The other terms are
finite, and their sum is never positive: it is the self-energy that edges add.

Beyond the far boundary ψ = 0, so u = −ψ_∞. Its part of B_∞ follows from Green's formula with
∇²ψ_∞ = 0 and, on P, (2/κ) ∇_s²ψ_∞ = −∂_z ψ_∞; the normals n and ν point outwards:

    −∫_far ψ_∞i ∂_n ψ_∞j dS − (2/κ) ∮_rim ψ_∞i ∂_ν ψ_∞j dl.

In finite elements u = l + w. The lift l has the prescribed values −ψ_∞ at the nodes off the film
and on holes, and zero at all others. The rest w is admissible: B(w, v) = −B(l, v). Then

    B(u_i, u_j) = B(l_i, l_j) − D_ij,   D_ij = b_i(w_j) + b_j(w_i) − B(w_i, w_j),   b = −B(l, ·).

``pearlfem.observables.energy`` computes D in the same way for all loads b; the error of the
iterative solver enters it squared. As for other sources, an error of w lowers E_ii. Between nodes,
l also differs from −ψ_∞, which may change E_ii in either direction. In a test it lowered E_ii by
1e-6, while the total error of E_ii was −5e-5.

Let s be another source, with a_s on Γ, the potential ψ_s and ℓ_s(v) = −∫_Γ (∇v × ẑ)·a_s dS. Then

    E_is = ℓ_s(ψ_i) = ℓ_s(ψ_∞i + l_i) + D_is,

and its order of convergence is again twice the order of ψ_s. The integrand of ℓ_s(ψ_∞i) behaves
like a_s/r² at the impurity, so this integral is meant as a distribution: see
``pearlfem.formulation.stream.point_products``.
"""

from __future__ import annotations

import numpy as np
from dolfinx import fem

from pearlfem.analytic.infinite_film import potential_per_moment
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.stream import forms
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.arrays import Array, Int32Array


def prescribed_dofs(V: fem.FunctionSpace, film: FilmMesh, fixed: Int32Array) -> Int32Array:
    """Return the owned dofs where l = −ψ_∞ is prescribed: the ``fixed`` dofs and those of holes."""
    dofs = np.unique(np.concatenate([fixed, *forms.hole_dofs(V, film)]))
    return np.asarray(dofs[dofs < V.dofmap.index_map.size_local], dtype=np.int32)


def prescribed_values(
    V: fem.FunctionSpace, film: Film, impurity: Impurity, dofs: Int32Array
) -> Array:
    """Return −ψ_∞ at ``dofs`` for unit moments along x and y [current], shape ``(n, 2)``."""
    nodes = V.tabulate_dof_coordinates()[dofs]
    # ψ_∞ is odd in z: a node in z = 0 must not get the value from below because of round-off.
    nodes[:, 2] = np.abs(nodes[:, 2])
    return -potential_per_moment(
        nodes,
        impurity.position,
        strength=impurity.strength,
        pearl_length=film.uniform_pearl_length,
    )


def on_film_of_mesh(film: FilmMesh, impurity: Impurity) -> bool:
    """Return whether ``impurity`` lies on a facet of the film.

    An impurity near a round edge may lie on the film but on no facet: in a mesh the edge is a
    polygon.

    Note:
        Collective.
    """
    corners = film.corners
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    offsets = np.array(impurity.position) - corners[:, 0]
    # Barycentric coordinates with respect to the second and the third corner.
    coordinates = np.linalg.solve(edges, offsets[..., None])[..., 0]
    inside = (coordinates.min(axis=1, initial=1.0) >= 0) & (coordinates.sum(axis=1) <= 1)
    return bool(film.comm.allreduce(int(inside.sum())) > 0)
