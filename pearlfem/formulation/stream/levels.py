"""The stream formulation in one degree, and the interpolation from degree 1 to it.

In a space meshed as a whole ψ = u + ½ sign(z) g jumps across the film without a crack in the mesh.
The operator has blocks for u and for g, and each rank's unknowns are its own of u, then of g.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import assemble_operator, leave_out
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.hole_unknowns import Glue
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film

_Dofs = npt.NDArray[np.int32]


class Level(NamedTuple):
    """An operator with its space, fixed dofs of it and the owned ones at which ψ may jump.

    ``glue`` makes one unknown of all dofs of a hole; None without holes.
    """

    V: fem.FunctionSpace
    fixed: _Dofs
    jumps: _Dofs
    operator: PETSc.Mat
    glue: Glue | None


def assemble_level(film: Film, space: TaggedMesh, degree: int) -> Level:
    """Assemble the operator of ``degree`` (collective)."""
    V = forms.create_space(space, degree)
    fixed = forms.fixed_dofs(V, space)
    if space.mirrored:
        operator = assemble_operator(forms.energy_form(V, space, film), V, fixed)
        glue = _glue(operator, V, space, np.empty(0, np.int32))
        if glue is not None:
            operator = glue.condense(operator)
        return Level(V, fixed, np.empty(0, np.int32), operator, glue)
    jumps = forms.jump_dofs(V, space)
    parts = forms.two_sided_forms(V, space, film, jumps)
    continuous, coupling, jump = (
        assemble_operator(form, V, fixed, diagonal)
        for form, diagonal in zip(parts, (1.0, 0.0, 0.0), strict=True)
    )
    all_dofs, film_dofs = _index_sets(V, jumps)
    lower = coupling.createSubMatrix(film_dofs, all_dofs)
    upper = coupling.createSubMatrix(all_dofs, film_dofs)
    blocks = [[continuous, upper], [lower, jump.createSubMatrix(film_dofs, film_dofs)]]
    operator = _join(blocks)
    glue = _glue(operator, V, space, jumps)
    if glue is not None:
        operator = glue.condense(operator)
    operator.setOption(PETSc.Mat.Option.SPD, True)
    operator.setNearNullSpace(_constants_on_each_side(operator, V, space, glue))
    for matrix in (coupling, jump):
        matrix.destroy()
    return Level(V, fixed, jumps, operator, glue)


def _glue(
    operator: PETSc.Mat, V: fem.FunctionSpace, space: TaggedMesh, jumps: _Dofs
) -> Glue | None:
    """Return what makes one unknown of each hole, if there are holes (collective)."""
    if not space.holes:
        return None
    first, owned = operator.getOwnershipRange()[0], V.dofmap.index_map.size_local
    groups = []
    for dofs in forms.hole_dofs(V, space):
        mine = dofs[dofs < owned]
        unknowns = mine if space.mirrored else owned + np.flatnonzero(np.isin(jumps, mine))
        groups.append(first + unknowns)
    return Glue(operator, groups)


def interpolation(coarse: Level, fine: Level, space: TaggedMesh) -> PETSc.Mat:
    """Return the matrix from the unknowns of ``coarse`` to those of ``fine`` (collective)."""
    nodes = fem_petsc.interpolation_matrix(coarse.V, fine.V)
    nodes.assemble()
    leave_out(nodes, fine.fixed, coarse.fixed)
    if space.mirrored:
        return _glued(nodes, coarse, fine)
    # Off the film, where g of the finer level does not reach, u takes what g of the coarser does.
    all_fine, film_fine = _index_sets(fine.V, fine.jumps)
    _, film_coarse = _index_sets(coarse.V, coarse.jumps)
    side = nodes.createVecLeft()
    side.array[:] = forms.half_sign_at_dofs(fine.V, space)
    lifted = nodes.createSubMatrix(all_fine, film_coarse)
    lifted.diagonalScale(side)
    joined = _join([[nodes, lifted], [None, nodes.createSubMatrix(film_fine, film_coarse)]])
    return _glued(joined, coarse, fine)


def _glued(nodes: PETSc.Mat, coarse: Level, fine: Level) -> PETSc.Mat:
    """Return the interpolation ``nodes`` between the unknowns that holes leave."""
    if coarse.glue is None or fine.glue is None:
        return nodes
    product = nodes.matMult(coarse.glue.matrix)
    leave_out(product, fine.glue.left_out, coarse.glue.left_out)
    nodes.destroy()
    return product


def _constants_on_each_side(
    operator: PETSc.Mat, V: fem.FunctionSpace, space: TaggedMesh, glue: Glue | None
) -> PETSc.NullSpace:
    """Return ψ = 1 and ψ = ½ sign(z), which cost energy only where ψ is fixed."""
    one, sign = operator.createVecs()
    owned = V.dofmap.index_map.size_local
    one.array[:owned], one.array[owned:] = 1.0, 0.0
    sign.array[:owned], sign.array[owned:] = forms.half_sign_at_dofs(V, space), 1.0
    for vector in (one, sign):
        if glue is not None:
            vector.array[glue.left_out] = 0.0
        vector.normalize()
    sign.axpy(-one.dot(sign), one)
    sign.normalize()
    return PETSc.NullSpace().create(vectors=[one, sign], comm=operator.comm)


def _index_sets(V: fem.FunctionSpace, jumps: _Dofs) -> tuple[PETSc.IS, PETSc.IS]:
    """Return the global numbers of this rank's own dofs, and of its own ``jumps``."""
    index_map, comm = V.dofmap.index_map, V.mesh.comm
    first = index_map.local_range[0]
    return (
        PETSc.IS().createStride(index_map.size_local, first, 1, comm=comm),
        PETSc.IS().createGeneral(first + jumps, comm=comm),
    )


def _join(blocks: list[list[PETSc.Mat | None]]) -> PETSc.Mat:
    """Return ``blocks`` as one sparse matrix and destroy them."""
    corner = blocks[0][0]
    assert corner is not None
    nest = PETSc.Mat().createNest(blocks, comm=corner.comm)
    joined = nest.convert("aij", PETSc.Mat())
    for matrix in (nest, *(block for row in blocks for block in row if block is not None)):
        matrix.destroy()
    return joined
