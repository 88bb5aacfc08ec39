"""gmsh files of every kind: surfaces turned around, parts, cells of higher order, no names."""

from pathlib import Path

import gmsh
import numpy as np
import pytest

from pearlfem.errors import StudyError
from pearlfem.geometry.drawings import read_mesh_outline

CASES = Path(__file__).parents[2] / "data" / "meshes"


@pytest.mark.parametrize("name", ["neg41", "part"])
def test_square_turned_around_or_in_parts(name):
    assert read_mesh_outline(CASES / f"{name}.msh", "film").geometry.area == pytest.approx(100)


def test_file_without_names_says_how_to_name():
    with pytest.raises(StudyError, match=r'the file names none; in gmsh, Physical Surface\("film"'):
        read_mesh_outline(CASES / "nogroup41.msh", "film")


@pytest.fixture(scope="module")
def disc(tmp_path_factory):
    """Write a mesh of the unit disc; return its path, and how many cells have a side on the rim."""
    path = tmp_path_factory.mktemp("disc") / "disc.msh"

    def write(order, *, quadrilaterals=False, incomplete=False, parts=0, version=4.1, binary=False):
        gmsh.initialize(readConfigFiles=False, interruptible=False)
        for name, value in {
            "General.Terminal": 0,
            "Mesh.MeshSizeMin": 0.8,
            "Mesh.RecombineAll": quadrilaterals,
            "Mesh.SecondOrderIncomplete": incomplete,
            "Mesh.MshFileVersion": version,
            "Mesh.Binary": binary,
        }.items():
            gmsh.option.setNumber(name, value)
        surface = gmsh.model.occ.addDisk(0, 0, 0, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [-surface], name="film")
        gmsh.model.mesh.generate(2)
        sides = len(gmsh.model.mesh.getElements(1)[1][0])
        gmsh.model.mesh.setOrder(order)
        if parts:
            gmsh.model.mesh.partition(parts)
        gmsh.write(str(path))
        gmsh.finalize()
        return path, sides

    return write


FORMS = [{}, {"binary": True}, {"version": 2.2}, {"parts": 2}, {"parts": 2, "version": 2.2}]
KINDS = [
    *(
        (2, {"quadrilaterals": quadrilaterals, **form})
        for quadrilaterals in (0, 1)
        for form in FORMS
    ),
    *(
        (order, {"quadrilaterals": q, "incomplete": i})
        for order in (3, 4)
        for q in (0, 1)
        for i in (0, 1)
    ),
    (2, {"quadrilaterals": 1, "incomplete": 1}),
]


@pytest.mark.parametrize(("order", "form"), KINDS)
def test_nodes_on_curved_edges_are_corners(disc, order, form):
    path, sides = disc(order, **form)
    corners = np.array(read_mesh_outline(path, "film").geometry.geoms[0].exterior.coords)[:-1]
    assert len(corners) == order * sides  # all near the circle
    np.testing.assert_allclose(
        np.linalg.norm(corners, axis=1), 1, atol=1e-9 if order == 2 else 1e-2
    )
