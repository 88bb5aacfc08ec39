"""What both formulations share: the film's facets, surface gradients, impurities as loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import basix
import dolfinx
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.sources import Impurity

# Gaussians times polynomials on cells of size 3 ξ, the coarsest allowed: relative error 3e-12, on
# those of 2 ξ round-off (tests/physics/test_bounds.py).
SOURCE_QUADRATURE_DEGREE = 20
_FINER_QUADRATURE_DEGREE = 30
ALLOWED_QUADRATURE_ERROR = 1e-10  # relative, below every gap that is worth computing


@dataclass(frozen=True)
class ImpurityLoad:
    """ℓ(v) = c ∫_Γ f(r − r_i) m·t(v) dS for a linear map t, compiled once for all impurities."""

    form: fem.Form
    factor: float
    amplitude: fem.Constant  # c Γ m
    position: fem.Constant
    size: fem.Constant

    def assemble(self, impurity: Impurity, moment: tuple[float, float]) -> dolfinx.la.Vector:
        """Return the load of ``impurity`` with its moment along ``moment``, complete on owned dofs.

        Note:
            Collective.
        """
        factor = self.factor * impurity.strength
        self.amplitude.value[:] = [factor * component for component in moment]
        self.position.value[:] = impurity.position
        self.size.value = np.asarray(impurity.size)
        load = fem.assemble_vector(self.form)
        load.scatter_reverse(dolfinx.la.InsertMode.add)
        return load


def impurity_load(space: TaggedMesh, factor: float, test: Any) -> ImpurityLoad:
    """Return c ∫_Γ f m·test dS with position, width and moment as constants; ``factor`` is c.

    ``test`` is a linear expression in a test function with two components.
    """
    mesh = space.mesh
    amplitude = fem.Constant(mesh, np.zeros(2))
    position = fem.Constant(mesh, np.zeros(2))
    size = fem.Constant(mesh, 1.0)
    x = ufl.SpatialCoordinate(mesh)
    offset = ufl.as_vector([x[0] - position[0], x[1] - position[1]])
    profile = ufl.exp(-ufl.dot(offset, offset) / (2 * size**2)) / (2 * ufl.pi * size**2)
    measure = film_measure(space, quadrature_degree=SOURCE_QUADRATURE_DEGREE)
    form = fem.form(profile * ufl.dot(amplitude, test) * measure)
    return ImpurityLoad(form, factor, amplitude, position, size)


def film_measure(space: TaggedMesh, **metadata: int) -> Any:
    """Return UFL's measure of the film's facets: integrands take their values from above."""
    # One-sided integrals do for a film within space as well as for one on its boundary.
    sides = [(1, space.sides("film").ravel())]
    return ufl.Measure("ds", domain=space.mesh, subdomain_data=sides, metadata=metadata)(1)


def half_space_weight(space: TaggedMesh) -> fem.Constant:
    """Return the weight of integrals over the mesh that makes them half of those over space."""
    return fem.Constant(space.mesh, 1.0 if space.mirrored else 0.5)


def surface_gradient(u: Any) -> Any:
    """∇_s u of the film in z = 0: the components along x and y."""
    return ufl.as_vector([u.dx(0), u.dx(1)])


def profile_overlaps(space: TaggedMesh, impurities: Sequence[Impurity]) -> npt.NDArray[np.float64]:
    """Return ∫_Γ f_i f_j dS [1/length²] of the impurities' profiles, shape ``(n, n)``.

    With the quadrature of the loads on the same facets, so that energies are consistent.

    Note:
        Collective.
    """
    points, weights = _quadrature(film_corners(space), SOURCE_QUADRATURE_DEGREE)
    points, weights = points.reshape(-1, 2), weights.ravel()
    local = np.zeros((len(impurities), len(impurities)))
    for block in np.array_split(
        np.arange(len(weights)), 1 + len(weights) * len(impurities) // 10**7
    ):
        profiles = np.array([profile(impurity, points[block]) for impurity in impurities])
        local += (profiles * weights[block]) @ profiles.T
    return np.asarray(space.mesh.comm.allreduce(local))


def profile(impurity: Impurity, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return f(r − r_i) [1/length²] at points (x, y) [length], shape ``(…, 2)`` to ``(…)``."""
    distance = np.linalg.norm(points - impurity.position, axis=-1) / impurity.size
    return np.asarray(np.exp(-(distance**2) / 2) / (2 * np.pi * impurity.size**2))


def quadrature_error(space: TaggedMesh, impurity: Impurity) -> float:
    """Return how wrong ∫_Γ f² dS is, relatively: all facets' differences from a finer rule.

    Note:
        Collective.
    """
    corners = film_corners(space)
    middles = corners.mean(axis=1)
    reach = np.abs(corners - middles[:, None]).max(axis=(1, 2), initial=0.0) * 2
    near = np.linalg.norm(middles - impurity.position, axis=1) < reach + 8 * impurity.size
    integrals = []
    for degree in (SOURCE_QUADRATURE_DEGREE, _FINER_QUADRATURE_DEGREE):
        points, weights = _quadrature(corners[near], degree)
        integrals.append(np.sum(profile(impurity, points) ** 2 * weights, axis=1))
    exact = 1 / (4 * np.pi * impurity.size**2)
    error = np.abs(integrals[0] - integrals[1]).sum() / exact
    return float(space.mesh.comm.allreduce(error))


def film_corners(space: TaggedMesh) -> npt.NDArray[np.float64]:
    """Return (x, y) of the corners of the film's facets, ``(n, 3, 2)``, as ``TaggedMesh.sides``."""
    cells, local = space.sides("film").T
    nodes = space.mesh.geometry.dofmaps[0][cells]
    facets = np.array(basix.topology(basix.CellType.tetrahedron)[2])[local]
    points = space.mesh.geometry.x[np.take_along_axis(nodes, facets, axis=1)]
    return np.asarray(points[:, :, :2])


def _quadrature(
    corners: npt.NDArray[np.float64], degree: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return points, ``(n, q, 2)``, and weights [area], ``(n, q)``, on triangles."""
    rule = basix.make_quadrature(basix.CellType.triangle, degree)
    reference, weights = (np.asarray(part, dtype=float) for part in rule)
    sides = corners[:, 1:] - corners[:, :1]
    points = corners[:, :1] + np.einsum("qk,fkx->fqx", reference, sides)
    return points, np.outer(np.abs(np.linalg.det(sides)), weights)
