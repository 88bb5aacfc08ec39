"""The package as a whole: what it offers."""

import inspect
import re
import typing
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import pearlfem
from pearlfem import load_solution, read_mesh, read_study, run_study
from pearlfem.geometry.drawings import read_dxf, read_gds, read_mesh_outline
from pearlfem.io.report.page import write_page
from pearlfem.mesh.generate import write_mesh
from pearlfem.runtime.files import AnyPath
from pearlfem.study.study import parse_study
from pearlfem.study.sweep import read_sweep
from pearlfem.workflow.inductance import Inductance, write_inductance
from pearlfem.workflow.replay import probe_result


def test_every_public_name_is_there():
    assert len(pearlfem.__all__) == len(set(pearlfem.__all__))
    for name in pearlfem.__all__:
        assert getattr(pearlfem, name).__doc__


def test_example_of_the_docstring_runs():
    lines = re.findall(r"(?m)^    (.*)$", pearlfem.__doc__)
    assert len(lines) == 5
    code = "\n".join(lines).replace("impurities)", "impurities, resolution=0.3, far=5.0)", 1)
    assert "resolution" in code
    names = dict(vars(pearlfem))
    exec(code, names)
    assert names["F"] > 0
    assert names["K"].shape == (1, 2)


def test_types_are_published():
    assert resources.files("pearlfem").joinpath("py.typed").is_file()


PATHS = {
    "load_solution": "folder",
    "read_mesh": "path",
    "read_study": "path",
    "run_study": "folder",
}


def test_functions_that_take_paths_take_texts_too():
    hints = {
        name: {
            argument: hint
            for argument, hint in typing.get_type_hints(getattr(pearlfem, name)).items()
            if Path in (hint, *typing.get_args(hint)) or hint == AnyPath
        }
        for name in pearlfem.__all__
        if inspect.isfunction(getattr(pearlfem, name))
    }
    assert {name: found for name, found in hints.items() if found} == {
        name: {argument: AnyPath} for name, argument in PATHS.items()
    }


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_are_texts_or_paths(kind, tiny_study, tmp_path):
    def path(name):
        return kind(tmp_path / name)

    text = tiny_study + "solution = true\nfields = 'none'\n"
    Path(path("study.toml")).write_text(text, encoding="utf-8")
    study = read_study(path("study.toml"))
    assert parse_study(text, folder=path("")).folder == tmp_path
    with pytest.raises(pearlfem.StudyError, match="sweep: missing"):
        read_sweep(path("study.toml"))
    summary = run_study(study, path("result"), comm=MPI.COMM_SELF)
    assert summary["free_energy"]["value"] > 0
    stored = load_solution(path("result"), comm=MPI.COMM_SELF)
    stored.problem.destroy()
    Path(path("points.csv")).write_text("x,y\n0,0\n", encoding="utf-8")
    assert probe_result(path("result"), path("points.csv"), MPI.COMM_SELF)[0]
    assert write_page(path("result")).is_file()
    assert write_mesh(path("a.msh"), study.film, study.sources, resolution=0.1, far=3.0) > 0
    assert read_mesh(path("a.msh"), MPI.COMM_SELF).cells > 0
    write_inductance(path("L.json"), Inductance(("a",), np.eye(1), None, None), study.units)
    for reader, more in ((read_gds, (None, 1)), (read_dxf, ("FILM",)), (read_mesh_outline, ("f",))):
        with pytest.raises(pearlfem.StudyError, match=r"nowhere.*cannot be read"):
            reader(path("nowhere"), *more)
