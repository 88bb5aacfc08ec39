"""A level of p-multigrid: the stream formulation of one degree; interpolation between two levels.

In a mesh of all space (not only the half z > 0), ψ = u + Σ_k ½ sign(z − z_k) g_k jumps across film
k, though the mesh has no duplicate nodes there. The operator has blocks for u and for each g_k. The
unknowns of a rank are its owned dofs of u, followed by those of g_1, g_2, …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from pearlfem.formulation.base import assemble_operator, clear_rows_and_columns
from pearlfem.formulation.film import FilmMesh, unit_length
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.hole_unknowns import SharedUnknowns
from pearlfem.quantities.arrays import Int32Array

_Blocks = list[list[PETSc.Mat | None]]


class Level(NamedTuple):
    """An operator with its function space and unknowns.

    Args:
        V: The space of ψ, or of u and all g.
        fixed: Dofs where ψ or u is zero, including ghosts.
        jumps: For each film the owned dofs of its g; empty in a mirror symmetric space.
        operator: B.
        shared: Makes all dofs of a hole one unknown; None without holes.
        unit: ``operator`` is B divided by this.
    """

    V: fem.FunctionSpace
    fixed: Int32Array
    jumps: tuple[Int32Array, ...]
    operator: PETSc.Mat
    shared: SharedUnknowns | None
    unit: float


def assemble_level(films: Sequence[FilmMesh], degree: int) -> Level:
    """Assemble the operator for Lagrange elements of ``degree`` (collective)."""
    mesh = films[0].mesh
    V = forms.create_function_space(mesh, degree)
    fixed = forms.fixed_dofs(V, films)
    jumps: tuple[Int32Array, ...] = ()
    unit = unit_length(films)  # B is a length times numbers
    if mesh.mirrored:
        (film,) = films  # with two films, space is not mirror symmetric
        operator = assemble_operator(forms.energy_form(V, film), V, fixed, unit)
    else:
        jumps = tuple(forms.jump_dofs(V, film) for film in films)
        operator = _operator_with_jumps(V, films, fixed, jumps, unit)
    shared = _shared(operator, V, films, jumps)
    if shared is not None:
        operator = shared.condense(operator)
    if not mesh.mirrored:
        operator.setOption(PETSc.Mat.Option.SPD, True)
        operator.setNearNullSpace(_constants_between_films(operator, V, films, jumps, shared))
    return Level(V, fixed, jumps, operator, shared, unit)


def _operator_with_jumps(
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    fixed: Int32Array,
    jumps: Sequence[Int32Array],
    unit: float,
) -> PETSc.Mat:
    """Return B/unit for u and the g of all films, as one matrix (collective)."""
    parts = forms.jump_forms(V, films, jumps)
    u_numbers = _global_numbers(V, np.arange(V.dofmap.index_map.size_local, dtype=np.int32))
    g_numbers = [_global_numbers(V, dofs) for dofs in jumps]
    count = 1 + len(films)
    blocks: _Blocks = [[None] * count for _ in range(count)]
    blocks[0][0] = assemble_operator(parts.continuous, V, fixed, unit)
    for k, form in enumerate(parts.couplings):
        coupling = assemble_operator(form, V, fixed, unit, diagonal=0.0)
        blocks[1 + k][0] = coupling.createSubMatrix(g_numbers[k], u_numbers)
        blocks[0][1 + k] = coupling.createSubMatrix(u_numbers, g_numbers[k])
        coupling.destroy()
    for (k, m), form in parts.jumps.items():
        jump = assemble_operator(form, V, fixed, unit, diagonal=0.0)
        blocks[1 + k][1 + m] = jump.createSubMatrix(g_numbers[k], g_numbers[m])
        if k != m:
            blocks[1 + m][1 + k] = jump.createSubMatrix(g_numbers[m], g_numbers[k])
        jump.destroy()
    return _join(blocks)


def _shared(
    operator: PETSc.Mat,
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    jumps: Sequence[Int32Array],
) -> SharedUnknowns | None:
    """Return the shared unknowns of the holes, None without holes (collective)."""
    if not any(film.holes for film in films):
        return None
    first, owned = operator.getOwnershipRange()[0], V.dofmap.index_map.size_local
    groups, start = [], owned  # start: local number of the first unknown of the film's g
    for k, film in enumerate(films):
        for dofs in forms.hole_dofs(V, film):
            unknowns = dofs[dofs < owned]
            if jumps:
                unknowns = start + np.flatnonzero(np.isin(jumps[k], unknowns))
            groups.append(first + unknowns)
        start += len(jumps[k]) if jumps else 0
    return SharedUnknowns(operator, groups)


def interpolation(coarse: Level, fine: Level, films: Sequence[FilmMesh]) -> PETSc.Mat:
    """Return the interpolation matrix from ``coarse`` to ``fine`` unknowns (collective).

    Args:
        coarse: The level of degree 1.
        fine: The level of the higher degree.
        films: The films in their mesh.
    """
    nodal = fem_petsc.interpolation_matrix(coarse.V, fine.V)
    nodal.assemble()
    clear_rows_and_columns(nodal, fine.fixed, coarse.fixed)
    if not fine.jumps:
        return _between_active_unknowns(nodal, coarse, fine)
    count = 1 + len(films)
    blocks: _Blocks = [[None] * count for _ in range(count)]
    u_numbers = _global_numbers(fine.V, np.arange(nodal.getLocalSize()[0], dtype=np.int32))
    for k, film in enumerate(films):
        coarse_jumps = _global_numbers(coarse.V, coarse.jumps[k])
        # A coarse g of film k is not zero at fine nodes inside the cells next to the film. Fine g
        # has no dofs there, so u takes these values, times ½ sign(z − z_k).
        half_sign = nodal.createVecLeft()
        half_sign.array[:] = forms.half_sign_at_dofs(fine.V, film)
        off_film = nodal.createSubMatrix(u_numbers, coarse_jumps)
        off_film.diagonalScale(half_sign)
        blocks[0][1 + k] = off_film
        fine_jumps = _global_numbers(fine.V, fine.jumps[k])
        blocks[1 + k][1 + k] = nodal.createSubMatrix(fine_jumps, coarse_jumps)
    blocks[0][0] = nodal
    return _between_active_unknowns(_join(blocks), coarse, fine)


def _between_active_unknowns(interpolation: PETSc.Mat, coarse: Level, fine: Level) -> PETSc.Mat:
    """Return ``interpolation`` without the inactive unknowns of holes; destroy the original."""
    if coarse.shared is None or fine.shared is None:
        return interpolation
    product = interpolation.matMult(coarse.shared.matrix)
    clear_rows_and_columns(product, fine.shared.inactive, coarse.shared.inactive)
    interpolation.destroy()
    return product


def _constants_between_films(
    operator: PETSc.Mat,
    V: fem.FunctionSpace,
    films: Sequence[FilmMesh],
    jumps: Sequence[Int32Array],
    shared: SharedUnknowns | None,
) -> PETSc.NullSpace:
    """Return the near null space, orthonormal: ψ = 1 and ψ = ½ sign(z − z_k) of each film.

    Their energy is zero except near fixed dofs and edges of films.
    """
    owned = V.dofmap.index_map.size_local
    constant = operator.createVecRight()
    constant.array[:owned], constant.array[owned:] = 1.0, 0.0
    vectors, start = [constant], owned
    for film, dofs in zip(films, jumps, strict=True):
        half_sign = operator.createVecRight()
        half_sign.array[:owned] = forms.half_sign_at_dofs(V, film)
        half_sign.array[owned:] = 0.0
        half_sign.array[start : start + len(dofs)] = 1.0
        vectors.append(half_sign)
        start += len(dofs)
    for k, vector in enumerate(vectors):
        if shared is not None:
            vector.array[shared.inactive] = 0.0
        vector.normalize()
        for previous in vectors[:k]:
            vector.axpy(-previous.dot(vector), previous)
        vector.normalize()
    return PETSc.NullSpace().create(vectors=vectors, comm=operator.comm)


def _global_numbers(V: fem.FunctionSpace, dofs: Int32Array) -> PETSc.IS:
    """Return the global numbers of owned ``dofs``."""
    first = V.dofmap.index_map.local_range[0]
    return PETSc.IS().createGeneral(first + dofs, comm=V.mesh.comm)


def _join(blocks: _Blocks) -> PETSc.Mat:
    """Return ``blocks`` as one sparse matrix, and destroy them (collective)."""
    first = blocks[0][0]
    assert first is not None
    nest = PETSc.Mat().createNest(blocks, comm=first.comm)
    joined = nest.convert("aij", PETSc.Mat())
    for matrix in (nest, *(block for row in blocks for block in row if block is not None)):
        matrix.destroy()
    return joined
