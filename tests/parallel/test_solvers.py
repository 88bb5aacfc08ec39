"""Products and solves with many vectors, on any number of ranks."""

import numpy as np
import numpy.typing as npt
import pytest
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from pearlfem.errors import ConvergenceError
from pearlfem.solvers.multigrid import TOLERANCE, Multigrid
from pearlfem.solvers.row_blocks import RowBlocks

WORLD = MPI.COMM_WORLD
SCALES = [1e-12, 1.0, 0.0, 1e12, 3.0]


def everywhere(true: bool) -> bool:
    """Whether it holds on every rank."""
    return WORLD.allreduce(int(true)) == WORLD.size


def distributed(rows: list[int], columns: list[int], seed: int = 0) -> PETSc.Mat:
    """A matrix with so many rows and columns on each rank, and one row without a zero."""
    rng = np.random.default_rng(seed)
    entries = rng.normal(size=(sum(rows), sum(columns)))
    entries[1:][rng.random(entries[1:].shape) < 0.8] = 0.0
    sizes = ((rows[WORLD.rank], sum(rows)), (columns[WORLD.rank], sum(columns)))
    matrix = PETSc.Mat().createAIJ(sizes, nnz=sum(columns), comm=WORLD)
    for row in range(*matrix.getOwnershipRange()):
        places = np.flatnonzero(entries[row]).astype(PETSc.IntType)
        matrix.setValues([row], places, entries[row, places])
    matrix.assemble()
    return matrix


@pytest.mark.parametrize("columns", ["as rows", "fewer", "on one rank"])
@pytest.mark.parametrize("k", [1, 2, 5, 31])
def test_product_is_that_of_petsc(columns, k):
    rows = [20 + 3 * rank for rank in range(WORLD.size)]
    counts = {
        "as rows": rows,
        "fewer": [5 + rank for rank in range(WORLD.size)],
        "on one rank": [12] + [0] * (WORLD.size - 1),
    }[columns]
    for matrix in (distributed(rows, counts), distributed(counts, rows)):
        right, left = matrix.createVecs()
        x = np.random.default_rng(WORLD.rank).normal(size=(right.local_size, k))
        blocks = RowBlocks(matrix)
        exact, single = blocks.product(x), blocks.single().product(x.astype(np.float32))
        good = single.dtype == np.float32
        for column in range(k):
            right.array[:] = x[:, column]
            matrix.mult(right, left)
            good &= np.allclose(exact[:, column], left.array_r, rtol=0.0, atol=1e-13)
            good &= np.allclose(single[:, column], left.array_r, rtol=0.0, atol=1e-4)
        assert everywhere(good)
        blocks.destroy()
        matrix.destroy()


@pytest.fixture(scope="module")
def levels():
    """−Δu + u on a cube in degree 2 and 1, and the interpolation between them."""
    cube = dmesh.create_unit_cube(WORLD, 5, 5, 5)
    meshes = [fem.functionspace(cube, ("Lagrange", degree)) for degree in (2, 1)]
    matrices = []
    for V in meshes:
        u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
        form = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx + u * v * ufl.dx)
        matrices.append(fem_petsc.assemble_matrix(form))
    matrices.append(fem_petsc.interpolation_matrix(*reversed(meshes)))
    for matrix in matrices:
        matrix.assemble()
    yield matrices
    for matrix in matrices:
        matrix.destroy()


@pytest.fixture(scope="module", params=[2, 1], ids=["degree 2", "degree 1"])
def system(levels, request):
    """An operator and its solver."""
    matrices = levels if request.param == 2 else levels[1:2]
    solver = Multigrid(*(matrix.copy() for matrix in matrices))
    yield matrices[0], solver
    solver.destroy()


def loads_of(operator: PETSc.Mat) -> list[npt.NDArray[np.float64]]:
    rows = operator.getLocalSize()[0]
    generators = [np.random.default_rng([WORLD.rank, seed]) for seed in range(len(SCALES))]
    pairs = zip(SCALES, generators, strict=True)
    return [scale * generator.normal(size=rows) for scale, generator in pairs]


def energy_norm(operator: PETSc.Mat, vector: PETSc.Vec) -> float:
    return float(np.sqrt(vector.dot(operator @ vector)))


def test_loads_of_all_sizes_together(system):
    operator, solver = system
    loads = loads_of(operator)
    solutions, iterations = solver.solve(loads)
    assert len(set(WORLD.allgather(tuple(iterations)))) == 1
    reference = PETSc.KSP().create(WORLD)
    reference.setOperators(operator)
    reference.setType("cg")
    reference.getPC().setType("jacobi")
    reference.setTolerances(rtol=1e-13, max_it=1000)
    right, exact = operator.createVecs()
    for load, solution in zip(loads, solutions, strict=True):
        right.array[:] = load
        reference.solve(right, exact)
        size = energy_norm(operator, exact)
        exact.array[:] -= solution
        # The condition of the preconditioner is below 3.
        assert energy_norm(operator, exact) <= 5 * TOLERANCE * size
    assert iterations[SCALES.index(0.0)] == 0
    reference.destroy()


def test_one_by_one_and_together(system):
    operator, solver = system
    loads = loads_of(operator)
    solutions, iterations = solver.solve(loads)
    alone = operator.createVecRight()
    for load, solution, count in zip(loads, solutions, iterations, strict=True):
        (answer,), (own_count,) = solver.solve([load])
        assert abs(own_count - count) <= 1
        alone.array[:] = answer
        size = energy_norm(operator, alone)
        alone.array[:] -= solution
        assert energy_norm(operator, alone) <= TOLERANCE * size


def test_failure_on_one_rank_is_raised_on_all(system):
    operator, solver = system
    loads = loads_of(operator)
    if WORLD.rank == WORLD.size - 1:
        loads[1][0] = np.nan
    with pytest.raises(ConvergenceError):
        solver.solve(loads)
    assert everywhere(True)
