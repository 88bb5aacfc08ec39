"""Unknowns that share one value: EᵀAE, Eᵀb and Ex against dense products, and those of holes."""

import numpy as np
import pytest
from helpers import in_mesh
from petsc4py import PETSc

from pearlfem import (
    Difference,
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    Plane,
    Rectangle,
    UniformField,
    Walls,
    create_mesh,
)
from pearlfem.formulation.stream import forms
from pearlfem.formulation.stream.assembled import StreamFormulation
from pearlfem.formulation.stream.hole_unknowns import SharedUnknowns
from pearlfem.formulation.stream.levels import assemble_level

GROUPS = ([3, 1, 7], [0, 9], [4])
SIZE = 10


def as_matrix(dense):
    """A dense array as a sparse matrix of PETSc on one rank."""
    matrix = PETSc.Mat().createAIJ(dense.shape, nnz=dense.shape[1], comm=PETSc.COMM_SELF)
    rows = np.arange(dense.shape[0], dtype=PETSc.IntType)
    matrix.setValues(rows, np.arange(dense.shape[1], dtype=PETSc.IntType), dense.ravel())
    matrix.assemble()
    return matrix


def as_dense(matrix):
    rows, columns = matrix.getSize()
    return matrix.getValues(range(rows), range(columns))


@pytest.fixture
def dense():
    """A symmetric positive matrix."""
    half = np.random.default_rng(7).normal(size=(SIZE, SIZE))
    return half @ half.T + np.eye(SIZE)


@pytest.fixture
def E():
    """One column for each group, at its lowest member; others have none."""
    matrix = np.eye(SIZE)
    for group in GROUPS:
        for member in group:
            matrix[member] = 0.0
            matrix[member, min(group)] = 1.0
    return matrix


@pytest.fixture
def shared(dense):
    layout = as_matrix(dense)
    groups = [np.array(group, dtype=PETSc.IntType) for group in GROUPS]
    yield SharedUnknowns(layout, groups)
    layout.destroy()


def test_matrix_sends_each_group_to_its_lowest_member(shared, E):
    np.testing.assert_array_equal(as_dense(shared.matrix), E)
    assert shared.inactive.tolist() == [3, 7, 9]


def test_condensed_operator_has_unit_rows_for_inactive_unknowns(shared, E, dense):
    expected = E.T @ dense @ E
    expected[shared.inactive, shared.inactive] = 1.0
    condensed = shared.condense(as_matrix(dense))
    np.testing.assert_allclose(as_dense(condensed), expected, atol=1e-14 * np.abs(dense).max())
    assert np.linalg.eigvalsh(as_dense(condensed)).min() > 0
    condensed.destroy()


def test_gathered_load_is_the_sum_of_each_group(shared, E):
    load = np.random.default_rng(1).normal(size=SIZE)
    gathered = shared.gather(load)
    np.testing.assert_allclose(gathered, E.T @ load, rtol=1e-14)
    assert np.all(gathered[shared.inactive] == 0)


def test_spread_unknowns_are_equal_in_each_group(shared, E):
    few = np.random.default_rng(2).normal(size=SIZE)
    spread = shared.spread(few)
    np.testing.assert_array_equal(spread, E @ few)
    for group in GROUPS:
        assert len(set(spread[group].tolist())) == 1


def test_solution_of_the_condensed_system_is_the_least_one_with_equal_unknowns(shared, E, dense):
    # The energy ½ xᵀAx − bᵀx has its minimum over x = E y where EᵀAE y = Eᵀ b.
    load = np.random.default_rng(3).normal(size=SIZE)
    columns = E[:, E.any(axis=0)]
    best = columns @ np.linalg.solve(columns.T @ dense @ columns, columns.T @ load)
    condensed = as_dense(shared.condense(as_matrix(dense)))
    few = np.linalg.solve(condensed, shared.gather(load))
    np.testing.assert_allclose(shared.spread(few), best, rtol=1e-10)
    assert np.all(few[shared.inactive] == 0)


def test_energies_are_those_of_the_unknowns_that_are_meant(shared, dense):
    few = np.random.default_rng(4).normal(size=SIZE)
    few[shared.inactive] = 0.0  # as solvers leave them
    all_of_them = shared.spread(few)
    condensed = as_dense(shared.condense(as_matrix(dense)))
    assert few @ condensed @ few == pytest.approx(all_of_them @ dense @ all_of_them, rel=1e-13)


def test_no_groups_leave_everything_as_it_is(dense):
    shared = SharedUnknowns(as_matrix(dense), [])
    assert len(shared.inactive) == 0
    np.testing.assert_allclose(as_dense(shared.condense(as_matrix(dense))), dense, rtol=1e-14)


# --- holes of a film

HOLES = (
    Hole(Rectangle((0.4, 0.5), (-0.5, 0.0)), "left"),
    Hole(Rectangle((0.5, 0.4), (0.5, 0.1)), "right"),
)
FILM = Film(Rectangle((2.0, 1.5)), 0.8, HOLES)
MOAT = Difference(Rectangle((1.6, 1.6)), (Rectangle((0.8, 0.8)),))  # an island in a hole
CASES = {
    "film": (FILM, [UniformField((0.0, 0.0, 1.0))], {}, 2),
    "plane": (Film(Plane(), 0.8, HOLES), [Impurity((0.0, 0.8), size=0.4)], {}, 2),
    "whole space": (
        FILM,
        [Fluxoid("left")],
        {"boundary": Walls("shield", (4.0, 4.0, 2.0), (0.0, 0.0, 0.2))},
        2,
    ),
    "island": (
        Film(Disc(2.0), 0.8, (Hole(MOAT, "moat"),)),
        [Fluxoid("moat")],
        {},
        1,
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    film, sources, options, holes = CASES[request.param]
    mesh = create_mesh(film, sources, resolution=0.1, far=3.0, **options)
    return film, mesh, sources, holes


@pytest.mark.parametrize("degree", [1, 2])
def test_each_hole_has_one_unknown(case, degree):
    film, mesh, _, holes = case
    level = assemble_level([in_mesh(film, mesh)], degree)
    groups = forms.hole_dofs(level.V, in_mesh(film, mesh))
    assert len(groups) == holes
    # All unknowns of holes but one each are left out.
    assert len(level.shared.inactive) == sum(len(group) - 1 for group in groups)
    spread = level.shared.spread(np.arange(level.operator.getSize()[0], dtype=float))
    values = spread[: level.V.dofmap.index_map.size_local]
    if mesh.mirrored:
        found = [set(values[group].tolist()) for group in groups]
        assert all(len(one) == 1 for one in found)
        assert len(set.union(*found)) == holes
    level.operator.destroy()


def test_stream_function_is_constant_on_each_hole(case):
    film, mesh, sources, _ = case
    formulation = StreamFormulation([in_mesh(film, mesh)], 2)
    solver = formulation.create_solver()
    loads = [load.vector for load in formulation.loads(sources)]
    unknowns, _ = solver.solve(loads)
    fields = formulation.fields(unknowns[0])
    (g,) = fields.stream_functions
    scale = np.abs(g.x.array).max()
    values = []
    for dofs in forms.hole_dofs(g.function_space, in_mesh(film, mesh)):
        assert len(dofs) > 10
        assert np.ptp(g.x.array[dofs]) == 0.0
        values.append(g.x.array[dofs[0]])
    assert np.abs(values).max() > 1e-3 * scale
    solver.destroy()
    formulation.destroy()


def test_film_without_holes_needs_no_shared_unknowns(film, mesh):
    level = assemble_level([in_mesh(film, mesh)], 1)
    assert level.shared is None
    level.operator.destroy()
