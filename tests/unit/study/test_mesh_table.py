"""The keys of [mesh]: what they allow, and what contradicts them."""

import pytest

from pearlfem.errors import StudyError
from pearlfem.study.study import parse_study

PLAIN = '[film]\nshape = "plane"\npearl_length = 1\n[[impurity]]\nposition = [0, 0]\nsize = 0.2\n'
PERIODIC = '[boundary]\nkind = "periodic"\ncell = [[1.0, 0.0], [0.0, 1.0]]\n'


@pytest.fixture
def study(tmp_path):
    (tmp_path / "a.msh").write_text("$MeshFormat")
    return lambda mesh, more="": parse_study(f"{PLAIN}[mesh]\n{mesh}\n{more}", folder=tmp_path)


def test_defaults(study):
    assert study("").mesh.refinements == 0
    assert study("").mesh.file is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_refinements(study, number):
    assert study(f"refinements = {number}").mesh.refinements == number


@pytest.mark.parametrize("value", ["-1", "4", "1.5", "true", '"1"', "[1]"])
def test_other_refinements_are_refused(study, value):
    with pytest.raises(StudyError, match=r"mesh\.refinements = "):
        study(f"refinements = {value}")


@pytest.mark.parametrize("key", ["resolution = 1.0", "far = 50.0"])
def test_file_stands_alone(study, key, tmp_path):
    mesh = study('file = "a.msh"\nrefinements = 1').mesh
    assert mesh.file == str(tmp_path / "a.msh")  # relative to the study, not to where one works
    with pytest.raises(StudyError, match=f"{key.split()[0]} = .*file = 'a.msh'"):
        study(f'file = "a.msh"\n{key}')


@pytest.mark.parametrize("value", ['"b.msh"', '"."', '""', "1", '"a\\u0000.msh"'])
def test_file_that_is_not_a_file_is_refused(study, value):
    with pytest.raises(StudyError, match=r"mesh\.file = "):
        study(f"file = {value}")


@pytest.mark.parametrize("key", ["refinements = 1", 'file = "a.msh"'])
def test_tolerance_is_refused_beside_refinements_and_file(study, key):
    with pytest.raises(StudyError, match=f"mesh.{key.split()[0]} = .*solve.tolerance"):
        study(key, "[solve]\ntolerance = 1e-3")


def test_periodic_spaces_are_not_refined(study):
    assert study("refinements = 0", PERIODIC)
    with pytest.raises(StudyError, match=r"mesh\.refinements = 1: .*periodic"):
        study("refinements = 1", PERIODIC)
