"""Refinement from Python: what it is given, what it returns, what it refuses before it begins."""

import numpy as np
import pytest
from mpi4py import MPI

from pearlfem import (
    Disc,
    Film,
    Impurity,
    MeshOptions,
    Open,
    Plane,
    SolveOptions,
    StudyError,
    UniformField,
    Walls,
    free_energy,
    refine,
    ring,
)
from pearlfem.mesh.sizes.estimate import estimated_cells
from pearlfem.workflow.adaptivity import FIRST_RESOLUTION

FILM = Film(Disc(1.0), pearl_length=1.0)
SOURCES = (Impurity((0.3, 0.0), size=0.4),)
NEAR = MeshOptions(far=5.0)
TOLERANCE = SolveOptions(formulation="both", degree=2, tolerance=0.1)


@pytest.fixture(scope="module")
def refined():
    lines = []
    assembly = refine(
        FILM, SOURCES, mesh=NEAR, solve=TOLERANCE, comm=MPI.COMM_SELF, progress=lines.append
    )
    yield assembly, lines
    assembly.destroy()


def test_last_round_meets_the_tolerance(refined):
    assembly, lines = refined
    *before, last = assembly.rounds
    assert assembly.shortfall is None
    assert last.error <= 0.1 < min((one.error for one in before), default=1.0)
    assert lines == [f"round {k:2}   {one}" for k, one in enumerate(assembly.rounds, start=1)]


def test_problems_solve_on_the_last_mesh(refined):
    assembly, _ = refined
    last = assembly.rounds[-1]
    assert list(assembly.problems) == ["stream", "vector"]
    assert assembly.mesh.cells == last.cells
    assert sum(problem.dofs for problem in assembly.problems.values()) == last.dofs
    bounds = [free_energy(problem.solve(SOURCES)) for problem in assembly.problems.values()]
    np.testing.assert_allclose(bounds, [last.lower, last.upper], rtol=1e-9)


def test_boundary_is_part_of_the_problem(refined):
    # Walls push the field together: that costs energy.
    walls = Walls("shield", (4.0, 4.0, 1.0))
    shielded = refine(FILM, SOURCES, boundary=walls, solve=TOLERANCE, comm=MPI.COMM_SELF)
    assert shielded.rounds[-1].lower > refined[0].rounds[-1].upper
    shielded.destroy()


def test_limit_that_stops_refinement_is_told():
    solve = SolveOptions(degree=1, tolerance=1e-6, max_dofs=1)
    assembly = refine(FILM, SOURCES, mesh=NEAR, solve=solve, comm=MPI.COMM_SELF)
    assert len(assembly.rounds) == 1
    assert assembly.shortfall.endswith("dofs, more than max_dofs = 1")
    assembly.destroy()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solve": SolveOptions()}, r"solve\.tolerance: missing, but needed"),
        ({"sources": ()}, "impurity: none given"),
        ({"sources": (Impurity((2.0, 0.0), size=0.1),)}, "impurity 1: .*outside the film"),
        ({"sources": (Impurity((0.0, 0.0), size=0.0),)}, "impurity 1: size = 0 .*not allowed"),
        ({"mesh": MeshOptions(refinements=1)}, r"mesh\.refinements = 1: not allowed"),
        ({"mesh": MeshOptions(file="a.msh")}, r"mesh\.file = 'a\.msh': not allowed"),
        ({"boundary": Walls("shield", (1.0, 1.0, 1.0))}, "boundary: .* cuts"),
        (
            {"film": Film(Plane(), 1.0), "sources": (UniformField((0.0, 0.0, 1.0)),)},
            r"applied\.field = .*no finite answer",
        ),
    ],
)
def test_arguments_without_an_answer_are_refused_before_meshing(no_mesh, arguments, message):
    given = {"film": FILM, "sources": SOURCES, "boundary": Open(), "solve": TOLERANCE} | arguments
    with pytest.raises(StudyError, match=message):
        refine(given.pop("film"), given.pop("sources"), **given)


def test_edges_of_the_first_mesh_follow_the_tolerance():
    # A ring three times narrower than its radius: nearly all cells are along its edges.
    film, field = Film(ring(0.7, 1.0), 1.0), [UniformField((0.0, 0.0, 1.0))]
    solve = SolveOptions(formulation="both", degree=1, tolerance=0.1)
    refined = refine(film, field, mesh=NEAR, solve=solve, comm=MPI.COMM_SELF)
    (first,) = refined.rounds  # it is fine enough
    refined.destroy()
    options = {"boundary": Open(), "resolution": FIRST_RESOLUTION, "far": NEAR.far}
    assert first.cells < estimated_cells(film, field, **options) / 2
