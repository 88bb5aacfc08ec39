"""The VTU files as VTK reads them: every value at its node, every cell once and upright."""

import numpy as np
import pytest
import pyvista
import ufl
from dolfinx import fem
from helpers import write_film

from pearlfem.io.fields.nodal import nodal_values
from pearlfem.io.fields.vtu import write_space
from pearlfem.quantities.units import ReducedUnits, Units

TETRA10, TRIANGLE6 = 24, 22  # VTK's numbers of these cell types
# VTK's order: the corners, then the middles of these edges.
TETRA_EDGES = [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]
TRIANGLE_EDGES = [(0, 1), (1, 2), (2, 0)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, stated):
    folder = tmp_path_factory.mktemp("fields")
    values = nodal_values(stated, ReducedUnits())
    assert write_film(folder, values) == folder / "film.vtu"
    assert write_space(folder, values) == folder / "space.vtu"
    return folder


@pytest.fixture(scope="module")
def film_file(folder):
    return pyvista.read(folder / "film.vtu")


@pytest.fixture(scope="module")
def space_file(folder):
    return pyvista.read(folder / "space.vtu")


def nodes(grid):
    """Points by cells, ``(n, 6 or 10, 3)``."""
    return grid.points[next(iter(grid.cells_dict.values()))]


def by_place(points):
    """Rows in an order that depends on the places alone; rounded against noise."""
    return points[np.lexsort(points.round(9).T)]


def test_files_hold_the_arrays_of_the_contract(film_file, space_file):
    assert set(film_file.point_data) == {"K", "g", "B_z"}
    assert set(space_file.point_data) == {"B", "psi"}
    assert film_file["K"].shape == (film_file.n_points, 3)
    assert space_file["B"].shape == (space_file.n_points, 3)


def test_cells_are_quadratic(film_file, space_file):
    assert set(film_file.celltypes) == {TRIANGLE6}
    assert set(space_file.celltypes) == {TETRA10}


def test_nothing_else_is_written(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["film.vtu", "space.vtu"]


def test_every_cell_is_written_once(stated, space_file):
    mesh = stated.mesh
    corners = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
    assert space_file.n_cells == mesh.cells
    np.testing.assert_allclose(
        by_place(nodes(space_file)[:, :4].mean(axis=1)), by_place(corners.mean(axis=1)), atol=1e-12
    )


def test_every_facet_of_the_film_is_written_once(stated, film_file):
    assert film_file.n_cells == len(stated.mesh.facets("film"))
    middles = nodes(film_file)[:, :3].mean(axis=1)
    assert len(np.unique(middles.round(9), axis=0)) == film_file.n_cells


def test_film_has_its_area_and_space_its_volume(stated, film_file, space_file):
    # VTK's own measures, exact to rounding where sides are straight.
    one = fem.Constant(stated.mesh.domain, 1.0)
    ds = ufl.ds(domain=stated.mesh.domain, subdomain_data=stated.mesh.facet_tags)
    area = fem.assemble_scalar(fem.form(one * ds(stated.mesh.groups["film"])))
    sizes = film_file.compute_cell_sizes(length=False, volume=False)["Area"]
    assert sizes.sum() == pytest.approx(area, rel=1e-12)
    volume = fem.assemble_scalar(fem.form(one * ufl.dx))
    sizes = space_file.compute_cell_sizes(length=False, area=False)["Volume"]
    assert sizes.sum() == pytest.approx(volume, rel=1e-12)


def test_cells_are_upright(film_file, space_file):
    sides = nodes(space_file)[:, 1:4] - nodes(space_file)[:, :1]
    assert np.linalg.det(sides).min() > 0
    sides = nodes(film_file)[:, 1:3] - nodes(film_file)[:, :1]
    assert np.cross(sides[:, 0], sides[:, 1])[:, 2].min() > 0


def test_nodes_between_corners_are_where_vtk_wants_them(film_file, space_file):
    for grid, edges in ((film_file, TRIANGLE_EDGES), (space_file, TETRA_EDGES)):
        cells = nodes(grid)
        corners = cells.shape[1] - len(edges)
        for k, (a, b) in enumerate(edges):
            middle = (cells[:, a] + cells[:, b]) / 2
            np.testing.assert_allclose(cells[:, corners + k], middle, atol=1e-14)


def test_film_lies_in_the_plane(film_file):
    assert np.all(film_file.points[:, 2] == 0.0)


def test_values_in_space_are_those_at_their_nodes(space_file):
    x, y, z = space_file.points.T
    # Elements of degree 2 hold the polynomial exactly; rounding at distances of 5.
    np.testing.assert_allclose(space_file["psi"], x * y - z**2 / 2 + 3 * z + x, atol=1e-12)
    B = -np.column_stack([y + 1, x, 3 - z])
    near = np.linalg.norm([x - 0.7, y + 0.2, z], axis=0) < 1.5  # beyond 2, B follows from K
    np.testing.assert_allclose(space_file["B"][near], B[near], atol=1e-11)


def test_values_on_the_film_are_those_at_their_nodes(film_file):
    x, y, _ = film_file.points.T
    np.testing.assert_allclose(film_file["g"], 2 * (x * y + x), atol=1e-12)
    np.testing.assert_allclose(film_file["B_z"], -3.0, atol=1e-11)
    K = 2 * np.column_stack([x, -(y + 1), np.zeros_like(x)])  # ∇g × ẑ = (∂y g, −∂x g)
    np.testing.assert_allclose(film_file["K"], K, atol=1e-11)


def test_vtk_interpolates_the_potential_between_nodes(stated, space_file):
    # Quadratic cells with the right order of nodes carry a quadratic polynomial exactly, but VTK's
    # search for the place within a cell stops at 1e-5 or so. A wrong order is off by 0.1.
    points = np.array([[0.4, 0.1, 0.3], [0.9, -0.5, 1.0], [1.2, 0.3, 0.05], [0.5, -0.2, 0.02]])
    x, y, z = points.T
    sampled = pyvista.PolyData(points).sample(space_file)
    np.testing.assert_allclose(sampled["psi"], x * y - z**2 / 2 + 3 * z + x, atol=1e-3)


def test_folder_that_is_missing_is_an_error(tmp_path, stated):
    with pytest.raises(OSError, match="nowhere"):
        write_film(tmp_path / "nowhere", nodal_values(stated, ReducedUnits()))


def test_values_are_in_the_units_asked_for(stated):
    units = Units(length="um", field="T", current="mA")
    reduced, scaled = nodal_values(stated, ReducedUnits()), nodal_values(stated, units)
    for name, kind in (("g", "current"), ("K", "sheet_current"), ("B_z", "field")):
        expected = units.from_reduced(reduced.films[0].fields[name], kind)
        np.testing.assert_allclose(scaled.films[0].fields[name], expected, rtol=1e-15)
        assert not np.allclose(expected, reduced.films[0].fields[name])
    np.testing.assert_array_equal(
        scaled.space.nodes, reduced.space.nodes
    )  # the study's length is L
