"""The tables of devices in a study file: what they become."""

import numpy as np
import pytest

from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.model.film import Hole, Region
from pearlfem.model.sources.applied import CurrentLoop, Dipole, UniformField
from pearlfem.model.sources.flux import Fluxoid, Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.study.study import parse_study

DEVICE = """\
[units]
length = "um"
field = "uT"
current = "uA"
strength = "A*m"
[film]
shape = "difference"
base = {shape = "rectangle", size = [8.0, 6.0], center = [1.0, 0.0], angle = 10.0}
removed = [{shape = "disc", radius = 0.5, center = [3.0, 0.0]}]
pearl_length = "800 nm"
[[film.hole]]
name = "eye"
shape = "disc"
radius = 1.0
center = [-1.0, 0.0]
fluxoid = -2
[[film.hole]]
name = "slit"
shape = "rectangle"
size = [0.5, "1 um"]
center = [1.0, 0.0]
[[film.region]]
shape = "polygon"
points = [[1.5, 1.5], [2.5, 1.5], [2.0, 2.5]]
pearl_length = 0.4
[[film.region]]
shape = "ring"
inner = 0.1
outer = 0.3
center = [0.0, -2.0]
pearl_length = {profile = "0.5 + 0.1*x**2"}
[[impurity]]
position = [0.0, 1.8]
size = 0.2
[[vortex]]
position = [0.0, -2.0]
size = 0.05
[[vortex]]
position = ["500 nm", 2.0]
size = 0.1
winding = -3
[applied]
field = [0.0, 0.0, 5.0]
dipole = [{position = [0.0, 0.0, 2.0], moment = [0.0, 0.0, 1.0]}]
loop = [{center = [0.0, 0.0, -1.0], radius = 2.0, current = 3.0}]
"""
SHAPES = {
    'shape = "rectangle"\nsize = [2.0, 1.0]': Rectangle((2.0, 1.0)),
    'shape = "polygon"\npoints = [[0, 0], [1, 0], [0, 1]]': Polygon(((0, 0), (1, 0), (0, 1))),
    'shape = "ring"\ninner = 1.0\nouter = 2.0': ring(1.0, 2.0),
    'shape = "union"\nparts = [{shape = "disc", radius = 1.0}, '
    '{shape = "ring", inner = 2.0, outer = 3.0}]': Union((Disc(1.0), ring(2.0, 3.0))),
    'shape = "difference"\nbase = {shape = "disc", radius = 1.0}\n'
    'removed = [{shape = "rectangle", size = [1.0, 4.0], center = [1.0, 0.0]}]': Difference(
        Disc(1.0), (Rectangle((1.0, 4.0), (1.0, 0.0)),)
    ),
}


def test_every_table_of_a_device_becomes_its_object():
    study = parse_study(DEVICE)
    film = study.film
    base = Rectangle((8.0, 6.0), (1.0, 0.0), 10.0)
    assert film.shape == Difference(base, (Disc(0.5, (3.0, 0.0)),))
    assert film.pearl_length == pytest.approx(0.8, rel=1e-12)
    eye, slit = film.holes
    assert eye == Hole(Disc(1.0, (-1.0, 0.0)), "eye")
    assert (slit.name, slit.shape.center) == ("slit", (1.0, 0.0))
    assert slit.shape.size == pytest.approx((0.5, 1.0), rel=1e-12)
    assert film.regions[0] == Region(Polygon(((1.5, 1.5), (2.5, 1.5), (2.0, 2.5))), 0.4)
    assert film.regions[1].shape == ring(0.1, 0.3, (0.0, -2.0))
    x, y = np.array([0.0, 2.0]), np.zeros(2)
    np.testing.assert_allclose(film.regions[1].pearl_length(x, y), [0.5, 0.9])
    assert [opening.name for opening in film.openings] == ["eye", "slit", "hole 1"]


def test_sources_come_as_impurities_vortices_fluxoids_and_fields():
    study = parse_study(DEVICE)
    (impurity,) = study.impurities
    assert (impurity.position, impurity.size) == ((0.0, 1.8), 0.2)
    # 1 A·m, the default, in units of Φ0/μ0: a default has the unit of any other number.
    assert impurity.strength == pytest.approx(4e-7 * np.pi / 2.067833848e-15, rel=1e-8)
    kinds = [type(source) for source in study.sources]
    assert kinds == [Impurity, Vortex, Vortex, Fluxoid, UniformField, Dipole, CurrentLoop]
    first, second, fluxoid, field, dipole, loop = study.others
    assert (first.position, first.size, first.winding) == ((0.0, -2.0), 0.05, 1)
    assert second.position == pytest.approx((0.5, 2.0), rel=1e-12)
    assert second.winding == -3
    assert fluxoid == Fluxoid("eye", -2)  # of the hole that has none: nothing
    # 1 µT µm² in units of Φ0 = 2.067833848e-15 Wb
    assert field.field == pytest.approx((0.0, 0.0, 5e-6 * 1e-12 / 2.067833848e-15), rel=1e-8)
    assert (dipole.position, loop.center, loop.radius) == ((0, 0, 2), (0, 0, -1), 2.0)


@pytest.mark.parametrize("text", SHAPES)
def test_shape_is_that_of_python(text):
    study = parse_study(f"[film]\n{text}\npearl_length = 1.0\n[applied]\nfield = [0, 0, 1]\n")
    assert study.film.shape == SHAPES[text]
    plane = (
        '[film]\nshape = "plane"\npearl_length = 1.0\n[[impurity]]\nposition = [9, 9]\nsize = 1\n'
    )
    hole = parse_study(f"{plane}[[film.region]]\n{text}\npearl_length = 1.0\n").film.regions[0]
    assert hole.shape == SHAPES[text]


def test_profile_of_the_film_is_a_function_of_x_and_y():
    text = '[film]\nshape = "disc"\nradius = 2.0\npearl_length = {profile = "1 + 0.1*x*y"}\n'
    film = parse_study(text + "[applied]\nfield = [0, 0, 1]\n").film
    assert film.pearl_length(np.array([2.0]), np.array([3.0])) == pytest.approx([1.6])
    assert not film.uniform


def test_field_of_zero_is_no_source():
    text = DEVICE.replace("field = [0.0, 0.0, 5.0]", "field = [0.0, 0.0, 0.0]")
    assert not any(isinstance(source, UniformField) for source in parse_study(text).others)


def test_device_without_impurities_is_a_study():
    text = '[film]\nshape = "disc"\nradius = 2.0\npearl_length = 1.0\n'
    study = parse_study(text + "[[vortex]]\nposition = [0, 0]\nsize = 0.1\n")
    assert study.impurities == ()
    assert study.sources == (Vortex((0.0, 0.0), 0.1),)


def test_vortex_and_antivortex_are_allowed_on_the_plane():
    text = '[film]\nshape = "plane"\npearl_length = 1.0\n'
    for x, winding in ((0.0, 1), (1.0, -1)):
        text += f"[[vortex]]\nposition = [{x}, 0]\nsize = 0.1\nwinding = {winding}\n"
    study = parse_study(text)
    assert study.film.shape == Plane()
    assert [vortex.winding for vortex in study.others] == [1, -1]
