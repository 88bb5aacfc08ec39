"""What ParaView opens: named blocks, units in every file, and VTX as ADIOS2 reads it."""

import json

import numpy as np
import pytest
import pyvista
from vtkmodules.vtkCommonCore import vtkDataArray

from pearlfem.io.fields import vtx
from pearlfem.io.fields.blocks import write_blocks
from pearlfem.study.study import parse_study
from pearlfem.workflow.run import run_study

UNITS = {"K": "A/m", "g": "uA", "B_z": "mT", "B": "mT", "psi": "uA"}


@pytest.fixture(scope="module")
def study(tiny_study):
    text = tiny_study.replace("[film]", '[units]\nlength = "um"\nstrength = "uA*um"\n[film]', 1)
    return text.replace("strength = 2.0", 'strength = "2 uA*um"')


@pytest.fixture(scope="module")
def result(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vtu")
    run_study(parse_study(study), folder)
    return folder


@pytest.fixture(scope="module")
def blocks(result):
    return pyvista.read(result / "result.vtm")


def test_blocks_have_names_and_the_arrays_of_their_files(blocks, result):
    assert blocks.keys() == ["film", "space", "impurities"]
    for name in blocks.keys():  # noqa: SIM118 - not a dictionary
        alone = pyvista.read(result / f"{name}.vtu")
        assert blocks[name].n_cells == alone.n_cells
        assert set(blocks[name].point_data) == set(alone.point_data)
        for array in alone.point_data:
            np.testing.assert_array_equal(blocks[name][array], alone[array])


def test_arrays_carry_their_units(blocks):
    for name, arrays in (("film", ("K", "g", "B_z")), ("space", ("B", "psi"))):
        for array in arrays:
            key = vtkDataArray.UNITS_LABEL()
            information = blocks[name].GetPointData().GetArray(array).GetInformation()
            assert information.Get(key) == UNITS[array]


def test_result_tells_all_units(blocks, study):
    units = parse_study(study).units
    found = {name: str(blocks.field_data[name][0]) for name in blocks.field_data.keys()}  # noqa: SIM118
    for array, unit in UNITS.items():
        assert found[f"unit of {array}"] == unit
    assert found["unit of length"] == found["unit of size"] == "um"
    assert found["unit of strength"] == units.name("strength")


def test_pieces_of_ranks_are_blocks_within_blocks(blocks, tmp_path):
    for rank in (0, 1):
        blocks["film"].save(tmp_path / f"film_{rank}.vtu")
    (tmp_path / "film.pvtu").touch()
    found = pyvista.read(write_blocks(tmp_path, {}))
    assert found.keys() == ["film"]
    assert [piece.n_cells for piece in found["film"]] == [blocks["film"].n_cells] * 2


@pytest.fixture(scope="module")
def vtx_result(study, tmp_path_factory):
    pytest.importorskip("adios2")
    folder = tmp_path_factory.mktemp("vtx")
    text = study.replace("picture = false", 'fields = "vtx"')
    run_study(parse_study(text), folder)
    run_study(parse_study(text), folder, force=True)  # replaces folders too
    return folder


@pytest.mark.parametrize("name", ["film", "space"])
def test_vtx_holds_what_vtu_does(name, blocks, vtx_result):
    import adios2

    block = blocks[name]
    with adios2.FileReader(str(vtx_result / f"{name}.bp")) as file:
        nodes = file.read("geometry")
        connectivity = file.read("connectivity")
        arrays = {array: file.read(array) for array in block.point_data}
    assert len(connectivity) == block.n_cells

    def rows(places, values):
        table = np.column_stack([places, *(values[a].reshape(len(places), -1) for a in arrays)])
        return table[np.lexsort(table.round(9).T[::-1])]

    found, expected = rows(nodes, arrays), rows(block.points, block.point_data)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_vtx_leaves_a_picture_and_no_vtu_of_the_film(vtx_result):
    names = {path.name for path in vtx_result.iterdir()}
    assert {"film.bp", "space.bp", "film.png", "impurities.vtu", "summary.json"} <= names
    assert not {"film.vtu", "space.vtu", "result.vtm"} & names
    assert json.loads((vtx_result / "summary.json").read_text())["converged"]


def test_vtx_without_adios2_is_refused_before_any_work(monkeypatch, study, tmp_path, no_mesh):
    monkeypatch.setattr(vtx.dolfinx, "has_adios2", False)
    text = study.replace("picture = false", 'fields = "vtx"')
    with pytest.raises(Exception, match=r"output\.fields = 'vtx'.*ADIOS2"):
        run_study(parse_study(text), tmp_path / "out")
    assert not (tmp_path / "out").exists()
