"""Fluxoids found are those asked for, to solver accuracy, on coarse meshes as well."""

import numpy as np
import pytest
from helpers import case
from references import annulus

from pearlfem import (
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Rectangle,
    UniformField,
    Vortex,
    Walls,
    create_mesh,
    hole_states,
    loop_flux,
)

FIELD = UniformField((0.0, 0.0, 0.5))
SQUARE = Film(
    Rectangle((10.0, 10.0)), 1.0, holes=(Hole(Disc(1.5), "h"), Hole(Disc(0.1, (3, 3)), "dot"))
)
SOURCES = [Fluxoid("h", 2), Vortex((0.0, 3.0), 0.3), Impurity((2.5, -2.0), 0.4), FIELD]
CASES = {
    "washer": (Film(Disc(2.0), 0.5, holes=(Hole(Disc(1.0), "h"),)), [Fluxoid("h")]),
    "washer in a field": (
        Film(Disc(2.0), 0.5, holes=(Hole(Disc(1.0), "h"),)),
        [Fluxoid("h", -1), FIELD],
    ),
    "field alone": (Film(Disc(2.0), 0.5, holes=(Hole(Disc(1.0), "h"),)), [FIELD]),
    "short Pearl length": (Film(Disc(2.0), 0.005, holes=(Hole(Disc(1.0), "h"),)), [Fluxoid("h")]),
    "small hole": (Film(Disc(2.0), 0.5, holes=(Hole(Disc(0.02), "h"),)), [Fluxoid("h"), FIELD]),
    "slit": (Film(Disc(2.0), 0.5, holes=(Hole(Rectangle((1.5, 0.05)), "h"),)), [Fluxoid("h")]),
    "two holes and all sources": (SQUARE, SOURCES),
}


@pytest.mark.parametrize("formulation", ["stream", "vector"])
@pytest.mark.parametrize(
    "name", [case(name, slow=name == "short Pearl length") for name in CASES], ids=str
)
def test_fluxoids_found_are_those_asked_for(name, formulation):
    film, sources = CASES[name]
    mesh = create_mesh(film, sources, resolution=0.15, far=10.0)
    problem = MaxwellLondon(film, mesh, 1, formulation)
    for state in hole_states(problem.solve(sources)):
        asked = sum(s.number for s in sources if isinstance(s, Fluxoid) and s.hole == state.name)
        assert state.fluxoid_asked == asked
        # The solver stops at 1e-9 of the energy's norm.
        assert state.fluxoid == pytest.approx(asked, abs=1e-7)
    problem.destroy()


@pytest.mark.parametrize("kind", ["shield", "magnetic-wall"])
def test_fluxoids_between_walls(kind):
    film, sources = CASES["washer in a field"]
    walls = Walls(kind, (6.0, 6.0, 2.0), (0.0, 0.0, 0.2))
    mesh = create_mesh(film, sources, boundary=walls, resolution=0.15)
    problem = MaxwellLondon(film, mesh, 1)
    (state,) = hole_states(problem.solve(sources))
    assert state.fluxoid == pytest.approx(-1.0, abs=1e-7)
    problem.destroy()


def test_fluxoid_with_point_impurities():
    film = Film(Disc(2.0), 0.5, holes=(Hole(Disc(0.5), "h"),))
    sources = [Fluxoid("h"), Impurity((1.2, 0.3), 0.0), FIELD]
    problem = MaxwellLondon(film, create_mesh(film, sources, resolution=0.3, far=10.0), 2)
    (state,) = hole_states(problem.solve(sources))
    assert state.fluxoid == pytest.approx(1.0, abs=1e-7)
    problem.destroy()


@pytest.mark.parametrize(("formulation", "degree"), [("stream", 3), ("vector", 2)])
def test_flux_and_current_of_a_ring(formulation, degree):
    exact = annulus.Ring(0.3, 1.0, 0.5).solve(fluxoid=1.0, field=0.5)
    film = Film(Disc(1.0), 0.5, holes=(Hole(Disc(0.3), "h"),))
    sources = [Fluxoid("h"), FIELD]
    mesh = create_mesh(film, sources, resolution=0.5, far=20.0)
    problem = MaxwellLondon(film, mesh, degree, formulation)
    (state,) = hole_states(problem.solve(sources))
    # Like the energy, they err by the polygons, 1e-3 at this resolution.
    assert state.current == pytest.approx(exact.current, rel=1.5e-3)
    assert state.flux == pytest.approx(exact.hole_flux, rel=1.5e-3)
    problem.destroy()


def test_fluxoid_is_flux_and_circulation_of_the_current():
    # Another way: the flux through a loop in the film, by ∮ A·dl, and ∮ K/κ·dl along it.
    film = Film(Disc(1.0), 0.5, holes=(Hole(Disc(0.3), "h"),))
    exact = annulus.Ring(0.3, 1.0, 0.5).solve(fluxoid=1.0)
    r = 0.6
    flux = 1.0 - np.pi * r * 0.5 * exact.sheet_current(r)
    problem = MaxwellLondon(film, create_mesh(film, [Fluxoid("h")], resolution=0.5, far=20.0))
    found = loop_flux(problem.solve([Fluxoid("h")]), [(0.0, 0.0, 0.0)], r)[0]
    assert found == pytest.approx(flux, rel=1e-3)
    problem.destroy()
