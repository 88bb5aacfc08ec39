"""The yardstick: Poisson's equation on a cube by bare DOLFINx, CG with GAMG as it comes."""

import time
from itertools import pairwise
from typing import NamedTuple

import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc


class Yardstick(NamedTuple):
    """Seconds per dof for each phase, and iterations of CG."""

    assemble: float
    setup: float
    solve: float
    iterations: int


def poisson(dofs: int, degree: int, tolerance: float) -> Yardstick:
    """Return what Poisson's equation takes, in elements of ``degree`` with about ``dofs`` unknowns.

    The cube and its function space are there before the clock starts.
    """
    n = max(2, round((dofs ** (1 / 3) - 1) / degree))
    none = dmesh.GhostMode.none
    cube = dmesh.create_unit_cube(MPI.COMM_WORLD, n, n, n, ghost_mode=none)
    V = fem.functionspace(cube, ("Lagrange", degree))
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    cube.topology.create_connectivity(2, 3)
    boundary = fem.locate_dofs_topological(V, 2, dmesh.exterior_facet_indices(cube.topology))
    fixed = fem.dirichletbc(0.0, boundary, V)
    form = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx)
    times = [_now()]
    matrix = fem_petsc.assemble_matrix(form, [fixed])
    matrix.assemble()
    times.append(_now())
    load = matrix.createVecRight()
    load.set(1.0 / n**3)
    load.array[boundary[boundary < load.local_size]] = 0.0
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    solver = PETSc.KSP().create(matrix.comm)
    solver.setOperators(matrix)
    solver.setType("cg")
    solver.setNormType(PETSc.KSP.NormType.NATURAL)
    solver.setTolerances(rtol=tolerance)
    solver.getPC().setType("gamg")
    solver.setUp()
    times.append(_now())
    solution = matrix.createVecRight()
    solver.solve(load, solution)
    times.append(_now())
    assert solver.getConvergedReason() > 0
    iterations = solver.getIterationNumber()
    for thing in (solver, solution, load, matrix):
        thing.destroy()
    size = V.dofmap.index_map.size_global
    phases = [(end - start) / size for start, end in pairwise(times)]
    return Yardstick(*phases, iterations)


def _now() -> float:
    MPI.COMM_WORLD.barrier()
    return time.perf_counter()
