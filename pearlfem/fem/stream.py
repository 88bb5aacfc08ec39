"""The stream formulation: magnetic scalar potential ψ above the film (dual: a lower bound).

K = ∇g × ẑ on the film and H = −∇ψ in space; ψ is odd in z for one film in open space, so that
g = 2ψ at z = 0⁺ and the half space z > 0 is enough. Find ψ, zero on the far boundary and on the
plane off the film, with

    ∫_{z>0} μ0 ∇ψ·∇v dV + ∫_Γ (2/κ) ∇_s ψ·∇_s v dS = ℓ(v),     ℓ(v) = −∫_Γ v rot a dS,

in reduced units (μ0 = 1). Every conforming ψ gives F ≥ 2ℓ(ψ) − B(ψ, ψ) with equality at the
solution, so a Galerkin solution bounds the free energy of unbounded space from below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dolfinx
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources import Impurity

# Gaussians on cells of the default size 0.4 ξ: between degrees 8 and 14 energies move by less than
# 1e-9 (tests/physics/test_bounds.py).
_SOURCE_QUADRATURE_DEGREE = 12


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
    surface = weight * ufl.inner(_surface_gradient(u), _surface_gradient(v)) * _film_measure(space)
    form: fem.Form = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + surface)
    return form


@dataclass(frozen=True)
class ImpurityLoad:
    """ℓ(v) = −(Γ/κ) ∫_Γ f(r − r_i) m·∇v dS, compiled once for all impurities."""

    form: fem.Form
    superfluid_weight: float
    amplitude: fem.Constant  # −(Γ/κ) m
    position: fem.Constant
    size: fem.Constant

    def assemble(self, impurity: Impurity, moment: tuple[float, float]) -> dolfinx.la.Vector:
        """Return the load of ``impurity`` with its moment along ``moment``, complete on owned dofs.

        Note:
            Collective.
        """
        factor = -impurity.strength / self.superfluid_weight
        self.amplitude.value[:] = [factor * component for component in moment]
        self.position.value[:] = impurity.position
        self.size.value = np.asarray(impurity.size)
        load = fem.assemble_vector(self.form)
        load.scatter_reverse(dolfinx.la.InsertMode.add)
        return load


def impurity_load(
    V: fem.FunctionSpace, space: TaggedMesh, superfluid_weight: float
) -> ImpurityLoad:
    """Return the load of a Gaussian impurity with position, width and moment as constants."""
    mesh = space.mesh
    amplitude = fem.Constant(mesh, np.zeros(2))
    position = fem.Constant(mesh, np.zeros(2))
    size = fem.Constant(mesh, 1.0)
    x = ufl.SpatialCoordinate(mesh)
    offset = ufl.as_vector([x[0] - position[0], x[1] - position[1]])
    profile = ufl.exp(-ufl.dot(offset, offset) / (2 * size**2)) / (2 * ufl.pi * size**2)
    gradient = _surface_gradient(ufl.TestFunction(V))
    measure = _film_measure(space, quadrature_degree=_SOURCE_QUADRATURE_DEGREE)
    form = fem.form(profile * ufl.dot(amplitude, gradient) * measure)
    return ImpurityLoad(form, superfluid_weight, amplitude, position, size)


def film_integral(potential: fem.Function, space: TaggedMesh) -> float:
    """Return ∫_Γ ψ dS, summed over ranks (collective)."""
    local = fem.assemble_scalar(fem.form(potential * _film_measure(space)))
    return float(space.mesh.comm.allreduce(local))


def _film_measure(space: TaggedMesh, **metadata: int) -> Any:
    ds = ufl.Measure("ds", domain=space.mesh, subdomain_data=space.facet_tags, metadata=metadata)
    return ds(space.groups["film"])


def _surface_gradient(u: Any) -> Any:
    """∇_s u of the film in z = 0: the components along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])
