"""Reading .msh files: files that cannot be used are refused with a clear message."""

import gmsh
import numpy as np
import pytest
from mpi4py import MPI

from pearlfem.errors import StudyError
from pearlfem.mesh.tagged import read_mesh


@pytest.fixture
def cube(tmp_path):
    """A gmsh file of a cube, with or without groups of the given names on its sides."""

    def write(*names, cells=True):
        path = tmp_path / "cube.msh"
        gmsh.initialize(interruptible=False)
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
        gmsh.model.occ.synchronize()
        if names and cells:
            gmsh.model.addPhysicalGroup(3, [1], name="space")
        for side, name in enumerate(names, start=1):
            gmsh.model.addPhysicalGroup(2, [side], name=name)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
        gmsh.finalize()
        return path

    yield write
    if gmsh.isInitialized():
        gmsh.finalize()


def test_mesh_from_another_program_is_read(cube):
    mesh = read_mesh(cube("film", "far"))
    assert set(mesh.groups) == {"film", "far"}
    assert mesh.facets("film").size > 0


def test_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"nowhere\.msh"):
        read_mesh(tmp_path / "nowhere.msh")


def test_folder_is_not_a_mesh(tmp_path):
    with pytest.raises(StudyError, match=tmp_path.name):
        read_mesh(tmp_path)


def test_mesh_without_a_film_is_refused_with_the_groups_it_has(cube):
    with pytest.raises(StudyError, match=r"'film'.*'lid'"):
        read_mesh(cube("lid"))


def test_mesh_of_only_the_film_is_refused(cube):
    with pytest.raises(StudyError, match="cells"):
        read_mesh(cube("film", "far", cells=False))


def test_mesh_without_a_far_boundary_is_refused(cube):
    # Without a boundary where ψ is fixed the problem would be singular.
    with pytest.raises(StudyError, match="'far'"):
        read_mesh(cube("film"))


def test_reading_is_silent(cube, capfd):
    path = cube("film", "far")
    capfd.readouterr()
    read_mesh(path)
    assert capfd.readouterr() == ("", "")


def test_mesh_without_groups_is_refused(cube):
    with pytest.raises(StudyError, match="film"):
        read_mesh(cube())
    assert not gmsh.isInitialized()


@pytest.mark.parametrize("text", ["", "no mesh\n", "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"])
def test_file_that_is_not_a_mesh_is_refused(tmp_path, text):
    path = tmp_path / "other.msh"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"other\.msh"):
        read_mesh(path)
    assert not gmsh.isInitialized()


SCRIPT = 'SystemCall "touch {}";\n'


@pytest.mark.parametrize("name", ["a.msh", "a.geo"])
@pytest.mark.parametrize("first", ["", "// $MeshFormat\n", " ", "$MeshFormat\n"])
def test_gmsh_script_is_not_run(tmp_path, name, first):
    (tmp_path / name).write_text(first + SCRIPT.format(tmp_path / "harm"))
    with pytest.raises(StudyError, match=name):
        read_mesh(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_script_beside_a_mesh_is_not_run(cube, tmp_path):
    # gmsh.open(FILE) runs the script FILE.opt if it exists.
    path = cube("film", "far")
    path.with_name("cube.msh.opt").write_text(SCRIPT.format(tmp_path / "harm"))
    assert set(read_mesh(path).groups) == {"film", "far"}
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_mesh_that_is_cut_off_is_refused(cube, part):
    path = cube("film", "far")
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(StudyError, match=r"cube\.msh"):
        read_mesh(path)
    assert not gmsh.isInitialized()


@pytest.mark.parametrize(
    ("order", "parts", "turned"), [(2, 0, False), (3, 0, False), (1, 2, False), (2, 2, True)]
)
def test_meshes_of_higher_order_in_parts_or_turned_around_have_the_same_corners(
    cube, tmp_path, order, parts, turned
):
    path, other = cube("film", "far"), tmp_path / "other.msh"
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(str(path))
    if turned:
        for group in gmsh.model.getPhysicalGroups(2):
            name = gmsh.model.getPhysicalName(*group)
            surfaces = gmsh.model.getEntitiesForPhysicalGroup(*group)
            gmsh.model.removePhysicalGroups([group])
            gmsh.model.addPhysicalGroup(2, [-tag for tag in surfaces], group[1], name)
    gmsh.model.mesh.setOrder(order)
    if parts:
        gmsh.model.mesh.partition(parts)
    gmsh.write(str(other))
    gmsh.finalize()
    first, second = (read_mesh(each, MPI.COMM_SELF) for each in (path, other))
    assert second.cells == first.cells
    for name in ("film", "far"):
        areas = [mesh.facets(name).size for mesh in (first, second)]
        assert areas[0] == areas[1] > 0
    np.testing.assert_allclose(*(np.sort(m.domain.geometry.x, axis=0) for m in (first, second)))
