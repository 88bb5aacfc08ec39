"""Solutions that one number of ranks keeps and another reads."""

import numpy as np
from mpi4py import MPI

from pearlfem import free_energy, load_solution, magnetic_field
from pearlfem.study.study import parse_study
from pearlfem.workflow.run import run_study

POINTS = np.array([[0.5, 0.0, 0.2], [-0.3, 0.4, 0.1], [0.0, 0.0, -0.5]])
STUDY = """
[film]
shape = "disc"
radius = 1.0
pearl_length = 1.0
[[film.hole]]
name = "hole"
shape = "disc"
radius = 0.2
fluxoid = 1
[[impurity]]
position = [0.5, 0.0]
size = 0.2
[mesh]
resolution = 0.03
[solve]
degree = 2
formulation = "both"
[output]
fields = "none"
picture = false
solution = true
"""


def test_number_of_ranks_may_change(shared_tmp):
    run_study(parse_study(STUDY), shared_tmp, comm=MPI.COMM_WORLD)
    for formulation in ("stream", "vector"):
        found = []
        for readers in (MPI.COMM_WORLD, MPI.COMM_SELF):
            _, problem, solution = load_solution(shared_tmp, formulation, readers)
            found.append([free_energy(solution), *magnetic_field(solution, POINTS).ravel()])
            problem.destroy()
        np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-11)
