"""The yardstick: Poisson's equation in degree 1 on a cube, CG with GAMG, by bare DOLFINx."""

import time

import numpy as np
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

_REPEATS = 2


def poisson_seconds(dofs: int, tolerance: float) -> float:
    """Return the time per dof of a solve, without its set-up, for about ``dofs`` unknowns."""
    n = max(2, round(dofs ** (1 / 3)) - 1)
    none = mesh.GhostMode.none
    cube = mesh.create_unit_cube(MPI.COMM_WORLD, n, n, n, ghost_mode=none)
    V = fem.functionspace(cube, ("Lagrange", 1))
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    cube.topology.create_connectivity(2, 3)
    boundary = fem.locate_dofs_topological(V, 2, mesh.exterior_facet_indices(cube.topology))
    fixed = fem.dirichletbc(0.0, boundary, V)
    matrix = fem_petsc.assemble_matrix(
        fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx), [fixed]
    )
    matrix.assemble()
    load = matrix.createVecRight()
    load.set(1.0 / n**3)
    load.array[boundary[boundary < load.local_size]] = 0.0
    seconds = _time_solve(matrix, load, tolerance)
    matrix.destroy()
    return seconds / V.dofmap.index_map.size_global


def _time_solve(matrix: PETSc.Mat, load: PETSc.Vec, tolerance: float) -> float:
    """Return the time of one solve to ``tolerance`` in the energy norm."""
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    solver = PETSc.KSP().create(matrix.comm)
    solver.setOperators(matrix)
    solver.setType("cg")
    solver.setNormType(PETSc.KSP.NormType.NATURAL)
    solver.setTolerances(rtol=tolerance)
    solver.getPC().setType("gamg")
    solver.setUp()
    solution = matrix.createVecRight()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        solver.solve(load, solution)
        times.append(time.perf_counter() - start)
    assert solver.getConvergedReason() > 0
    for thing in (solver, solution, load):
        thing.destroy()
    return float(np.min(times))
