"""The stream formulation in one degree, and the interpolation from degree 1 to it.

In a space meshed as a whole ψ = u + Σ_k ½ sign(z − z_k) g_k jumps across the films without a crack
in the mesh. The operator has blocks for u and for each g_k, and each rank's unknowns are its own of
u, then of g_1, g_2, …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import assemble_operator, leave_out
from pearlfem.formulation.film import FilmMesh
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.hole_unknowns import SharedUnknowns
from pearlfem.quantities.arrays import Int32Array

_Blocks = list[list[PETSc.Mat | None]]


class Level(NamedTuple):
    """An operator with its function space and unknowns.

    Args:
        V: The space of ψ, or of u and all g.
        fixed: Dofs where ψ or u is zero, ghosts too.
        jumps: Of each film the owned dofs of its g; none in a mirror symmetric space.
        operator: B.
        shared: Makes one unknown of all dofs of a hole; None without holes.
    """

    V: fem.FunctionSpace
    fixed: Int32Array
    jumps: tuple[Int32Array, ...]
    operator: PETSc.Mat
    shared: SharedUnknowns | None


def assemble_level(films: Sequence[FilmMesh], degree: int) -> Level:
    """Assemble the operator of ``degree`` (collective)."""
    mesh = films[0].mesh
    V = forms.create_function_space(mesh, degree)
    fixed = forms.fixed_dofs(V, films)
    jumps: tuple[Int32Array, ...] = ()
    if mesh.mirrored:
        (film,) = films  # two films are no mirror image of themselves
        operator = assemble_operator(forms.energy_form(V, film), V, fixed)
    else:
        jumps = tuple(forms.jump_dofs(V, film) for film in films)
        operator = _operator_with_jumps(V, films, fixed, jumps)
    shared = _shared(operator, V, films, jumps)
    if shared is not None:
        operator = shared.condense(operator)
    if not mesh.mirrored:
        operator.setOption(PETSc.Mat.Option.SPD, True)
        operator.setNearNullSpace(_constants_between_films(operator, V, films, jumps, shared))
    return Level(V, fixed, jumps, operator, shared)


def _operator_with_jumps(
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    fixed: Int32Array,
    jumps: Sequence[Int32Array],
) -> PETSc.Mat:
    """Return B for u and the g of all films."""
    parts = forms.jump_forms(V, films, jumps)
    every = _global_numbers(V, np.arange(V.dofmap.index_map.size_local, dtype=np.int32))
    of_films = [_global_numbers(V, dofs) for dofs in jumps]
    count = 1 + len(films)
    blocks: _Blocks = [[None] * count for _ in range(count)]
    blocks[0][0] = assemble_operator(parts.continuous, V, fixed)
    for k, form in enumerate(parts.couplings):
        coupling = assemble_operator(form, V, fixed, diagonal=0.0)
        blocks[1 + k][0] = coupling.createSubMatrix(of_films[k], every)
        blocks[0][1 + k] = coupling.createSubMatrix(every, of_films[k])
        coupling.destroy()
    for (k, m), form in parts.jumps.items():
        jump = assemble_operator(form, V, fixed, diagonal=0.0)
        blocks[1 + k][1 + m] = jump.createSubMatrix(of_films[k], of_films[m])
        if k != m:
            blocks[1 + m][1 + k] = jump.createSubMatrix(of_films[m], of_films[k])
        jump.destroy()
    return _join(blocks)


def _shared(
    operator: PETSc.Mat,
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    jumps: Sequence[Int32Array],
) -> SharedUnknowns | None:
    """Return what makes one unknown of each hole, if there are holes (collective)."""
    if not any(film.holes for film in films):
        return None
    first, owned = operator.getOwnershipRange()[0], V.dofmap.index_map.size_local
    groups, before = [], owned
    for k, film in enumerate(films):
        for dofs in forms.hole_dofs(V, film):
            mine = dofs[dofs < owned]
            unknowns = before + np.flatnonzero(np.isin(jumps[k], mine)) if jumps else mine
            groups.append(first + unknowns)
        before += len(jumps[k]) if jumps else 0
    return SharedUnknowns(operator, groups)


def interpolation(coarse: Level, fine: Level, films: Sequence[FilmMesh]) -> PETSc.Mat:
    """Return the matrix from the unknowns of ``coarse`` to those of ``fine`` (collective)."""
    nodes = fem_petsc.interpolation_matrix(coarse.V, fine.V)
    nodes.assemble()
    leave_out(nodes, fine.fixed, coarse.fixed)
    if not fine.jumps:
        return _with_shared(nodes, coarse, fine)
    count = 1 + len(films)
    blocks: _Blocks = [[None] * count for _ in range(count)]
    every = _global_numbers(fine.V, np.arange(nodes.getLocalSize()[0], dtype=np.int32))
    for k, film in enumerate(films):
        coarse_jumps = _global_numbers(coarse.V, coarse.jumps[k])
        # Off film k, where the finer g does not reach, u takes what the coarser g has there.
        side = nodes.createVecLeft()
        side.array[:] = forms.half_sign_at_dofs(fine.V, film)
        lifted = nodes.createSubMatrix(every, coarse_jumps)
        lifted.diagonalScale(side)
        blocks[0][1 + k] = lifted
        fine_jumps = _global_numbers(fine.V, fine.jumps[k])
        blocks[1 + k][1 + k] = nodes.createSubMatrix(fine_jumps, coarse_jumps)
    blocks[0][0] = nodes
    return _with_shared(_join(blocks), coarse, fine)


def _with_shared(nodes: PETSc.Mat, coarse: Level, fine: Level) -> PETSc.Mat:
    """Return the interpolation ``nodes`` between the unknowns that holes leave."""
    if coarse.shared is None or fine.shared is None:
        return nodes
    product = nodes.matMult(coarse.shared.matrix)
    leave_out(product, fine.shared.left_out, coarse.shared.left_out)
    nodes.destroy()
    return product


def _constants_between_films(
    operator: PETSc.Mat,
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    jumps: Sequence[Int32Array],
    shared: SharedUnknowns | None,
) -> PETSc.NullSpace:
    """Return ψ = 1 and each ψ = ½ sign(z − z_k), which cost energy only where ψ is fixed."""
    owned = V.dofmap.index_map.size_local
    one = operator.createVecRight()
    one.array[:owned], one.array[owned:] = 1.0, 0.0
    vectors, before = [one], owned
    for film, dofs in zip(films, jumps, strict=True):
        sign = operator.createVecRight()
        sign.array[:owned], sign.array[owned:] = forms.half_sign_at_dofs(V, film), 0.0
        sign.array[before : before + len(dofs)] = 1.0
        vectors.append(sign)
        before += len(dofs)
    for k, vector in enumerate(vectors):
        if shared is not None:
            vector.array[shared.left_out] = 0.0
        vector.normalize()
        for other in vectors[:k]:
            vector.axpy(-other.dot(vector), other)
        vector.normalize()
    return PETSc.NullSpace().create(vectors=vectors, comm=operator.comm)


def _global_numbers(V: fem.FunctionSpace, dofs: Int32Array) -> PETSc.IS:
    """Return the global numbers of this rank's own ``dofs``."""
    first = V.dofmap.index_map.local_range[0]
    return PETSc.IS().createGeneral(first + dofs, comm=V.mesh.comm)


def _join(blocks: _Blocks) -> PETSc.Mat:
    """Return ``blocks`` as one sparse matrix and destroy them."""
    corner = blocks[0][0]
    assert corner is not None
    nest = PETSc.Mat().createNest(blocks, comm=corner.comm)
    joined = nest.convert("aij", PETSc.Mat())
    for matrix in (nest, *(block for row in blocks for block in row if block is not None)):
        matrix.destroy()
    return joined
