"""How accurately to solve: options in Python, and which do not go together."""

import pytest
from pydantic import ValidationError

from pearlfem import Impurity, MeshOptions, Open, Periodic, SolveOptions, StudyError
from pearlfem.model.checks import check_options

CELL = Periodic(((1.0, 0.0), (0.0, 1.0)))
SIZED, POINT = Impurity((0.0, 0.0), size=0.2), Impurity((0.0, 0.0), size=0.0)


def check(mesh=None, solve=None, boundary=Open(), source=SIZED):  # noqa: B008
    check_options(mesh or MeshOptions(), solve or SolveOptions(), boundary, [source])


def test_defaults_are_one_mesh_of_third_degree():
    mesh, solve = MeshOptions(), SolveOptions()
    assert (mesh.resolution, mesh.far, mesh.refinements, mesh.file) == (1.0, 100.0, 0, None)
    assert (solve.formulation, solve.degree, solve.tolerance) == ("stream", 3, None)
    check(mesh, solve)


@pytest.mark.parametrize(
    ("formulation", "names"),
    [("stream", ("stream",)), ("vector", ("vector",)), ("both", ("stream", "vector"))],
)
def test_formulations_have_names(formulation, names):
    assert SolveOptions(formulation=formulation).formulations == names


@pytest.mark.parametrize("options", [MeshOptions(resolution=2.0), SolveOptions(degree=2)])
def test_options_are_frozen_and_equal_options_are_one_key(options):
    with pytest.raises(ValidationError, match="frozen"):
        options.degree = 1
    assert len({options, options.model_copy()}) == 1


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (MeshOptions, {"resolution": 0.0}),
        (MeshOptions, {"resolution": float("inf")}),
        (MeshOptions, {"far": 1.9}),
        (MeshOptions, {"refinements": 4}),
        (MeshOptions, {"file": "a.msh", "far": 10.0}),
        (MeshOptions, {"finer": 2.0}),
        (SolveOptions, {"formulation": "scalar"}),
        (SolveOptions, {"degree": 4}),
        (SolveOptions, {"tolerance": 1.0}),
        (SolveOptions, {"max_dofs": 0}),
    ],
)
def test_values_out_of_range_are_refused_as_value_errors(options, values):
    with pytest.raises(ValueError, match=list(values)[-1]):
        options(**values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mesh": MeshOptions(far=10.0), "boundary": CELL}, r"mesh\.far = 10: .*'periodic'"),
        ({"mesh": MeshOptions(refinements=1), "boundary": CELL}, r"mesh\.refinements = 1: .*'per"),
        (
            {"mesh": MeshOptions(refinements=1), "solve": SolveOptions(tolerance=0.1)},
            r"mesh\.refinements = 1: not allowed with solve\.tolerance = 0\.1",
        ),
        (
            {"mesh": MeshOptions(file="a.msh"), "solve": SolveOptions(tolerance=0.1)},
            r"mesh\.file = 'a\.msh': not allowed with solve\.tolerance = 0\.1",
        ),
        (
            {"solve": SolveOptions(formulation="both"), "source": POINT},
            "impurity 1: .*not allowed with formulation = 'both'",
        ),
        (
            {"solve": SolveOptions(tolerance=0.1), "source": POINT},
            "impurity 1: .*not allowed with a tolerance",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(StudyError, match=message):
        check(**options)


def test_file_of_a_mesh_may_be_refined():
    check(MeshOptions(file="a.msh", refinements=1))
