"""The vector-potential formulation in London gauge (primal: an upper bound).

The gradient of the phase is absorbed in A. Find A in H(curl), n × A = 0 on the far boundary and on
shields, with

    B(A, v) = ½ ∫ (1/μ0) curl A·curl v dV + ∫_Γ (κ/2) A_t·v_t dS = ℓ(v),
    ℓ(v) = −∫_Γ (κ/2) a·v_t dS,     F = ∫_Γ (κ/2) |a|² dS − [2ℓ(A) − B(A, A)],

in reduced units (μ0 = 1). In a mirror symmetric space half of the first integral is that over
z > 0. H_t = 0, there off the film and everywhere on magnetic walls, is natural. Every conforming A
gives F or more, so a Galerkin solution bounds the free energy of unbounded space from above.
Gradients that vanish on the film are in the null space of B and ℓ alike: conjugate gradients never
leave its complement.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.fem.film import ImpurityLoad, film_measure, half_space_weight, surface_gradient
from pearlfem.fem.film import impurity_load as film_impurity_load
from pearlfem.mesh.tagged import TaggedMesh


def create_space(space: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the Nédélec space (first kind) of ``degree`` for A."""
    return fem.functionspace(space.mesh, ("N1curl", degree))


def create_potential_space(space: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the Lagrange space whose gradients lie in ``create_space`` of the same degree."""
    return fem.functionspace(space.mesh, ("Lagrange", degree))


def create_vector_space(space: TaggedMesh) -> fem.FunctionSpace:
    """Return the space of vector fields of degree 1, continuous."""
    return fem.functionspace(space.mesh, ("Lagrange", 1, (3,)))


def fixed_dofs(V: fem.FunctionSpace, space: TaggedMesh) -> npt.NDArray[np.int32]:
    """Return this rank's dofs (ghosts too, unrolled) on the far boundary and on shields."""
    blocks = fem.locate_dofs_topological(V, 2, space.facets("far", "shield"))
    size = V.dofmap.index_map_bs
    unrolled = size * blocks[:, None] + np.arange(size)
    return np.asarray(unrolled.ravel(), dtype=np.int32)


def dofs_without_film(V: fem.FunctionSpace, space: TaggedMesh) -> npt.NDArray[np.int32]:
    """Return this rank's dofs (ghosts too) of a scalar space that are not on the film, or fixed."""
    index_map = V.dofmap.index_map
    free = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=bool)
    free[fem.locate_dofs_topological(V, 2, space.facets("film"))] = True
    free[fixed_dofs(V, space)] = False
    return np.flatnonzero(~free).astype(np.int32)


def film_touches_fixed_dofs(V: fem.FunctionSpace, space: TaggedMesh) -> bool:
    """Return whether a scalar on the film is fixed somewhere, so that 1 is not one (collective)."""
    film = fem.locate_dofs_topological(V, 2, space.facets("film"))
    shared = np.intersect1d(film, fixed_dofs(V, space))
    return bool(space.mesh.comm.allreduce(len(shared)) > 0)


def energy_form(V: fem.FunctionSpace, space: TaggedMesh, superfluid_weight: float) -> fem.Form:
    """Return the compiled form B(A, v) = ½ ∫ curl A·curl v dV + ∫_Γ (κ/2) A_t·v_t dS."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    weight = fem.Constant(space.mesh, superfluid_weight / 2.0)
    surface = weight * ufl.inner(_tangential(u), _tangential(v)) * film_measure(space)
    volume = half_space_weight(space) * ufl.inner(ufl.curl(u), ufl.curl(v)) * ufl.dx
    form: fem.Form = fem.form(volume + surface)
    return form


def potential_form(V: fem.FunctionSpace, space: TaggedMesh, superfluid_weight: float) -> fem.Form:
    """Return the form ∫_Γ (κ/2) (∇_s u·∇_s v + ε u v) dS, close to B(∇u, ∇v), of potentials.

    A potential that is constant on the film has no energy. For preconditioning this needs no
    accuracy: ε = 1/area keeps the form definite and changes other energies by some per cent.
    """
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    dS = film_measure(space)
    one = fem.Constant(space.mesh, 1.0)
    area = space.mesh.comm.allreduce(fem.assemble_scalar(fem.form(one * dS)))
    weight = fem.Constant(space.mesh, superfluid_weight / 2.0)
    shift = fem.Constant(space.mesh, superfluid_weight / (2.0 * area))
    product = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) + shift * u * v
    form: fem.Form = fem.form(product * dS)
    return form


def impurity_load(V: fem.FunctionSpace, space: TaggedMesh) -> ImpurityLoad:
    """Return ℓ(v) = −(Γ/2) ∫_Γ f(r − r_i) (m × ẑ)·v dS of a Gaussian impurity."""
    v = ufl.TestFunction(V)
    # (m × ẑ)·v = m_y v_x − m_x v_y = m·(−v_y, v_x)
    return film_impurity_load(space, -0.5, ufl.as_vector([-v[1], v[0]]))


def _tangential(u: Any) -> Any:
    """The components of u along the film in z = 0."""
    return ufl.as_vector([u[0], u[1]])
