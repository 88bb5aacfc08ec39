"""Kinetic energy and energy of the field: their sum is the free energy, and each is right alone."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from scipy.integrate import quad

from pearlfem import (
    Dipole,
    Disc,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Open,
    Plane,
    Region,
    StudyError,
    UniformField,
    Vortex,
    Walls,
    create_mesh,
    field_energy,
    free_energy,
    kinetic_energy,
)
from pearlfem.analytic import infinite_film
from pearlfem.observables.cell_energies import has_finite_energy

HOLE = Hole(Disc(0.3, center=(0.1, 0.0)), "hole")
RING = Film(Disc(1.0), 0.8, holes=(HOLE,))
PATCHED = Film(Disc(1.0), 0.8, regions=(Region(Disc(0.4), 2.0),))
DRIVES = (
    Impurity((-0.6, 0.1), size=0.2, angle=30.0),
    Vortex((0.2, 0.65), size=0.2),
    Fluxoid("hole", 2),
)
VARIED = Impurity((0.3, -0.3), size=0.3)
FIELDS = (UniformField((0.3, 0.0, 0.7)), Dipole((0.2, 0.1, 0.8), (0.5, 0.0, 1.0)))
SHIFTED = ((4.0, 3.0, 2.0), (0.3, 0.0, 0.3))  # walls around a film that is not in the middle
CASES = {
    "plane": (Film(Plane(), 1.0), (Impurity((0.0, 0.0), size=0.3),), Open()),
    "ring": (RING, DRIVES, Open()),
    "applied": (RING, FIELDS, Open()),
    "regions": (PATCHED, DRIVES[:1], Open()),
    "shield": (RING, DRIVES, Walls("shield", *SHIFTED)),
    "magnetic-wall": (RING, DRIVES, Walls("magnetic-wall", *SHIFTED)),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    film, sources, boundary = CASES[request.param]
    resolution = 0.06 if film.bounded else 0.2  # edges ask for finer cells anyway
    mesh = create_mesh(film, sources, boundary=boundary, resolution=resolution, far=5.0)
    return film, sources, mesh


@pytest.fixture(scope="module", params=["stream", "vector"])
def answer(request, case):
    """All sources together, on a coarse mesh."""
    film, sources, mesh = case
    problem = MaxwellLondon(film, mesh, 2, request.param)
    yield problem.solve(sources)
    problem.destroy()


def test_sum_is_the_free_energy(answer):
    # For the discrete solution itself: what is left is the error of its solver, and round-off.
    parts = kinetic_energy(answer), field_energy(answer)
    assert min(parts) > 0.01 * sum(parts)
    assert sum(parts) == pytest.approx(free_energy(answer), rel=1e-10)


def test_cases_are_of_both_kinds(case):
    _, _, mesh = case
    assert mesh.mirrored is not bool({"shield", "magnetic-wall"} & set(mesh.groups))


def test_energies_are_those_of_assembled_forms(answer):
    # ½ ∫ |B|² dV and ∫ |K|²/2κ dS by DOLFINx, from the potentials.
    mesh, (film,) = answer.mesh, answer.films
    factor = 1.0 if mesh.mirrored else 0.5
    half_kappa_inverse = 0.5 * film.superfluid_weight(inverse=True)
    if answer.formulation == "stream":
        psi = answer.potential
        g = answer.stream_function(film)
        if not mesh.mirrored:
            psi = psi + film.half_sign() * g
        B = ufl.grad(psi)
        K = half_kappa_inverse * (g.dx(0) ** 2 + g.dx(1) ** 2) * film.measure()
        expected = fem.assemble_scalar(fem.form(K))
        assert kinetic_energy(answer) == pytest.approx(expected, rel=1e-10)
    else:
        B = ufl.curl(answer.potential)
    expected = factor * fem.assemble_scalar(fem.form(ufl.inner(B, B) * ufl.dx(mesh.domain)))
    assert field_energy(answer) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_sum_is_the_free_energy_where_the_superfluid_weight_varies(formulation):
    # The operator has κ, or 1/κ, as a quadratic function in each cell: 1e-4 is its error here. With
    # κ at points of the facets in another order than K the error is 2e-3.
    film = Film(Disc(1.0), lambda x, y: 1.0 + 0.4 * np.sin(3 * x) * np.cos(2 * y) + 0.3 * x)
    mesh = create_mesh(film, [VARIED], resolution=0.3, far=5.0)
    problem = MaxwellLondon(film, mesh, 2, formulation)
    solution = problem.solve([VARIED])
    total = kinetic_energy(solution) + field_energy(solution)
    assert total == pytest.approx(free_energy(solution), rel=3e-4)
    problem.destroy()


@pytest.mark.parametrize("formulation", ["stream", "vector"])
def test_gaussian_impurity_on_the_infinite_film(formulation):
    # In Fourier space A = −a_t/(1 + q r0), so κ|a_t + A|²/2 and q|A|² are, with Γ = 1,
    #   E_kin   = (1/8πκ) ∫ q dq (q r0)²/(1 + q r0)² e^{−q²ξ²}
    #   E_field = (1/8πκ) ∫ q dq  q r0 /(1 + q r0)² e^{−q²ξ²}
    r0, size = 1.0, 0.3
    film, impurity = Film(Plane(), r0), Impurity((0.0, 0.0), size=size)

    def exact(power):
        def density(q):
            return q * (q * r0) ** power / (1 + q * r0) ** 2 * np.exp(-((q * size) ** 2))

        return quad(density, 0, np.inf)[0] * r0 / 2 / (8 * np.pi)

    assert exact(1) + exact(2) == pytest.approx(infinite_film.self_energy(size, r0), rel=1e-12)
    mesh = create_mesh(film, [impurity], resolution=0.5, far=50.0)
    problem = MaxwellLondon(film, mesh, 3, formulation)
    solution = problem.solve([impurity])
    # measured: −8e-4, 7e-4 (stream), 5e-4, −4e-4 (vector)
    assert kinetic_energy(solution) == pytest.approx(exact(2), rel=1e-3)
    assert field_energy(solution) == pytest.approx(exact(1), rel=1e-3)
    problem.destroy()


def test_energy_of_a_point_impurity_is_refused():
    film, point = Film(Disc(1.0), 0.8), Impurity((0.1, 0.2), size=0.0)
    mesh = create_mesh(film, [point], resolution=0.06, far=5.0)
    problem = MaxwellLondon(film, mesh, 2)
    solution = problem.solve([point])
    assert not has_finite_energy(solution)
    for energy in (kinetic_energy, field_energy):
        with pytest.raises(StudyError, match="impurity 1: size = 0"):
            energy(solution)
    problem.destroy()
