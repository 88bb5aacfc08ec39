"""Point impurities (size = 0) in the stream formulation: the infinite film is subtracted.

The potential ψ of a point impurity is infinite at its place, and so is its energy. On an infinite
film of the same Pearl length its potential ψ_∞ is known (``pearlfem.analytic.infinite_film``). Let
P be the plane z = 0, Γ the film in it, and for functions of z > 0 (mirror symmetric open space)

    B_∞(u, v) = ∫_{z>0} ∇u·∇v dV + ∫_P (2/κ) ∇_s u·∇_s v dS

so that B_∞(ψ_∞, v) = ℓ(v) for all v. Admissible potentials v of the film are zero on P off the film
and constant on each of its holes: there B_∞(·, v) is the film's own form B(·, v), which has Γ in
place of P. The potential ψ of the film is admissible and has B(ψ, v) = ℓ(v) for all admissible v,
whence

    B_∞(ψ − ψ_∞, v) = 0:

ψ is the admissible potential that is nearest to ψ_∞. The difference u = ψ − ψ_∞ is smooth around
the impurity and has no source; its values are −ψ_∞ on P off the film, and c_k − ψ_∞ on hole k with
a constant c_k that is not given. By Pythagoras, for two impurities i and j with E = B(ψ_i, ψ_j),

    E_ij = B_∞(ψ_∞i, ψ_∞j) − B_∞(u_i, u_j)
         = E_ij^Keldysh − B(u_i, u_j) − ∫_{P∖Γ} (2/κ) ∇_s ψ_∞i·∇_s ψ_∞j dS

with all holes in P∖Γ, for the c_k have no gradient. For i = j the first term is infinite, but it
depends neither on the film nor on the moment. The rest is finite and never positive: what edges add
to the self-energy.

Beyond the far boundary u = −ψ_∞, since ψ = 0 is admissible there. What that adds to B_∞ follows by
Green's formula from ∇²ψ_∞ = 0 and, on P, (2/κ) ∇_s²ψ_∞ = −∂_z ψ_∞, with n and ν pointing outwards:

    −∫_far ψ_∞i ∂_n ψ_∞j dS − (2/κ) ∮_rim ψ_∞i ∂_ν ψ_∞j dl.

Discretely u = l + w. The lift l is the finite element function with u's values at the nodes where
they are given (without the c_k) and zero at all others, and w is admissible: B(w, v) = −B(l, v).
Then

    B(u_i, u_j) = B(l_i, l_j) − D_ij,   D_ij = b_i(w_j) + b_j(w_i) − B(w_i, w_j),   b = −B(l, ·)

and D is what ``pearlfem.observables.energy`` has for any loads b, with the iterative solver's error
squared. As for other sources, an error of w lowers E_ii. That of the given values between nodes
may be of either sign; it was seen to be 1e-6 where E_ii was 5e-5 too low, and to lower it.

With another source s of vector potential a_s on Γ, potential ψ_s and ℓ_s(v) = −∫_Γ (∇v × ẑ)·a_s dS,

    E_is = ℓ_s(ψ_i) = ℓ_s(ψ_∞i + l_i) + D_is,

again of twice the order of ψ_s. In ℓ_s(ψ_∞i) the integrand is as singular as a_s/r² at r_i, and the
integral a distribution: see ``pearlfem.formulation.stream.point_products``.
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


def given_dofs(V: fem.FunctionSpace, film: FilmMesh, fixed: Int32Array) -> Int32Array:
    """Return this rank's own dofs off the film and far away: ``fixed`` ones, and those of holes."""
    dofs = np.unique(np.concatenate([fixed, *forms.hole_dofs(V, film)]))
    return np.asarray(dofs[dofs < V.dofmap.index_map.size_local], dtype=np.int32)


def given_values(V: fem.FunctionSpace, film: Film, impurity: Impurity, dofs: Int32Array) -> Array:
    """Return −ψ_∞ at ``dofs`` for the moments along x and y, shape ``(n, 2)`` [current]."""
    nodes = V.tabulate_dof_coordinates()[dofs]
    nodes[:, 2] = np.abs(nodes[:, 2])  # in z = 0 up to round-off, and ψ_∞ is odd in z
    return -potential_per_moment(
        nodes,
        impurity.position,
        strength=impurity.strength,
        pearl_length=film.uniform_pearl_length,
    )


def on_film_of_mesh(film: FilmMesh, impurity: Impurity) -> bool:
    """Return whether ``impurity`` lies on a facet of the film: round edges are polygons in a mesh.

    Note:
        Collective.
    """
    corners = film.corners
    sides = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    offsets = np.array(impurity.position) - corners[:, 0]
    inner = np.linalg.solve(sides, offsets[..., None])[..., 0]
    inside = (inner.min(axis=1, initial=1.0) >= 0) & (inner.sum(axis=1) <= 1)
    return bool(film.comm.allreduce(int(inside.sum())) > 0)
