"""The stream formulation in one degree, and the interpolation from degree 1 to it.

In a space meshed as a whole ψ = u + ½ sign(z) g jumps across the film without a crack in the mesh.
The operator has blocks for u and for g, and each rank's unknowns are its own of u, then of g.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import assemble_operator, leave_out
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.hole_unknowns import SharedUnknowns
from pearlfem.mesh.tagged import TaggedMesh
from pearlfem.model.film import Film
from pearlfem.quantities.arrays import Int32Array


class Level(NamedTuple):
    """An operator with its space, fixed dofs of it and the owned ones at which ψ may jump.

    ``glue`` makes one unknown of all dofs of a hole; None without holes.
    """

    V: fem.FunctionSpace
    fixed: Int32Array
    jumps: Int32Array
    operator: PETSc.Mat
    shared: SharedUnknowns | None


def assemble_level(film: Film, mesh: TaggedMesh, degree: int) -> Level:
    """Assemble the operator of ``degree`` (collective)."""
    V = forms.create_function_space(mesh, degree)
    fixed = forms.fixed_dofs(V, mesh)
    if mesh.mirrored:
        operator = assemble_operator(forms.energy_form(V, mesh, film), V, fixed)
        shared = _shared(operator, V, mesh, np.empty(0, np.int32))
        if shared is not None:
            operator = shared.condense(operator)
        return Level(V, fixed, np.empty(0, np.int32), operator, shared)
    jumps = forms.jump_dofs(V, mesh)
    parts = forms.two_sided_forms(V, mesh, film, jumps)
    continuous, coupling, jump = (
        assemble_operator(form, V, fixed, diagonal)
        for form, diagonal in zip(parts, (1.0, 0.0, 0.0), strict=True)
    )
    all_dofs, film_dofs = _index_sets(V, jumps)
    lower = coupling.createSubMatrix(film_dofs, all_dofs)
    upper = coupling.createSubMatrix(all_dofs, film_dofs)
    blocks = [[continuous, upper], [lower, jump.createSubMatrix(film_dofs, film_dofs)]]
    operator = _join(blocks)
    shared = _shared(operator, V, mesh, jumps)
    if shared is not None:
        operator = shared.condense(operator)
    operator.setOption(PETSc.Mat.Option.SPD, True)
    operator.setNearNullSpace(_constants_on_each_side(operator, V, mesh, shared))
    for matrix in (coupling, jump):
        matrix.destroy()
    return Level(V, fixed, jumps, operator, shared)


def _shared(
    operator: PETSc.Mat, V: fem.FunctionSpace, mesh: TaggedMesh, jumps: Int32Array
) -> SharedUnknowns | None:
    """Return what makes one unknown of each hole, if there are holes (collective)."""
    if not mesh.holes:
        return None
    first, owned = operator.getOwnershipRange()[0], V.dofmap.index_map.size_local
    groups = []
    for dofs in forms.hole_dofs(V, mesh):
        mine = dofs[dofs < owned]
        unknowns = mine if mesh.mirrored else owned + np.flatnonzero(np.isin(jumps, mine))
        groups.append(first + unknowns)
    return SharedUnknowns(operator, groups)


def interpolation(coarse: Level, fine: Level, mesh: TaggedMesh) -> PETSc.Mat:
    """Return the matrix from the unknowns of ``coarse`` to those of ``fine`` (collective)."""
    nodes = fem_petsc.interpolation_matrix(coarse.V, fine.V)
    nodes.assemble()
    leave_out(nodes, fine.fixed, coarse.fixed)
    if mesh.mirrored:
        return _with_shared(nodes, coarse, fine)
    # Off the film, where g of the finer level does not reach, u takes what g of the coarser does.
    all_fine, film_fine = _index_sets(fine.V, fine.jumps)
    _, film_coarse = _index_sets(coarse.V, coarse.jumps)
    side = nodes.createVecLeft()
    side.array[:] = forms.half_sign_at_dofs(fine.V, mesh)
    lifted = nodes.createSubMatrix(all_fine, film_coarse)
    lifted.diagonalScale(side)
    joined = _join([[nodes, lifted], [None, nodes.createSubMatrix(film_fine, film_coarse)]])
    return _with_shared(joined, coarse, fine)


def _with_shared(nodes: PETSc.Mat, coarse: Level, fine: Level) -> PETSc.Mat:
    """Return the interpolation ``nodes`` between the unknowns that holes leave."""
    if coarse.shared is None or fine.shared is None:
        return nodes
    product = nodes.matMult(coarse.shared.matrix)
    leave_out(product, fine.shared.left_out, coarse.shared.left_out)
    nodes.destroy()
    return product


def _constants_on_each_side(
    operator: PETSc.Mat, V: fem.FunctionSpace, mesh: TaggedMesh, shared: SharedUnknowns | None
) -> PETSc.NullSpace:
    """Return ψ = 1 and ψ = ½ sign(z), which cost energy only where ψ is fixed."""
    one, sign = operator.createVecs()
    owned = V.dofmap.index_map.size_local
    one.array[:owned], one.array[owned:] = 1.0, 0.0
    sign.array[:owned], sign.array[owned:] = forms.half_sign_at_dofs(V, mesh), 1.0
    for vector in (one, sign):
        if shared is not None:
            vector.array[shared.left_out] = 0.0
        vector.normalize()
    sign.axpy(-one.dot(sign), one)
    sign.normalize()
    return PETSc.NullSpace().create(vectors=[one, sign], comm=operator.comm)


def _index_sets(V: fem.FunctionSpace, jumps: Int32Array) -> tuple[PETSc.IS, PETSc.IS]:
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
