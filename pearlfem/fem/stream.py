"""The stream formulation: magnetic scalar potential ψ above the film (dual: a lower bound).

K = ∇g × ẑ on the film and H = −∇ψ in space; ψ is odd in z for one film in open space, so that
g = 2ψ at z = 0⁺ and the half space z > 0 is enough. Find ψ, zero on the far boundary and on the
plane off the film, with

    ∫_{z>0} μ0 ∇ψ·∇v dV + ∫_Γ (2/κ) ∇_s ψ·∇_s v dS = ℓ(v),     ℓ(v) = −∫_Γ v rot a dS,

in reduced units (μ0 = 1). Every conforming ψ gives F ≥ 2ℓ(ψ) − B(ψ, ψ) with equality at the
solution, so a Galerkin solution bounds the free energy of unbounded space from below.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.fem.film import ImpurityLoad, film_measure, surface_gradient
from pearlfem.fem.film import impurity_load as film_impurity_load
from pearlfem.mesh.tagged import TaggedMesh


def create_space(space: TaggedMesh, degree: int) -> fem.FunctionSpace:
    """Return the continuous Lagrange space of ``degree`` for ψ."""
    return fem.functionspace(space.mesh, ("Lagrange", degree))


def fixed_dofs(V: fem.FunctionSpace, space: TaggedMesh) -> npt.NDArray[np.int32]:
    """Return this rank's dofs (ghosts too) where ψ = 0: far boundary and plane off the film."""
    return fem.locate_dofs_topological(V, 2, space.facets("far", "plane"))


def energy_form(V: fem.FunctionSpace, space: TaggedMesh, superfluid_weight: float) -> fem.Form:
    """Return the compiled form B(u, v) = ∫ μ0 ∇u·∇v dV + ∫_Γ (2/κ) ∇_s u·∇_s v dS."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    # A constant, not a literal: another κ must not compile again.
    weight = fem.Constant(space.mesh, 2.0 / superfluid_weight)
    surface = weight * ufl.inner(surface_gradient(u), surface_gradient(v)) * film_measure(space)
    form: fem.Form = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + surface)
    return form


def impurity_load(
    V: fem.FunctionSpace, space: TaggedMesh, superfluid_weight: float
) -> ImpurityLoad:
    """Return ℓ(v) = −(Γ/κ) ∫_Γ f(r − r_i) m·∇v dS of a Gaussian impurity."""
    gradient = surface_gradient(ufl.TestFunction(V))
    return film_impurity_load(space, -1.0 / superfluid_weight, gradient)


def film_integral(potential: fem.Function, space: TaggedMesh) -> float:
    """Return ∫_Γ ψ dS, summed over ranks (collective)."""
    local = fem.assemble_scalar(fem.form(potential * film_measure(space)))
    return float(space.mesh.comm.allreduce(local))
